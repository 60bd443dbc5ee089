"""One committed state of the index, held open: segments, columns, statistics."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from index.backends.vector_codec import LENGTHS, VectorSegment
from index.backends.whoosh import SEPARATOR, WhooshIndex
from index.document import BEIJING, OrganisationType
from index.schema import UNDATED, Naming, newest_first, oldest_first
from search import similarity
from search.backends.clusters import Clusters
from search.backends.whoosh.cache import ByteCache
from search.backends.whoosh.columns import FacetCounter, KeywordColumn
from search.backends.whoosh.matches import Accumulator, Mask, Matches
from search.backends.whoosh.segments import OpenSegment, Values

__all__ = ["IndexView", "SegmentsView"]

_DAY = 86_400  # seconds
_BEIJING_SECONDS = 8 * 3600  # ahead of UTC; China has had no summer time since 1991

_KEYWORDS = {"category": "category", "source": "source"}
_FILTERS = {"author": "author", "identifier": "identifiers"}  # columns that no facet is made of


class SegmentsView:
    """All segments of one state of a Whoosh index as if they were one.

    Document numbers are Whoosh's, from 0; deleted documents keep theirs until a merge and are
    outside `live`, which is None where there are none.
    """

    def __init__(self, reader: Any, opened: Sequence[tuple[VectorSegment, OpenSegment]]) -> None:
        """Take a Whoosh reader and the segments that it reads."""
        self.reader = reader
        self.segments = [segment for _, segment in opened]
        sizes = [segment.documents.size for segment in self.segments]
        self.size = sum(sizes)
        self.bases = [sum(sizes[:number]) for number in range(len(sizes))]
        self.live: Mask | None = None
        if any(segment.has_deletions() for segment, _ in opened):
            self.live = np.ones(self.size, np.bool_)
            for base, (segment, _) in zip(self.bases, opened, strict=True):
                self.live[base + np.fromiter(segment.deleted_docs(), np.int64)] = False
        self.accumulator = Accumulator(self.size)

    def close(self) -> None:
        """Release Whoosh's reader; mapped files go with the last array over them."""
        self.reader.close()

    @property
    def article_count(self) -> int:
        """How many documents are not deleted."""
        return self.size if self.live is None else int(np.count_nonzero(self.live))

    def everything(self) -> Matches:
        """Return every live document, with score 0."""
        live = np.arange(self.size) if self.live is None else np.flatnonzero(self.live)
        return Matches(live, np.zeros(len(live), np.float32))

    # Statistics of scoring; deleted documents count until a merge, as in Lucene

    def document_count(self, field: str) -> int:
        """Return how many documents have a field."""
        return self._fields[field][0] if field in self._fields else self.size

    def document_frequency(self, field: str, text: bytes) -> int:
        """Return how many documents hold a term."""
        return sum(segment.count(field, text) for segment in self.segments)

    def norms(self, field: str) -> NDArray[np.float32]:
        """Return the norm of each one-byte code of a field's length."""
        if field not in self._fields:
            return np.full(256, similarity.K1, np.float32)
        return self._fields[field][1]

    def combined_norms(self, fields: Sequence[str]) -> NDArray[np.float32]:
        """Return the norm of each document for words that are counted in several fields."""
        key = tuple(fields)
        if key not in self._combined:
            lengths = np.zeros(self.size)
            tokens = 0.0
            for name in key:
                boost = similarity.FIELD_BOOSTS[name]
                tokens += boost * self.reader.field_length(name)
                for base, segment in zip(self.bases, self.segments, strict=True):
                    codes = segment.documents.lengths.get(name)
                    if codes is not None:
                        lengths[base : base + len(codes)] += boost * LENGTHS[codes]
            kept = LENGTHS[np.searchsorted(LENGTHS, np.rint(lengths), side="right") - 1]
            average = tokens / max(map(self.document_count, key)) if tokens else 0.0
            self._combined[key] = similarity.length_norms(kept, average, similarity.COMBINED_K1)
        return self._combined[key]

    @cached_property
    def _combined(self) -> dict[tuple[str, ...], NDArray[np.float32]]:
        return {}

    @cached_property
    def _fields(self) -> dict[str, tuple[int, NDArray[np.float32]]]:
        fields = {}
        for name in {name for segment in self.segments for name in segment.documents.lengths}:
            documents = sum(
                int(np.count_nonzero(segment.documents.lengths[name]))
                for segment in self.segments
                if name in segment.documents.lengths
            )
            average = self.reader.field_length(name) / documents if documents else 0.0
            norms = similarity.length_norms(LENGTHS, average)
            fields[name] = (documents, norms)
        return fields


_Named = tuple[Values, NDArray[np.bool_]]


class _Columns(dict[str, KeywordColumn]):
    """Columns by name; those that no facet is made of are read when they are first asked for."""

    def __init__(self, read: Callable[[str], KeywordColumn]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, name: str) -> KeywordColumn:
        self[name] = self._read(name)
        return self[name]


class IndexView(SegmentsView):
    """A state of the project's index, with the columns of its articles."""

    def __init__(
        self, index: WhooshIndex, cache: ByteCache[Any], previous: "IndexView | None" = None
    ) -> None:
        """Open the live generation, taking open segments over from the previous view.

        Raises IndexUnavailable or IndexOutOfDate.
        """
        self.state = index.state
        known = {segment.name: segment for segment in previous.segments} if previous else {}
        reader, opened = index.open_segments(
            {name: segment.files for name, segment in known.items()}
        )
        super().__init__(
            reader,
            [
                (
                    segment,
                    known.get(segment.segment_id())
                    or OpenSegment(segment.segment_id(), files, cache),
                )
                for segment, files in opened
            ],
        )
        self.published = self._numbers("published", np.int64)
        self.day_only = self._numbers("day_only", np.bool_)
        self.keywords: dict[str, KeywordColumn] = _Columns(self._column)
        for name in _KEYWORDS:
            self.keywords[name] = self._column(name)
        self.keywords["organisation"] = self._organisations(previous)
        self.keywords["month"] = KeywordColumn([_spans(self.published, "M")])
        self.facets = FacetCounter(dict(self.keywords))

    def _column(self, name: str) -> KeywordColumn:
        if name == "day":
            return KeywordColumn([_spans(self.published, "D")])
        field = (_KEYWORDS | _FILTERS)[name]
        return KeywordColumn([segment.values(field, SEPARATOR) for segment in self.segments])

    def _organisations(self, previous: "IndexView | None") -> KeywordColumn:
        """Return the column of organisations, marked where they act."""
        known: dict[str, _Named] = previous._named if previous else {}
        # What a segment says never changes: to read it took most of what opening a state takes.
        self._named: dict[str, _Named] = {
            segment.name: known.get(segment.name) or _named(segment) for segment in self.segments
        }
        parts = self._named.values()
        return KeywordColumn([values for values, _ in parts], [marks for _, marks in parts])

    @cached_property
    def organisation_types(self) -> list[OrganisationType]:
        """The type of each organisation, the commonest where articles differ."""
        column = self.keywords["organisation"]
        counts: dict[tuple[str, OrganisationType], int] = {}
        for segment in self.segments:
            values = segment.values("organisations", SEPARATOR)
            for text, count in zip(values.names, values.documents().tolist(), strict=True):
                naming = Naming.read(text)
                key = naming.name.casefold(), naming.type
                counts[key] = counts.get(key, 0) + count
        ranked = sorted(counts, key=lambda key: (counts[key], key[1]))
        types = dict(ranked)  # the last of a name is the commonest
        return [types[value.casefold()] for value in column.values]

    @cached_property
    def ids(self) -> NDArray[np.bytes_]:
        """The id of each document."""
        parts = [np.empty(0, "S1")]
        for segment in self.segments:
            keys = segment.documents.keywords["key"]
            parts.append(np.asarray(keys.values, np.bytes_)[keys.ordinals])
        return np.concatenate(parts)

    @property
    def titles(self) -> list[bytes]:
        """The title of each document in UTF-8."""
        found: list[bytes] = []
        for segment in self.segments:
            column = segment.documents.keywords["headline"]
            values = list(map(bytes, column.values))
            found += [values[number] for number in column.ordinals.tolist()]
        return found

    def document(self, identifier: str) -> int | None:
        """Return the document of an id, None where there is none."""
        found = np.flatnonzero(self.ids == identifier.encode())
        if self.live is not None:
            found = found[self.live[found]]
        return int(found[0]) if len(found) else None

    def title(self, document: int) -> str:
        """Return the title of one document."""
        place = bisect_right(self.bases, document) - 1
        column = self.segments[place].documents.keywords["headline"]
        number = int(column.ordinals[document - self.bases[place]])
        return bytes(column.values[number]).decode()

    def moment(self, document: int) -> datetime | None:
        """Return when a document was published."""
        seconds = int(self.published[document])
        return None if seconds == UNDATED else datetime.fromtimestamp(seconds, BEIJING)

    @cached_property
    def clusters(self) -> Clusters:
        """The clusters of near-duplicates; canonical is the earliest, then the longest."""
        known = {b"": 0}
        parts = [np.empty(0, np.int64)]
        for segment in self.segments:
            column = segment.documents.keywords["cluster"]
            numbers = [known.setdefault(label, len(known)) for label in map(bytes, column.values)]
            parts.append(np.array(numbers, np.int64)[column.ordinals])
        sizes = self._numbers("size", np.int64)
        return Clusters(np.concatenate(parts), self.live, (self.oldest_first, -sizes, self.ids))

    @cached_property
    def newest_first(self) -> NDArray[np.int64]:
        """A key for each document; see `index.schema.newest_first`."""
        return newest_first(self.published, self.day_only)

    @cached_property
    def oldest_first(self) -> NDArray[np.int64]:
        """A key for each document; see `index.schema.oldest_first`."""
        return oldest_first(self.published, self.day_only)

    def age(self, documents: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how many days older than the newest article some documents are."""
        seconds = self._newest - np.maximum(self.published[documents], 0)
        days: NDArray[np.float64] = seconds / _DAY
        return days

    @cached_property
    def _newest(self) -> int:
        return max(0, int(self.published.max(initial=0)))

    def between(
        self, first: date | None, last: date | None, documents: NDArray[np.int64] | None = None
    ) -> Mask:
        """Return which documents, or which of some, were published in a period of Beijing days."""
        published = self.published if documents is None else self.published[documents]
        # Undated ones stand below every date.
        mask: Mask = published > UNDATED if first is None else published >= _second(first)
        if last is not None:
            mask &= published < _second(last) + _DAY
        return mask

    def _numbers(self, field: str, kind: Any) -> NDArray[Any]:
        parts: Iterable[NDArray[Any]] = (
            segment.documents.numbers[field].astype(kind) for segment in self.segments
        )
        return np.concatenate([np.empty(0, kind), *parts])


def _second(day: date) -> int:
    return int(datetime.combine(day, time(), BEIJING).timestamp())


def _named(segment: OpenSegment) -> _Named:
    """Return the organisations of a segment, and which of them are said to act."""
    values = segment.values("organisations", SEPARATOR)
    namings = [Naming.read(text) for text in values.names]
    names = replace(values, names=[naming.name for naming in namings])
    return names, np.array([naming.salient for naming in namings], np.bool_)


def _spans(published: NDArray[np.int64], unit: Literal["D", "M"]) -> Values:
    """Return the day or month of each document in Beijing, none for an undated one."""
    dated = published != UNDATED
    moments = (published[dated] + _BEIJING_SECONDS).astype("datetime64[s]")
    spans = moments.astype(f"datetime64[{unit}]").astype(np.int64)
    # Those in use, numbered by a table over their range: sorting all documents would be slow.
    first = int(spans.min()) if spans.size else 0
    used = np.bincount(spans - first) > 0
    table = np.cumsum(used) - 1
    names = (np.flatnonzero(used) + first).astype(f"datetime64[{unit}]").astype(str).tolist()
    sets = np.zeros(len(published), np.int32)
    sets[dated] = table[spans - first] + 1
    sizes = np.minimum(np.arange(len(names) + 1), 1)  # none for the first set, which is of undated
    return Values(names, sizes.astype(np.int32), np.arange(len(names), dtype=np.int32), sets)
