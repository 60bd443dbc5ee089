"""One committed state of the Whoosh index, held open: postings, columns, statistics."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.backends.whoosh import SEPARATOR, WhooshIndex
from index.document import BEIJING
from index.errors import QueryError
from index.schema import TEXT_FIELDS, UNDATED, decode_length
from search import similarity
from search.backends.columns import KeywordColumn, Mask

__all__ = ["Field", "IndexView", "Scored"]

MAX_EXPANSIONS = 2000  # terms of one prefix; each costs a walk over its postings

_DAY = 86_400  # seconds
_LENGTHS = np.array([decode_length(code) for code in range(256)], dtype=np.float64)

Scored = tuple[Mask, NDArray[np.float64]]
"""Which documents match, and each one's score: 0 where it does not."""


@dataclass(frozen=True, slots=True)
class Field:
    """What scoring needs of a text field; `norms` has one number a document."""

    documents: int
    norms: NDArray[np.float64]


class IndexView:
    """A reader of one state of the index, with its columns in memory.

    Document numbers are Whoosh's, from 0; deleted documents keep theirs until a merge and are
    outside `live`.
    """

    def __init__(self, index: WhooshIndex) -> None:
        """Open the live generation; raises IndexUnavailable or IndexOutOfDate."""
        self.state = index.state
        self._reader = index.open_reader()
        reader = self._reader
        self.size: int = reader.doc_count_all()
        self.live: Mask = np.array(
            [not reader.is_deleted(number) for number in range(self.size)], dtype=np.bool_
        )
        self.ids = [key.decode() for key in self._column("key")]
        self.published = np.array(self._column("published"), dtype=np.int64)
        self.day_only = np.array(self._column("day_only"), dtype=np.bool_)
        self.keywords = {
            "category": KeywordColumn([(value.decode(),) for value in self._column("category")]),
            "source": KeywordColumn([(value.decode(),) for value in self._column("source")]),
            "organisation": KeywordColumn(
                [value.decode().split(SEPARATOR) for value in self._column("organisations")]
            ),
            "month": KeywordColumn([(_month(second),) for second in self.published.tolist()]),
        }

    def close(self) -> None:
        """Release the index's files."""
        self._reader.close()

    @cached_property
    def newest_first(self) -> NDArray[np.int64]:
        """A rank for each document: 0 the newest, undated ones last, ties by id."""
        # Where only the crawl's day is known the article may be a day older: it must not stand
        # before a printed time of that day or the day before.
        keys = np.where(self.day_only, self.published - _DAY - 1, self.published)
        return self._ranks(-keys)

    @cached_property
    def oldest_first(self) -> NDArray[np.int64]:
        """A rank for each document: 0 the oldest, undated ones last, ties by id."""
        keys = np.where(self.day_only, self.published + _DAY, self.published)
        return self._ranks(np.where(self.published == UNDATED, np.iinfo(np.int64).max, keys))

    def between(self, first: date | None, last: date | None) -> Mask:
        """Return which documents were published from one day to another in Beijing."""
        mask: Mask = self.published != UNDATED
        if first is not None:
            mask &= self.published >= _second(first)
        if last is not None:
            mask &= self.published < _second(last) + _DAY
        return mask

    def term(self, text: str, fields: tuple[str, ...]) -> Scored:
        """Score a term in each field and add the scores up."""
        total = np.zeros(self.size)
        matched = np.zeros(self.size, dtype=np.bool_)
        for name in fields:
            if (name, text) not in self._reader:
                continue
            documents: list[int] = []
            frequencies: list[float] = []
            matcher = self._reader.postings(name, text)
            while matcher.is_active():
                documents.append(matcher.id())
                frequencies.append(matcher.weight())
                matcher.next()
            self._add(name, [text], documents, frequencies, matched, total)
        return matched, total

    def phrase(self, units: tuple[str, ...], fields: tuple[str, ...]) -> Scored:
        """Score a sequence of units in each field and add the scores up."""
        if len(units) == 1:
            return self.term(units[0], fields)
        total = np.zeros(self.size)
        matched = np.zeros(self.size, dtype=np.bool_)
        for name in fields:
            if all((name, unit) in self._reader for unit in units):
                documents, frequencies = self._phrase_postings(name, units)
                self._add(name, units, documents, frequencies, matched, total)
        return matched, total

    def prefix(self, text: str, fields: tuple[str, ...]) -> Scored:
        """Score a prefix: as in Lucene, the field's boost for every document that matches.

        Raises QueryError where more terms begin so than MAX_EXPANSIONS.
        """
        total = np.zeros(self.size)
        matched = np.zeros(self.size, dtype=np.bool_)
        for name in fields:
            documents: set[int] = set()
            for count, term in enumerate(self._reader.expand_prefix(name, text), 1):
                if count > MAX_EXPANSIONS:
                    raise QueryError(
                        f"以“{text}”开头的词超过 {MAX_EXPANSIONS} 个，请多写几个字符。"
                    )
                documents.update(self._reader.postings(name, term.decode()).all_ids())
            found = np.fromiter(documents, dtype=np.int64, count=len(documents))
            matched[found] = True
            total[found] += similarity.FIELD_BOOSTS[name]
        return matched, total

    def _add(
        self,
        name: str,
        terms: list[str] | tuple[str, ...],
        documents: list[int],
        frequencies: list[float],
        matched: Mask,
        total: NDArray[np.float64],
    ) -> None:
        field = self._fields[name]
        weight = similarity.FIELD_BOOSTS[name] * sum(
            similarity.idf(field.documents, self._reader.doc_frequency(name, term))
            for term in terms
        )
        found = np.array(documents, dtype=np.int64)
        matched[found] = True
        total[found] += similarity.scores(np.array(frequencies), field.norms[found], weight)

    def _phrase_postings(self, name: str, units: tuple[str, ...]) -> tuple[list[int], list[float]]:
        """Walk the units' postings together; give documents and how often each holds the phrase."""
        documents: list[int] = []
        frequencies: list[float] = []
        matchers = [self._reader.postings(name, unit) for unit in units]
        while all(matcher.is_active() for matcher in matchers):
            furthest = max(matcher.id() for matcher in matchers)
            behind = [matcher for matcher in matchers if matcher.id() < furthest]
            if behind:
                for matcher in behind:
                    matcher.skip_to(furthest)
                continue
            starts = set(matchers[0].value_as("positions"))
            for offset, matcher in enumerate(matchers[1:], 1):
                starts &= {position - offset for position in matcher.value_as("positions")}
                if not starts:
                    break
            if starts:
                documents.append(furthest)
                frequencies.append(float(len(starts)))
            for matcher in matchers:
                matcher.next()
        return documents, frequencies

    @cached_property
    def _fields(self) -> dict[str, Field]:
        fields = {}
        for name in TEXT_FIELDS:
            codes = np.array(self._column(f"{name}_length"), dtype=np.uint8)
            documents = int(np.count_nonzero(codes))
            average = self._reader.field_length(name) / documents if documents else 0.0
            norms = similarity.length_norms(_LENGTHS[codes], average)
            fields[name] = Field(documents=documents, norms=norms)
        return fields

    def _column(self, name: str) -> list[Any]:
        if not self.size:
            return []
        column = self._reader.column_reader(name)
        return [column[number] for number in range(self.size)]

    def _ranks(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        order = np.lexsort((np.array(self.ids, dtype=np.str_), keys))
        ranks = np.empty(self.size, dtype=np.int64)
        ranks[order] = np.arange(self.size)
        return ranks


def _second(day: date) -> int:
    return int(datetime.combine(day, time(), BEIJING).timestamp())


def _month(second: int) -> str:
    if second == UNDATED:
        return ""
    moment = datetime.fromtimestamp(0, BEIJING) + timedelta(seconds=second)
    return f"{moment.year:04}-{moment.month:02}"
