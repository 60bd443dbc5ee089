"""What is asked: queries, ranking, facets and snippets."""

from index.backends.base import NO_CLIENT
from index.errors import SettingsError
from index.settings import Settings
from search.backends.base import CacheUsage, IndexUsage, Searcher, Statistics
from search.backends.whoosh.searcher import WhooshSearcher
from search.request import SearchRequest
from search.results import SearchResults

__all__ = [
    "CacheUsage",
    "IndexUsage",
    "SearchRequest",
    "SearchResults",
    "Searcher",
    "Statistics",
    "open_searcher",
]


def open_searcher(settings: Settings) -> Searcher:
    """Return the searcher over the index that the settings name."""
    if settings.backend == "opensearch":
        try:
            from search.backends.opensearch.searcher import OpenSearchSearcher
        except ImportError as error:
            raise SettingsError(NO_CLIENT) from error
        return OpenSearchSearcher(settings)
    return WhooshSearcher(settings)
