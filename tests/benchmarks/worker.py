"""A process of its own for each engine, so that memory is the engine's and clocks are alike."""

import gc
import re
import traceback
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from time import perf_counter, sleep
from typing import Any, NamedTuple

from engine import Page, Stopwatch, UpdatedEngine, open_engine
from queries import PageQuery
from tokens import Batch, Tokens, batches, documents_of

__all__ = ["Built", "Memory", "Remote", "Timed"]

_MEGABYTE = 1024  # of the kilobytes in /proc


class Memory(NamedTuple):
    """Resident megabytes: all, and those that no file backs; `peak` is the most there ever was."""

    resident: float
    anonymous: float
    peak: float


class Built(NamedTuple):
    """What a build took and left."""

    seconds: float
    size: int
    memory: Memory


class Timed(NamedTuple):
    """Seconds of a query, and its answer where it was wanted."""

    seconds: float
    page: Page | None


class Remote:
    """An engine in a process of its own: `call` names a method of the worker."""

    def __init__(self, engine: str, folder: Path) -> None:
        """Start the process; raises ImportError where the engine's library is missing."""
        context = get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, engine, folder), daemon=True)
        self._process.start()
        other.close()
        self.name = engine
        self.version: str = self._receive()

    def call(self, method: str, *arguments: object) -> Any:
        """Return what the method returns, or raise what it raises."""
        self.send(method, *arguments)
        return self._receive()

    def send(self, method: str, *arguments: object) -> None:
        """Start a method whose answer `receive` fetches."""
        self._connection.send((method, arguments))

    def receive(self) -> Any:
        """Return the answer of the method that `send` started."""
        return self._receive()

    def close(self) -> None:
        """Close the engine, and end its process."""
        self.call("close")
        self.stop()

    def stop(self) -> None:
        """End the process; the index is left as it is."""
        self._connection.close()
        self._process.join()

    def _receive(self) -> Any:
        try:
            good, answer = self._connection.recv()
        except EOFError as error:
            raise RuntimeError(f"The process of {self.name} has died.") from error
        if not good:
            raise answer
        return answer


class _Worker:
    """The methods that can be called."""

    def __init__(self, engine: str, folder: Path) -> None:
        self._engine = open_engine(engine, folder)
        self.version = self._engine.version
        self._batches: list[Batch] = []

    def build(self, articles: Path, tokens: Path, count: int) -> Built:
        """Index the first documents from their tokens."""
        clock = Stopwatch()
        given = batches(documents_of(articles, count), Tokens.load(tokens), count)
        self._engine.build(given, clock)
        return Built(clock.seconds, self._engine.size(), _memory())

    def open(self) -> float:
        """Open the index; return the seconds it took."""
        return _seconds(self._engine.open)

    def page(self, query: PageQuery, wanted: bool, refresh: bool = False) -> Timed:
        """Answer a query; with `refresh`, look for commits first."""
        started = perf_counter()
        if refresh:
            self._engine.refresh()
        page = self._engine.page(query)
        return Timed(perf_counter() - started, page if wanted else None)

    def pages(self, queries: Sequence[PageQuery], wanted: bool) -> list[Timed]:
        """Answer one query after another."""
        return [self.page(query, wanted) for query in queries]

    def memory(self) -> Memory:
        """Return what the process holds now."""
        gc.collect()
        return _memory()

    def prepare_updates(self, articles: Path, tokens: Path, count: int, size: int) -> None:
        """Hold batches of documents that are in the index already."""
        records, all_tokens = documents_of(articles, count), Tokens.load(tokens)
        made = list(batches(records, all_tokens, len(records), size))
        self._batches = Random(1).sample(made, min(len(made), 100))

    def update(self) -> float:
        """Replace one batch; return the seconds until a query sees it."""
        batch = self._batches.pop()

        def update() -> None:
            self._update(batch)
            self._engine.refresh()
            self._engine.page(PageQuery(kind="all"))

        return _seconds(update)

    def _update(self, batch: Batch) -> None:
        if not isinstance(self._engine, UpdatedEngine):
            raise TypeError(f"{self.version} is not measured under updates.")
        self._engine.update(batch)

    def keep_updating(self, pause: float, seconds: float) -> list[float]:
        """Commit a batch every `pause` seconds for some time; return how long each commit took."""
        took = []
        until = perf_counter() + seconds
        while perf_counter() < until and self._batches:
            batch = self._batches.pop()
            took.append(_seconds(lambda batch=batch: self._update(batch)))
            sleep(max(0.0, pause - took[-1]))
        return took

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()


def _serve(connection: Connection, engine: str, folder: Path) -> None:
    try:
        worker = _Worker(engine, folder)
    except Exception as error:
        connection.send((False, error))
        return
    connection.send((True, worker.version))
    while True:
        try:
            method, arguments = connection.recv()
        except EOFError:
            return
        try:
            answer = True, getattr(worker, method)(*arguments)
        except Exception as error:
            error.add_note(f"In {method} of {engine}: {traceback.format_exc()}")
            answer = False, error
        connection.send(answer)
        if method == "close":
            return


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _memory() -> Memory:
    text = Path("/proc/self/status").read_text(encoding="ascii")
    found = dict(re.findall(r"(\w+):\s+(\d+) kB", text))
    return Memory(*(int(found[key]) / _MEGABYTE for key in ("VmRSS", "RssAnon", "VmHWM")))
