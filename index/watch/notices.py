"""What the system tells of changes in folders."""

from collections.abc import Generator, Iterable
from pathlib import Path
from threading import Event

from watchfiles import Change, watch

__all__ = ["Notices"]

_TICK = 0.25  # seconds between two looks at the clock


class Notices:
    """Changes in folders as the system tells them, until `stop`; none where it is not asked."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self._changes: Generator[set[tuple[Change, str]], None, None] | None = None

    def open(self, roots: Iterable[Path]) -> None:
        """Follow these folders and files, and no longer others.

        What changes before this returns is not told. Raises FileNotFoundError where one is gone,
        OSError or RuntimeError where the system refuses.
        """
        self.close()
        if there := list(roots):
            self._changes = watch(
                *there,
                watch_filter=None,
                debounce=200,
                step=50,
                stop_event=self._stop,
                rust_timeout=round(_TICK * 1000),
                yield_on_timeout=True,
                raise_interrupt=False,
                force_polling=False,
                ignore_permission_denied=True,
            )
            # It begins with the first question.
            next(self._changes, None)

    def close(self) -> None:
        """Follow nothing."""
        if self._changes:
            self._changes.close()
        self._changes = None

    def wait(self) -> list[tuple[Path, bool]]:
        """Wait a moment for changes; return their paths, and whether each is there no more."""
        if self._changes is None:
            self._stop.wait(_TICK)
            return []
        changes = next(self._changes, None) or set()
        return [(Path(path), change is Change.deleted) for change, path in changes]
