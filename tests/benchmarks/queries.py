"""The queries: drawn from titles and leads of the smallest collection, the same in every run."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

import numpy as np
from tokens import Document, FieldSlice, Tokens

from index.document import BEIJING

__all__ = ["KINDS", "WORDS_KIND", "PageQuery", "Term", "draw_queries"]

WORDS_KIND = "phrase over words"  # asked of tantivy alone: the same phrases in its other view
_PLAIN = ("or", "and", "phrase")
KINDS = (
    *_PLAIN,
    *(f"{kind} + {narrowing}" for narrowing in ("date", "organisation") for kind in _PLAIN),
    "all",
    WORDS_KIND,
)

_SEED = 20260802
_EACH = 100  # queries of a kind
_STRATA = (0.001, 0.01, 0.1)  # shares of the documents between rare, common and very common
_DAY = 86_400


class Term(NamedTuple):
    """A term, and its number in the vocabulary for engines that are given numbers."""

    text: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """A page query: all of `must`, any of `should`, the phrase; every document where none is.

    A phrase is given as its units and as its two words with the distance between them in the view
    of words. `first` and `last` are days, both included.
    """

    kind: str
    must: tuple[Term, ...] = ()
    should: tuple[Term, ...] = ()
    phrase: tuple[Term, ...] = ()
    words: tuple[tuple[int, Term], ...] = ()
    first: date | None = None
    last: date | None = None
    organisation: str | None = None

    @property
    def seconds(self) -> tuple[int, int] | None:
        """The period in seconds since 1970, the last one excluded."""
        if self.first is None or self.last is None:
            return None
        return _second(self.first), _second(self.last) + _DAY


def draw_queries(records: Sequence[Document], tokens: Tokens, count: int) -> list[PageQuery]:
    """Return about a hundred queries of each kind, drawn from the first `count` documents.

    Every second one comes from a vulnerability record, although five in six documents are such.
    """
    random = Random(_SEED)
    sources = _Sources(records, count, tokens)
    drawn: dict[str, list[PageQuery]] = {kind: [] for kind in KINDS}
    for narrowing in ("", " + date", " + organisation"):
        for number in range(_EACH):
            size = number % 4 + 1
            for kind in _PLAIN:
                # An even and an odd round of four go to news and to records.
                drawn[kind + narrowing].append(
                    sources.draw(random, kind, narrowing, size, news=number // 4 % 2 == 0)
                )
    drawn["all"] = [PageQuery(kind="all")] * 20
    drawn[WORDS_KIND] = [replace(query, kind=WORDS_KIND) for query in drawn["phrase"]]
    return [query for kind in KINDS for query in drawn[kind]]


class _Sources:
    """Documents that queries are drawn from."""

    def __init__(self, everything: Sequence[Document], count: int, tokens: Tokens) -> None:
        records = self._records = everything[:count]
        self._tokens = tokens
        # A phrase finds these inside identifiers where positions are kept, but not where a view of
        # units is a text of its own.
        self._parts = tokens.parts()
        self._shares = tokens.frequencies("body", len(records)) / len(records)
        self._news = [
            number for number, record in enumerate(records) if not _is_vulnerability(record)
        ]
        self._spellings = Counter(
            name.casefold()
            for name in {name for record in everything for name in record.organisations}
        )
        self._others = [
            number for number, record in enumerate(records) if _is_vulnerability(record)
        ]

    def draw(
        self, random: Random, kind: str, narrowing: str, size: int, *, news: bool
    ) -> PageQuery:
        """Draw one query; documents that cannot give it are passed over."""
        while True:
            number = random.choice((self._news if news else self._others) or self._news)
            record = self._records[number]
            query = (
                self._phrase(random, number)
                if kind == "phrase"
                else self._terms(random, number, kind, size)
            )
            if query is None:
                continue
            if narrowing == " + date":
                if record.published is None:
                    continue
                day = datetime.fromtimestamp(record.published, BEIJING).date()
                first = day - timedelta(days=random.randrange(365))
                query = replace(query, first=first, last=first + timedelta(days=364))
            elif narrowing == " + organisation":
                # A filter of this project's asks for a name in whatever case.
                names = [
                    name for name in record.organisations if self._spellings[name.casefold()] == 1
                ]
                if not names:
                    continue
                query = replace(query, organisation=random.choice(names))
            return replace(query, kind=kind + narrowing)

    def _terms(self, random: Random, number: int, kind: str, size: int) -> PageQuery | None:
        found = {
            int(term)
            for name in ("title", "lead")
            for term in self._tokens.fields[name].of(number, number + 1).terms
            if self._is_word(int(term))
        }
        strata: dict[int, list[int]] = {}
        for term in sorted(found):
            strata.setdefault(int(np.searchsorted(_STRATA, self._shares[term])), []).append(term)
        if len(found) < size:
            return None
        chosen: list[int] = []
        while len(chosen) < size:
            stratum = strata[random.choice(sorted(strata))]
            term = stratum.pop(random.randrange(len(stratum)))
            chosen.append(term)
            strata = {level: terms for level, terms in strata.items() if terms}
        terms = tuple(self._term(term) for term in chosen)
        return PageQuery(kind=kind, **{"must" if kind == "and" else "should": terms})

    def _phrase(self, random: Random, number: int) -> PageQuery | None:
        """Return two words of the title that follow one another."""
        title = self._tokens.fields["title"].of(number, number + 1)
        units = title.terms[title.is_unit]
        words = list(self._title_words(title))
        pairs = [
            (at, first, further, second)
            for at, (first, start, end) in enumerate(words)
            for further, (second, next_start, _) in enumerate(words[at + 1 :], 1)
            if next_start == end
        ]
        if not pairs:
            return None
        at, first, further, second = random.choice(pairs)
        start, end = words[at][1], words[at + further][2]
        if self._parts[units[start:end]].any():
            return None
        return PageQuery(
            kind="phrase",
            phrase=tuple(self._term(int(unit)) for unit in units[start:end]),
            words=((0, self._term(first)), (further, self._term(second))),
        )

    def _title_words(self, title: FieldSlice) -> Iterator[tuple[int, int, int]]:
        """Give each word of a title: its number, its first unit, the unit after its last."""
        is_unit = title.is_unit
        for at, (term, position) in enumerate(zip(title.terms, title.positions, strict=True)):
            if self._is_word(int(term)):
                text, start = self._tokens.vocabulary[term], int(position)
                if is_unit[at]:
                    yield int(term), start, start + 1
                elif text.isascii():
                    yield int(term), -1, -2  # part of an identifier: it has no neighbours
                else:
                    yield int(term), start, start + len(text)

    def _is_word(self, term: int) -> bool:
        return not self._tokens.is_character[term]

    def _term(self, number: int) -> Term:
        return Term(self._tokens.vocabulary[number], number)


def _is_vulnerability(record: Document) -> bool:
    return record.category == "漏洞" and record.day_only


def _second(day: date) -> int:
    return int(datetime.combine(day, time(), BEIJING).timestamp())
