"""Work beside the answering that takes no more than its share of the time."""

from collections.abc import Iterable, Iterator
from time import perf_counter, sleep
from typing import TypeVar

__all__ = ["Pace"]

_SPELL = 0.002  # seconds of work between two rests
_Item = TypeVar("_Item")


class Pace:
    """Rests between the items that a thread works through.

    A thread that computes has Python for itself half of the time, however low its priority is:
    what it leaves to others it must leave of its own accord.
    """

    def __init__(self, share: float = 1.0) -> None:
        """Take the share of the time that is worked, in (0, 1]; 1 never rests."""
        self._rest = (1 - share) / share

    def over(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """Give each item; time in which the thread had to wait for others counts as work."""
        started = perf_counter()
        for item in items:
            yield item
            worked = perf_counter() - started
            if self._rest and worked > _SPELL:
                sleep(worked * self._rest)
                started = perf_counter()
