"""One segment of the vector codec, held open: its columns and the postings of its terms.

A segment never changes, so what is kept of it here outlives the commits that add others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.backends.vector_codec import POSITION_BITS, Block, Keywords, SegmentFiles, ranges
from search.backends.whoosh.cache import ByteCache
from search.backends.whoosh.matches import distinct

__all__ = ["OpenSegment", "TermPostings", "Values", "nearness"]

_SEARCH_BELOW = 16  # documents so many times fewer than a list's are looked up, by bisection
_WHOLE = 5000  # documents of a term whose places are read all at once, and kept
_FOUND = 1000  # terms whose place is remembered
_QUICKLY_READ = 1 << 16  # bytes; shorter lists leave their room to what phrases have found

_POSITION_MASK = (1 << POSITION_BITS) - 1
_NOWHERE = np.array([-1 << POSITION_BITS])  # a place that is near no other


@dataclass(frozen=True, slots=True)
class TermPostings:
    """The documents of a term, how often each holds it, and the code of each one's length."""

    documents: NDArray[np.int32]
    frequencies: NDArray[np.float32]
    codes: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """The size in bytes."""
        return self.documents.nbytes + self.frequencies.nbytes + self.codes.nbytes


@dataclass(frozen=True)
class Values:
    """The values of a keyword field: names, and which ones each document has.

    Documents with the same values have the same set of them, told by `sets`. `sizes` tells how many
    values a set has, `numbers` which ones, those of one set after another.
    """

    names: list[str]
    sizes: NDArray[np.int32]
    numbers: NDArray[np.int32]
    sets: NDArray[np.int32]

    @cached_property
    def folded(self) -> list[str]:
        """The names without regard to case."""
        return [name.casefold() for name in self.names]

    def documents(self) -> NDArray[np.int64]:
        """Return how many documents have each name."""
        of_sets = np.bincount(self.sets, minlength=len(self.sizes))
        found = np.bincount(self.numbers, np.repeat(of_sets, self.sizes), len(self.names))
        return found.astype(np.int64)


class OpenSegment:
    """A segment with its files mapped; `cache` is shared by all of them."""

    def __init__(self, name: str, files: SegmentFiles, cache: ByteCache[Any]) -> None:
        """Take the segment's id and its open files."""
        self.name = name
        self.files = files
        self.documents = files.documents
        self._terms = files.terms
        self._cache = cache
        self._values: dict[tuple[str, str], Values] = {}
        self._found: dict[tuple[str, bytes], tuple[Block, int] | None] = {}

    def count(self, field: str, text: bytes) -> int:
        """Return how many documents hold a term, deleted ones too."""
        found = self._find(field, text)
        return found[0].count(found[1]) if found else 0

    def postings(self, field: str, text: bytes) -> TermPostings | None:
        """Return the postings of a term, None where there is none."""
        key = (self.name, field, text)
        kept = self._cache.get(key)
        if kept is not None:
            return kept  # type: ignore[no-any-return]
        found = self._find(field, text)
        if found is None:
            return None
        block, number = found
        documents, frequencies = block.postings(number)
        postings = TermPostings(
            documents.astype(np.int32),
            frequencies.astype(np.float32),
            self._codes(field)[documents],
        )
        if postings.nbytes > _QUICKLY_READ:
            self._cache.put(key, postings)
        return postings

    def phrase(self, field: str, texts: Sequence[bytes]) -> TermPostings:
        """Return the documents of a phrase, and how often each holds it."""
        key = (self.name, field, *texts)
        kept = self._cache.get(key)
        if kept is None:
            kept = self._as_postings(field, self.starts(field, texts))
            self._cache.put(key, kept, costly=True)
        return kept

    def _as_postings(self, field: str, places: NDArray[np.int64]) -> TermPostings:
        """Return the documents of some ascending places, and how many places each has."""
        owners = places >> POSITION_BITS
        documents = distinct(owners)
        counts = np.diff(np.searchsorted(owners, documents), append=len(owners))
        return TermPostings(
            documents.astype(np.int32), counts.astype(np.float32), self._codes(field)[documents]
        )

    def near(
        self, field: str, parts: Sequence[tuple[Sequence[bytes], int]], slop: int
    ) -> TermPostings:
        """Return the documents in which some phrases stand together, and how often they do.

        Each phrase comes with its length in units. They stand in any order, none twice in the same
        place, with at most `slop` units between them.
        """
        found: dict[int, NDArray[np.int64]] = {}
        documents = None
        for number in sorted(
            range(len(parts)), key=lambda each: self._least(field, parts[each][0])
        ):
            found[number] = self.starts(field, parts[number][0], documents)
            documents = distinct(found[number] >> POSITION_BITS)
        # Numbered so that of what begins at one place the earlier part comes first.
        numbered = {number: places * len(parts) + number for number, places in found.items()}
        ends = np.sort(np.concatenate(list(numbered.values())), kind="stable")
        first = last = ends // len(parts)
        widest = slop + sum(size for _, size in parts)
        # Where the last place of each part so far is near enough, they stand together. The rarest
        # comes first: of millions of places few are left then for the others.
        for number in sorted(found, key=lambda each: len(found[each])):
            before = _counted(numbered[number], ends)
            lasts = np.concatenate([_NOWHERE, found[number]]).take(before)
            first, last = np.minimum(first, lasts), np.maximum(last, lasts + parts[number][1])
            kept = np.flatnonzero(last - first <= widest)
            ends, first, last = ends.take(kept), first.take(kept), last.take(kept)
        places = ends // len(parts)
        return self._as_postings(field, places[first >> POSITION_BITS == places >> POSITION_BITS])

    def _least(self, field: str, texts: Sequence[bytes]) -> int:
        """Return how many documents hold the rarest of some terms."""
        return min(self.count(field, text) for text in texts)

    def starts(
        self,
        field: str,
        texts: Sequence[bytes],
        within: NDArray[np.int64] | None = None,
    ) -> NDArray[np.int64]:
        """Return where a phrase begins, ascending: in all documents, or in some of them.

        A place is document and position in one number; the position takes POSITION_BITS. Positions
        are read of documents that hold all terms only, and of fewer with each term.
        """
        nothing = np.empty(0, np.int64)
        if (
            within is not None
            and len(texts) == 1
            and (self.count(field, texts[0]) <= _WHOLE or self._is_common(field, texts[0], within))
        ):
            return _inside(self._all_starts(field, texts[0]), within)
        postings = {text: self.postings(field, text) for text in texts}
        lists = [each.documents for each in postings.values() if each is not None]
        if len(lists) < len(postings):
            return nothing
        documents = self._common(lists, within)
        starts: NDArray[np.int64] | None = None
        order = sorted(range(len(texts)), key=lambda place: self.count(field, texts[place]))
        for offset in order:
            if not documents.size:
                return nothing
            text = texts[offset]
            if starts is not None and self._is_common(field, text, documents):
                places = self._all_starts(field, text)
            else:
                places = self._places(field, text, postings[text], documents)
            if starts is None:
                # A start before the document's beginning would belong to the one before it.
                starts = places[(places & _POSITION_MASK) >= offset] - offset
            else:
                wanted = starts + offset
                found = np.searchsorted(places, wanted)
                np.minimum(found, len(places) - 1, out=found)
                starts = starts[places[found] == wanted]
            documents = distinct(starts >> POSITION_BITS)
        return nothing if starts is None else distinct(starts)

    def _all_starts(self, field: str, text: bytes) -> NDArray[np.int64]:
        """Return where a term stands; words of one query are words of the next one too."""
        key = (self.name, field, text, "starts")
        kept = self._cache.get(key)
        if kept is None:
            kept = self.starts(field, [text])
            self._cache.put(key, kept, costly=self.count(field, text) <= _WHOLE)
        return kept

    def _is_common(self, field: str, text: bytes, documents: NDArray[np.int64]) -> bool:
        """Say whether most of the documents of a common term are wanted: it is read whole then."""
        return _WHOLE < self.count(field, text) < 2 * len(documents)

    def _common(
        self, lists: Sequence[NDArray[np.int32]], within: NDArray[np.int64] | None
    ) -> NDArray[np.int64]:
        """Return the documents that are in every list, and among some where these are given."""
        if within is not None:
            documents = within
            for listed in lists:
                documents = documents[_found(listed, documents)[1]]
            return documents
        shortest, *others = sorted(lists, key=len)
        documents = shortest.astype(np.int64)
        for other in others:
            self._marks[other] = True
            documents = documents[self._marks[documents]]
            self._marks[other] = False
        return documents

    def _places(
        self,
        field: str,
        text: bytes,
        postings: TermPostings | None,
        documents: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Return the places of a term in some documents that hold it, ascending."""
        found = self._find(field, text)
        assert found is not None  # noqa: S101  # the term has postings
        assert postings is not None  # noqa: S101
        block, number = found
        if len(documents) == len(postings.documents):
            chosen = np.arange(len(documents))
        elif len(documents) * _SEARCH_BELOW < len(postings.documents):
            chosen = _found(postings.documents, documents)[0]
        else:
            self._marks[documents] = True
            chosen = np.flatnonzero(self._marks[postings.documents])
            self._marks[documents] = False
        counts = postings.frequencies.astype(np.int64)
        places: NDArray[np.int64] = np.repeat(documents << POSITION_BITS, counts[chosen])
        places += block.positions(number, counts, chosen)
        return places

    def expand(self, field: str, prefix: bytes) -> Iterator[tuple[bytes, NDArray[np.int64]]]:
        """Give the terms that begin with `prefix`, in order, and the documents of each."""
        terms = self._terms.fields.get(field)
        if terms is None:
            return
        for block, number in terms.walk(prefix):
            text = block.term(number)
            if not text.startswith(prefix):
                return
            yield text, block.postings(number)[0]

    def terms(self, field: str, prefix: bytes = b"") -> Iterator[tuple[bytes, int]]:
        """Give the terms that begin with `prefix`, in order, and how many documents hold each."""
        known = self._terms.fields.get(field)
        if known is None:
            return
        for block, number in known.walk(prefix):
            text = block.term(number)
            if not text.startswith(prefix):
                return
            yield text, block.count(number)

    def values(self, field: str, separator: str) -> Values:
        """Return the values of a keyword column, whose byte strings hold them separated."""
        kept = self._values.get((field, separator))
        if kept is None:
            column = self.documents.keywords.get(field)
            kept = _split(Keywords([b""], self._zeros) if column is None else column, separator)
            self._values[field, separator] = kept
        return kept

    def _find(self, field: str, text: bytes) -> tuple[Block, int] | None:
        """Return where a term is; the answer is asked for again at once, for its postings."""
        key = field, text
        if key not in self._found:
            if len(self._found) >= _FOUND:
                self._found.clear()
            terms = self._terms.fields.get(field)
            self._found[key] = terms.find(text) if terms else None
        return self._found[key]

    @cached_property
    def _marks(self) -> NDArray[np.bool_]:
        return np.zeros(self.documents.size, np.bool_)

    @cached_property
    def _zeros(self) -> NDArray[np.uint32]:
        return np.zeros(self.documents.size, np.uint32)

    def _codes(self, field: str) -> NDArray[np.uint8]:
        codes = self.documents.lengths.get(field)
        return self._zeros.astype(np.uint8) if codes is None else codes


def nearness(
    starts: NDArray[np.int64],
    others: NDArray[np.int64],
    sizes: tuple[int, int],
    span: int,
    documents: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return for each of some documents the sum of 1 / d² over pairs of places of two phrases.

    d is the distance from one to the other, whichever comes first: 1 where they touch, and no more
    than `span`. `starts` and `others` are where they begin, `sizes` their lengths in units.
    """
    sums = np.zeros(len(documents), np.float32)
    if not starts.size or not others.size:
        return sums
    following = np.searchsorted(others, starts)
    steps = [(following + step, True) for step in range(span + sizes[0])]
    steps += [(following - 1 - step, False) for step in range(span + sizes[1])]
    for places, is_behind in steps:
        other = others[np.clip(places, 0, len(others) - 1)]
        gap = other - starts - sizes[0] if is_behind else starts - other - sizes[1]
        near = (places >= 0) & (places < len(others)) & (gap >= 0) & (gap < span)
        near &= other >> POSITION_BITS == starts >> POSITION_BITS
        if near.any():
            at = np.searchsorted(documents, starts[near] >> POSITION_BITS)
            np.add.at(sums, at, (1.0 / (gap[near] + 1.0) ** 2).astype(np.float32))
    return sums


def _counted(numbers: NDArray[np.int64], limits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of some ascending numbers are at most each of some ascending limits."""
    if len(numbers) > len(limits):
        return np.searchsorted(numbers, limits, "right")
    places = np.searchsorted(limits, numbers)
    return np.cumsum(np.bincount(places, minlength=len(limits) + 1)[:-1])


def _inside(starts: NDArray[np.int64], documents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places that are in some documents."""
    lows = np.searchsorted(starts, documents << POSITION_BITS)
    highs = np.searchsorted(starts, (documents + 1) << POSITION_BITS)
    return starts[ranges(lows, highs - lows)]


def _found(
    listed: NDArray[np.int32], wanted: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where each of some numbers stands in an ascending list, and whether it does."""
    places = np.searchsorted(listed, wanted.astype(np.int32))
    np.minimum(places, len(listed) - 1, out=places)
    return places, listed[places] == wanted


def _split(column: Keywords, separator: str) -> Values:
    numbers: dict[str, int] = {}
    of_value = [
        [numbers.setdefault(name, len(numbers)) for name in text.decode().split(separator) if name]
        for text in map(bytes, column.values)
    ]
    return Values(
        list(numbers),
        np.array([len(names) for names in of_value], np.int32),
        np.array([number for names in of_value for number in names], np.int32),
        column.ordinals.astype(np.int32),
    )
