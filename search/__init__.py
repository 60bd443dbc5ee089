"""What is asked: queries, ranking, facets and snippets."""

from index.settings import Settings
from search.backends.base import CacheUsage, IndexUsage, Searcher, Statistics
from search.backends.whoosh import WhooshSearcher
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
    """Return the searcher of the data folder."""
    return WhooshSearcher(settings)
