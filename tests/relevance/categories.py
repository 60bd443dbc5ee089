"""Predicted categories, measured on the portals' pages with their category hidden.

Five folds of the pages of 4hou and FreeBuf that print a category; each is guessed by a model that
learnt from the other four, and from the pages of other sites. Which words are common and which go
together is read from all articles, whose categories play no part in it. Beside it the plain way, on
the same folds: tf-idf over jieba's words of title and body, and a logistic regression with
scikit-learn's defaults. Coverage is the share of pages, the surest first. Across sites, all of one
portal's pages are guessed from the other portal's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ranking import Requirement
from rich.console import Console
from rich.table import Table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_recall_fscore_support
from threadpoolctl import threadpool_limits

from index.analysis.segmenter import open_segmenter
from index.categories import categories
from index.categories.training import PORTALS, Examples, TrainingSet, host, read_articles
from index.entities import OrganisationTable

__all__ = ["Guessed", "measure"]

_COVERAGE = 0.8
_LEAST_PAGES = 25  # of a class that counts for the macro-F1
_NEEDS = {"accuracy@80": 1.05, "macro_f1": 1.15}

_Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Guessed:
    """What pages print and what was guessed for them, with the belief in each guess."""

    printed: Sequence[str]
    guessed: Sequence[str]
    beliefs: Sequence[float]

    def accuracy(self, coverage: float = 1.0) -> float:
        """Return the share of right guesses among the surest."""
        order = np.argsort(-np.array(self.beliefs), kind="stable")
        surest = order[: round(coverage * len(order))]
        return float((np.array(self.printed) == np.array(self.guessed))[surest].mean())

    def macro_f1(self) -> float:
        """Return the mean F1 over the classes that have pages enough."""
        counted = [name for name in categories() if self.printed.count(name) >= _LEAST_PAGES]
        return float(
            f1_score(self.printed, self.guessed, labels=counted, average="macro", zero_division=0)
        )

    def figures(self) -> dict[str, float]:
        """Return the figures that have a floor or a need."""
        return {
            "accuracy@80": self.accuracy(_COVERAGE),
            "accuracy": self.accuracy(),
            "macro_f1": self.macro_f1(),
        }


def measure(corpus: Path, console: Console) -> tuple[dict[str, float], int]:
    """Return the figures; print them beside the plain way's, and count what is short."""
    with threadpool_limits(2):
        training = TrainingSet.of(read_articles(corpus), OrganisationTable.load())
        examples = training.examples()
        plain = _Plain(examples)
        table = Table("categories", "", *_figure_names())
        ours = _guess_all(examples, examples.folds())
        theirs = plain.guess_all(examples.folds())
        _add_rows(table, "five folds", ours, theirs)
        for learnt, tried in (PORTALS, PORTALS[::-1]):
            rows = _rows_of(examples, learnt)
            splits = [(rows, _rows_of(examples, tried))]
            across = [(np.concatenate((rows, _elsewhere(examples))), splits[0][1])]
            _add_rows(
                table,
                f"{learnt} → {tried}",
                _guess_all(examples, across),
                plain.guess_all(splits),
            )
    console.print(table)
    console.print(_by_class(ours))
    short = 0
    for need in _requirements(ours, theirs):
        is_short = need.value < need.least
        short += is_short
        console.print(
            f"{need.text}: {need.value:.4f} of {need.least:.4f}",
            style="bold red" if is_short else "",
        )
    return {f"categories/{name}": round(value, 4) for name, value in ours.figures().items()}, short


def _figure_names() -> tuple[str, ...]:
    return ("accuracy@80", "accuracy", "macro_f1")


def _rows_of(examples: Examples, site: str) -> _Rows:
    return np.flatnonzero([host(article) == site for article in examples.articles])


def _elsewhere(examples: Examples) -> _Rows:
    return np.flatnonzero(~examples.is_portal)


def _guess_all(examples: Examples, splits: Iterable[tuple[_Rows, _Rows]]) -> Guessed:
    printed: list[str] = []
    guessed: list[str] = []
    beliefs: list[float] = []
    for learnt, tried in splits:
        for row, guess in zip(tried, examples.solve(learnt).guesses(tried), strict=True):
            printed.append(str(examples.targets[row]))
            guessed.append(guess.category)
            beliefs.append(guess.confidence)
    return Guessed(printed, guessed, beliefs)


class _Plain:
    """The plain way: each page of a portal as its words, with spaces between them."""

    def __init__(self, examples: Examples) -> None:
        segmenter = open_segmenter(())
        self._targets = examples.targets
        self._texts = {
            row: " ".join(segmenter.cut(f"{article.title}\n{article.body}"))
            for row, article in enumerate(examples.articles)
            if examples.is_portal[row]
        }

    def guess_all(self, splits: Iterable[tuple[_Rows, _Rows]]) -> Guessed:
        """Guess the rows to be tried from those of the portals among the rows to learn from."""
        printed: list[str] = []
        guessed: list[str] = []
        beliefs: list[float] = []
        for learnt, tried in splits:
            rows = [row for row in learnt if row in self._texts]
            vectorizer = TfidfVectorizer(analyzer=str.split)
            known = vectorizer.fit_transform([self._texts[row] for row in rows])
            model = LogisticRegression(max_iter=1000).fit(known, self._targets[rows])
            shares = model.predict_proba(vectorizer.transform([self._texts[row] for row in tried]))
            printed += self._targets[tried].tolist()
            guessed += model.classes_[shares.argmax(axis=1)].tolist()
            beliefs += shares.max(axis=1).tolist()
        return Guessed(printed, guessed, beliefs)


def _add_rows(table: Table, name: str, ours: Guessed, theirs: Guessed) -> None:
    mine, plain = ours.figures(), theirs.figures()
    for engine, figures in (("Anwen", mine), ("tf-idf, logistic", plain)):
        table.add_row(name, engine, *(f"{figures[figure]:.4f}" for figure in _figure_names()))
    ratios = (
        mine[figure] / plain[figure] if plain[figure] else np.inf for figure in _figure_names()
    )
    table.add_row(name, "ratio", *(f"{ratio:.3f}" for ratio in ratios), end_section=True)


def _by_class(ours: Guessed) -> Table:
    table = Table("class", "pages", "precision", "recall", "F1")
    rates = precision_recall_fscore_support(
        ours.printed, ours.guessed, labels=categories(), zero_division=0
    )
    for name, precision, recall, f1, pages in zip(categories(), *rates, strict=True):
        table.add_row(name, str(pages), f"{precision:.3f}", f"{recall:.3f}", f"{f1:.3f}")
    return table


def _requirements(ours: Guessed, theirs: Guessed) -> Iterator[Requirement]:
    """Give what the prediction is to show beside the plain way."""
    mine, plain = ours.figures(), theirs.figures()
    for name, factor in _NEEDS.items():
        yield Requirement(f"{name}, {factor} times the plain way", mine[name], factor * plain[name])
