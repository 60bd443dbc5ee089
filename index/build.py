"""The way of an article into the index: pages to the store, the store's changes to the index."""

import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Protocol, TypeVar

from filelock import FileLock, Timeout

from index.analysis import Analyzer
from index.backends.base import Index, IndexWriter
from index.backends.whoosh import WhooshIndex
from index.categories import CategoryModel, model_fingerprint, with_category
from index.corpus import Page, Unreadable, read_pages
from index.document import Article
from index.duplicates import Fingerprint, fingerprints, fingerprints_version
from index.entities import Denials, OrganisationTable, annotate, entities_fingerprint
from index.errors import IndexOutOfDate, NotAnArticle, StoreError, StoreLocked
from index.extract import extract, extractor_fingerprint
from index.record import read_article
from index.schema import IndexBatch, index_batch
from index.settings import Settings
from index.store import ArticleStore, StoredPage, page_digest
from index.workers import Task, Workers

__all__ = ["Progress", "Summary", "build", "open_index", "remove", "stages_fingerprint"]

_CHUNK = 32  # pages a worker takes at once: less costs messages, more makes the bar jump
_ANALYSED = 128  # articles a worker analyses at once: a batch has a cost of its own
_BATCH_CHARACTERS = 500_000  # analysed at once; each takes about 100 bytes meanwhile
_PAGE_SECONDS = 2.0  # of a processor, for one page
_COMPARED = 32  # chunks of fingerprints in one durable transaction
_STORE_BATCH = 512  # pages in one durable transaction
_LOCK_SECONDS = 10.0

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True, kw_only=True)
class Summary:
    """What a run did. `pages` is the sum of the rest; `problems` names the pages behind it."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    removed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    generation: int = 0
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    """Page, "skipped" or "failed", and the reason."""

    @property
    def pages(self) -> int:
        """All pages that were met."""
        counts = (self.added, self.updated, self.unchanged, self.repeated, self.removed)
        return sum(counts) + self.skipped.total() + self.failed.total()

    def count(self, outcome: str) -> None:
        """Count one page under an outcome of the store."""
        setattr(self, outcome, getattr(self, outcome) + 1)

    def skip(self, page: str, reason: str) -> None:
        """Count a page that holds no article."""
        self.skipped[reason] += 1
        self.problems.append((page, "skipped", reason))

    def fail(self, page: str, reason: str, kind: str) -> None:
        """Count a page that could not be read, under the first words of the reason."""
        self.failed[kind] += 1
        self.problems.append((page, "failed", reason))


class Progress(Protocol):
    """Where a run reports how far it is."""

    def stage(self, name: str, total: int | None) -> None:
        """Begin a stage of `total` steps, None where only a share is known."""

    def advance(self, steps: int = 1, share: float | None = None) -> None:
        """Report steps done, and the share of the input that is read, from 0 to 1."""


def stages_fingerprint(settings: Settings) -> str:
    """Return what tells one state of the reading code, its tables and its weights from another."""
    table = OrganisationTable.load(settings.entities)
    entities = entities_fingerprint(table, Denials.load(settings.denials))
    return f"{extractor_fingerprint()}-{entities}-{model_fingerprint()}"


def open_index(settings: Settings, analyzer: Analyzer) -> WhooshIndex:
    """Return the index of the data folder, whether or not it exists yet."""
    return WhooshIndex(settings.data / "index", analyzer.fingerprint, memory=settings.memory)


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    lock = FileLock(settings.data / "writer.lock", timeout=_LOCK_SECONDS)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise StoreLocked(
            f"Another process is writing to {settings.data}. Wait until it has finished."
        ) from error
    except OSError as error:
        raise StoreError(
            f"The data folder {settings.data} cannot be written: {error}. See who may write there, "
            "or name another with --data."
        ) from error
    try:
        yield
    finally:
        lock.release()


def build(
    settings: Settings,
    paths: Iterable[Path],
    *,
    rebuild: bool = False,
    jobs: int | None = None,
    progress: Progress,
) -> Summary:
    """Read pages into the store and bring the index up to date with it.

    With `rebuild`, stored pages that other code or tables have read are read again, and a new
    generation of the index is built. Raises StoreLocked, IndexOutOfDate, or the reader's error
    for a path that cannot be read; bad pages are counted in the summary.
    """
    started = perf_counter()
    summary = Summary()
    jobs = jobs or os.cpu_count() or 1
    analyzer = Analyzer(settings.terms)
    index = open_index(settings, analyzer)
    # A path that cannot be read is told before anything is written.
    pages = read_pages(paths, lambda share: progress.advance(0, share))
    table = OrganisationTable.load(settings.entities)
    denials = Denials.load(settings.denials)
    with (
        _locked(settings),
        ArticleStore(settings.data / "articles.sqlite3", denials=denials) as store,
        Workers(jobs, _start_worker, (settings,)) as pool,
    ):
        if index.generation and not rebuild and (reason := index.out_of_date()):
            raise IndexOutOfDate(f"The index is out of date: {reason}. Run: anwen index --rebuild")
        stages = stages_fingerprint(settings)
        window = 3 * jobs
        store.learn(table)  # what the operator's table has come to know is learnt no longer
        progress.stage("reading", None)
        _read_into_store(store, pages, stages, pool, window, summary, progress)
        if rebuild:
            stale = (
                Page(path=path, raw=raw, format="html" if form == "html" else "md")
                for path, form, raw in store.stale_pages(stages)
            )
            progress.stage("reading again", store.statistics(stages)["stale"])
            # Pages of the store were counted when they were read: a summary of their own.
            _read_into_store(store, stale, stages, pool, window, Summary(), progress)
        store.learn(table)
        _compare(store, pool, window, progress)
        _catch_up(store, index, pool, window, progress, rebuild=rebuild)
    summary.seconds = perf_counter() - started
    summary.generation = index.generation
    return summary


def remove(settings: Settings, wanted: Iterable[str], *, undo: bool = False) -> list[str]:
    """Remove articles by id or address from the store and the index; return their ids.

    With `undo` the removals are forgotten instead, and the next run reads the pages again.
    Raises UnknownArticle before anything is changed.
    """
    analyzer = Analyzer(settings.terms)
    index = open_index(settings, analyzer)
    with _locked(settings), ArticleStore(settings.data / "articles.sqlite3") as store:
        if index.generation and (reason := index.out_of_date()):
            raise IndexOutOfDate(f"The index is out of date: {reason}. Run: anwen index --rebuild")
        reached = index.revision
        was_current = reached == store.revision
        identifiers = [store.resolve(name) for name in wanted]
        for identifier in identifiers:
            if undo:
                store.undo_remove(identifier)
            else:
                store.remove(identifier)
        store.commit()
        if index.generation and not undo:
            # An index that a kill left behind stays behind: the next run still has to catch up.
            with index.writer(store.revision if was_current else reached) as writer:
                for identifier in identifiers:
                    writer.delete_document(identifier)
                if was_current:
                    _update_others(store, writer, reached, analyzer)
    return identifiers


def _update_others(
    store: ArticleStore, writer: IndexWriter, reached: int, analyzer: Analyzer
) -> None:
    """Bring articles up to date whose cluster a removal has changed."""
    changed = [document for _, document in store.changes(reached) if document is not None]
    if changed:
        articles = [read_article(document) for document in changed]
        clusters = store.clusters(article.id for article in articles)
        writer.update_documents(index_batch(articles, analyzer, clusters))


def _read_into_store(
    store: ArticleStore,
    pages: Iterable[Page | Unreadable],
    stages: str,
    pool: Workers,
    window: int,
    summary: Summary,
    progress: Progress,
) -> None:
    added: set[str] = set()
    for number, (page, result) in enumerate(_extracted(store, pages, stages, pool, window), 1):
        if isinstance(page, Unreadable):
            summary.fail(page.path, page.reason, page.reason.partition(":")[0])
        elif isinstance(result, StoredPage):
            _count_known(store, page, result, summary)
        elif isinstance(result, _Failure):
            summary.fail(page.path, result.message, result.kind)
        elif result is not None:
            _keep(store, page, result, stages, summary, added)
        progress.advance()
        if number % _STORE_BATCH == 0:
            store.commit()
    store.commit()


def _count_known(store: ArticleStore, page: Page, known: StoredPage, summary: Summary) -> None:
    if known.article is None:
        summary.skip(page.path, known.reason or "")
        return
    source = store.source_of(known.article)
    if source and source[1]:
        summary.count("removed")
    elif known.is_copy_at(page.path) or not source or source[0] != page_digest(page.raw):
        summary.count("repeated")
    else:
        summary.count("unchanged")


def _keep(
    store: ArticleStore,
    page: Page,
    result: "Article | str",
    stages: str,
    summary: Summary,
    added: set[str],
) -> None:
    digest = page_digest(page.raw)
    if isinstance(result, str):
        store.put_skipped(digest, page.path, page.format, page.raw, stages, result)
        summary.skip(page.path, result)
        return
    outcome = store.put_article(digest, page.path, page.format, page.raw, stages, result)
    if outcome == "added":
        added.add(result.id)
    elif outcome == "updated" and result.id in added:
        # Two pages of one article in one run: one article was added, one page was its other copy.
        outcome = "repeated"
    summary.count(outcome)


def _extracted(
    store: ArticleStore,
    pages: Iterable[Page | Unreadable],
    stages: str,
    pool: Workers,
    window: int,
) -> "Iterator[tuple[Page | Unreadable, StoredPage | _Result | None]]":
    """Give each page with what the store knows of it, or else with what a worker made of it."""

    def submit(chunk: list[Page | Unreadable]) -> "_Submitted":
        known: list[StoredPage | None] = []
        new: list[Page] = []
        for page in chunk:
            stored = store.page(page_digest(page.raw)) if isinstance(page, Page) else None
            known.append(stored if stored and stored.stages == stages else None)
            if isinstance(page, Page) and known[-1] is None:
                new.append(page)
        return known, pool.submit(_extract_chunk, new) if new else None

    for chunk, (known, future) in _windowed(pages, submit, window):
        results = iter(pool.results(future, _died) if future else ())
        for page, stored in zip(chunk, known, strict=True):
            if isinstance(page, Page):
                yield page, stored or next(results)
            else:
                yield page, None


def _catch_up(
    store: ArticleStore,
    index: Index,
    pool: Workers,
    window: int,
    progress: Progress,
    *,
    rebuild: bool,
) -> None:
    """Bring the index to the store's revision; a fresh generation where it cannot follow."""
    target = store.revision
    fresh = rebuild or not index.generation or index.revision > target
    reached = 0 if fresh else index.revision
    if not fresh and reached == target:
        return

    def submit(chunk: list[tuple[str, str | None]]) -> Task[list[IndexBatch]]:
        documents = [document for _, document in chunk if document]
        clusters = store.clusters(identifier for identifier, _ in chunk)
        return pool.submit(_analyse_chunk, documents, clusters)

    progress.stage("indexing", store.count_changes(reached))
    with index.writer(target, rebuild=fresh) as writer:
        for chunk, future in _windowed(store.changes(reached), submit, window, _ANALYSED):
            for identifier, document in chunk:
                if document is None:
                    writer.delete_document(identifier)
            for batch in pool.result(future):
                writer.update_documents(batch)
            progress.advance(len(chunk))
        progress.stage("writing", None)  # the commit comes when the context ends


def _compare(store: ArticleStore, pool: Workers, window: int, progress: Progress) -> None:
    """Find the near-duplicates of the articles that are new or say something else than before."""

    def submit(chunk: list[tuple[str, str]]) -> Task[list[Fingerprint]]:
        return pool.submit(_fingerprint_chunk, [document for _, document in chunk])

    waiting = store.without_fingerprint(fingerprints_version())
    progress.stage("comparing", len(waiting))
    chunks = _windowed(store.documents(waiting), submit, window, _ANALYSED)
    for number, (chunk, future) in enumerate(chunks, 1):
        found = pool.result(future)
        for (identifier, _), fingerprint in zip(chunk, found, strict=True):
            store.add_fingerprint(identifier, fingerprint)
        progress.advance(len(chunk))
        if number % _COMPARED == 0:
            store.commit()
    store.settle_clusters()
    store.commit()


def _windowed(
    items: Iterable[T], submit: Callable[[list[T]], R], window: int, size: int = _CHUNK
) -> Iterator[tuple[list[T], R]]:
    """Submit chunks ahead of their use, at most `window` of them, and give them in order."""
    source = iter(items)
    ahead: deque[tuple[list[T], R]] = deque()
    while chunk := list(islice(source, size)):
        ahead.append((chunk, submit(chunk)))
        if len(ahead) >= window:
            yield ahead.popleft()
    yield from ahead


# What runs in the worker processes


@dataclass(frozen=True, slots=True)
class _Failure:
    """An error that extraction should not have raised; the run goes on without the page."""

    kind: str
    message: str


_Result = Article | str | _Failure
_Submitted = tuple[list[StoredPage | None], Task[list[_Result]] | None]


@dataclass
class _Worker:
    """What a worker process loads once, on first use."""

    settings: Settings
    _is_loaded: bool = False

    @cached_property
    def analyzer(self) -> Analyzer:
        return Analyzer(self.settings.terms)

    @cached_property
    def table(self) -> OrganisationTable:
        return OrganisationTable.load(self.settings.entities)

    @cached_property
    def denials(self) -> Denials:
        return Denials.load(self.settings.denials)

    def load(self) -> None:
        """Load what reading pages needs, so that the first page is not blamed for it."""
        if not self._is_loaded:
            text = "安全公司某某科技有限公司发布通报。"
            page = Page(path="a.md", raw=f"# {text}\n\n{text * 9}".encode(), format="md")
            _extract(page)
            self._is_loaded = True


_worker: _Worker


def _start_worker(settings: Settings) -> None:
    global _worker
    _worker = _Worker(settings)


class _TookTooLong(BaseException):
    """Comes through `except Exception`, of which libraries have many."""


def _give_up(*_: object) -> None:
    raise _TookTooLong


def _died(_: Page) -> "_Result":
    reason = "ended the process that read it, for want of time or of memory"
    return _Failure("worker died", f"worker died: the page {reason}")


def _extract_chunk(pages: list[Page]) -> list[_Result]:
    _worker.load()
    # Time of the processor: a page is not to blame for a busy machine.
    signal.signal(signal.SIGVTALRM, _give_up)
    return [_extract_in_time(page) for page in pages]


def _extract_in_time(page: Page) -> _Result:
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, _PAGE_SECONDS)
        # A library that does not come back to Python hears of no signal but one that ends it.
        signal.setitimer(signal.ITIMER_PROF, 2 * _PAGE_SECONDS)
        try:
            return _extract(page)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)
    except _TookTooLong:
        return _Failure("took too long", f"took too long: more than {_PAGE_SECONDS:g} s")


def _extract(page: Page) -> _Result:
    try:
        article = annotate(extract(page), _worker.table, _worker.denials)
        return with_category(article, CategoryModel.load())
    except NotAnArticle as error:
        return error.reason
    except Exception as error:
        return _Failure(type(error).__name__, f"{type(error).__name__}: {error}")


def _fingerprint_chunk(documents: list[str]) -> list[Fingerprint]:
    return fingerprints([read_article(document) for document in documents])


def _analyse_chunk(documents: list[str], clusters: dict[str, str]) -> list[IndexBatch]:
    batches: list[list[Article]] = [[]]
    size = 0
    for article in map(read_article, documents):
        size += len(article.body)
        if size > _BATCH_CHARACTERS and batches[-1]:
            batches.append([])
            size = len(article.body)
        batches[-1].append(article)
    return [index_batch(batch, _worker.analyzer, clusters) for batch in batches]
