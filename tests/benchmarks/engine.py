"""What the benchmark asks of every engine, and the clock that times it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Protocol, runtime_checkable

from queries import PageQuery
from tokens import Batch

from search.request import FACET_SIZE, FACETS

__all__ = [
    "BOOSTS",
    "ENGINES",
    "FACETS",
    "FACET_SIZE",
    "Engine",
    "Hit",
    "Page",
    "Stopwatch",
    "UpdatedEngine",
    "open_engine",
]

BOOSTS = {"title": 3.0, "lead": 1.5, "body": 1.0}

ENGINES = ("ours", "tantivy", "fts", "stock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One of the ten best, with its stored fields."""

    id: str
    score: float
    published: int | None
    category: str
    source: str
    organisations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The answer to a page query.

    `facets` has the counts of category, organisation and source, the FACET_SIZE most frequent
    values of each, and of every month.
    """

    total: int
    hits: tuple[Hit, ...]
    facets: dict[str, dict[str, int]]


class Stopwatch:
    """Adds up the seconds that an engine works, without those in which its input is made."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the clock run."""
        started = perf_counter()
        try:
            yield
        finally:
            self.seconds += perf_counter() - started


class Engine(Protocol):
    """An engine with its index in a folder of its own."""

    version: str

    def __init__(self, folder: Path) -> None:
        """Take the folder, which may not exist yet."""

    def build(self, batches: Iterable[Batch], clock: Stopwatch) -> None:
        """Index all documents, merged as the engine likes best; the clock runs on its own work."""

    def open(self) -> None:
        """Open the index for queries."""

    def page(self, query: PageQuery) -> Page:
        """Answer a query over the newest state that `open` or `refresh` saw."""

    def refresh(self) -> None:
        """See what has been committed since; cheap where nothing has."""

    def size(self) -> int:
        """Return the bytes of the index on disk."""

    def close(self) -> None:
        """Release all files."""


@runtime_checkable
class UpdatedEngine(Engine, Protocol):
    """One that is measured under updates as well.

    FTS5 is not: before SQLite 3.43 a table without contents cannot delete by number.
    """

    def update(self, batch: Batch) -> None:
        """Replace the documents of the same ids and commit."""


def open_engine(name: str, folder: Path) -> Engine:
    """Return an engine by name; raises ImportError where its library is not installed."""
    engine: Engine
    match name:
        case "ours":
            from peers.ours import Ours

            engine = Ours(folder)
        case "tantivy":
            from peers.tantivy import Tantivy

            engine = Tantivy(folder)
        case "fts":
            from peers.fts import Fts

            engine = Fts(folder)
        case "stock":
            from peers.stock import Stock

            engine = Stock(folder)
        case _:
            raise ValueError(f"Unknown engine {name!r}. Engines: {', '.join(ENGINES)}.")
    return engine


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
