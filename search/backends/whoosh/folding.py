"""Folding: the list of hits, on which a cluster of near-duplicates is one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.backends.whoosh.matches import Matches
from search.backends.whoosh.ranking import ordered
from search.backends.whoosh.view import IndexView
from search.request import Sort

__all__ = ["HitList"]

_SPARE = 10  # documents beyond those wanted that are ranked, for some will be folded away


class HitList:
    """The hits of some lists of matches, those of one list after those of another.

    Folded, a cluster is one hit of the first list that has any of it: the canonical document where
    that list has it, else the best ranked. By relevance the hit stands where its best ranked
    document would, with the score of the one that is shown. By time, and where nothing is scored,
    it stands by the time of the one that is shown: a repost of today makes no old story new.

    `sizes` are the numbers of hits of each list.
    """

    def __init__(
        self, view: IndexView, lists: Sequence[Matches], sort: Sort, *, folded: bool
    ) -> None:
        self._view, self._sort = view, sort
        self._found = self._lists = tuple(lists)
        self._clusters = view.clusters if folded and view.clusters.count else None
        self.sizes = tuple(map(len, lists))
        if self._clusters:
            if not any(matches.scores.any() for matches in lists):
                self._sort = "oldest" if sort == "oldest" else "newest"  # as equal scores are
            self._fold(self._clusters.numbers, self._clusters.count)

    def _fold(self, clusters: NDArray[np.int64], count: int) -> None:
        """Count the hits of each list, and take from it what an earlier one has."""
        lists, sizes = [], []
        seen = np.zeros(count + 1, np.int64)
        for matches in self._lists:
            kept, size = matches, 0
            if len(matches):
                numbers = clusters.take(matches.documents)
                if seen.any():
                    is_new = seen.take(numbers) == 0
                    kept, numbers = matches.taken(is_new), numbers[is_new]
                counts = np.bincount(numbers, minlength=count + 1)
                size = int(counts[0]) + int(np.count_nonzero(counts[1:]))
                counts[0] = 0
                seen += counts
            lists.append(kept)
            sizes.append(size)
        self._lists, self.sizes = tuple(lists), tuple(sizes)

    def page(self, first: int, size: int) -> Matches:
        """Return the documents of the hits from a place on, with their scores, in their order."""
        end = first + size
        if self._clusters is None:
            return ordered(self._view, self._lists, self._sort, end).from_place(first)
        found: list[Matches] = []
        for matches in self._lists:
            found.append(self._first(matches, end))
            end -= len(found[-1])
            if end <= 0:
                break
        return Matches(
            np.concatenate([matches.documents for matches in found]),
            np.concatenate([matches.scores for matches in found]),
        ).from_place(first)

    def _first(self, matches: Matches, end: int) -> Matches:
        """Return the first hits of one list: ever more of it is ranked, until there are enough."""
        count = end + end // 4 + _SPARE
        while True:
            ranked = ordered(self._view, (matches,), self._sort, count)
            shown = self._folded(matches, ranked)
            if len(shown) >= end or len(ranked) < count:
                return Matches(shown.documents[:end], shown.scores[:end])
            count *= 2

    def _folded(self, matches: Matches, ranked: Matches) -> Matches:
        """Return the hits that the best ranked of some matches make."""
        assert self._clusters is not None  # noqa: S101  # something is folded
        numbers = self._clusters.numbers.take(ranked.documents)
        if not numbers.any():
            return ranked
        canonical = self._clusters.canonical.take(numbers)
        places, matches_too = matches.places(canonical)
        order = np.arange(len(numbers))
        firsts = np.empty(self._clusters.count + 1, np.int64)
        firsts[numbers[::-1]] = order[::-1]  # the last that is written stays
        is_first = (numbers == 0) | (firsts[numbers] == order)
        if self._sort == "relevance":
            documents = np.where(matches_too, canonical, ranked.documents)
            scores = np.where(matches_too, matches.scores.take(places), ranked.scores)
            return Matches(documents, scores).taken(is_first)
        is_canonical = canonical == ranked.documents
        return ranked.taken(np.where(matches_too, is_canonical, is_first))

    def behind(self, document: int) -> NDArray[np.int64]:
        """Return the matches, of whichever list, that are folded behind a hit, earliest first."""
        if self._clusters is None or not self._clusters.numbers[document]:
            return np.empty(0, np.int64)
        members = self._clusters.members(document)
        matching = members != document
        matching &= np.logical_or.reduce([each.holds(members) for each in self._found])
        return members[np.flatnonzero(matching)]
