"""Worker processes that may die: what one of them took with it is done again, or told."""

from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Generic, Self, TypeVar

from index.errors import WorkerLost

__all__ = ["Task", "Workers"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Task(Generic[R]):
    """Something that a worker does."""

    function: Callable[..., R]
    arguments: tuple[Any, ...]
    pool: ProcessPoolExecutor
    future: Future[R]


class Workers:
    """A pool of processes, and a new one where a process has died and broken it."""

    def __init__(
        self, jobs: int, initializer: Callable[..., None], arguments: tuple[Any, ...]
    ) -> None:
        self._jobs, self._initializer, self._arguments = jobs, initializer, arguments
        self._pool = self._new(jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; what they have not begun is forgotten."""
        self._pool.shutdown(cancel_futures=True)

    def submit(self, function: Callable[..., R], *arguments: Any) -> Task[R]:
        """Begin a task; raises nothing for a worker that has died before."""
        try:
            future = self._pool.submit(function, *arguments)
        except BrokenProcessPool:
            self._renew(self._pool)
            future = self._pool.submit(function, *arguments)
        return Task(function, arguments, self._pool, future)

    def result(self, task: Task[R]) -> R:
        """Return what a task gives; raises WorkerLost where a second try ends so too."""
        try:
            return task.future.result()
        except BrokenProcessPool:
            self._renew(task.pool)
        again = self.submit(task.function, *task.arguments)
        try:
            return again.future.result()
        except BrokenProcessPool as error:
            self._renew(again.pool)
            raise WorkerLost(
                "A worker process ended in the midst of its work, twice; perhaps the system had "
                "too little memory for it. What is stored already is kept. Run the command again, "
                "with a smaller --jobs if it happens again."
            ) from error

    def results(self, task: Task[list[R]], instead: Callable[[Any], R]) -> list[R]:
        """Return what a task gives whose one argument is a list: a result for each part of it.

        Where it ends its worker twice, each part is done by itself; `instead` gives the result of
        those that do it again. Raises WorkerLost where workers end whatever they do.
        """
        with suppress(WorkerLost):  # the first time it may have been another task's fault
            return self.result(task)
        results: list[R] = []
        alone = self._new(1)
        try:
            for part in task.arguments[0]:
                try:
                    results += alone.submit(task.function, [part]).result()
                except BrokenProcessPool:
                    alone.shutdown()
                    alone = self._new(1)
                    self._try(alone)
                    results.append(instead(part))
        finally:
            alone.shutdown(cancel_futures=True)
        return results

    def _try(self, pool: ProcessPoolExecutor) -> None:
        """Do nothing in a worker: where even that ends it, no part of a task is to blame."""
        try:
            pool.submit(int).result()
        except BrokenProcessPool as error:
            raise WorkerLost(
                "Worker processes end before they do anything; perhaps the system has too little "
                "memory for them, or forbids them. What is stored already is kept. Run the command "
                "again when it has more."
            ) from error

    def _new(self, jobs: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(jobs, get_context("spawn"), self._initializer, self._arguments)

    def _renew(self, broken: ProcessPoolExecutor) -> None:
        # Every task of a broken pool says so; the first one to be asked opens another.
        if broken is self._pool:
            broken.shutdown()
            self._pool = self._new(self._jobs)
