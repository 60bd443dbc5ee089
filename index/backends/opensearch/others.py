"""What several indexers of one cluster know of each other, in an index beside the articles.

It holds the lease, and which articles were deleted by whom: of what is gone the index of articles
says nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import RequestError
from opensearchpy.helpers import scan

from index.backends.base import OthersChange

__all__ = ["Others"]

_SCANNED = 500  # documents of one answer, which have articles


class Others:
    """The index beside the articles of one alias."""

    def __init__(self, client: OpenSearch, alias: str, *, replicas: int) -> None:
        """Take the alias; nothing is asked yet."""
        self._client, self._replicas = client, replicas
        self.name = f"{alias}-indexers"
        """What the cluster calls it."""

    def make(self) -> None:
        """Create it where it is missing; raises what the client raises."""
        if self._client.indices.exists(index=self.name):
            return
        keyword, number, flag = {"type": "keyword"}, {"type": "long"}, {"type": "boolean"}
        lease = {"number": number, "held": flag, "holder": keyword}
        deletion = {"commit": number, "removed": flag}
        body = {
            "settings": {"number_of_shards": 1, "number_of_replicas": self._replicas},
            "mappings": {"dynamic": "strict", "properties": lease | deletion},
        }
        try:
            self._client.indices.create(index=self.name, body=body)
        except RequestError as error:
            if error.error != "resource_already_exists_exception":
                raise

    def deletions(
        self, removed: Iterable[tuple[str, bool]], commit: int
    ) -> Iterator[dict[str, Any]]:
        """Give what is sent to tell of articles that are gone, `True` where for good."""
        for identifier, for_good in removed:
            yield {
                "_op_type": "index",
                "_index": self.name,
                "_id": f"gone {identifier}",
                "_source": {"commit": commit, "removed": for_good},
            }

    def changes(self, articles: str, commit: int) -> Iterator[OthersChange]:
        """Give what was written to the index `articles` after a commit; raises as the client does.

        What is gone comes first: it may have come again.
        """
        yield from self.gone(commit)
        self._client.indices.refresh(index=articles)
        for hit in scan(self._client, index=articles, query=_later(commit), size=_SCANNED):
            record = hit["_source"]["record"]
            yield OthersChange(hit["_id"], record["article"], cluster=record["cluster"])

    def gone(self, commit: int) -> Iterator[OthersChange]:
        """Give what was deleted after a commit."""
        self._client.indices.refresh(index=self.name)
        for hit in scan(self._client, index=self.name, query=_later(commit)):
            identifier = hit["_id"].removeprefix("gone ")
            yield OthersChange(identifier, None, removed=hit["_source"]["removed"])

    def ids(self, articles: str, commit: int) -> Iterator[str]:
        """Give the ids of what was written to the index `articles` or deleted after a commit."""
        yield from (change.id for change in self.gone(commit))
        later = _later(commit) | {"_source": False}
        for hit in scan(self._client, index=articles, query=later, size=_SCANNED):
            yield hit["_id"]


def _later(commit: int) -> dict[str, Any]:
    return {"query": {"range": {"commit": {"gt": commit}}}}
