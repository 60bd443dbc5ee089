"""Training of the model that guesses categories: `python -m index.categories.training CORPUS`.

Needs scikit-learn, the group `train` of pyproject.toml. All articles of the corpus tell which words
are common and which go together; the pages that print a category tell what words mean for it.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from index.analysis import dictionary_words, normalise
from index.categories.features import (
    LATIN,
    VIEWS,
    Counts,
    WordCounter,
    normal_texts,
    shape,
    shape_pairs,
)
from index.categories.model import CategoryModel, Guess, best_guesses
from index.categories.scheme import OTHER, categories, category_of
from index.corpus import Page, Unreadable, read_pages
from index.document import Article
from index.entities import OrganisationTable
from index.errors import NotAnArticle
from index.extract import extract

__all__ = ["PORTALS", "Examples", "Solution", "TrainingSet", "host", "read_articles", "train"]

ARCHIVES = ("portals.tar.xz", "wechat.tar.xz", "html/pages.tar.xz")
PORTALS = ("www.4hou.com", "www.freebuf.com")  # what coverage and the threshold are measured on

# A word that fewer articles or outlets have might tell a single text, or a single author.
_LEAST_ARTICLES = 20
_LEAST_OUTLETS = 3

# What each part weighs; measured in docs/categories.md, "The model".
_PARTS = {"title": 0.5, "opening": 0.5, "body": 1.0}
_TOPICS, _TOPIC_TITLE, _TOPIC_COUNT = 1.0, 0.7, 300
_SHAPE, _BIAS = 1.5, 1.0
_RIDGE = 3.5
_RARITY = 0.3  # the power of a target's rarity by which its pages weigh more
_ELSEWHERE = 0.1  # what a page of another site weighs: their columns follow other customs
_TOPIC_TARGET = "topics"  # pages beyond security, which are 其他 but nothing like a portal's 其他
_COVERAGE = 0.8  # the share of the portals' pages for which the model is sure

_CHUNK = 128


def read_articles(corpus: Path, jobs: int = 2) -> list[Article]:
    """Return all articles of the corpus, in the order of its archives."""
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        chunks = pool.map(_extract_chunk, list(_chunks(corpus)))
        return [article for chunk in chunks for article in chunk]


def _chunks(corpus: Path) -> Iterator[list[Page]]:
    pages = (
        page
        for page in read_pages([corpus / name for name in ARCHIVES])
        if not isinstance(page, Unreadable)
    )
    while chunk := list(islice(pages, _CHUNK)):
        yield chunk


def _extract_chunk(pages: list[Page]) -> list[Article]:
    return [article for page in pages if (article := _article(page))]


def _article(page: Page) -> Article | None:
    try:
        return extract(page)
    except NotAnArticle:
        return None


def is_portal(article: Article) -> bool:
    """Say whether an article is of the portals whose categories the scheme was read off."""
    return host(article) in PORTALS


def host(article: Article) -> str:
    """Return the host of an article's address; empty where it has none."""
    return urlsplit(article.url or "").hostname or ""


def common_words(
    articles: Sequence[Article], texts: Sequence[tuple[str, str]], names: Iterable[str]
) -> tuple[str, ...]:
    """Return the words that enough articles of enough outlets have, sorted, without `names`."""
    forbidden = {normalise(name).text for name in names}
    forbidden |= {label for article in articles for label in host(article).split(".")}
    dictionary = sorted({word for word in dictionary_words() if not word.isascii()})
    counter = WordCounter(dictionary)
    in_articles: dict[str, int] = defaultdict(int)
    in_outlets: dict[str, set[str]] = defaultdict(set)
    for article, (title, text) in zip(articles, texts, strict=True):
        (in_title, _), _, (in_text, _) = counter.count(title, text)
        found = {dictionary[number] for number in (*in_title, *in_text)}
        for word in found.union(LATIN.findall(f"{title}\n{text}")) - forbidden:
            in_articles[word] += 1
            in_outlets[word].add(article.source)
    return tuple(
        sorted(
            word
            for word, count in in_articles.items()
            if count >= _LEAST_ARTICLES and len(in_outlets[word]) >= _LEAST_OUTLETS
        )
    )


@dataclass(frozen=True)
class TrainingSet:
    """The features of all articles of a corpus, and which of them print a category."""

    articles: list[Article]
    words: tuple[str, ...]
    idf: NDArray[np.float64]
    texts: dict[str, sparse.csr_array]
    """Rows of tf-idf a view, each of length 1."""
    topics: NDArray[np.float64]
    """Which words go together: a column a topic."""

    @classmethod
    def of(cls, articles: list[Article], table: OrganisationTable) -> "TrainingSet":
        """Count the words of all articles, and find their topics."""
        names = {name for row in table.organisations for name in row.names}
        names |= {article.source for article in articles}
        read = [normal_texts(article) for article in articles]
        words = common_words(articles, read, names)
        counter = WordCounter(words)
        counted = [counter.count(title, text) for title, text in read]
        counts = {
            view: _matrix([rows[number] for rows in counted], words)
            for number, view in enumerate(VIEWS)
        }
        is_in = (counts["title"] + counts["body"]).astype(bool).sum(axis=0)
        idf = np.log(len(articles) / np.maximum(np.asarray(is_in).ravel(), 1))
        idf = idf.astype(np.float32).astype(np.float64)  # as it is stored
        texts = {view: _tf_idf(matrix, idf) for view, matrix in counts.items()}
        whole = texts["body"] + texts["title"] * _TOPIC_TITLE
        _, _, rows = randomized_svd(whole, _TOPIC_COUNT, n_iter=3, random_state=0)
        return cls(articles, words, idf, texts, rows.T)

    def examples(self) -> "Examples":
        """Return the articles that print a category of the scheme."""
        rows = [
            row
            for row, article in enumerate(self.articles)
            if category_of(article.category_printed)
        ]
        articles = [self.articles[row] for row in rows]
        texts = {view: matrix[rows] for view, matrix in self.texts.items()}
        in_topics = (texts["body"] + texts["title"] * _TOPIC_TITLE) @ self.topics
        shapes = np.array([shape(article) for article in articles])
        return Examples(articles, self, texts, in_topics, shapes)


def _matrix(rows: Sequence[Counts], words: Sequence[str]) -> sparse.csr_array:
    bounds = np.cumsum([0, *(len(numbers) for numbers, _ in rows)])
    numbers = np.concatenate([numbers for numbers, _ in rows])
    counts = np.concatenate([counts for _, counts in rows]).astype(np.float64)
    return sparse.csr_array((counts, numbers, bounds), shape=(len(rows), len(words)))


def _tf_idf(counts: sparse.csr_array, idf: NDArray[np.float64]) -> sparse.csr_array:
    values = counts.copy()
    values.data = (1 + np.log(values.data)) * idf[values.indices]
    lengths = np.sqrt((values**2).sum(axis=1))
    values.data /= np.repeat(lengths, np.diff(values.indptr))
    return values


class Examples:
    """The articles that print a category, and how alike any two of them are."""

    def __init__(
        self,
        articles: list[Article],
        source: TrainingSet,
        texts: dict[str, sparse.csr_array],
        topics: NDArray[np.float64],
        shapes: NDArray[np.float64],
    ) -> None:
        self.articles = articles
        self.source = source
        self.texts = texts
        self.topics_scale = np.sqrt((topics**2).sum(axis=1).mean())
        self.topics = topics / self.topics_scale
        self.mean = shapes.mean(axis=0).astype(np.float32)
        spread = shapes.std(axis=0).astype(np.float32)
        self.spread = np.where(spread > 0, spread, np.float32(1))
        pairs = np.array([shape_pairs(row, self.mean, self.spread) for row in shapes])
        self.shapes_scale = np.sqrt((pairs**2).sum(axis=1).mean())
        self.shapes = pairs / self.shapes_scale
        self.targets = np.array([_target(article) for article in articles])
        self.names = (*categories(), _TOPIC_TARGET)
        self.categories = (*categories(), OTHER)  # of the targets
        self.is_portal = np.array([is_portal(article) for article in articles])
        self.likeness = _TOPICS * self.topics @ self.topics.T + _BIAS
        self.likeness += _SHAPE * self.shapes @ self.shapes.T
        for view, part in _PARTS.items():
            self.likeness += part * (texts[view] @ texts[view].T).toarray()

    def solve(self, rows: NDArray[np.int64]) -> "Solution":
        """Fit the targets of some examples."""
        targets, is_portal = self.targets[rows], self.is_portal[rows]
        wanted = (targets[:, None] == np.array(self.names)).astype(np.float64)
        rarity = (len(rows) / np.maximum(wanted.sum(axis=0), 1)) ** _RARITY
        weights = rarity[wanted.argmax(axis=1)]
        weights = np.where(is_portal, weights, weights * _ELSEWHERE)
        # By the portals' mean, so that pages of other sites do not loosen the ridge.
        weights = weights / weights[is_portal].mean()
        # There are fewer examples than words: solved by likeness, the fit takes a second.
        ridge = KernelRidge(alpha=_RIDGE, kernel="precomputed")
        ridge.fit(self.likeness[np.ix_(rows, rows)], wanted, sample_weight=weights)
        return Solution(self, rows, ridge.dual_coef_)

    def folds(self, count: int = 5) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Give the rows to learn from and the portals' rows to be tried on, which change places.

        The pages of other sites are always learnt from.
        """
        portals, others = np.flatnonzero(self.is_portal), np.flatnonzero(~self.is_portal)
        split = StratifiedKFold(count, shuffle=True, random_state=0)
        for learnt, tried in split.split(portals, self.targets[portals]):
            yield np.concatenate((portals[learnt], others)), portals[tried]


def _target(article: Article) -> str:
    category = category_of(article.category_printed) or OTHER
    is_topic = category == OTHER and not is_portal(article)
    return _TOPIC_TARGET if is_topic else category


@dataclass(frozen=True)
class Solution:
    """What some examples teach: how much each of them speaks for a target."""

    examples: Examples
    rows: NDArray[np.int64]
    shares: NDArray[np.float64]

    def guesses(self, rows: NDArray[np.int64]) -> list[Guess]:
        """Return what the model of this solution guesses for examples."""
        scores = self.examples.likeness[np.ix_(rows, self.rows)] @ self.shares
        return best_guesses(self.examples.categories, scores)

    def model(self, threshold: float) -> CategoryModel:
        """Return the same as weights of words: nothing of the examples stays in them."""
        known = self.examples
        by_topic = _TOPICS * known.topics[self.rows].T @ self.shares
        of_topics = known.source.topics @ by_topic / known.topics_scale
        weights = np.stack(
            [
                _PARTS[view] * (known.texts[view][self.rows].T @ self.shares)
                + of_topics * {"title": _TOPIC_TITLE, "opening": 0.0, "body": 1.0}[view]
                for view in VIEWS
            ]
        )
        of_shape = _SHAPE * known.shapes[self.rows].T @ self.shares / known.shapes_scale
        scale = np.abs(weights).max(axis=(1, 2)) / 127
        return CategoryModel(
            targets=known.categories,
            words=known.source.words,
            idf=known.source.idf.astype(np.float32),
            weights=np.rint(weights / scale[:, None, None]).astype(np.int8),
            scale=scale.astype(np.float32),
            shape=of_shape.astype(np.float32),
            shape_mean=known.mean,
            shape_spread=known.spread,
            bias=(_BIAS * self.shares.sum(axis=0)).astype(np.float32),
            threshold=threshold,
        )


def threshold(examples: Examples) -> float:
    """Return the belief that the wanted share of the portals' pages reach when they are unseen."""
    beliefs: list[float] = []
    for learnt, tried in examples.folds():
        beliefs += [guess.confidence for guess in examples.solve(learnt).guesses(tried)]
    return float(np.quantile(beliefs, 1 - _COVERAGE))


def train(corpus: Path) -> CategoryModel:
    """Return the model that a corpus teaches, the same on every run."""
    # How many threads share a sum decides how it is rounded.
    with threadpool_limits(1):
        examples = TrainingSet.of(read_articles(corpus), OrganisationTable.load()).examples()
        solution = examples.solve(np.arange(len(examples.articles)))
        return solution.model(threshold(examples))


def main(arguments: list[str]) -> int:
    """Write the weights beside this module; print their checksum."""
    content = train(Path(arguments[0])).to_bytes()
    Path(__file__).with_name("weights.npz").write_bytes(content)
    sys.stdout.write(f"{sha256(content).hexdigest()}  {len(content)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
