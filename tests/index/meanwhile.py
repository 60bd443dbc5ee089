"""What goes on in a thread while a test looks."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from threading import Event, Thread

__all__ = ["meanwhile"]


@contextmanager
def meanwhile(steps: Generator[None, None, None]) -> Iterator[list[int]]:
    """Take steps in a thread, as fast as it can, until the block ends; give the count of them."""
    stop, taken = Event(), [0]

    def take() -> None:
        with closing(steps):
            for _ in steps:
                taken[0] += 1
                if stop.is_set():
                    break

    thread = Thread(target=take)
    thread.start()
    try:
        yield taken
    finally:
        stop.set()
        thread.join()
