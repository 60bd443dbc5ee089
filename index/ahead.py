"""Work that is begun before its results are used: in chunks, and in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ["AHEAD_SIZE", "CHUNK_SIZE", "ahead"]

CHUNK_SIZE = 8 * 2**20
"""Bytes or characters after which a chunk ends."""

AHEAD_SIZE = 64 * 2**20
"""The most of all chunks together that are submitted and not yet used."""

T = TypeVar("T")
R = TypeVar("R")


def ahead(
    items: Iterable[T],
    submit: Callable[[list[T]], R],
    window: int,
    size_of: Callable[[T], int],
    most: int,
) -> Iterator[tuple[list[T], R]]:
    """Submit chunks ahead of their use, and give them in order.

    Of chunks at most `window` are ahead, and what they hold together is bounded too: large pages
    are few at once.
    """
    waiting: deque[tuple[list[T], R, int]] = deque()
    held = 0
    for chunk, size in _chunks(items, size_of, most):
        waiting.append((chunk, submit(chunk), size))
        held += size
        while waiting and (len(waiting) >= window or held > AHEAD_SIZE):
            used, result, size = waiting.popleft()
            held -= size
            yield used, result
    for used, result, _ in waiting:
        yield used, result


def _chunks(
    items: Iterable[T], size_of: Callable[[T], int], most: int
) -> Iterator[tuple[list[T], int]]:
    chunk: list[T] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += size_of(item)
        if len(chunk) == most or size >= CHUNK_SIZE:
            yield chunk, size
            chunk, size = [], 0
    if chunk:
        yield chunk, size
