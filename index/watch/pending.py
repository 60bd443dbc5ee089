"""Files that are new or have changed, until they have been read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from index.corpus import FileState, Source

__all__ = ["QUIET_ARCHIVE", "QUIET_PAGE", "PendingFiles"]

QUIET_PAGE = 0.5  # seconds without a change, after which a page is taken for written
QUIET_ARCHIVE = 3.0  # the same of what is copied in pieces, over a network perhaps
_LONGEST_LINES = 30.0  # JSON lines that never rest are read in between; half a line is told

_PAGES = {".md", ".markdown", ".html", ".htm"}


@dataclass(slots=True)
class _Pending:
    source: Source
    first: float  # since when it waits
    since: float  # since when it is as it is

    def rests_at(self) -> float:
        """Return when it may be read, if nobody writes to it until then."""
        at = self.since + (QUIET_PAGE if self.source.suffix in _PAGES else QUIET_ARCHIVE)
        return min(at, self.first + _LONGEST_LINES) if self._is_lines() else at

    def look(self, now: float) -> Source | None:
        """Return the file as it is now, None where it was written to meanwhile."""
        status = self.source.file.stat()
        source = replace(self.source, size=status.st_size, modified=status.st_mtime_ns)
        if source.state != self.source.state:
            self.source, self.since = source, now
        return source if self.rests_at() <= now else None

    def _is_lines(self) -> bool:
        return self.source.suffix.startswith(".jsonl")


class PendingFiles:
    """Files to be read, by their size and time: no file is read before it has come to rest.

    Times are those of a monotonic clock, in seconds; the clock of the day may be set back.
    """

    def __init__(self, read: Mapping[Path, FileState]) -> None:
        """Take the files that have been read, with their states at that time."""
        self._read = dict(read)
        self._pending: dict[Path, _Pending] = {}
        self._refused: dict[Path, tuple[FileState, float]] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def start_from(self, read: Mapping[Path, FileState]) -> None:
        """Take other files as read than before; what waits goes on waiting."""
        self._read = dict(read)

    def see(self, source: Source, now: float) -> None:
        """Take a file as it is now; it waits if it has not been read as it is."""
        refused, until = self._refused.get(source.file, (None, 0.0))
        if self._read.get(source.file) == source.state or (refused == source.state and now < until):
            self._pending.pop(source.file, None)
            return
        pending = self._pending.setdefault(source.file, _Pending(source, now, now))
        if pending.source.state != source.state:
            pending.source, pending.since = source, now

    def is_due(self, now: float, interval: float) -> bool:
        """Say whether to read: some files have come to rest, and it is no use to wait for others.

        For more pages of a burst it waits until `interval` after the first, for an archive never.
        """
        rest = [pending.rests_at() for pending in self._pending.values()]
        first = min(rest, default=now + 1)
        if first > now:
            return False
        return first + interval <= now or not any(now < at <= now + QUIET_PAGE for at in rest)

    def take(self, now: float, limit: int) -> list[Source]:
        """Return files that have come to rest, in order; they wait on until they are `done`."""
        taken: list[Source] = []
        for path in sorted(path for path, each in self._pending.items() if each.rests_at() <= now):
            if len(taken) == limit:
                break
            try:
                source = self._pending[path].look(now)
            except OSError:
                del self._pending[path]  # gone
                continue
            if source:
                taken.append(source)
        return taken

    def done(self, files: Mapping[Path, FileState]) -> None:
        """Take files as read in these states."""
        self._read.update(files)
        for path, state in files.items():
            self._refused.pop(path, None)
            if path in self._pending and self._pending[path].source.state == state:
                del self._pending[path]

    def refuse(self, source: Source, until: float) -> None:
        """Let a file that could not be read rest until then, or until it changes."""
        self._pending.pop(source.file, None)
        self._refused[source.file] = source.state, until

    def forgive(self, path: Path) -> None:
        """Let a file that rests be looked at now."""
        if refused := self._refused.get(path):
            self._refused[path] = refused[0], 0.0

    def was_refused(self, source: Source) -> bool:
        """Say whether the file has been refused before, as it is."""
        return self._refused.get(source.file, (None,))[0] == source.state
