"""What typing aids are made of, read from one state of the Whoosh index."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from index.analysis import Analyzer, normalise
from search.backends.whoosh.evaluator import Evaluator
from search.backends.whoosh.queries import Combined
from search.backends.whoosh.view import IndexView
from search.pace import Pace
from search.query import TEXT_FIELDS, Variant
from search.vocabulary import MOST_HEADLINES, Headline, Vocabulary

__all__ = ["WhooshArchive"]

_MOST_TERMS = 200  # terms of a prefix that are looked at


@dataclass(frozen=True, slots=True)
class WhooshArchive:
    """An open state of the index, and what counts in it; see `typing_aids.Archive`."""

    view: IndexView
    evaluator: Evaluator
    analyzer: Analyzer

    @property
    def state(self) -> tuple[int, int]:
        """Generation and commit."""
        return self.view.state

    def names(self, column: str) -> tuple[str, ...]:
        """Return all values of a column."""
        return tuple(self.view.keywords[column].values)

    def vocabulary(
        self,
        pace: Pace,
        frequency: Callable[[str], int],
        terms: Callable[[str], Mapping[str, int]],
        learn: Callable[[Iterable[str]], None],  # noqa: ARG002
    ) -> Vocabulary:
        """Read the vocabulary of the state."""
        words: dict[str, int] = {}
        for segment in self.view.segments:
            for term, count in pace.over(segment.terms("title")):
                word = term.decode()
                words[word] = words.get(word, 0) + count
        return Vocabulary(
            articles=self.view.article_count,
            words=words,
            organisations=_totals(self.view, "organisation"),
            categories=_totals(self.view, "category"),
            headlines=tuple(islice(_headlines(self.view, pace), MOST_HEADLINES)),
            frequency=frequency,
            terms=terms,
        )

    def frequency(self, text: str) -> int:
        """Return how many articles hold a word or a string of units."""
        found = self.analyzer.query_terms(text)
        if len(found) == 1 and found[0].is_term:
            word = found[0].text.encode()
            return max(self.view.document_frequency(field, word) for field in ("title", "body"))
        units = self.analyzer.phrase(text)
        if not units:
            return 0
        query = Combined(TEXT_FIELDS, (Variant(units=units, term=None),))
        return len(self.evaluator.operand(query))

    def learn(self, texts: Iterable[str]) -> None:
        """Do nothing: here one question costs as much as the next."""

    def terms(self, prefix: str) -> Mapping[str, int]:
        """Return the first terms of bodies that begin with a prefix, with how many hold each."""
        found: dict[str, int] = {}
        for segment in self.view.segments:
            for number, (term, count) in enumerate(segment.terms("body", prefix.encode())):
                if number == _MOST_TERMS:
                    break
                word = term.decode()
                found[word] = found.get(word, 0) + count
        return found


def _totals(view: IndexView, name: str) -> dict[str, int]:
    column = view.keywords[name]
    counts = column.totals(column.counts(view.everything().documents))
    return dict(zip(column.values, counts.tolist(), strict=True))


def _headlines(view: IndexView, pace: Pace) -> Iterator[Headline]:
    """Give the titles of live articles, the newest first, each once."""
    order = np.argsort(view.newest_first, kind="stable")
    if view.live is not None:
        order = order[view.live[order]]
    titles, ids = view.titles, view.ids
    known: set[bytes] = set()
    for document in pace.over(order.tolist()):
        raw = titles[document]
        if raw and raw not in known:
            known.add(raw)
            title = raw.decode()
            yield Headline(ids[document].decode(), title, " ".join(normalise(title).text.split()))
