"""What editors wait for: related articles and the draft check; and how fast copies are found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import rensa
import tantivy

from index.document import Article
from index.duplicates import fingerprints
from index.settings import Settings
from index.store import ArticleStore
from search import open_searcher

__all__ = ["Copies", "Editors", "measure_copies", "measure_editors"]

_SOURCES = 300  # articles whose related ones are asked for, each once, after as many others
_DRAFTS = 20
_DRAFT = 3000  # characters
_PARAGRAPH = 250
_BATCH = 32  # articles whose fingerprints a worker makes at once
_SHINGLE = 5
_PERMUTATIONS = 128
_TERMS = 200  # of a text, of which tantivy looks up as many as we do


@dataclass(frozen=True, slots=True, kw_only=True)
class Editors:
    """Milliseconds of related articles, and of checking a draft of 3,000 characters.

    `peer` is tantivy's MoreLikeThis over the same words, without the ten articles read.
    """

    related: float
    related_p95: float
    peer: float
    draft: float
    draft_p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Fingerprints a second on one core: `ours` whole, `peer` the signatures of rensa alone."""

    ours: float
    peer: float


def measure_editors(settings: Settings) -> Editors:
    """Ask for related articles of articles, and check drafts that are glued from others."""
    with ArticleStore(settings.data / "articles.sqlite3", read_only=True) as store:
        articles = list(store.articles())
    random = Random(5)
    chosen = random.sample(articles, min(2 * _SOURCES, len(articles)))
    searcher = open_searcher(settings)
    try:
        related = _milliseconds(chosen, lambda each: searcher.related(each.id))
        drafts = [_draft(random, articles) for _ in range(2 * _DRAFTS)]
        checked = _milliseconds(drafts, lambda text: searcher.check_draft("", text))
    finally:
        searcher.close()
    peer = _milliseconds(chosen, _tantivy(articles))
    return Editors(
        related=median(related),
        related_p95=quantiles(related, n=20)[-1],
        peer=median(peer),
        draft=median(checked),
        draft_p95=quantiles(checked, n=20)[-1],
    )


def measure_copies(articles: Sequence[Article]) -> Copies:
    """Make the fingerprints of articles, warm."""

    def theirs(article: Article) -> None:
        text = article.body
        signature = rensa.RMinHash(_PERMUTATIONS, 1)
        signature.update([text[at : at + _SHINGLE] for at in range(len(text) - _SHINGLE + 1)])
        signature.digest()

    fingerprints(articles[:_BATCH])
    started = process_time()
    for first in range(0, len(articles), _BATCH):
        fingerprints(articles[first : first + _BATCH])
    ours = process_time() - started
    started = process_time()
    for article in articles:
        theirs(article)
    peer = process_time() - started
    return Copies(ours=len(articles) / ours, peer=len(articles) / peer)


def _milliseconds(items: Sequence[Any], answer: Callable[[Any], object]) -> list[float]:
    """Return how long each of the second half of some items takes, after the first half."""
    found = []
    for item in items:
        started = perf_counter()
        answer(item)
        found.append((perf_counter() - started) * 1000)
    return found[len(items) // 2 :]


def _draft(random: Random, articles: Sequence[Article]) -> str:
    """Return a draft whose paragraphs are of as many articles, which is the dearest to check."""
    paragraphs: list[str] = []
    while sum(map(len, paragraphs)) < _DRAFT:
        body = random.choice(articles).body.replace("\n", "")
        start = random.randrange(max(1, len(body) - _PARAGRAPH))
        paragraphs.append(body[start : start + _PARAGRAPH])
    return "\n".join(paragraphs)[:_DRAFT]


def _tantivy(articles: Sequence[Article]) -> Callable[[Article], object]:
    from index.analysis import Analyzer

    analyzer = Analyzer()

    def words(text: str) -> str:
        tokens = analyzer.field_tokens([text])
        spelt = [tokens.vocabulary[term] for term in tokens.terms.tolist()]
        return " ".join(word for word in spelt if len(word) > 1)

    builder = tantivy.SchemaBuilder()
    for name in ("title", "body"):
        builder.add_text_field(name, tokenizer_name="whitespace")
    schema = builder.build()
    folder = TemporaryDirectory()
    index = tantivy.Index(schema, path=folder.name)
    writer = index.writer(100_000_000)
    for article in articles:
        writer.add_document(
            tantivy.Document(title=[words(article.title)], body=[words(article.body)])
        )
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def answer(article: Article) -> object:
        fields = {"title": [words(article.title)], "body": [words(article.body)]}
        query = tantivy.Query.more_like_this_document_fields_query(
            schema, fields, min_doc_frequency=2, min_term_frequency=1, max_query_terms=_TERMS
        )
        return searcher.search(query, 10), folder

    return answer
