"""Per-document values held as arrays: filters and facet counts without a loop over documents."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index.backends.vector_codec import ranges, starts
from search.backends.whoosh.matches import Mask
from search.backends.whoosh.segments import Values

__all__ = ["FacetCounter", "KeywordColumn"]

_FEW = 4  # of so many times fewer documents than sets each one's values are looked up
_MUCH_MORE = 8  # of so many times more values than are wanted, those in question are picked first


class KeywordColumn:
    """The values of a keyword field, any number a document, over all segments.

    Documents with the same values have the same set of them, `sets`: 0 is none, the numbers up to
    that of values are the sets of a single one, those beyond are sets of several. There are far
    fewer sets than documents, so documents are counted by their set, and sets by their values.

    Names that differ in case alone are one value, in the spelling that most documents have.

    The names of a part may be marked, as those of organisations that act. A value has a number, and
    where it is marked that number and the number of all values; `counts` and all that is made of
    them have an entry for each. See `totals` and `marked`.
    """

    def __init__(
        self, parts: Sequence[Values], marks: Sequence[NDArray[np.bool_]] | None = None
    ) -> None:
        """Join the values of each segment's documents; no document may have one of them twice."""
        names = _commonest(parts)
        self.values = tuple(names.values())
        self._numbers_of = {folded: number for number, folded in enumerate(names)}
        self._is_marked = marks is not None
        self.size = len(self.values) * (1 + self._is_marked)
        every_size, every_number, every_set = (
            [np.empty(0, np.int32)],
            [np.empty(0, np.int32)],
            [np.empty(0, np.int32)],
        )
        base = 0
        for place, part in enumerate(parts):
            table = np.array([self._numbers_of[name] for name in part.folded], np.int32)
            if marks:
                table += len(self.values) * marks[place]
            every_size.append(part.sizes)
            every_number.append(table[part.numbers] if len(table) else part.numbers)
            every_set.append(part.sets + np.int32(base))
            base += len(part.sizes)
        sizes, numbers = np.concatenate(every_size), np.concatenate(every_number)
        is_single, is_several = sizes == 1, sizes > 1
        self._sizes = sizes[is_several]
        self._begins = starts(self._sizes)
        self._numbers = numbers[np.repeat(is_several, sizes)].astype(np.int64)
        self._owners = np.repeat(np.arange(len(self._sizes)), self._sizes)
        renumbered = np.zeros(len(sizes), np.int32)
        renumbered[is_single] = numbers[starts(sizes)[is_single]] + 1
        renumbered[is_several] = np.arange(len(self._sizes)) + self.size + 1
        self.sets = renumbered[np.concatenate(every_set)]
        self.set_count = self.size + 1 + len(self._sizes)

    def number(self, name: str) -> int | None:
        """Return the number of a value, whatever the case of `name`."""
        return self._numbers_of.get(name.casefold())

    def value(self, name: str) -> str | None:
        """Return the value as it is listed, whatever the case of `name`."""
        number = self.number(name)
        return None if number is None else self.values[number]

    def value_of(self, document: int) -> str:
        """Return the value of a document, the first of several, empty where it has none."""
        number = int(self.sets[document])
        if number > self.size:
            number = int(self._numbers[self._begins[number - self.size - 1]]) + 1
        return self.values[(number - 1) % len(self.values)] if number else ""

    def mask(self, wanted: Iterable[str], *, marked: bool = False) -> Mask:
        """Return which documents have any of the values, whatever their case, or have it marked."""
        mask: Mask = self._chosen(wanted, marked=marked).take(self.sets)
        return mask

    def having(
        self, documents: NDArray[np.int64], wanted: Iterable[str], *, marked: bool = False
    ) -> Mask:
        """Return which of some documents have any of the values, or have it marked."""
        found: Mask = self._chosen(wanted, marked=marked).take(self.sets.take(documents))
        return found

    def _chosen(self, wanted: Iterable[str], *, marked: bool) -> Mask:
        """Return which sets have any of the values."""
        entries = np.zeros(self.size, np.bool_)
        for name in wanted:
            number = self.number(name)
            if number is not None:
                entries[number + marked * len(self.values) :: len(self.values)] = True
        several = np.zeros(len(self._sizes), np.bool_)
        several[self._owners[entries[self._numbers]]] = True
        return np.concatenate([[False], entries, several])

    def counts(self, documents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Count some documents by the number of the value."""
        sets = self.sets.take(documents)
        size = self.size
        if self.set_count == size + 1:  # none has several
            return np.bincount(sets, minlength=size + 1)[1:]
        if len(sets) * _FEW > self.set_count:
            return self.of_sets(np.bincount(sets, minlength=self.set_count))
        is_several = sets > size
        numbers = self._in_several(sets[is_several] - (size + 1)) + 1
        numbers = np.concatenate([sets[~is_several], numbers])
        return np.bincount(numbers, minlength=size + 1)[1:]

    def numbers_of(
        self, documents: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return every value of some documents: the places of those, and the numbers, unmarked."""
        sets = self.sets.take(documents)
        (places,) = np.nonzero((sets > 0) & (sets <= self.size))
        numbers = sets[places].astype(np.int64) - 1
        (several,) = np.nonzero(sets > self.size)
        if several.size:
            chosen = sets[several] - (self.size + 1)
            places = np.concatenate([places, np.repeat(several, self._sizes[chosen])])
            numbers = np.concatenate([numbers, self._in_several(chosen)])
        return places, numbers % max(len(self.values), 1)

    def sums(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return for each document the sum of its values' weights, one a number."""
        several = np.bincount(self._owners, weights[self._numbers], len(self._sizes))
        of_sets = np.concatenate([np.zeros(1), weights, several]).astype(np.float32)
        return of_sets.take(self.sets)

    def largest(self, documents: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the largest key of the documents that have a value, marked or not, by its number.

        There is a key for each of the documents; a value that none has gets the smallest number.
        """
        of_sets = np.full(self.set_count, np.iinfo(np.int64).min)
        np.maximum.at(of_sets, self.sets.take(documents), keys)
        found = of_sets[1 : self.size + 1].copy()
        np.maximum.at(found, self._numbers, of_sets[self.size + 1 :].take(self._owners))
        size = len(self.values)
        return np.maximum(found[:size], found[size:]) if self._is_marked else found

    def of_sets(self, counted: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the counts of values for documents that are counted by their set."""
        size = self.size
        counts = counted[1 : size + 1]
        several = counted[size + 1 :]
        used = np.flatnonzero(several > 0)
        if not used.size:
            return counts
        if len(used) * _FEW < len(several):
            numbers = self._in_several(used)
            weights = np.repeat(several[used], self._sizes[used])
        else:
            numbers, weights = self._numbers, several.take(self._owners)
        return counts + np.bincount(numbers, weights, size).astype(np.int64)

    def _in_several(self, sets: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the numbers of the values in some sets of several, counted from 0."""
        return self._numbers.take(ranges(self._begins[sets], self._sizes[sets]))

    def totals(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the counts of values, marked or not."""
        size = len(self.values)
        return counts[:size] + counts[size:] if self._is_marked else counts

    def marked(self, counts: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return the counts of values that are marked, None where none can be."""
        return counts[len(self.values) :] if self._is_marked else None

    def first(
        self,
        numbers: NDArray[np.int64],
        weights: NDArray[np.integer | np.floating],
        size: int,
    ) -> list[int]:
        """Return the numbers that weigh most of some, ties in the order of the values."""
        if len(numbers) > _MUCH_MORE * size:
            least = np.partition(weights, len(weights) - size)[len(weights) - size]
            kept = weights >= least
            numbers, weights = numbers[kept], weights[kept]
        found: list[int] = numbers[np.lexsort((self._ranks[numbers], -weights))[:size]].tolist()
        return found

    @cached_property
    def _ranks(self) -> NDArray[np.int64]:
        """The place of each value among all in order."""
        ranks = np.empty(len(self.values), np.int64)
        ranks[sorted(range(len(self.values)), key=self.values.__getitem__)] = np.arange(
            len(self.values)
        )
        return ranks


def _commonest(parts: Sequence[Values]) -> dict[str, str]:
    """Return the names by what they are without regard to case, each as most documents have it."""
    names: dict[str, str] = {}
    varied: dict[str, dict[str, int]] = {}
    for part in parts:
        for folded, name in zip(part.folded, part.names, strict=True):
            if names.setdefault(folded, name) != name:
                varied[folded] = {}
    if varied:
        for part in parts:
            counts = part.documents().tolist()
            for folded, name, count in zip(part.folded, part.names, counts, strict=True):
                if folded in varied:
                    varied[folded][name] = varied[folded].get(name, 0) + count
    for folded, counts in varied.items():
        names[folded] = min(counts, key=lambda name: (-counts[name], name))
    return names


_JOINED_SETS = 4096  # fields of more sets of values are counted by themselves


class FacetCounter:
    """Counts several fields, those of few values in one pass.

    Documents differ in few combinations of such fields' values: one count by combination gives the
    counts of each field.
    """

    def __init__(self, columns: dict[str, KeywordColumn]) -> None:
        self._columns = columns
        joined = {n: c for n, c in columns.items() if c.set_count <= _JOINED_SETS}
        numbers = np.zeros(len(next(iter(columns.values())).sets), np.int64)
        for column in joined.values():
            numbers = numbers * column.set_count + column.sets
        combinations, places = np.unique(numbers, return_inverse=True)
        self._combined = places.astype(np.int32)
        self._combinations = len(combinations)
        self._parts: dict[str, NDArray[np.int64]] = {}
        for name, column in reversed(joined.items()):
            combinations, self._parts[name] = np.divmod(combinations, column.set_count)

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
        if len(documents) * _FEW < self._combinations:
            return {name: column.counts(documents) for name, column in self._columns.items()}
        counted = np.bincount(self._combined.take(documents))
        used = np.flatnonzero(counted > 0)
        counted = counted[used]
        counts = {}
        for name, column in self._columns.items():
            if name in self._parts:
                of_sets = np.bincount(self._parts[name][used], counted, column.set_count)
                counts[name] = column.of_sets(of_sets.astype(np.int64))
            else:
                counts[name] = column.counts(documents)
        return counts
