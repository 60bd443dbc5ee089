"""Sets of matching documents with their scores, as arrays, and the algebra over them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "NOTHING",
    "Accumulator",
    "DenseMatches",
    "Mask",
    "Matches",
    "SortKey",
    "best",
    "distinct",
]

Mask = NDArray[np.bool_]
"""One truth value a document."""

_SORT_BELOW = 10  # lists this many times shorter than all documents are united by sorting
_FEW = 64  # so many are sorted whole, to find the best
_SEARCH_BELOW = 16  # a list this many times shorter is looked up in the longer one, by bisection


@dataclass(frozen=True, slots=True)
class Matches:
    """Which documents match, in order of their numbers, and each one's score.

    `positive` says that no score is 0, which makes unions faster.
    """

    documents: NDArray[np.int64]
    scores: NDArray[np.float32]
    positive: bool = False

    def __len__(self) -> int:
        return len(self.documents)

    @property
    def nbytes(self) -> int:
        """The size in bytes."""
        return self.documents.nbytes + self.scores.nbytes

    def listed(self) -> "Matches":
        """Return the same documents in a list, as they are."""
        return self

    def where(self, mask: Mask | None) -> "Matches":
        """Return those that a mask over all documents allows; None allows all."""
        if mask is None:
            return self
        return self.taken(mask.take(self.documents))

    def taken(self, kept: Mask) -> "Matches":
        """Return those that a truth value for each one says."""
        # By number: to index with truth values is several times slower where they alternate.
        places = np.flatnonzero(kept)
        return Matches(self.documents.take(places), self.scores.take(places), self.positive)

    def from_place(self, first: int) -> "Matches":
        """Return those from a place of the list on."""
        return Matches(self.documents[first:], self.scores[first:], self.positive)

    def boosted(self, boost: float) -> "Matches":
        """Return the same documents with scores multiplied."""
        return self if boost == 1 else Matches(self.documents, self.scores * np.float32(boost))

    def places(self, documents: NDArray[np.int64]) -> tuple[NDArray[np.int64], Mask]:
        """Return where each of some documents stands among these, and whether it does."""
        if not len(self.documents):
            return np.zeros(len(documents), np.int64), np.zeros(len(documents), np.bool_)
        places = np.searchsorted(self.documents, documents)
        np.minimum(places, len(self.documents) - 1, out=places)
        return places, self.documents[places] == documents

    def holds(self, documents: NDArray[np.int64]) -> Mask:
        """Return which of some documents are among these."""
        return self.places(documents)[1]


@dataclass(frozen=True, slots=True)
class DenseMatches:
    """Matches of a common term: the score of every document, 0 where it does not match."""

    scores: NDArray[np.float32]
    count: int

    def __len__(self) -> int:
        return self.count

    @property
    def nbytes(self) -> int:
        """The size in bytes."""
        return self.scores.nbytes

    def listed(self) -> Matches:
        """Return the same documents in a list."""
        documents = np.flatnonzero(self.scores != 0)
        return Matches(documents, self.scores[documents], positive=True)

    def holds(self, documents: NDArray[np.int64]) -> Mask:
        """Return which of some documents are among these."""
        found: Mask = self.scores[documents] != 0
        return found


NOTHING = Matches(np.empty(0, np.int64), np.empty(0, np.float32), positive=True)


class Accumulator:
    """Unites and intersects matches over `size` documents; keeps its scratch space.

    For one thread at a time.
    """

    def __init__(self, size: int) -> None:
        self._sums = np.zeros(size, np.float32)
        self._held = np.zeros(size, np.uint16)

    def all_of(self, parts: Sequence[Matches | DenseMatches]) -> Matches:
        """Return the documents that every part has, scores added up from the rarest part on."""
        ordered = sorted(parts, key=len)
        shortest = ordered[0].listed()
        documents, total = shortest.documents, shortest.scores
        for part in ordered[1:]:
            if not len(documents):
                return NOTHING
            if isinstance(part, DenseMatches):
                scores = part.scores.take(documents)
                found = scores != 0
            elif len(documents) * _SEARCH_BELOW < len(part):
                places, found = part.places(documents)
                scores = part.scores[places]
            else:
                scores, found = self._looked_up(part, documents)
            kept = np.flatnonzero(found)
            documents = documents.take(kept)
            total = total.take(kept) + scores.take(kept)
        return Matches(documents, total, all(map(_is_positive, parts)))

    def any_of(self, parts: Sequence[Matches | DenseMatches], least: int = 1) -> Matches:
        """Return the documents that at least `least` parts have, with the sums of their scores."""
        parts = [part for part in parts if len(part)]
        if len(parts) < least:
            return NOTHING
        if len(parts) == 1:
            return parts[0].listed()
        if least > 1:
            return self._several_of([part.listed() for part in parts], least)
        dense = [part.scores for part in parts if isinstance(part, DenseMatches)]
        lists = [part for part in parts if isinstance(part, Matches)]
        positive = all(map(_is_positive, lists))
        if dense and positive:
            np.copyto(self._sums, dense[0])
            for scores in dense[1:]:
                self._sums += scores
        elif dense:
            lists = [part.listed() for part in parts]
        for part in lists:
            self._sums[part.documents] += part.scores
        if not positive or (not dense and sum(map(len, lists)) * _SORT_BELOW < len(self._sums)):
            # Sorting few numbers is faster than looking at every document.
            documents = distinct(
                np.sort(np.concatenate([part.documents for part in lists]), kind="stable")
            )
            scores = self._sums[documents]
            self._sums[documents] = 0
        else:
            documents = np.flatnonzero(self._sums != 0)
            scores = self._sums[documents]
            self._sums.fill(0)
        return Matches(documents, scores, positive)

    def best_of(self, parts: Sequence[Matches], tie: float = 0.0) -> Matches:
        """Return what any part has, each with its best score and `tie` times its other scores."""
        together = self.any_of(parts)
        top = np.full(len(self._sums), -np.inf, np.float32)
        for part in parts:
            top[part.documents] = np.maximum(top[part.documents], part.scores)
        highest = top[together.documents]
        scores = highest + np.float32(tie) * (together.scores - highest) if tie else highest
        return Matches(together.documents, scores)

    def mask(self, matches: Matches | DenseMatches) -> Mask:
        """Return the documents as a mask."""
        if isinstance(matches, DenseMatches):
            found: Mask = matches.scores != 0
            return found
        mask = np.zeros(len(self._sums), np.bool_)
        mask[matches.documents] = True
        return mask

    def dense(self, matches: Matches) -> DenseMatches:
        """Return positive matches with a score for every document."""
        scores = np.zeros(len(self._sums), np.float32)
        scores[matches.documents] = matches.scores
        return DenseMatches(scores, len(matches))

    def _looked_up(
        self, part: Matches, documents: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], Mask]:
        self._sums[part.documents] = part.scores
        scores = self._sums[documents]
        self._sums[part.documents] = 0
        if part.positive:
            return scores, scores != 0
        self._held[part.documents] = 1
        found = self._held[documents] > 0
        self._held[part.documents] = 0
        return scores, found

    def _several_of(self, parts: Sequence[Matches], least: int) -> Matches:
        for part in parts:
            self._sums[part.documents] += part.scores
            self._held[part.documents] += 1
        documents = np.flatnonzero(self._held >= least)
        scores = self._sums[documents]
        self._sums.fill(0)
        self._held.fill(0)
        return Matches(documents, scores, all(part.positive for part in parts))


def _is_positive(part: Matches | DenseMatches) -> bool:
    return isinstance(part, DenseMatches) or part.positive


def distinct(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ascending numbers, each once."""
    is_new = np.ones(len(numbers), np.bool_)
    np.not_equal(numbers[1:], numbers[:-1], out=is_new[1:])
    once: NDArray[np.int64] = numbers[is_new]
    return once


SortKey = Callable[[NDArray[np.int64] | slice], NDArray[Any]]
"""Gives the keys of some places of a list; a slice for all of them."""


def best(count: int, size: int, keys: Sequence[SortKey]) -> NDArray[np.int64]:
    """Return the places of the `count` smallest of `size`, by the first key, ties by the next.

    A later key is asked for the places that tie only. Time grows with `size`, not with its
    logarithm.
    """
    taken: list[NDArray[np.int64]] = []
    tied: NDArray[np.int64] | slice = slice(None)
    wanted = min(count, size)
    for key in keys:
        values = key(tied)
        if len(values) <= max(wanted, _FEW) or not wanted:
            break
        if values.dtype.kind != "S" and values.min() == values.max():
            continue  # which is slow to partition, and every query without words
        limit = np.partition(values, wanted - 1)[wanted - 1]
        equal = np.flatnonzero(values == limit)
        if len(equal) == len(values):
            continue
        smaller = np.flatnonzero(values < limit)
        if not isinstance(tied, slice):
            equal, smaller = tied[equal], tied[smaller]
        taken.append(smaller)
        wanted -= len(smaller)
        tied = equal
    else:
        # They tie in every key.
        tied = slice(wanted) if isinstance(tied, slice) else tied[:wanted]
    rest = np.arange(size)[tied] if isinstance(tied, slice) else tied
    places = np.concatenate([*taken, rest])
    order = np.lexsort([key(places) for key in reversed(keys)])[: min(count, size)]
    return places[order]
