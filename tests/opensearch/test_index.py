"""The index on a cluster: what goes in, what becomes visible when, and what errors say."""

from collections.abc import Callable, Iterator
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opensearchpy import OpenSearch

from index.analysis import Analyzer
from index.backends.opensearch import OpenSearchIndex
from index.backends.opensearch.documents import token_texts
from index.backends.opensearch.mapping import JOINT, index_body
from index.document import Article
from index.errors import IndexUnavailable
from index.schema import IndexBatch, index_batch

ArticleMaker = Callable[..., Article]


@given(texts=st.lists(st.text(alphabet="安全漏洞ab1-. \n，", max_size=40), max_size=4))
def test_texts_hold_every_token_at_its_position(analyzer: Analyzer, texts: list[str]) -> None:
    tokens = analyzer.field_tokens(texts)
    wanted = sorted(
        zip(
            tokens.documents.tolist(),
            tokens.positions.tolist(),
            (tokens.vocabulary[term] for term in tokens.terms.tolist()),
            strict=True,
        )
    )
    written = token_texts(tokens)
    assert len(written) == len(texts)
    found = sorted(
        (document, position, token)
        for document, text in enumerate(written)
        for position, together in enumerate(text.split())
        for token in together.split(JOINT)
    )
    assert found == wanted


@pytest.fixture
def index(
    opensearch_url: str, analyzer: Analyzer, request: pytest.FixtureRequest
) -> Iterator[OpenSearchIndex]:
    with OpenSearch(opensearch_url, timeout=60) as client:
        alias = f"writer-{abs(hash(request.node.name))}"
        yield OpenSearchIndex(client, alias, analyzer.fingerprint, replicas=0)
        client.indices.delete(index=f"{alias}-*")


@pytest.fixture
def batch(analyzer: Analyzer, article_maker: ArticleMaker) -> Callable[..., IndexBatch]:
    def make(*names: str) -> IndexBatch:
        articles = [article_maker(id=name, title=f"漏洞 {name}", body="正文") for name in names]
        return index_batch(articles, analyzer, with_records=True)

    return make


@pytest.mark.opensearch
def test_changes_are_seen_together_at_the_commit(
    index: OpenSearchIndex, batch: Callable[..., IndexBatch]
) -> None:
    assert index.generation == 0
    with index.writer(5) as writer:
        writer.update_documents(batch("a", "b"))
        assert index.generation == 0
    assert (index.generation, index.revision) == (1, 5)
    with index.writer(7) as writer:
        writer.update_documents(batch("c"))
        writer.delete_document("a")
        writer.delete_document("nobody")
        assert sorted(index.ids()) == ["a", "b"]
    assert sorted(index.ids()) == ["b", "c"]
    assert (index.generation, index.revision, index.about()["commit"]) == (1, 7, 2)


@pytest.mark.opensearch
def test_a_rebuild_takes_the_place_of_what_answers_and_can_be_taken_back(
    index: OpenSearchIndex, batch: Callable[..., IndexBatch]
) -> None:
    with index.writer(1) as writer:
        writer.update_documents(batch("a"))
    for revision in (2, 3):
        with index.writer(revision, rebuild=True) as writer:
            writer.update_documents(batch("a", f"b{revision}"))
            assert index.revision == revision - 1
    assert sorted(index.ids()) == ["a", "b3"]
    assert index.rollback() == 2
    assert sorted(index.ids()) == ["a", "b2"]
    with pytest.raises(IndexUnavailable, match="no generation before 2"):
        index.rollback()


@pytest.mark.opensearch
def test_a_rebuild_that_fails_leaves_nothing_and_changes_nothing(
    index: OpenSearchIndex, batch: Callable[..., IndexBatch]
) -> None:
    with index.writer(1) as writer:
        writer.update_documents(batch("a"))

    def fail() -> None:
        with index.writer(2, rebuild=True) as writer:
            writer.update_documents(batch("b"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert index.ids() == ["a"]
    assert list(index.client.indices.get_alias(index=f"{index.alias}-0*")) == [index.name(1)]


@pytest.mark.opensearch
def test_a_new_index_that_lacks_articles_does_not_answer(
    index: OpenSearchIndex, batch: Callable[..., IndexBatch]
) -> None:
    with index.writer(1) as writer:
        writer.update_documents(batch("a"))

    def lose_one() -> None:
        with index.writer(2, rebuild=True) as writer:
            writer.update_documents(batch("a", "b"))
            writer.flush()
            index.client.delete(index=index.name(2), id="b")

    with pytest.raises(IndexUnavailable, match="holds 1 of 2 articles"):
        lose_one()
    assert (index.generation, index.ids()) == (1, ["a"])


@pytest.mark.opensearch
def test_a_document_that_is_refused_is_named_with_the_reason(
    index: OpenSearchIndex, batch: Callable[..., IndexBatch]
) -> None:
    with index.writer(1) as writer:
        writer.update_documents(batch("a"))
    index.client.indices.put_settings(index=index.alias, body={"index.blocks.write": True})
    with pytest.raises(IndexUnavailable, match=r"b: .*write"), index.writer(2) as writer:
        writer.update_documents(batch("b"))


@pytest.mark.opensearch
def test_an_index_of_another_analyzer_says_so(
    index: OpenSearchIndex, batch: Callable[..., IndexBatch]
) -> None:
    with index.writer(1) as writer:
        writer.update_documents(batch("a"))
    assert index.out_of_date() is None
    other = OpenSearchIndex(index.client, index.alias, "another")
    assert "another version of the analyzer" in str(other.out_of_date())


@pytest.mark.opensearch
def test_shards_without_their_first_copy_have_no_size(
    opensearch_url: str, analyzer: Analyzer
) -> None:
    alias = "no-first-copy"
    body = index_body(analyzer.fingerprint, 1, shards=1, replicas=0)
    body["settings"]["index.routing.allocation.require._name"] = "nobody"
    body["aliases"] = {alias: {}}
    with OpenSearch(opensearch_url) as client:
        name = f"{alias}-000001"
        client.indices.create(index=name, body=body, params={"wait_for_active_shards": 0})
        try:
            assert OpenSearchIndex(client, alias, analyzer.fingerprint).size == 0
        finally:
            client.indices.delete(index=name)


def test_a_cluster_that_is_not_there_is_told_soon() -> None:
    client = OpenSearch("http://127.0.0.1:9", timeout=10, max_retries=6, retry_on_timeout=True)
    started = monotonic()
    with pytest.raises(IndexUnavailable, match="does not answer"):
        _ = OpenSearchIndex(client, "anwen", "").generation
    assert monotonic() - started < 2
