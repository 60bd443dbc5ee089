"""Clusters of near-duplicates among the documents of one committed state."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Clusters"]


class Clusters:
    """Which documents are near-duplicates: the number of each one's cluster, 0 where it has none.

    Deleted documents are in none, and neither is one whose copies are all deleted. Of a cluster one
    document is canonical: the first by the keys.
    """

    def __init__(
        self,
        labels: NDArray[np.int64],
        live: NDArray[np.bool_] | None,
        keys: Sequence[NDArray[Any]],
    ) -> None:
        """Take a label of each document, 0 for none, and what orders those of one cluster."""
        labels = labels if live is None else np.where(live, labels, 0)
        is_shared = np.bincount(labels, minlength=1) > 1
        is_shared[0] = False
        self.count = int(np.count_nonzero(is_shared))
        self.numbers: NDArray[np.int64] = np.where(is_shared, np.cumsum(is_shared), 0)[labels]
        documents = np.flatnonzero(self.numbers)
        numbers = self.numbers[documents]
        order = np.lexsort([*(key[documents] for key in reversed(keys)), numbers])
        self._members = documents[order]
        self._bounds = np.searchsorted(numbers[order], np.arange(1, self.count + 2))
        firsts = self._members[self._bounds[:-1]]
        self.canonical: NDArray[np.int64] = np.concatenate([np.array([-1]), firsts])

    def members(self, document: int) -> NDArray[np.int64]:
        """Return all documents of a document's cluster, the canonical one first."""
        number = int(self.numbers[document])
        if not number:
            return self._members[:0]
        return self._members[self._bounds[number - 1] : self._bounds[number]]
