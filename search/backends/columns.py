"""Per-document values held as arrays: filters and facet counts without a loop over documents."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["KeywordColumn", "Mask"]

Mask = NDArray[np.bool_]
"""One truth value a document."""


class KeywordColumn:
    """The values of a keyword field, any number a document."""

    def __init__(self, values: Sequence[Iterable[str]]) -> None:
        """Take the values of each document in turn; an empty string is no value."""
        ordinals: dict[str, int] = {}
        documents: list[int] = []
        numbers: list[int] = []
        for document, names in enumerate(values):
            for name in names:
                if name:
                    documents.append(document)
                    numbers.append(ordinals.setdefault(name, len(ordinals)))
        self.values = tuple(ordinals)
        self._size = len(values)
        self._folded = {name.casefold(): number for name, number in ordinals.items()}
        self._documents = np.array(documents, dtype=np.int64)
        self._ordinals = np.array(numbers, dtype=np.int64)

    def value(self, name: str) -> str | None:
        """Return the value as documents have it, whatever the case of `name`."""
        number = self._folded.get(name.casefold())
        return None if number is None else self.values[number]

    def mask(self, wanted: Iterable[str]) -> Mask:
        """Return which documents have any of the values."""
        numbers = [self._folded.get(name.casefold(), -1) for name in wanted]
        mask = np.zeros(self._size, dtype=np.bool_)
        mask[self._documents[np.isin(self._ordinals, numbers)]] = True
        return mask

    def counts(self, mask: Mask) -> dict[str, int]:
        """Count the documents of a mask by value, without values that none of them has."""
        ordinals = self._ordinals[mask[self._documents]]
        counted = np.bincount(ordinals, minlength=len(self.values))
        return {self.values[number]: int(counted[number]) for number in counted.nonzero()[0]}
