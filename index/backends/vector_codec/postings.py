"""Postings as flat arrays, and how a block of them is packed into bytes.

A block holds the postings of consecutive terms. Three streams of numbers are packed, term by term,
each in the width that costs the fewest bytes:

    gaps          document id minus the one before it; the first one plus 1
    frequencies   how often the document holds the term
    steps         position minus the one before it in the document; the first one plus 1

Class 0: all of the term's numbers are 1 and take no bytes. Class 1: one byte each. Class 2: two
bytes each. The largest value of a width (255, 65,535) stands for a number that does not fit; those
follow in order as four bytes each ("patched" coding, as in PForDelta: Zukowski et al., ICDE 2006).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["POSITION_BITS", "Block", "Postings", "pack", "ranges", "starts"]

POSITION_BITS = 22  # a page has at most 8 MiB, so fewer units than 2²²

Numbers = NDArray[np.uint32]

_ESCAPES = (0, 0xFF, 0xFFFF)  # by class
_HEADER = 13  # arrays in a block


@dataclass(frozen=True, slots=True)
class Postings:
    """The postings of some terms of one field, in order of the terms.

    `counts` has the number of documents of each term; `documents` (ascending inside a term) and
    `frequencies` one number a posting; `positions` (ascending inside a posting) one number an
    occurrence, or is None for a field without positions.
    """

    terms: list[bytes]
    counts: Numbers
    documents: Numbers
    frequencies: Numbers
    positions: Numbers | None

    @property
    def occurrences(self) -> Numbers:
        """How often each term occurs; at most 2³² − 1."""
        return np.add.reduceat(self.frequencies, starts(self.counts), dtype=np.uint32)

    def slice(self, first: int, last: int) -> "Postings":
        """Return the terms from `first` to before `last`."""
        if first == 0 and last == len(self.terms):
            return self
        before = int(self.counts[:first].sum())
        after = before + int(self.counts[first:last].sum())
        positions = self.positions
        if positions is not None:
            begin = int(self.frequencies[:before].sum())
            positions = positions[begin : begin + int(self.frequencies[before:after].sum())]
        return Postings(
            self.terms[first:last],
            self.counts[first:last],
            self.documents[before:after],
            self.frequencies[before:after],
            positions,
        )

    def renumbered(self, numbers: NDArray[np.int64]) -> "Postings | None":
        """Return the postings with each document's new number; those with −1 are left out."""
        documents = numbers[self.documents]
        kept = documents >= 0
        if kept.all():
            return Postings(
                self.terms,
                self.counts,
                documents.astype(np.uint32),
                self.frequencies,
                self.positions,
            )
        counts = np.add.reduceat(kept, starts(self.counts), dtype=np.uint32)
        if not counts.any():
            return None
        positions = self.positions
        if positions is not None:
            positions = positions[np.repeat(kept, self.frequencies)]
        return Postings(
            [term for term, count in zip(self.terms, counts.tolist(), strict=True) if count],
            counts[counts > 0],
            documents[kept].astype(np.uint32),
            self.frequencies[kept],
            positions,
        )

    @staticmethod
    def concatenate(parts: list["Postings"]) -> "Postings":
        """Join parts whose terms follow one another."""
        if len(parts) == 1:
            return parts[0]
        positions = [part.positions for part in parts if part.positions is not None]
        return Postings(
            [term for part in parts for term in part.terms],
            np.concatenate([part.counts for part in parts]),
            np.concatenate([part.documents for part in parts]),
            np.concatenate([part.frequencies for part in parts]),
            np.concatenate(positions) if positions else None,
        )


def pack(postings: Postings) -> list[NDArray[np.generic]]:
    """Pack postings, of one term at least, into the arrays of a block."""
    counts = postings.counts
    if not counts.all():
        raise ValueError("A term without documents cannot be packed.")
    occurrences = postings.occurrences
    first = starts(counts)
    gaps = _differences(postings.documents, first)
    streams = [_pack_stream(gaps, counts), _pack_stream(postings.frequencies, counts)]
    if postings.positions is not None:
        steps = _differences(postings.positions, starts(postings.frequencies))
        streams.append(_pack_stream(steps, occurrences))
    else:
        streams.append(_EMPTY_STREAM)
    classes = streams[0][0] | streams[1][0] << 2 | streams[2][0] << 4
    text = b"".join(postings.terms)
    sizes = np.fromiter(map(len, postings.terms), dtype=np.uint32, count=len(postings.terms))
    arrays: list[NDArray[np.generic]] = [
        _narrow(sizes),
        _narrow(counts),
        _narrow(occurrences - counts),
        classes.astype(np.uint8),
        *(array for stream in streams for array in stream[1:]),
    ]
    header = np.array([(array.size, array.itemsize) for array in arrays], dtype="<u4")
    return [header.reshape(-1), *arrays, np.frombuffer(text, np.uint8)]


class Block:
    """One packed block, unpacked a term at a time or whole."""

    def __init__(self, data: memoryview, *, positions: bool) -> None:
        self._has_positions = positions
        header = np.frombuffer(data, "<u4", 2 * _HEADER).tolist()
        offset = _padded(8 * _HEADER)
        arrays = []
        for count, width in zip(header[::2], header[1::2], strict=True):
            arrays.append(np.frombuffer(data, f"<u{width}", count, offset))
            offset += _padded(count * width)
        self._sizes, self._counts, self._extra, self._classes = arrays[:4]
        self._streams = (arrays[4:7], arrays[7:10], arrays[10:13])
        self._text = data[offset:]

    def __len__(self) -> int:
        return len(self._sizes)

    @cached_property
    def _ends(self) -> NDArray[np.uint32]:
        return np.cumsum(self._sizes, dtype=np.uint32)

    def term(self, number: int) -> bytes:
        """Return the text of a term."""
        ends = self._ends
        return bytes(self._text[int(ends[number - 1]) if number else 0 : int(ends[number])])

    def find(self, text: bytes) -> int:
        """Return the number of the first term that is not before `text`."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self.term(middle) < text:
                low = middle + 1
            else:
                high = middle
        return low

    def count(self, number: int) -> int:
        """Return how many documents hold a term."""
        return int(self._counts[number])

    def occurrences(self, number: int) -> int:
        """Return how often a term occurs."""
        return int(self._counts[number]) + int(self._extra[number])

    def postings(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the documents and frequencies of a term."""
        count = self.count(number)
        gaps = self._unpack_term(0, number, self._counts, count)
        documents = np.cumsum(gaps, dtype=np.int64) - 1
        return documents, self._unpack_term(1, number, self._counts, count).astype(np.int64)

    def positions(
        self,
        number: int,
        frequencies: NDArray[np.int64] | None = None,
        chosen: NDArray[np.int64] | None = None,
    ) -> Numbers:
        """Return the positions of a term, those of each document one after another.

        `chosen` are the places of the wanted postings in the term's list, ascending; without it
        all are given. `frequencies` are the term's, where the caller has them already. Raises
        ValueError for a field without positions.
        """
        if not self._has_positions:
            raise ValueError("The field has no positions.")
        if frequencies is None:
            frequencies = self.postings(number)[1]
        occurrences = self._counts.astype(np.int64) + self._extra
        if chosen is None or 2 * len(chosen) > len(frequencies):
            steps = self._unpack_term(2, number, occurrences, self.occurrences(number))
            if chosen is not None:
                kept = np.zeros(len(frequencies), np.bool_)
                kept[chosen] = True
                steps, frequencies = steps[np.repeat(kept, frequencies)], frequencies[kept]
        else:
            places = ranges(starts(frequencies)[chosen], frequencies[chosen])
            steps = self._unpack_term(2, number, occurrences, self.occurrences(number), places)
            frequencies = frequencies[chosen]
        return _sums(steps, frequencies)

    def unpack(self) -> Postings:
        """Return the whole block."""
        counts = self._counts.astype(np.uint32)
        occurrences = counts + self._extra.astype(np.uint32)
        frequencies = self._unpack_stream(1, counts)
        positions = None
        if self._has_positions:
            positions = _sums(self._unpack_stream(2, occurrences), frequencies)
        ends = self._ends.tolist()
        text = bytes(self._text)
        return Postings(
            [text[start:end] for start, end in zip([0, *ends], ends, strict=False)],
            counts,
            _sums(self._unpack_stream(0, counts), counts),
            frequencies,
            positions,
        )

    def _unpack_term(
        self,
        stream: int,
        number: int,
        counts: NDArray[np.integer],
        count: int,
        places: NDArray[np.int64] | None = None,
    ) -> Numbers:
        """Return a term's numbers of a stream, those at some ascending places or all `count`."""
        classes = self._classes >> 2 * stream & 3
        kind = int(classes[number])
        if kind == 0:
            return np.ones(count if places is None else len(places), np.uint32)
        one, two, rest = self._streams[stream]
        stored, escape = (one, _ESCAPES[1]) if kind == 1 else (two, _ESCAPES[2])
        start = int(counts[:number][classes[:number] == kind].sum(dtype=np.int64))
        own = stored[start : start + count]
        patched = np.flatnonzero(own == escape)
        before = int(np.count_nonzero(stored[:start] == escape)) if patched.size else 0
        if patched.size and kind == 2:
            before += int(np.count_nonzero(one == _ESCAPES[1]))
        if places is None:
            values = own.astype(np.uint32)
            values[patched] = rest[before : before + patched.size]
            return values
        values = own[places].astype(np.uint32)
        wanted = np.flatnonzero(values == escape)
        values[wanted] = rest[before + np.searchsorted(patched, places[wanted])]
        return values

    def _unpack_stream(self, stream: int, counts: Numbers) -> Numbers:
        classes = np.repeat(self._classes >> 2 * stream & 3, counts)
        one, two, rest = self._streams[stream]
        values = np.ones(classes.size, np.uint32)
        values[classes == 1] = one
        values[classes == 2] = two
        patched = (classes == 1) & (values == _ESCAPES[1])
        ones = int(np.count_nonzero(patched))
        values[patched] = rest[:ones]
        values[(classes == 2) & (values == _ESCAPES[2])] = rest[ones:]
        return values


def starts(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return where each of some consecutive groups begins."""
    ends = np.cumsum(counts, dtype=np.int64)
    return ends - counts


def ranges(begins: NDArray[np.int64], counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return begin, begin + 1, … for each group, one group after another."""
    return np.repeat(begins - starts(counts), counts) + np.arange(int(counts.sum()))


def _differences(values: Numbers, first: NDArray[np.int64]) -> Numbers:
    differences = values.copy()
    differences[1:] -= values[:-1]
    differences[first] = values[first] + 1
    return differences


def _sums(steps: Numbers, counts: NDArray[np.integer]) -> Numbers:
    """Undo `_differences`: running sums that begin anew with each group.

    The sum over all groups may pass 2³²; the differences that are given come out right even so.
    """
    sums = np.cumsum(steps, dtype=np.uint32)
    first = starts(counts)
    before = sums[first] - steps[first] + np.uint32(1)
    sums -= np.repeat(before, counts)
    return sums


_EMPTY_STREAM = (
    np.zeros(1, np.uint8),
    np.empty(0, np.uint8),
    np.empty(0, np.uint16),
    np.empty(0, np.uint32),
)

_Stream = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint16], Numbers]


def _pack_stream(values: Numbers, counts: Numbers) -> _Stream:
    """Return the class of each term, the bytes, the two-byte numbers and what fits neither."""
    first = starts(counts)
    # Sizes may pass 2³² only where a block does, which is never.
    one = counts + 4 * np.add.reduceat(values >= _ESCAPES[1], first, dtype=np.uint32)
    two = 2 * counts + 4 * np.add.reduceat(values >= _ESCAPES[2], first, dtype=np.uint32)
    other = np.logical_or.reduceat(values != 1, first)
    classes = np.where(other, np.where(one <= two, 1, 2), 0).astype(np.uint8)
    of_each = np.repeat(classes, counts)
    ones, twos = values[of_each == 1], values[of_each == 2]
    rest = np.concatenate([ones[ones >= _ESCAPES[1]], twos[twos >= _ESCAPES[2]]])
    return (
        classes,
        np.minimum(ones, _ESCAPES[1]).astype(np.uint8),
        np.minimum(twos, _ESCAPES[2]).astype("<u2"),
        rest.astype("<u4"),
    )


def _narrow(values: Numbers) -> NDArray[np.generic]:
    """Return the same numbers in the narrowest width that holds them."""
    largest = int(values.max()) if values.size else 0
    return values.astype("<u1" if largest < 1 << 8 else "<u2" if largest < 1 << 16 else "<u4")


def _padded(size: int) -> int:
    return size + -size % 8
