"""How the program's way to a cluster compares with bare calls of the same, in one run.

    python -m tests.opensearch.ratios DATA --url URL

Bulk: documents that are made beforehand, sent by the client, against `anwen migrate`, which reads
and analyses them meanwhile. Search: one call with the same query, facets and sort and the records
of ten hits, against /api/v1/search, which adds evidence, copies and snippets. Both need nothing
else to run on the machine.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from opensearchpy import OpenSearch
from opensearchpy.helpers import streaming_bulk

from index.analysis import Analyzer
from index.backends.opensearch.connection import connect
from index.backends.opensearch.documents import documents
from index.backends.opensearch.mapping import index_body
from index.build import migrate
from index.schema import index_batch
from index.settings import Settings
from index.store import ArticleStore
from search.backends.opensearch import selecting
from tests.reliability.checking import Silent
from web import create_app

_QUERIES = """
勒索软件 医院|供应链 投毒|微软 补丁|APT 钓鱼邮件|数据泄露|零日漏洞|工控 安全|网络攻击 能源|漏洞
个人信息 保护法|人工智能 安全|俄罗斯 黑客|银行 木马|云安全|固件 后门|CVE-2021-44228|挖矿 木马
"""
_ROUNDS = 5
_BATCH = 128


def ready_made(data: Path) -> list[dict[str, Any]]:
    """Return the articles of a data folder as the cluster takes them."""
    analyzer = Analyzer()
    found: list[dict[str, Any]] = []
    with ArticleStore(data / "articles.sqlite3", read_only=True) as store:
        articles = list(store.articles())
        clusters = store.clusters(article.id for article in articles)
    for first in range(0, len(articles), _BATCH):
        batch = index_batch(articles[first : first + _BATCH], analyzer, clusters, with_records=True)
        found += documents(batch)
    return found


class Timed(Silent):
    """Progress that keeps how long the stages of indexing took."""

    seconds = 0.0
    _began = 0.0

    def stage(self, name: str, _: int | None) -> None:
        if name == "indexing":
            self._began = time.perf_counter()
        elif name == "writing":
            self.seconds = time.perf_counter() - self._began


def bare_bulk(client: OpenSearch, made: list[dict[str, Any]], settings: Settings) -> float:
    """Return the seconds that ready-made documents take."""
    name = f"bare-{uuid4().hex}"
    body = index_body("", 1, shards=settings.opensearch_shards, replicas=0)
    client.indices.create(index=name, body=body)
    try:
        actions: Iterable[dict[str, Any]] = ({"_id": d["id"], "_source": d} for d in made)
        started = time.perf_counter()
        options = {"chunk_size": 500, "max_chunk_bytes": 4 << 20, "max_retries": 8}
        for _ in streaming_bulk(client, actions, index=name, request_timeout=300, **options):
            pass
        return time.perf_counter() - started
    finally:
        client.indices.delete(index=name)


@contextmanager
def first_bodies(found: list[tuple[str, dict[str, Any]]]) -> Iterator[None]:
    """Keep what the selector asks first for each request, without the evidence."""
    ask, along = selecting.ask, selecting._ALONG

    def keep(
        client: OpenSearch, index: str, body: dict[str, Any], options: Mapping[str, str]
    ) -> dict[str, Any]:
        found.append((index, body))
        return ask(client, index, body, options)

    selecting.ask = keep  # type: ignore[assignment]
    selecting._ALONG = 0  # type: ignore[misc]
    try:
        yield
    finally:
        selecting.ask, selecting._ALONG = ask, along  # type: ignore[misc]


def median(call: Callable[[], object]) -> float:
    """Return the median time in ms of several calls, after one that warms."""
    call()
    seconds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("data", type=Path)
    options.add_argument("--url", required=True)
    options.add_argument("--shards", type=int, default=3)
    given = options.parse_args()
    say = sys.stdout.write
    settings = Settings(
        data=given.data,
        backend="opensearch",
        opensearch_url=(given.url,),
        opensearch_index=f"ratios-{uuid4().hex}",
        opensearch_shards=given.shards,
        opensearch_replicas=0,
    )
    client = connect(settings)
    with ProcessPoolExecutor(1) as pool:  # what it needs of memory is free again afterwards
        made = pool.submit(ready_made, given.data).result()
    seconds = bare_bulk(client, made, settings)
    rate = len(made) / seconds
    say(f"bare bulk: {len(made):,} documents, {rate:.0f} a second\n")
    count = len(made)
    del made
    progress = Timed()
    try:
        migrate(settings, progress=progress)
        own = count / progress.seconds
        say(f"anwen migrate: {own:.0f} a second, {own / rate:.2f} of it\n")
        web = create_app(replace(settings, data=Path("nowhere"))).test_client()
        ratios, times = [], []
        for query in _QUERIES.replace("\n", "|").strip("|").split("|"):
            address = f"/api/v1/search?q={quote(query)}"
            bodies: list[tuple[str, dict[str, Any]]] = []
            with first_bodies(bodies):
                web.get(address)
            name, body = bodies[0]
            body = {**body, "size": 10, "_source": ["record"]}
            del body["stored_fields"]
            bare = median(lambda name=name, body=body: client.search(index=name, body=body))
            whole = median(lambda address=address: web.get(address))
            times.append((bare, whole))
            ratios.append(whole / bare)
        bare, whole = (statistics.median(each) for each in zip(*times, strict=True))
        say(
            f"search, {len(times)} queries: bare p50 {bare:.0f} ms, API p50 {whole:.0f} ms; "
            f"ratio of a query: median {statistics.median(ratios):.2f}, most {max(ratios):.2f}\n"
        )
    finally:
        client.indices.delete(index=f"{settings.opensearch_index}-*")


if __name__ == "__main__":
    main()
