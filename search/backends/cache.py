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


class ByteCache(Generic[T]):
    """Keeps values up to a number of bytes in all; for one thread at a time."""

    def __init__(self, limit: int) -> None:
        """Take the limit in bytes, which may be changed later."""
        self.limit = limit
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self.nbytes = 0

    def get(self, key: Hashable) -> T | None:
        """Return a value, None where it is not kept."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Hashable, value: T) -> None:
        """Keep a value, unless it alone is larger than a quarter of the limit."""
        size = int(value.nbytes) + _ENTRY_BYTES
        if size > self.limit // 4 or key in self._values:
            return
        self._values[key] = value
        self.nbytes += size
        while self.nbytes > self.limit:
            _, dropped = self._values.popitem(last=False)
            self.nbytes -= int(dropped.nbytes) + _ENTRY_BYTES
