"""The loop of `anwen watch`: it notices, waits until files rest, and commits."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Protocol

from index.build import Indexer
from index.corpus import FileState, Page, Source, Unreadable, find_at, find_sources, read_source
from index.errors import AnwenError, IndexDamaged, IndexOutOfDate, StoreError, WorkerLost
from index.settings import Settings
from index.stages import WORKER_DIED
from index.store import STORE_FILE, ArticleStore
from index.summary import Summary
from index.watch.notices import Notices
from index.watch.pending import QUIET_PAGE, PendingFiles

__all__ = ["Reporter", "Watcher"]

_MOST = 5_000  # files of one commit: about a minute, after which they are found
_LONGEST_WAIT = 60.0  # seconds between two attempts
_GRACE = 5.0  # seconds that a commit has when the program is to end
# All is looked at from time to time whatever the system tells, because its queue can overflow and
# links lead where it does not look. A look takes 0.3 s for 20,000 files.
_LOOK_SECONDS = 60.0
_LOOK_SHARE = 100  # ... and at most a hundredth of the time
_POLL_SHARE = 10
_UNREADABLE_SECONDS = 50.0  # until the next look
_BROKEN_SECONDS = 3600.0


class Reporter(Protocol):
    """Where a watcher reports what it does."""

    def committed(self, summary: Summary) -> None:
        """Report a commit that has read something."""

    def waiting(self, reason: str, seconds: float) -> None:
        """Report why nothing could be written, and when that is tried again."""

    def noted(self, message: str) -> None:
        """Report anything else that an operator should know."""


class Watcher:
    """Follows folders and files until it is told to stop."""

    def __init__(
        self,
        settings: Settings,
        paths: Iterable[Path],
        *,
        interval: float = 2.0,
        jobs: int | None = None,
        poll: bool = False,
        stop: Event,
        reporter: Reporter,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Take paths, and the least seconds between two commits; `poll` where nothing is notified.

        Raises SettingsError, or AnwenError for a path that is not there and never was, or that is
        of no kind that can be read.
        """
        self._settings, self._interval, self._jobs = settings, interval, jobs
        self._poll, self._stop, self._reporter = poll, stop, reporter
        self._clock = clock
        self._roots = [path.absolute() for path in paths]
        self._tables = self._table_files()
        self._indexer = Indexer(settings, jobs=jobs)
        self._files = PendingFiles({})
        self._folders: dict[Path, float] = {}
        self._problems: list[Unreadable] = []
        self._told: set[str] = set()
        self._absent: set[Path] = set()
        self._notices = Notices(stop)
        self._identities: dict[Path, tuple[int, int] | None] = {}
        self._store_identity: tuple[int, int] | None = None
        self._has_begun = False
        self._may_rebuild, self._rebuild = True, False
        self._limit, self._failures = _MOST, 0
        self._commit_at = self._look_at = 0.0
        known: dict[Path, FileState] = {}
        with suppress(StoreError):  # an older one is brought up to date by the first commit
            known = self._read_before()
        for root in self._roots:
            # A folder that has been read before may be mounted later.
            if _identity(root) or not any(path.is_relative_to(root) for path in known):
                next(find_sources(root), None)

    def run(self) -> None:
        """Follow until `stop` is set.

        Raises IndexOutOfDate where another version of the program has taken the index over.
        """
        self._indexer.warm()
        try:
            while not self._stop.is_set():
                self.step()
                for path, is_gone in self._notices.wait():
                    self.notice(path, is_gone=is_gone)
        finally:
            self._notices.close()
            self._indexer.close()

    def step(self) -> None:
        """Look at what is due to be looked at, and commit if that is due."""
        now = self._clock()
        store = self._settings.data / STORE_FILE
        if self._has_begun and _identity(store) != self._store_identity:
            self._reporter.noted(f"{store} is another than before: every file is looked at again.")
            self._has_begun = False
        self._follow()
        if self._has_begun and now >= self._look_at:
            self._look(now)
        for folder in [each for each, at in self._folders.items() if at <= now]:
            del self._folders[folder]
            self._see_at(folder, now)
        is_due = self._files.is_due(now, self._interval) or self._problems or not self._has_begun
        if is_due and now >= self._commit_at:
            self._commit(now)

    def notice(self, path: Path, *, is_gone: bool = False) -> None:
        """Take notice of a path that has changed."""
        now = self._clock()
        if path in self._roots:
            if is_gone:
                self._identities.clear()
            self._look_at = 0.0
        elif is_gone:
            pass  # an article stays when its file goes
        elif os.path.isdir(path):  # noqa: PTH112  # where it may not be seen, this says no
            # A moment later, when the system tells of what is new in it: it does not of the rest.
            self._folders.setdefault(path, now + QUIET_PAGE)
        else:
            # Its rights may have changed, of which size and time say nothing.
            self._files.forgive(path)
            self._see_at(path, now)

    # Looking

    def _follow(self) -> None:
        """Have changes told of the folders that are there now; they may be others than before."""
        identities = {root: _identity(root) for root in self._roots}
        if identities == self._identities:
            return
        self._identities, self._look_at = identities, 0.0
        if self._poll:
            return
        try:
            self._notices.open(root for root, identity in identities.items() if identity)
        except FileNotFoundError:
            self._identities = {}  # gone this moment
        except (OSError, RuntimeError) as error:
            self._notices.close()
            self._poll = True
            self._reporter.noted(
                f"The system does not tell of changes ({error}): folders are looked through "
                "instead. For notifications raise fs.inotify.max_user_watches with sysctl."
            )

    def _look(self, now: float) -> None:
        """Look at every file."""
        problems: set[str] = set()
        for root in self._roots:
            try:
                for found in find_sources(root):
                    if isinstance(found, Source):
                        self._files.see(found, now)
                        continue
                    problems.add(found.path)
                    if found.path not in self._told:
                        self._problems.append(found)
            except AnwenError as error:
                if root not in self._absent:
                    self._reporter.noted(f"{error} It is followed once it is there.")
                self._absent.add(root)
            else:
                if root in self._absent:
                    self._reporter.noted(f"{root} is there again.")
                self._absent.discard(root)
        self._told = problems
        share, least = (
            (_POLL_SHARE, max(self._interval, 1.0)) if self._poll else (_LOOK_SHARE, _LOOK_SECONDS)
        )
        self._look_at = now + max(least, share * (self._clock() - now))

    def _see_at(self, path: Path, now: float) -> None:
        for root in self._roots:
            with suppress(OSError):  # what is wrong with it the next look tells
                for found in find_at(root, path):
                    if isinstance(found, Source):
                        self._files.see(found, now)

    # Committing

    def _commit(self, now: float) -> None:
        if self._tables != self._table_files():
            self._reporter.noted("A table of the settings has changed: all pages are read by it.")
            try:
                self._renew()
            except (AnwenError, OSError) as error:
                self._wait(str(error))
                return
            self._may_rebuild = True
        sources = self._files.take(now, self._limit) if self._has_begun else []
        reading = _Reading(sources, self._problems, self._files)
        try:
            summary = self._indexer.run(
                reading.pages(),
                rebuild=self._rebuild,
                followed=reading.outcome,
                progress=_UntilStopped(self._stop),
            )
            if not self._has_begun:
                self._begin()
        except _StoppedError:
            return
        except (IndexDamaged, IndexOutOfDate) as error:
            reason = str(error).partition(" Run: ")[0]
            if isinstance(error, IndexOutOfDate) and not self._may_rebuild:
                raise IndexOutOfDate(
                    f"{reason} Another version has taken it over: start anwen watch anew."
                ) from error
            self._rebuild = True
            self._wait(f"{reason} It is built anew.")
        except WorkerLost as error:
            self._narrow(sources, error)
        except (AnwenError, OSError) as error:
            self._wait(str(error))
        except Exception as error:
            self._narrow(sources, error)
        else:
            self._rebuild = self._may_rebuild = False
            self._failures, self._problems = 0, []
            if sources:
                self._limit = min(2 * self._limit, _MOST)
            self._files.done(reading.read)
            for source, seconds in reading.unread.items():
                self._files.refuse(source, now + seconds)
            if summary.pages:
                self._commit_at = now + self._interval
                self._reporter.committed(summary)

    def _begin(self) -> None:
        """Take up the place where the store says that an earlier process left off."""
        self._store_identity = _identity(self._settings.data / STORE_FILE)
        known = self._read_before()
        self._files.start_from(known)
        paths = ", ".join(str(root) for root in self._roots)
        self._reporter.noted(f"Following {paths}: {len(known)} files have been read before.")
        self._look_at, self._has_begun = 0.0, True

    def _read_before(self) -> dict[Path, FileState]:
        path = self._settings.data / STORE_FILE
        if not path.exists():
            return {}
        with ArticleStore(path, read_only=True) as store:
            return store.followed.states(self._indexer.stages)

    def _wait(self, reason: str) -> None:
        if self._stop.is_set():
            return
        seconds = min(2.0**self._failures, _LONGEST_WAIT)
        self._failures += 1
        self._commit_at = self._clock() + seconds
        self._reporter.waiting(reason, seconds)

    def _narrow(self, sources: list[Source], error: Exception) -> None:
        """Find the file that ends a worker or meets a bug, by reading half as many at once."""
        if self._stop.is_set():
            return  # workers may have been told to end before this process was
        if not sources and not isinstance(error, WorkerLost):
            raise error
        try:
            self._renew()
        except (AnwenError, OSError) as wrong:  # a table of the settings
            self._wait(str(wrong))
            return
        reason = f"{type(error).__name__}: {error}"
        if len(sources) > 1:
            self._limit = (len(sources) + 1) // 2
        elif sources:
            self._files.refuse(sources[0], self._clock() + _BROKEN_SECONDS)
            self._wait(f"{sources[0].file} cannot be read and is left out for an hour: {reason}.")
        else:
            self._wait(reason)

    def _renew(self) -> None:
        """Begin with new worker processes and the tables as they are now."""
        tables = self._table_files()
        indexer = Indexer(self._settings, jobs=self._jobs)
        self._indexer.close()
        self._indexer, self._tables, self._has_begun = indexer, tables, False

    def _table_files(self) -> list[object]:
        settings = self._settings
        found: list[object] = []
        for path in (settings.terms, settings.entities, settings.denials):
            with suppress(OSError):
                status = path.stat() if path else None
                found.append(status and (status.st_ino, status.st_size, status.st_mtime_ns))
        return found


class _Reading:
    """The pages of some files; afterwards, which of these have been read and which could not be."""

    def __init__(
        self, sources: list[Source], problems: list[Unreadable], files: PendingFiles
    ) -> None:
        self._sources, self._problems, self._files = sources, problems, files
        self.read: dict[Path, FileState] = {}
        self.unread: dict[Source, float] = {}  # seconds until the next attempt
        self._sources_of: dict[str, Source] = {}

    def pages(self) -> Iterator[Page | Unreadable]:
        yield from self._problems
        for source in self._sources:
            may_pass = False
            for entry, _ in read_source(source):
                if isinstance(entry, Unreadable) and entry.may_pass:
                    may_pass = True
                    if self._files.was_refused(source):
                        continue  # it has been told
                self._sources_of[entry.path] = source
                yield entry
            if may_pass:
                self.unread[source] = _UNREADABLE_SECONDS
            else:
                self.read[source.file] = source.state

    def outcome(self, summary: Summary) -> dict[Path, FileState]:
        """Return the files that are read, without those with a page that ended its worker."""
        for path, _, reason in summary.problems:
            if reason.startswith(WORKER_DIED) and (source := self._sources_of.get(path)):
                self.read.pop(source.file, None)
                self.unread[source] = _BROKEN_SECONDS
        return self.read


class _StoppedError(Exception):
    """The program is to end, and the commit would take long."""


class _UntilStopped:
    """Progress that ends a run some seconds after the program has been told to stop."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self._end: float | None = None

    def stage(self, name: str, total: int | None) -> None:  # noqa: ARG002
        self._check()

    def advance(self, steps: int = 1, share: float | None = None) -> None:  # noqa: ARG002
        self._check()

    def _check(self) -> None:
        if self._stop.is_set():
            now = monotonic()
            self._end = self._end or now + _GRACE
            if now >= self._end:
                raise _StoppedError


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file or folder from another in its place, None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
