"""What worker processes do with pages and articles: they read, compare and analyse them."""

import os
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from signal import ITIMER_PROF, ITIMER_VIRTUAL, SIG_IGN, SIGINT, SIGVTALRM, setitimer, signal
from threading import Thread

from index.analysis import Analyzer
from index.categories import CategoryModel, model_fingerprint, with_category
from index.corpus import Page
from index.document import Article
from index.duplicates import Fingerprint, fingerprints
from index.entities import Denials, OrganisationTable, annotate, entities_fingerprint
from index.errors import NotAnArticle
from index.extract import extract, extractor_fingerprint
from index.record import read_article
from index.schema import IndexBatch, index_batch
from index.settings import Settings

__all__ = [
    "WORKER_DIED",
    "Failure",
    "Result",
    "analyse_articles",
    "extract_pages",
    "fingerprint_articles",
    "stages_fingerprint",
    "start_worker",
    "warm_worker",
    "worker_died",
]

WORKER_DIED = "worker died"
"""What pages are counted under that have ended their worker; another time they may not."""

_BATCH_CHARACTERS = 500_000  # analysed at once; each takes about 100 bytes meanwhile
_PAGE_SECONDS = 2.0  # of a processor, for one page


def stages_fingerprint(settings: Settings) -> str:
    """Return what tells one state of the reading code, its tables and its weights from another."""
    table = OrganisationTable.load(settings.entities)
    entities = entities_fingerprint(table, Denials.load(settings.denials))
    return f"{extractor_fingerprint()}-{entities}-{model_fingerprint()}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a page could not be read; the run goes on without it.

    `kind` is what pages are counted under, `message` begins with it.
    """

    kind: str
    message: str


Result = Article | str | Failure
"""What a page gives: its article, the reason why it holds none, or a failure."""


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
            _extract(Page(path="a.md", raw=f"# {text}\n\n{text * 9}".encode(), format="md"))
            self._is_loaded = True


_worker: _Worker


def start_worker(settings: Settings) -> None:
    """Begin a worker process."""
    global _worker
    _worker = _Worker(settings)
    # Time of the processor: a page is not to blame for a busy machine.
    signal(SIGVTALRM, _give_up)
    if parent := parent_process():
        signal(SIGINT, SIG_IGN)  # a terminal's Ctrl-C is for the process that began the run
        Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    """End when the parent has: killed, it cannot say so, and its workers would wait for ever."""
    parent.join()
    os._exit(1)


def warm_worker() -> None:
    """Load now what the first pages and articles would wait for."""
    _worker.analyzer.field_tokens(["安全"])
    _worker.load()


def extract_pages(pages: list[Page]) -> list[Result]:
    """Read pages, each within two seconds of the processor."""
    _worker.load()
    return [_extract_in_time(page) for page in pages]


def worker_died(_: Page) -> Result:
    """Return the result of a page that has ended its worker."""
    reason = "ended the process that read it, for want of time or of memory"
    return Failure(WORKER_DIED, f"{WORKER_DIED}: the page {reason}")


class _TookTooLong(BaseException):
    """Comes through `except Exception`, of which libraries have many."""


def _give_up(*_: object) -> None:
    raise _TookTooLong


def _extract_in_time(page: Page) -> Result:
    try:
        setitimer(ITIMER_VIRTUAL, _PAGE_SECONDS)
        # A library that does not come back to Python hears of no signal but one that ends it.
        setitimer(ITIMER_PROF, 2 * _PAGE_SECONDS)
        try:
            return _extract(page)
        finally:
            setitimer(ITIMER_VIRTUAL, 0)
            setitimer(ITIMER_PROF, 0)
    except _TookTooLong:
        return Failure("took too long", f"took too long: more than {_PAGE_SECONDS:g} s")


def _extract(page: Page) -> Result:
    try:
        article = annotate(extract(page), _worker.table, _worker.denials)
        return with_category(article, CategoryModel.load())
    except NotAnArticle as error:
        return error.reason
    except Exception as error:
        return Failure(type(error).__name__, f"{type(error).__name__}: {error}")


def fingerprint_articles(documents: list[str]) -> list[Fingerprint]:
    """Return what articles, given as the store keeps them, are compared by."""
    return fingerprints([read_article(document) for document in documents])


def analyse_articles(documents: list[str], clusters: dict[str, str]) -> list[IndexBatch]:
    """Return the share of the index of articles, given as the store keeps them."""
    batches: list[list[Article]] = [[]]
    size = 0
    for article in map(read_article, documents):
        size += len(article.body)
        if size > _BATCH_CHARACTERS and batches[-1]:
            batches.append([])
            size = len(article.body)
        batches[-1].append(article)
    # On a cluster the index keeps the articles, too: who searches it has no store at hand.
    with_records = _worker.settings.backend == "opensearch"
    return [
        index_batch(batch, _worker.analyzer, clusters, with_records=with_records)
        for batch in batches
    ]
