"""The moment after which nobody waits for an answer any more: long work looks at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

from index.errors import TimedOut

__all__ = ["check_deadline", "deadline"]

_ends: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(moment: float) -> Iterator[None]:
    """Let work inside stop at a moment of `time.monotonic`."""
    token = _ends.set(moment)
    try:
        yield
    finally:
        _ends.reset(token)


def check_deadline() -> None:
    """Raise TimedOut if the moment has passed; do nothing where none is set."""
    ends = _ends.get()
    if ends is not None and monotonic() > ends:
        raise TimedOut
