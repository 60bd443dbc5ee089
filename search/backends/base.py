"""What every searcher answers, whichever store stands behind it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from index.document import Article
from search.request import SearchRequest
from search.results import SearchResults, SuggestionGroup

__all__ = ["Searcher", "Statistics"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The size and age of what is searched."""

    articles: int
    today: int
    week: int
    newest: datetime | None
    generation: int


class Searcher(Protocol):
    """A view of the index that answers requests; always the newest committed state."""

    def search(self, request: SearchRequest) -> SearchResults:
        """Answer a request; QueryError for a reader's mistake, IndexUnavailable if none answers."""

    def article(self, article_id: str) -> Article:
        """Return one article, or raise UnknownArticle."""

    def article_by_url(self, url: str) -> Article:
        """Return the article of an address in whatever form, or raise UnknownArticle."""

    def organisation(self, name: str) -> str | None:
        """Return the canonical name for a name or alias, None if no article names it."""

    def statistics(self) -> Statistics:
        """Count what is searched."""

    def suggest(self, typed: str) -> tuple[SuggestionGroup, ...]:
        """Return what a typed text may become, in groups."""

    def word_boundaries(self, text: str) -> tuple[int, ...]:
        """Return the offsets inside `text` where one word ends and the next begins."""

    def close(self) -> None:
        """Release files and connections."""
