"""Sets of matching documents with their scores, as arrays, and the algebra over them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NOTHING", "Accumulator", "Mask", "Matches", "SortKey", "best"]

Mask = NDArray[np.bool_]
"""One truth value a document."""

_SEARCH_BELOW = 16  # a list this many times shorter is looked up in the longer one, by bisection


@dataclass(frozen=True, slots=True)
class Matches:
    """Which documents match, in order of their numbers, and each one's score."""

    documents: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.documents)

    @property
    def nbytes(self) -> int:
        """The size in bytes."""
        return self.documents.nbytes + self.scores.nbytes

    def where(self, mask: Mask | None) -> "Matches":
        """Return those that a mask over all documents allows; None allows all."""
        if mask is None:
            return self
        kept = mask[self.documents]
        return Matches(self.documents[kept], self.scores[kept])

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


NOTHING = Matches(np.empty(0, np.int64), np.empty(0, np.float32))


class Accumulator:
    """Unites and intersects matches over `size` documents; keeps its scratch space.

    For one thread at a time.
    """

    def __init__(self, size: int) -> None:
        self._sums = np.zeros(size, np.float32)
        self._held = np.zeros(size, np.uint8)
        self._is_held = self._held.view(np.bool_)  # finding what is set is faster in truth values

    def all_of(self, parts: Sequence[Matches]) -> Matches:
        """Return the documents that every part has, scores added up in the order of the parts."""
        if len(parts) == 1:
            return parts[0]
        shortest = min(parts, key=len)
        if not len(shortest):
            return NOTHING
        documents = shortest.documents
        columns: dict[int, NDArray[np.float32]] = {id(shortest): shortest.scores}
        for part in sorted(parts, key=len):
            if part is shortest:
                continue
            if len(documents) * _SEARCH_BELOW < len(part):
                places, found = part.places(documents)
                scores = part.scores[places]
            else:
                self._held[part.documents] = 1
                self._sums[part.documents] = part.scores
                found = self._is_held[documents]
                scores = self._sums[documents]
                self._held[part.documents] = 0
                self._sums[part.documents] = 0
            documents = documents[found]
            columns = {key: column[found] for key, column in columns.items()}
            columns[id(part)] = scores[found]
        total = np.zeros(len(documents), np.float32)
        for part in parts:
            total += columns[id(part)]
        return Matches(documents, total)

    def any_of(self, parts: Sequence[Matches], least: int = 1) -> Matches:
        """Return the documents that at least `least` parts have, scores added up in their order."""
        parts = [part for part in parts if len(part)]
        if len(parts) < least:
            return NOTHING
        if len(parts) == 1:
            return parts[0]
        for number, part in enumerate(parts):
            if number:
                self._sums[part.documents] += part.scores
            else:
                self._sums[part.documents] = part.scores
            if least > 1:
                self._held[part.documents] += 1
            else:
                self._held[part.documents] = 1
        documents = np.flatnonzero(self._is_held if least == 1 else self._held >= least)
        scores = self._sums[documents]
        self._held.fill(0)
        self._sums.fill(0)
        return Matches(documents, scores)

    def best_of(self, parts: Sequence[Matches], tie: float = 0.0) -> Matches:
        """Return what any part has, each with its best score and `tie` times its other scores."""
        together = self.any_of(parts)
        top = np.full(len(self._sums), -np.inf, np.float32)
        for part in parts:
            top[part.documents] = np.maximum(top[part.documents], part.scores)
        highest = top[together.documents]
        scores = highest + np.float32(tie) * (together.scores - highest) if tie else highest
        return Matches(together.documents, scores)

    def mask(self, matches: Matches) -> Mask:
        """Return the documents as a mask."""
        mask = np.zeros(len(self._sums), np.bool_)
        mask[matches.documents] = True
        return mask


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
        if len(values) <= wanted or not wanted:
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
    rest = np.arange(size) if isinstance(tied, slice) else tied
    places = np.concatenate([*taken, rest])
    if len(rest) > wanted:  # they tie in every key
        places = places[: min(count, size)]
    order = np.lexsort([key(places) for key in reversed(keys)])
    return places[order]
