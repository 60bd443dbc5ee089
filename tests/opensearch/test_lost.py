"""What readers are told while the cluster, or a part of it, does not answer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest
from opensearchpy import OpenSearch

from index.analysis import Analyzer
from index.backends.opensearch.mapping import index_body
from index.build import open_index
from index.document import Article
from index.schema import index_batch
from index.settings import Settings
from search import Searcher, SearchRequest
from web import create_app

_SOON = 2.0  # seconds


def assert_told(settings: Settings) -> None:
    client = create_app(settings).test_client()
    started = monotonic()
    answer = client.get("/api/v1/search?q=漏洞")
    assert answer.status_code == 503
    assert answer.json
    assert answer.json["error"]["code"] == "index_unavailable"
    assert "没有应答" in answer.json["error"]["message"]
    page = client.get("/search?q=漏洞")
    assert page.status_code == 503
    assert "索引暂时没有应答" in page.text
    assert client.get("/readyz").status_code == 503
    assert monotonic() - started < 3 * _SOON


def test_a_cluster_that_is_gone_is_no_empty_answer(tmp_path: Path) -> None:
    assert_told(
        Settings(data=tmp_path, backend="opensearch", opensearch_url=("http://127.0.0.1:9",))
    )


@pytest.fixture
def alias(opensearch_url: str, analyzer: Analyzer) -> Iterator[str]:
    """An index of two shards that no node may have."""
    alias = f"lost-{uuid4().hex}"
    body = index_body(analyzer.fingerprint, 1, shards=2, replicas=0)
    body["settings"]["index.routing.allocation.require._name"] = "nobody"
    body["aliases"] = {alias: {}}
    with OpenSearch(opensearch_url) as client:
        client.indices.create(
            index=f"{alias}-000001", body=body, params={"wait_for_active_shards": 0}
        )
        yield alias
        client.indices.delete(index=f"{alias}-*")


@pytest.mark.opensearch
def test_a_lost_shard_is_no_half_answer(opensearch_url: str, alias: str, tmp_path: Path) -> None:
    assert_told(
        Settings(
            data=tmp_path,
            backend="opensearch",
            opensearch_url=(opensearch_url,),
            opensearch_index=alias,
        )
    )


@pytest.mark.opensearch
@pytest.mark.parametrize("backend", ["opensearch"], indirect=True, scope="session")
def test_a_commit_is_seen_within_a_second(
    searcher_over: Callable[..., Searcher],
    article_maker: Callable[..., Article],
    analyzer: Analyzer,
    monkeypatch: pytest.MonkeyPatch,
    settings_for: Callable[[Path], Settings],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("search.backends.opensearch.searcher._LOOKS", 0.5)
    searcher = searcher_over([article_maker(id="a", title="漏洞")])
    request = SearchRequest(query="漏洞")
    assert searcher.search(request).total == 1
    index = open_index(settings_for(tmp_path / "data0"), analyzer)
    with index.writer(2) as writer:
        more = [article_maker(id="b", title="漏洞")]
        writer.update_documents(index_batch(more, analyzer, with_records=True))
    committed = monotonic()
    while searcher.search(request).total == 1:
        assert monotonic() - committed < _SOON
