"""A cache of arrays that is bounded in bytes and drops what was used longest ago."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["ByteCache"]


class _Sized(Protocol):
    @property
    def nbytes(self) -> Any:
        """The size in bytes."""


T = TypeVar("T", bound=_Sized)

_ENTRY_BYTES = 1000  # what an entry costs beside its arrays


_SMALL = 1 << 16  # bytes
_SMALL_SHARE = 0.25


class ByteCache(Generic[T]):
    """Keeps values up to a number of bytes in all; for one thread at a time.

    Small values, and costly ones, have a share of the space to themselves, or a few common words
    would drive out many rare ones.
    """

    def __init__(self, limit: int, *, small: float = _SMALL_SHARE) -> None:
        """Take the limit in bytes, which may be changed later, and the share of small values."""
        self.limit = limit
        self.hits = self.misses = 0
        self._share = small
        self._small: OrderedDict[Hashable, T] = OrderedDict()
        self._large: OrderedDict[Hashable, T] = OrderedDict()
        self._bytes = {id(self._small): 0, id(self._large): 0}

    @property
    def nbytes(self) -> int:
        """The size in bytes of all that is kept."""
        return sum(self._bytes.values())

    def get(self, key: Hashable) -> T | None:
        """Return a value, None where it is not kept."""
        for values in (self._small, self._large):
            value = values.get(key)
            if value is not None:
                values.move_to_end(key)
                self.hits += 1
                return value
        self.misses += 1
        return None

    def put(self, key: Hashable, value: T, *, costly: bool = False) -> None:
        """Keep a value, unless it alone would take a quarter of its space."""
        size = int(value.nbytes) + _ENTRY_BYTES
        is_apart = costly or size < _SMALL
        values = self._small if is_apart else self._large
        limit = self.limit * (self._share if is_apart else 1 - self._share)
        if size > limit / 4 or key in values:
            return
        values[key] = value
        self._bytes[id(values)] += size
        while self._bytes[id(values)] > limit:
            _, dropped = values.popitem(last=False)
            self._bytes[id(values)] -= int(dropped.nbytes) + _ENTRY_BYTES
