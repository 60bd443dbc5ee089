"""Fixtures that several folders use: small data folders, and the corpus where it is at hand."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import hypothesis
import pytest
from click.testing import CliRunner
from filelock import FileLock
from opensearchpy import OpenSearch

from index.analysis import Analyzer
from index.build import open_index
from index.document import Article
from index.duplicates import fingerprints, fingerprints_version
from index.entities import OrganisationTable
from index.schema import index_batch
from index.settings import Settings
from index.store import ArticleStore, page_digest
from search import Searcher, open_searcher
from tests.inline import InlinePool
from tests.opensearch.cluster import Cluster, Unavailable, free_port

ROOT = Path(__file__).parents[1]

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

BACKENDS = ("whoosh", pytest.param("opensearch", marks=pytest.mark.opensearch))

_MANY_QUESTIONS = {
    *("test_folding.py", "test_properties.py", "test_drafts.py"),
    *("test_openapi.py", "test_odd_queries.py", "test_pages.py", "test_charts.py"),
}

ArticleMaker = Callable[..., Article]
SearcherMaker = Callable[..., Searcher]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long forms of the tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long forms, which `make soak` runs."""
    if not config.getoption("--soak"):
        long = [item for item in items if "soak" in item.keywords or _is_long_on_cluster(item)]
        items[:] = [item for item in items if item not in set(long)]
        config.hook.pytest_deselected(items=long)
    # First what takes longest: begun last, it would leave the other processes idle.
    items.sort(key=lambda item: item.path.name != "test_floors.py")


def _is_long_on_cluster(item: pytest.Item) -> bool:
    """Say whether a test runs on a cluster too, and is left to `make soak` there.

    These are those that need a browser or ask hundreds of questions, and those of reliability.
    """
    callspec = getattr(item, "callspec", None)
    if callspec is None or callspec.params.get("backend") != "opensearch":
        return False
    is_long = item.path.name in _MANY_QUESTIONS or "reliability" in item.path.parts
    return is_long or "browser" in item.keywords


def stop_for_want_of(need: str) -> NoReturn:
    """Skip a test that needs what this machine lacks; in CI, which must run them all, fail it."""
    reason = f"needs {need}, which this machine does not have"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def lacking() -> Callable[[str], NoReturn]:
    return stop_for_want_of


@pytest.fixture(scope="session")
def corpus(lacking: Callable[[str], NoReturn]) -> Path:
    path = ROOT.parent / "shared" / "corpus"
    if not path.is_dir():
        lacking("../shared/corpus")
    return path


@pytest.fixture(scope="session")
def opensearch_url(
    lacking: Callable[[str], NoReturn], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A cluster's address: the one that ANWEN_TEST_OPENSEARCH_URL names, or of a node of ours.

    All processes of a run share the node; `pytest_sessionfinish` ends it.
    """
    url = os.environ.get("ANWEN_TEST_OPENSEARCH_URL")
    if not url:
        folder = _shared(tmp_path_factory)
        with FileLock(folder / "opensearch.lock"):
            started = folder / _STARTED
            if not started.exists():
                try:
                    cluster = Cluster(folder / "opensearch", port=free_port())
                    cluster.leave()
                except Unavailable as error:
                    lacking(str(error))
                started.write_text("\n".join((*cluster.urls, *map(str, cluster.pids))))
            url, _ = started.read_text().split()
    return url


_STARTED = "opensearch.started"


def _shared(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all processes of a run have in common."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the node of OpenSearch that this run has started."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
        started = _shared(factory) / _STARTED
        if started.exists():
            os.kill(int(started.read_text().split()[1]), signal.SIGKILL)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print how many tests have run on each backend, and say where they are not all."""
    ran = {
        name: sum(
            report.when == "call" and f"[{name}" in report.nodeid
            for report in terminalreporter.stats.get("passed", [])
        )
        for name in ("whoosh", "opensearch")
    }
    if any(ran.values()):
        told = f"{ran['whoosh']} tests on Whoosh, {ran['opensearch']} of them on a cluster"
        rest = "" if config.getoption("--soak") else "; make soak runs all on both"
        terminalreporter.write_line(told + rest)


@pytest.fixture(scope="session")
def analyzer() -> Analyzer:
    return Analyzer()


@pytest.fixture(scope="session", autouse=True)
def _loaded_once() -> Iterator[None]:
    """Let analyzers of the same terms share dictionaries, and tables without rows of an operator.

    Else each searcher and each run of a test would load them anew, for half a second; what was
    loaded keeps nothing of what it has read.
    """

    def shared(load: Callable[[Analyzer], object]) -> property:
        loaded: dict[tuple[str, ...], object] = {}

        def get(analyzer: Analyzer) -> object:
            terms = tuple(analyzer._terms)
            if terms not in loaded:
                loaded[terms] = load(analyzer)
            return loaded[terms]

        return property(get)

    load_table = OrganisationTable.load
    shipped = cache(load_table)
    with pytest.MonkeyPatch.context() as patched:
        for name in ("_segmenter", "_field_tokenizer"):
            patched.setattr(Analyzer, name, shared(vars(Analyzer)[name].func))
        patched.setattr(
            OrganisationTable, "load", lambda path=None: load_table(path) if path else shipped()
        )
        yield


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs do their work in this process."""
    monkeypatch.setattr("index.workers.ProcessPoolExecutor", InlinePool)


def make_article(**values: Any) -> Article:
    """An article with everything optional; precision follows from the time."""
    defaults: dict[str, Any] = {
        "id": "a",
        "url": None,
        "title": "标题",
        "published": None,
        "published_precision": "minute" if values.get("published") else None,
        "category": None,
        "category_printed": None,
        "source": "某报",
        "author": None,
        "tags": (),
        "lead": "",
        "body": "",
        "views": None,
        "images": (),
        "truncated": False,
        "fetched": None,
    }
    return Article(**(defaults | values))


def fill(
    settings: Settings,
    analyzer: Analyzer,
    articles: Iterable[Article],
    clusters: Mapping[str, str] | None = None,
) -> None:
    """Store and index articles as `build` does, without pages and processes.

    `clusters` names those of near-duplicates, by article; by default they are found.
    """
    with ArticleStore(settings.data / "articles.sqlite3") as store:
        for article in articles:
            raw = article.id.encode()
            store.put_article(page_digest(raw), f"{article.id}.md", "md", raw, "test", article)
        for identifier in store.without_fingerprint(fingerprints_version()):
            store.add_fingerprint(identifier, *fingerprints([store.article(identifier)]))
        store.settle_clusters()
        store.commit()
        index = open_index(settings, analyzer)
        with index.writer(store.revision, rebuild=True) as writer:
            kept = list(store.articles())
            if clusters is None:
                clusters = store.clusters(article.id for article in kept)
            writer.update_documents(index_batch(kept, analyzer, clusters, with_records=True))


@pytest.fixture(scope="session")
def article_maker() -> ArticleMaker:
    return make_article


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Where the index of a test is: what a searcher answers must not tell."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def environment_for(settings_for: Callable[[Path], Settings]) -> Callable[[Path], dict[str, str]]:
    """A function from a data folder to the environment in which commands find its index."""

    def environment(folder: Path) -> dict[str, str]:
        settings = settings_for(folder)
        return {
            "ANWEN_BACKEND": settings.backend,
            "ANWEN_OPENSEARCH_URL": ",".join(settings.opensearch_url),
            "ANWEN_OPENSEARCH_INDEX": settings.opensearch_index,
        }

    return environment


@pytest.fixture(scope="session")
def at_once() -> Iterator[None]:
    """Searchers look for a commit with every question, and not twice a second."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("search.backends.opensearch.searcher._LOOKS", 0.0)
        yield


@pytest.fixture(scope="session")
def settings_for(
    backend: str, request: pytest.FixtureRequest
) -> Iterator[Callable[[Path], Settings]]:
    """A function from a data folder to its settings, with an index of its own on the cluster."""
    if backend == "whoosh":
        yield lambda folder: Settings(data=folder)
        return
    url: str = request.getfixturevalue("opensearch_url")
    # Else a test that commits and asks at once would be answered as before.
    request.getfixturevalue("at_once")
    aliases: dict[Path, str] = {}

    def settings(folder: Path) -> Settings:
        return Settings(
            data=folder,
            backend=backend,
            opensearch_url=(url,),
            opensearch_index=aliases.setdefault(folder, f"test-{uuid4().hex}"),
            opensearch_shards=2,
            opensearch_replicas=0,
        )

    yield settings
    with OpenSearch(url) as client:
        for alias in aliases.values():
            client.indices.delete(index=f"{alias}-*")


@pytest.fixture(scope="session")
def fill_folder(
    analyzer: Analyzer, settings_for: Callable[[Path], Settings]
) -> Callable[..., Searcher]:
    """A function from a folder, articles and perhaps their clusters to a searcher over them."""

    def build(
        folder: Path, articles: Iterable[Article], clusters: Mapping[str, str] | None = None
    ) -> Searcher:
        settings = settings_for(folder)
        fill(settings, analyzer, articles, clusters)
        return open_searcher(settings)

    return build


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `anwen demo` makes of the bundled sample; who writes takes a copy."""
    from web.cli import main  # later than here: few tests need the commands

    data = tmp_path_factory.mktemp("demo")
    result = CliRunner().invoke(main, ["--data", str(data), "demo", "--no-serve"])
    assert result.exit_code == 0, result.output
    return data / "demo"


@pytest.fixture
def searcher_over(tmp_path: Path, fill_folder: Callable[..., Searcher]) -> Iterator[SearcherMaker]:
    """A function from articles, and perhaps clusters, to a searcher, closed after the test."""
    opened: list[Searcher] = []

    def build(articles: Iterable[Article], clusters: Mapping[str, str] | None = None) -> Searcher:
        opened.append(fill_folder(tmp_path / f"data{len(opened)}", articles, clusters))
        return opened[-1]

    yield build
    for searcher in opened:
        searcher.close()
