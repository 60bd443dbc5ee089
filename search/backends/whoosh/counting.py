"""Values of a field with the articles that have them: ranked, listed, or those that stand out."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.backends.surprise import surprising
from search.backends.whoosh.columns import KeywordColumn
from search.backends.whoosh.matches import Matches
from search.backends.whoosh.view import IndexView
from search.results import Association, FacetBucket, FacetPair

__all__ = ["Counted", "earliest_of_each", "paired", "standing_out"]

_Numbers = NDArray[np.int64]
_MOST_CELLS = 1 << 20  # a larger table is sorted, not counted cell by cell


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of some documents have each value of a column, by the number of the value.

    `salient` tells of organisations in how many they act; it is None for everything else.
    """

    column: KeywordColumn
    counts: _Numbers
    salient: _Numbers | None

    @classmethod
    def of(cls, column: KeywordColumn, counts: _Numbers) -> "Counted":
        """Return what a column has counted."""
        return cls(column, column.totals(counts), column.marked(counts))

    def ranked(self, size: int | None = None) -> list[int]:
        """Return the numbers of the first values, none that no document has.

        They are those in which an organisation acts most often, or that are named most.
        """
        (used,) = np.nonzero(self.counts)
        return self.column.first(used, self._weights(used), len(used) if size is None else size)

    def ranked_by(self, ranks: Mapping[str, int]) -> list[int]:
        """Return the numbers of the values that have a rank, the lowest first."""
        known = {
            number: rank
            for value, rank in ranks.items()
            if (number := self.column.number(value)) is not None
        }
        numbers = np.array(list(known), np.int64)
        numbers = numbers[self.counts[numbers] > 0]
        order = self.column.first(numbers, self._weights(numbers), len(numbers))
        return sorted(order, key=known.__getitem__)

    def buckets(
        self, numbers: Sequence[int], selected: Container[str] = ()
    ) -> tuple[FacetBucket, ...]:
        """Return some values with their counts."""
        values = [self.column.values[number] for number in numbers]
        places = np.array(numbers, np.int64)
        none: list[None] = [None] * len(values)
        salient = none if self.salient is None else self.salient[places].tolist()
        return tuple(
            FacetBucket(value=value, count=count, salient=acts, selected=value in selected)
            for value, count, acts in zip(
                values, self.counts[places].tolist(), salient, strict=True
            )
        )

    def _weights(self, numbers: _Numbers) -> _Numbers:
        counts = self.counts[numbers]
        if self.salient is None:
            return counts
        return self.salient[numbers] * (int(counts.max(initial=0)) + 1) + counts


def earliest_of_each(view: IndexView, name: str, documents: _Numbers) -> Matches:
    """Return the earliest of some documents for each value of a column, the earliest first."""
    documents = documents[np.argsort(view.oldest_first[documents], kind="stable")]
    firsts = np.unique(view.keywords[name].sets[documents], return_index=True)[1]
    return Matches(documents[np.sort(firsts)], np.zeros(len(firsts), np.float32))


def paired(view: IndexView, name: str, other: str, documents: _Numbers) -> tuple[FacetPair, ...]:
    """Return how many of some documents have each two values of two columns, by the values."""
    rows, columns = view.keywords[name], view.keywords[other]
    places, row_numbers = rows.numbers_of(documents)
    again, column_numbers = columns.numbers_of(documents[places])
    width = len(columns.values)
    combined = row_numbers[again] * width + column_numbers
    if len(rows.values) * width <= _MOST_CELLS:
        counts = np.bincount(combined)
        cells = np.flatnonzero(counts)
        counts = counts[cells]
    else:
        cells, counts = np.unique(combined, return_counts=True)
    pairs = (
        FacetPair(value=rows.values[cell // width], other=columns.values[cell % width], count=count)
        for cell, count in zip(cells.tolist(), counts.tolist(), strict=True)
    )
    return tuple(sorted(pairs, key=lambda pair: (pair.value, pair.other)))


def standing_out(
    view: IndexView, name: str, documents: _Numbers, without: Iterable[str], size: int
) -> tuple[Association, ...]:
    """Return the values that some documents have more often than chance would give them.

    They are ranked by the log-likelihood ratio of Dunning, "Accurate Methods for the Statistics of
    Surprise and Coincidence" (1993): a name that is everywhere does not stand out, and one that
    stands twice beside another does not for that alone.
    """
    column = view.keywords[name]
    everything = view.everything().documents
    both = column.totals(column.counts(documents))
    total = column.totals(column.counts(everything))
    for value in without:
        number = column.number(value)
        if number is not None:
            both[number] = 0
    ratios = surprising(both, total, len(documents), len(everything))
    return tuple(
        Association(value=column.values[number], count=int(both[number]), total=int(total[number]))
        for number in column.first(np.flatnonzero(ratios), ratios[ratios != 0], size)
    )
