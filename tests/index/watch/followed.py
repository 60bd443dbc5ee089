"""A followed folder for the tests: its clock is theirs, and its indexer only records."""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from threading import Event

from index.corpus import FileState, Page, Unreadable
from index.errors import WorkerLost
from index.settings import Settings
from index.stages import WORKER_DIED
from index.store import ArticleStore
from index.summary import Progress, Summary
from index.watch import Watcher

__all__ = ["Followed", "Indexers"]


class Log:
    """What a watcher has reported."""

    def __init__(self) -> None:
        self.commits: list[Summary] = []
        self.waits: list[tuple[str, float]] = []
        self.notes: list[str] = []

    def committed(self, summary: Summary) -> None:
        self.commits.append(summary)

    def waiting(self, reason: str, seconds: float) -> None:
        self.waits.append((reason, seconds))

    def noted(self, message: str) -> None:
        if not message.startswith("Following"):
            self.notes.append(message)


class Indexers:
    """Stands in for the indexer: records runs, keeps the place, and fails as it is told."""

    def __init__(self) -> None:
        self.runs: list[list[str]] = []
        self.rebuilds = 0
        self.made = 0
        self.stages = "one"
        self.errors: list[Exception] = []
        self.poison = ""
        """The end of a page's path that fails the run."""
        self.deadly = ""
        """The end of a page's path that fails alone, because it ended its worker."""

    def __call__(self, settings: Settings, *, jobs: int | None = None) -> "Indexers":
        self.settings, self.jobs = settings, jobs
        self.made += 1
        return self

    def warm(self) -> None: ...
    def close(self) -> None: ...

    def run(
        self,
        pages: Iterable[Page | Unreadable],
        *,
        rebuild: bool = False,
        followed: Callable[[Summary], Mapping[Path, FileState]],
        progress: Progress,
    ) -> Summary:
        progress.stage("reading", None)
        if self.errors:
            raise self.errors.pop(0)
        summary = Summary(generation=1)
        for page in pages:
            if isinstance(page, Unreadable):
                summary.fail(page.path, page.reason, "")
            elif self.poison and page.path.endswith(self.poison):
                raise WorkerLost("A process ended.")
            elif self.deadly and page.path.endswith(self.deadly):
                summary.fail(page.path, f"{WORKER_DIED}: want of memory", WORKER_DIED)
            else:
                summary.count("added")
        self.rebuilds += rebuild
        with ArticleStore(self.settings.data / "articles.sqlite3") as store:
            read = followed(summary)
            store.followed.put(read, self.stages)
        if summary.pages:
            self.runs.append(sorted(path.name for path in read))
        return summary


class Followed:
    """A crawl folder, and a watcher over it whose time is `now`."""

    def __init__(self, folder: Path, indexers: Indexers) -> None:
        self.settings = Settings(data=folder / "data")
        self.crawl = folder / "crawl"
        self.crawl.mkdir()
        self.indexers, self.log, self.stop = indexers, Log(), Event()
        self.now = 1000.0
        self.start()

    def start(self, **options: bool) -> None:
        self.watcher = Watcher(
            self.settings,
            [self.crawl],
            stop=self.stop,
            reporter=self.log,
            clock=lambda: self.now,
            **({"poll": True} | options),
        )
        self.watcher.step()

    def write(self, name: str, text: str = "第一版") -> Path:
        path = self.crawl / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.watcher.notice(path)
        return path

    def pass_time(self, seconds: float, step: float = 0.25) -> None:
        end = self.now + seconds
        while self.now < end and not self.stop.is_set():
            self.now += step
            self.watcher.step()

    @property
    def read(self) -> list[str]:
        return list(chain.from_iterable(self.runs))

    @property
    def runs(self) -> list[list[str]]:
        return self.indexers.runs
