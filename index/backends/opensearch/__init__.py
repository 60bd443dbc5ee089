"""The index on an OpenSearch cluster: columns, finished tokens, and the articles themselves."""

from index.backends.opensearch.connection import connect
from index.backends.opensearch.index import OpenSearchIndex
from index.settings import Settings

__all__ = ["OpenSearchIndex", "open_opensearch_index"]


def open_opensearch_index(
    settings: Settings, analyzer_fingerprint: str, *, reads_only: bool = False
) -> OpenSearchIndex:
    """Return the index on the cluster that the settings name; nothing is asked of it yet."""
    return OpenSearchIndex(
        connect(settings, reads_only=reads_only),
        settings.opensearch_index,
        analyzer_fingerprint,
        shards=settings.opensearch_shards,
        replicas=settings.opensearch_replicas,
        folder=settings.data,
    )
