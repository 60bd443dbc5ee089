"""Worker processes that are none, for tests that ask what becomes of pages and not where."""

import pickle
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

__all__ = ["InlinePool"]


class InlinePool(Executor):
    """Does at once, in this process, what a pool of worker processes is asked to do.

    What goes to a process and comes back is pickled here too.
    """

    def __init__(self, _: int, __: object, initializer: Callable[..., None], given: Any) -> None:
        initializer(*_sent(given))

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        given, named = _sent((args, kwargs))
        future.set_result(_sent(function(*given, **named)))
        return future


def _sent(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))
