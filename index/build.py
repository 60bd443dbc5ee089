"""The way of an article into the index: pages to the store, the store's changes to the index."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Self

from index.ahead import ahead
from index.analysis import Analyzer
from index.backends.base import NO_CLIENT, Index, IndexWriter
from index.backends.whoosh import WhooshIndex
from index.corpus import FileState, Page, Unreadable, read_pages
from index.document import Article
from index.duplicates import Fingerprint, fingerprints_version
from index.entities import Denials, OrganisationTable
from index.errors import IndexOutOfDate, IndexUnavailable, SettingsError, StoreError
from index.lock import writing
from index.record import DAMAGED, read_article
from index.schema import IndexBatch, index_batch
from index.settings import Settings
from index.stages import (
    Failure,
    Result,
    analyse_articles,
    extract_pages,
    fingerprint_articles,
    stages_fingerprint,
    start_worker,
    warm_worker,
    worker_died,
)
from index.store import EVERYTHING, STORE_FILE, ArticleStore, StoredPage, page_digest
from index.summary import Progress, Quiet, Summary
from index.workers import Task, Workers

if TYPE_CHECKING:
    from index.backends.opensearch import OpenSearchIndex

__all__ = ["Indexer", "Migrated", "build", "migrate", "open_index", "remove", "rollback"]

_CHUNK = 32  # pages a worker takes at once: less costs messages, more makes the bar jump
_ANALYSED = 128  # articles a worker analyses at once: a batch has a cost of its own
_COMPARED = 32  # chunks of fingerprints in one durable transaction
_STORE_BATCH = 512  # pages in one durable transaction
_TOLD = 3  # damaged parts of an index that are told one by one

_log = logging.getLogger(__name__)

_Submitted = tuple[list[StoredPage | None], Task[list[Result]] | None]


def open_index(settings: Settings, analyzer: Analyzer) -> Index:
    """Return the index that the settings name, whether or not it exists yet."""
    if settings.backend == "opensearch":
        return _open_cluster(settings, analyzer)
    return WhooshIndex(settings.data / "index", analyzer.fingerprint, memory=settings.memory)


def _open_cluster(settings: Settings, analyzer: Analyzer) -> "OpenSearchIndex":
    try:
        from index.backends.opensearch import open_opensearch_index
    except ImportError as error:
        raise SettingsError(NO_CLIENT) from error
    return open_opensearch_index(settings, analyzer.fingerprint)


def _is_damaged(index: Index, *, rebuild: bool = False) -> bool:
    """Say whether the live generation is damaged, and tell the operator so.

    Raises IndexUnavailable where nobody has asked to rebuild one that other machines write too:
    what is lost may come back with its node.
    """
    found = index.damage()
    if found and index.is_shared and not rebuild:
        raise IndexUnavailable(found[0])
    for damage in found[:_TOLD]:
        _log.warning("%s", damage)
    if found:
        _log.warning(
            "The index has %d damaged parts, and is built anew from the article store.", len(found)
        )
    return bool(found)


def _check_has_store(data: Path, index: Index) -> None:
    """Refuse to begin a store beside an index: that would be emptied to fit it.

    One on a cluster has the articles, too, and a new store takes them over.
    """
    path = data / STORE_FILE
    if index.is_shared or (path.exists() and path.stat().st_size):
        return
    try:
        has_index = bool(index.generation)
    except IndexUnavailable:
        has_index = (data / "index").is_dir()
    if has_index:
        what = "is empty" if path.exists() else "is missing"
        raise StoreError(f"There is an index, and the article store {path} {what}. {DAMAGED}")


def _check_fits(index: Index) -> None:
    if index.generation and (reason := index.out_of_date()):
        raise IndexOutOfDate(f"The index is out of date: {reason}. Run: anwen index --rebuild")


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
    generation of the index is built; a damaged index is built anew in any case, and set aside.
    Raises StoreLocked, IndexOutOfDate, WorkerLost, or the reader's error for a path that cannot be
    read; bad pages are counted in the summary.
    """
    # What cannot be read is told before anything is written.
    paths = list(paths)
    if not paths and not (settings.data / STORE_FILE).exists():
        raise StoreError(
            f"There is no article store at {settings.data / STORE_FILE} to build an index from. "
            "Name the data folder with --data, or run: anwen index PATH"
        )
    pages = read_pages(paths, lambda share: progress.advance(0, share))
    with Indexer(settings, jobs=jobs) as indexer:
        return indexer.run(pages, rebuild=rebuild, progress=progress)


class Indexer:
    """What runs share: the tables and the worker processes, which have loaded theirs.

    Leaving its context ends the workers.
    """

    def __init__(self, settings: Settings, *, jobs: int | None = None) -> None:
        """Load the tables; raises SettingsError. `jobs` is by default one a core."""
        self._settings = settings
        self._analyzer = Analyzer(settings.terms)
        self._table = OrganisationTable.load(settings.entities)
        self._denials = Denials.load(settings.denials)
        self.stages = stages_fingerprint(settings)
        """What tells pages that it reads from those that other code or tables have read."""
        jobs = jobs or os.cpu_count() or 1
        self._window = 3 * jobs
        self._pool = Workers(jobs, start_worker, (settings,))
        self._is_sound = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers; what they have not begun is forgotten."""
        self._pool.close()

    def warm(self) -> None:
        """Let a worker load now, in the background, what the first page would wait for."""
        self._pool.submit(warm_worker)

    def run(
        self,
        pages: Iterable[Page | Unreadable],
        *,
        rebuild: bool = False,
        followed: Callable[[Summary], Mapping[Path, FileState]] | None = None,
        progress: Progress,
    ) -> Summary:
        """Read pages into the store and bring the index up to date; see `build`.

        `followed` is asked in the end which files are to be remembered as read.
        """
        started = perf_counter()
        summary = Summary()
        settings, stages, pool, window = self._settings, self.stages, self._pool, self._window
        index = open_index(settings, self._analyzer)
        _check_has_store(settings.data, index)
        with (
            writing(settings.data),
            ArticleStore(settings.data / STORE_FILE, denials=self._denials) as store,
        ):
            # Looking takes a second a gigabyte: before the first run, and after one that failed.
            is_damaged = not self._is_sound and _is_damaged(index, rebuild=rebuild)
            self._is_sound = False
            if not is_damaged and not rebuild:
                _check_fits(index)
            # What the operator's table has come to know is learnt no longer.
            store.learn(self._table)
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
            with index.turn(stages):
                taken = 0
                if not is_damaged:
                    taken = _take_over(store, index, progress, rebuild=rebuild)
                store.learn(self._table)
                _compare(store, pool, window, progress)
                _catch_up(
                    store,
                    index,
                    pool,
                    window,
                    progress,
                    rebuild=rebuild or is_damaged,
                    set_aside=is_damaged,
                    taken=taken,
                )
            if followed:
                store.followed.put(followed(summary), stages)
        self._is_sound = True
        summary.seconds = perf_counter() - started
        summary.generation = index.generation
        return summary


@dataclass(frozen=True, slots=True)
class Migrated:
    """What stands on a cluster now."""

    generation: int
    articles: int


def migrate(settings: Settings, *, jobs: int | None = None, progress: Progress) -> Migrated:
    """Build a new generation on the cluster from the article store, which may be written meanwhile.

    What the settings' own index answers is left as it is. Raises SettingsError, StoreError or
    IndexUnavailable.
    """
    there = replace(settings, backend="opensearch")
    index = _open_cluster(there, Analyzer(settings.terms))
    path = settings.data / STORE_FILE
    if not path.exists():
        raise StoreError(f"There is no article store at {path}. Run: anwen index PATH")
    jobs = jobs or os.cpu_count() or 1
    if index.generation and index.others:
        raise IndexUnavailable(
            f"The index {settings.opensearch_index} has articles of {index.others} other data "
            "folders, which would be lost. Run: anwen index PATH, with backend opensearch"
        )
    with (
        Workers(jobs, start_worker, (there,)) as pool,
        ArticleStore(path, read_only=True) as store,
    ):
        _catch_up(store, index, pool, 3 * jobs, progress, rebuild=True)
    return Migrated(index.generation, len(index.ids()))


def rollback(settings: Settings) -> int:
    """Let the generation on the cluster before the live one answer again; return its number.

    Raises SettingsError, or IndexUnavailable where there is none.
    """
    return _open_cluster(settings, Analyzer(settings.terms)).rollback()


def remove(settings: Settings, wanted: Iterable[str], *, undo: bool = False) -> list[str]:
    """Remove articles by id or address from the store and the index; return their ids.

    With `undo` the removals are forgotten instead, and the next run reads the pages again. A
    damaged index is built anew. Raises UnknownArticle before anything is changed.
    """
    analyzer = Analyzer(settings.terms)
    index = open_index(settings, analyzer)
    if index.is_shared:
        return _remove_shared(settings, index, wanted, undo=undo)
    with writing(settings.data), ArticleStore(settings.data / STORE_FILE) as store:
        is_damaged = _is_damaged(index)
        if not is_damaged:
            _check_fits(index)
        reached = 0 if is_damaged else index.revision
        was_current = reached == store.revision
        identifiers = _remove_from(store, wanted, undo=undo)
        if is_damaged:
            with Workers(jobs := os.cpu_count() or 1, start_worker, (settings,)) as pool:
                _catch_up(store, index, pool, 3 * jobs, Quiet(), rebuild=True, set_aside=True)
        elif index.generation and not undo:
            # An index that a kill left behind stays behind: the next run still has to catch up.
            with index.writer(store.revision if was_current else reached) as writer:
                for identifier in identifiers:
                    writer.delete_document(identifier)
                if was_current:
                    _update_others(store, writer, reached, analyzer)
    return identifiers


def _remove_from(store: ArticleStore, wanted: Iterable[str], *, undo: bool) -> list[str]:
    identifiers = [store.resolve(name) for name in wanted]
    for identifier in identifiers:
        if undo:
            store.undo_remove(identifier)
        else:
            store.remove(identifier)
    store.commit()
    return identifiers


def _remove_shared(
    settings: Settings, index: Index, wanted: Iterable[str], *, undo: bool
) -> list[str]:
    """Remove articles that another machine may have read, and let all of them know."""
    with (
        writing(settings.data),
        ArticleStore(settings.data / STORE_FILE) as store,
        Workers(jobs := os.cpu_count() or 1, start_worker, (settings,)) as pool,
        index.turn(),
    ):
        taken = _take_over(store, index, Quiet())
        _compare(store, pool, 3 * jobs, Quiet())
        identifiers = _remove_from(store, wanted, undo=undo)
        if index.generation:
            _catch_up(store, index, pool, 3 * jobs, Quiet(), taken=taken)
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


def _take_over(
    store: ArticleStore, index: Index, progress: Progress, *, rebuild: bool = False
) -> int:
    """Take over what other machines have written since this one has; return how much that was."""
    if not rebuild:
        _check_fits(index)
    # Of a store that is older than it was, as one from a backup is, nothing is known.
    everything = index.revision > store.revision
    if index.is_shared:
        progress.stage("taking over", None)
    number = 0
    for number, change in enumerate(index.changes_of_others(everything=everything), 1):
        store.elsewhere.take(change)
        progress.advance()
        if number % _STORE_BATCH == 0:
            store.commit()
    store.commit()
    return number


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
        elif isinstance(result, Failure):
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
    result: Article | str,
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
) -> Iterator[tuple[Page | Unreadable, StoredPage | Result | None]]:
    """Give each page with what the store knows of it, or else with what a worker made of it."""

    def submit(chunk: list[Page | Unreadable]) -> _Submitted:
        known: list[StoredPage | None] = []
        new: list[Page] = []
        for page in chunk:
            stored = store.page(page_digest(page.raw)) if isinstance(page, Page) else None
            known.append(stored if stored and stored.stages == stages else None)
            if isinstance(page, Page) and known[-1] is None:
                new.append(page)
        return known, pool.submit(extract_pages, new) if new else None

    for chunk, (known, future) in ahead(pages, submit, window, _size_of_page, _CHUNK):
        results = iter(pool.results(future, worker_died) if future else ())
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
    rebuild: bool = False,
    set_aside: bool = False,
    taken: int = 0,
) -> None:
    """Bring the index to the store's revision; a fresh generation where it cannot follow.

    `taken` are changes that were taken over from an index that others write.
    """
    target = store.revision
    fresh = rebuild or not index.generation
    reached = EVERYTHING if fresh else index.revision
    if reached == target and not taken:
        return
    if reached > target:  # the store is older than it was, as one from a backup is
        fresh = not index.is_shared
        reached = EVERYTHING if fresh else 0

    def submit(chunk: list[tuple[str, str | None]]) -> Task[list[IndexBatch]]:
        documents = [document for _, document in chunk if document]
        clusters = store.clusters(identifier for identifier, _ in chunk)
        return pool.submit(analyse_articles, documents, clusters)

    progress.stage("indexing", store.count_changes(reached))
    with index.writer(target, rebuild=fresh, set_aside=set_aside) as writer:
        for chunk, future in ahead(
            store.changes(reached), submit, window, _size_of_article, _ANALYSED
        ):
            for identifier, document in chunk:
                if document is None:
                    writer.delete_document(identifier, removed=store.is_removed(identifier))
            for batch in pool.result(future):
                writer.update_documents(batch)
            progress.advance(len(chunk))
        progress.stage("writing", None)  # the commit comes when the context ends


def _compare(store: ArticleStore, pool: Workers, window: int, progress: Progress) -> None:
    """Find the near-duplicates of the articles that are new or say something else than before."""

    def submit(chunk: list[tuple[str, str]]) -> Task[list[Fingerprint]]:
        return pool.submit(fingerprint_articles, [document for _, document in chunk])

    waiting = store.without_fingerprint(fingerprints_version())
    progress.stage("comparing", len(waiting))
    chunks = ahead(store.documents(waiting), submit, window, _size_of_article, _ANALYSED)
    for number, (chunk, future) in enumerate(chunks, 1):
        found = pool.result(future)
        for (identifier, _), fingerprint in zip(chunk, found, strict=True):
            store.add_fingerprint(identifier, fingerprint)
        progress.advance(len(chunk))
        if number % _COMPARED == 0:
            store.commit()
    store.settle_clusters()
    store.commit()


def _size_of_page(page: Page | Unreadable) -> int:
    return len(page.raw) if isinstance(page, Page) else 0


def _size_of_article(article: tuple[str, str | None]) -> int:
    return len(article[1] or "")
