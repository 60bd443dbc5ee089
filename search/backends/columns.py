"""Per-document values held as arrays: filters and facet counts without a loop over documents."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index.backends.vector_codec import ranges, starts
from search.backends.matches import Mask
from search.backends.segments import Values

__all__ = ["FacetCounter", "KeywordColumn"]


class KeywordColumn:
    """The values of a keyword field, any number a document, over all segments.

    Most documents have one value or none: `first` has the number of the first one, a number beyond
    the last value where there is none. `_more` has the others, those of one document after another.
    """

    def __init__(self, parts: Sequence[Values]) -> None:
        """Join the values of each segment's documents."""
        ordinals: dict[str, int] = {}
        every_count, every_number = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
        for part in parts:
            table = np.array(
                [ordinals.setdefault(name, len(ordinals)) for name in part.names], np.int32
            )
            every_count.append(part.counts)
            every_number.append(table[part.numbers] if len(table) else part.numbers)
        self.values = tuple(ordinals)
        self._folded: dict[str, list[int]] = {}
        for name, number in ordinals.items():
            self._folded.setdefault(name.casefold(), []).append(number)
        counts, numbers = np.concatenate(every_count), np.concatenate(every_number)
        first = starts(counts)
        has_any = counts > 0
        self.first = np.full(len(counts), len(self.values), np.int32)
        self.first[has_any] = numbers[first[has_any]]
        self._more = np.delete(numbers, first[has_any])
        self._has_more = counts > 1
        self._more_counts = np.maximum(counts - 1, 0)
        self._more_begins = starts(self._more_counts) if self._more.size else first[:0]
        self._more_owners = np.repeat(np.arange(len(counts)), self._more_counts)

    def value(self, name: str) -> str | None:
        """Return the value as documents have it, whatever the case of `name`."""
        numbers = self._folded.get(name.casefold())
        if not numbers:
            return None
        spelt = [self.values[number] for number in numbers]
        return name if name in spelt else spelt[0]

    def mask(self, wanted: Iterable[str]) -> Mask:
        """Return which documents have any of the values, whatever their case."""
        chosen = self._chosen(wanted)
        mask: Mask = chosen[self.first]
        if self._more.size:
            mask[self._more_owners[chosen[self._more]]] = True
        return mask

    def having(self, documents: NDArray[np.int64], wanted: Iterable[str]) -> Mask:
        """Return which of some documents have any of the values."""
        chosen = self._chosen(wanted)
        found: Mask = chosen[self.first[documents]]
        if self._more.size:
            places = np.flatnonzero(self._has_more[documents])
            several = documents[places]
            counts = self._more_counts[several]
            others = chosen[self._more[ranges(self._more_begins[several], counts)]]
            found[np.repeat(places, counts)[others]] = True
        return found

    def _chosen(self, wanted: Iterable[str]) -> Mask:
        """Return a truth value for the number of each value, and False for none."""
        chosen = np.zeros(len(self.values) + 1, np.bool_)
        for name in wanted:
            chosen[self._folded.get(name.casefold(), [])] = True
        return chosen

    def counts(self, documents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Count some documents by the number of the value."""
        counted = np.bincount(self.first[documents], minlength=len(self.values) + 1)
        return self.add_more(counted[:-1], documents)

    def add_more(
        self, counts: NDArray[np.int64], documents: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Add what documents have beside their first value to the counts of those."""
        if not self._more.size:
            return counts
        if len(documents) < len(self._more_owners):
            several = documents[self._has_more[documents]]
            others = self._more[ranges(self._more_begins[several], self._more_counts[several])]
        else:
            wanted = np.zeros(len(self.first), np.bool_)
            wanted[documents] = True
            others = self._more[wanted[self._more_owners]]
        return counts + np.bincount(others, minlength=len(self.values))

    def count_of(self, value: str, counts: NDArray[np.int64]) -> int:
        """Return how often a value is counted, 0 for one that no document has."""
        return sum(int(counts[number]) for number in self._folded.get(value.casefold(), ()))

    def top(self, counts: NDArray[np.int64], size: int) -> dict[str, int]:
        """Return the values that are counted most, ties in the order of the values, none of 0."""
        used = np.flatnonzero(counts > 0)
        if len(used) > size:
            least = np.partition(counts[used], len(used) - size)[len(used) - size]
            used = used[counts[used] >= least]
        used = used[np.lexsort((self._ranks[used], -counts[used]))][:size]
        return {self.values[number]: int(counts[number]) for number in used.tolist()}

    @cached_property
    def _ranks(self) -> NDArray[np.int64]:
        """The place of each value among all in order."""
        ranks = np.empty(len(self.values), np.int64)
        ranks[sorted(range(len(self.values)), key=self.values.__getitem__)] = np.arange(
            len(self.values)
        )
        return ranks


_JOINED_VALUES = 4096  # fields of more values are counted by themselves


class FacetCounter:
    """Counts several fields, those of few values in one pass.

    Documents differ in few combinations of such fields' first values: one count by combination
    gives the counts of each field.
    """

    def __init__(self, columns: dict[str, KeywordColumn]) -> None:
        self._columns = columns
        joined = {n: c for n, c in columns.items() if len(c.values) <= _JOINED_VALUES}
        numbers = np.zeros(len(next(iter(columns.values())).first), np.int64)
        for column in joined.values():
            numbers = numbers * (len(column.values) + 1) + column.first
        combinations, places = np.unique(numbers, return_inverse=True)
        self._combined = places.astype(np.int32)
        self._parts: dict[str, NDArray[np.int64]] = {}
        for name, column in reversed(joined.items()):
            combinations, self._parts[name] = np.divmod(combinations, len(column.values) + 1)

    def counts(self, documents: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        """Count some documents, in each field by the number of the value."""
        size = len(self._combined)
        if 2 * len(documents) <= size:
            return self._counts(documents)
        # There are fewer of the others.
        others = np.ones(size, np.bool_)
        others[documents] = False
        of_others = self._counts(np.flatnonzero(others))
        return {name: counts - of_others[name] for name, counts in self._everything.items()}

    @cached_property
    def _everything(self) -> dict[str, NDArray[np.int64]]:
        return self._counts(np.arange(len(self._combined)))

    def _counts(self, documents: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        counted = np.bincount(self._combined[documents])
        used = np.flatnonzero(counted > 0)
        counted = counted[used]
        counts = {}
        for name, column in self._columns.items():
            if name in self._parts:
                size = len(column.values) + 1
                of_first = np.bincount(self._parts[name][used], counted, size)[:-1]
                counts[name] = column.add_more(of_first.astype(np.int64), documents)
            else:
                counts[name] = column.counts(documents)
        return counts
