"""Indexing from articles and from pages, with the analysis that the other measures leave out."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from collection import CORPUS, first_articles
from editors import Copies, Editors, measure_copies, measure_editors
from engine import Stopwatch
from features import Features, measure_features
from front import Front, measure_front
from recognition import Recognition, measure_recognition

from index.build import build
from index.settings import Settings
from index.store import ArticleStore, page_digest

__all__ = ["EndToEnd", "measure_end_to_end"]

_OURS = 60_000
_STOCK = 1_000
_RECOGNISED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EndToEnd:
    """Articles a second from stored articles to a searchable index; seconds for all pages.

    `stock` is Whoosh with jieba's ChineseAnalyzer. `pages` and their seconds are None where there
    is no corpus, as are the `features` of searching them and what `editors` wait for; `front` is
    None also where wrk or a browser is missing.
    """

    ours: float
    stock: float
    pages: int | None
    pages_seconds: float | None
    features: Features | None
    editors: Editors | None
    front: Front | None
    recognition: Recognition
    copies: Copies


class _Silent:
    """A progress nobody sees."""

    def stage(self, name: str, total: int | None) -> None: ...

    def advance(self, steps: int = 1, share: float | None = None) -> None: ...


def measure_end_to_end(articles: Path, folder: Path, *, pages: bool) -> EndToEnd:
    """Index the first articles with this project and with stock Whoosh, then all pages."""
    from peers.stock import build_with_jieba

    with TemporaryDirectory(dir=folder) as name:
        scratch = Path(name)
        settings = Settings(data=scratch / "ours")
        settings.data.mkdir()
        with ArticleStore(settings.data / "articles.sqlite3") as store:
            for article in first_articles(articles, _OURS):
                raw = article.id.encode()
                store.put_article(page_digest(raw), article.id, "md", raw, "benchmark", article)
            store.commit()
        started = perf_counter()
        build(settings, [], progress=_Silent())
        ours = perf_counter() - started
        clock = Stopwatch()
        build_with_jieba(scratch / "stock", list(first_articles(articles, _STOCK)), clock)
        count = seconds = features = editors = front = None
        if pages and CORPUS.is_dir():
            archives = [CORPUS / "portals.tar.xz", CORPUS / "wechat.tar.xz"]
            summary = build(Settings(data=scratch / "pages"), archives, progress=_Silent())
            count, seconds = summary.pages, summary.seconds
            features = measure_features(Settings(data=scratch / "pages"))
            editors = measure_editors(Settings(data=scratch / "pages"))
            front = measure_front(scratch / "pages")
    some = list(first_articles(articles, _RECOGNISED))
    return EndToEnd(
        ours=_OURS / ours,
        stock=_STOCK / clock.seconds,
        pages=count,
        pages_seconds=seconds,
        features=features,
        editors=editors,
        front=front,
        recognition=measure_recognition(some),
        copies=measure_copies(some),
    )
