"""What the articles of one state of the Whoosh index hold of names in a draft."""

from collections.abc import Sequence

import numpy as np

from index.schema import TEXT_FIELDS
from search.backends.whoosh.view import IndexView

__all__ = ["ViewHoldings"]


class ViewHoldings:
    """What articles of a view hold; see `Holdings`."""

    def __init__(self, view: IndexView) -> None:
        self._view = view

    def newest(self, field: str, name: str) -> tuple[int, int]:
        """See `Holdings.newest`."""
        mask = self._view.keywords[field].mask([name])
        if self._view.live is not None:
            mask = mask & self._view.live
        documents = np.flatnonzero(mask)
        if not len(documents):
            return 0, 0
        newest = self._view.newest_first[documents]
        return len(documents), int(documents[np.argmin(newest)])

    def count(self, units: Sequence[str]) -> int:
        """See `Holdings.count`."""
        live, count = self._view.live, 0
        texts = [unit.encode() for unit in units]
        for base, segment in zip(self._view.bases, self._view.segments, strict=True):
            found = [segment.phrase(field, texts).documents for field in TEXT_FIELDS]
            documents = np.unique(np.concatenate(found))
            count += len(documents) if live is None else int(live[base + documents].sum())
        return count
