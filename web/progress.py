"""Progress of a run: a bar on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from index.summary import Progress as BuildProgress

__all__ = ["progress_on"]

_LINE_SECONDS = 10.0  # between plain lines


@contextmanager
def progress_on(stream: TextIO) -> Iterator[BuildProgress]:
    """Report a run on a stream, in the manner that suits it."""
    console = Console(file=stream)
    if not console.is_terminal:
        yield _Lines(stream)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[steps]} pages"),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        yield _Bar(bar)


class _Rate(ProgressColumn):
    """Pages a second, which the bar's own speed is not where it measures a share."""

    def render(self, task: Task) -> Text:
        steps, elapsed = task.fields["steps"], task.elapsed or 0.0
        return Text(f"{steps / elapsed:.0f}/s" if elapsed else "")


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", visible=False, steps=0)
        self._steps = 0

    def stage(self, name: str, total: int | None) -> None:
        self._steps = 0
        self._by_share = total is None
        self._task = self._bar.add_task(name, total=1.0 if total is None else total, steps=0)

    def advance(self, steps: int = 1, share: float | None = None) -> None:
        self._steps += steps
        done = share if self._by_share else float(self._steps)
        self._bar.update(self._task, completed=done, steps=self._steps)


class _Lines:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def stage(self, name: str, total: int | None) -> None:
        self._name, self._total = name, total
        self._steps, self._share = 0, 0.0
        self._started = self._last = monotonic()
        print(f"{name}: begins", file=self._stream, flush=True)

    def advance(self, steps: int = 1, share: float | None = None) -> None:
        self._steps += steps
        self._share = share if share is not None else self._share
        now = monotonic()
        if now - self._last < _LINE_SECONDS:
            return
        self._last = now
        elapsed = now - self._started
        done = self._steps / self._total if self._total else self._share
        left = f", {elapsed / done - elapsed:.0f} s left" if done else ""
        rate = self._steps / elapsed
        print(
            f"{self._name}: {self._steps} pages, {rate:.0f}/s{left}", file=self._stream, flush=True
        )
