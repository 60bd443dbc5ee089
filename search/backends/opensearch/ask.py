"""Asking a cluster: whole answers in time, or an error."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import RequestError

from index.backends.opensearch.index import answering
from index.errors import ClusterUnavailable, QueryTooLong

__all__ = ["AT_ONCE", "ask", "ask_all", "ask_on", "listing"]

AT_ONCE = 10_000
"""Hits of one answer, at most."""

_TOO_MANY = "too_many_clauses"
_WHOLE = {"allow_partial_search_results": "false"}


def listing(*columns: str) -> dict[str, Any]:
    """Return the part of a search that asks for the id of each hit, and for some columns.

    Nothing of the article itself is read for it: an `_id` that is stored beside the article would
    cost the expansion of a block of articles for each hit.
    """
    return {"_source": False, "stored_fields": "_none_", "docvalue_fields": ["id", *columns]}


def ask(
    client: OpenSearch,
    index: str,
    body: dict[str, Any],
    options: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the answer to one search; raises ClusterUnavailable, where a shard is lost too."""
    with answering(), _refusing():
        answer: dict[str, Any] = client.search(index=index, body=body, params={**_WHOLE, **options})
    return _whole(answer)


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn the cluster's refusal of too long a query into the reader's mistake that it is."""
    try:
        yield
    except RequestError as error:
        if _TOO_MANY in str(error.info):
            raise QueryTooLong("查询的词和同义词太多，请分开检索。") from error
        raise


def ask_on(
    client: OpenSearch, index: str, body: dict[str, Any], most: int | None = None
) -> Iterator[dict[str, Any]]:
    """Give the hits of a search in their order, all or the first, by as many questions as it takes.

    The body has a `sort` without ties. Raises as `ask` does.
    """
    given = 0
    after: dict[str, Any] = {}
    while most is None or given < most:
        size = AT_ONCE if most is None else min(AT_ONCE, most - given)
        hits = ask(client, index, {**body, **after, "size": size})["hits"]["hits"]
        yield from hits
        given += len(hits)
        if len(hits) < size:
            return
        after = {"search_after": hits[-1]["sort"]}


def ask_all(
    client: OpenSearch, index: str, bodies: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the answers to several searches, asked at once; raises as `ask` does."""
    if not bodies:
        return []
    lines: list[dict[str, Any]] = []
    for body in bodies:
        lines += [{"allow_partial_search_results": False}, body]
    with answering():
        answers = client.msearch(index=index, body=lines)["responses"]
    return list(map(_whole, answers))


def _whole(answer: dict[str, Any]) -> dict[str, Any]:
    if error := answer.get("error"):
        if _TOO_MANY in str(error):
            raise QueryTooLong("查询的词和同义词太多，请分开检索。")
        raise ClusterUnavailable(f"OpenSearch cannot answer: {error.get('reason', error)}.")
    if answer["timed_out"] or answer["_shards"]["failed"]:
        raise ClusterUnavailable("OpenSearch has answered in part: a shard is lost or slow.")
    for hit in answer["hits"]["hits"]:
        if "_id" not in hit:
            (hit["_id"],) = hit["fields"]["id"]
    return answer
