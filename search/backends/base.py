"""What every searcher answers, whichever store stands behind it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from index.document import Article, OrganisationType
from search.related import Coverage, DraftReport, RelatedHit
from search.request import SearchRequest
from search.results import (
    Association,
    Copy,
    FacetPair,
    FacetValues,
    Hit,
    Organisation,
    OrganisationList,
    SearchResults,
    Subject,
    SuggestionGroup,
)

__all__ = ["CacheUsage", "IndexUsage", "Searcher", "Statistics"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The size and age of what is searched."""

    articles: int
    today: int
    week: int
    newest: datetime | None
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexUsage:
    """What an operator watches of an index; sizes are in bytes."""

    generation: int
    articles: int
    size: int
    committed: datetime | None
    """The time of the last commit, None where it cannot be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheUsage:
    """What the caches of this process hold, in bytes, and how often they were asked."""

    size: int
    limit: int
    hits: int
    misses: int


class Searcher(Protocol):
    """A view of the index that answers requests; always the newest committed state."""

    def search(self, request: SearchRequest) -> SearchResults:
        """Answer a request; QueryError for a reader's mistake, IndexUnavailable if none answers."""

    def article(self, article_id: str) -> Article:
        """Return one article, or raise UnknownArticle."""

    def article_by_url(self, url: str) -> Article:
        """Return the article of an address in whatever form, or raise UnknownArticle."""

    def copies(self, article_id: str) -> tuple[Copy, ...]:
        """Return the other articles of an article's cluster of near-duplicates, earliest first.

        Raises UnknownArticle.
        """

    def related(self, article_id: str, *, size: int = 10) -> tuple[RelatedHit, ...]:
        """Return related articles, none of them a repost; or raise UnknownArticle."""

    def related_to(self, title: str, text: str, *, size: int = 10) -> tuple[RelatedHit, ...]:
        """Return articles related to a text; BadParameter where it has no word or is too long."""

    def coverage(self, article_id: str) -> Coverage:
        """Return who has reported the event of an article, and when; or raise UnknownArticle."""

    def check_draft(self, title: str, text: str, *, size: int = 10) -> DraftReport:
        """Mark the paragraphs of a draft by what the archive has of them.

        Raises BadParameter where it has no word or is too long.
        """

    def facet(
        self, request: SearchRequest, name: str, typed: str = "", *, size: int = 20
    ) -> FacetValues:
        """Return the values that articles found by a request have in a field: one of COUNTABLE.

        With `typed` those whose name, other names, pinyin or initials begin so or have it inside.
        A field's own filter does not narrow it.
        """

    def facet_pairs(self, request: SearchRequest, name: str, other: str) -> tuple[FacetPair, ...]:
        """Return how many of the articles that `total` counts have each two values of two fields.

        The fields are of COUNTABLE. Unlike in `facet` every filter narrows. Sorted by the values.
        """

    def associated(
        self, request: SearchRequest, name: str, without: tuple[str, ...] = (), *, size: int = 20
    ) -> tuple[Association, ...]:
        """Return the values, others than some, that stand out in the articles of a request."""

    def first_reports(self, request: SearchRequest) -> tuple[Hit, ...]:
        """Return the earliest hit of each source, the earliest first and undated ones last."""

    def organisation(self, name: str) -> Organisation | None:
        """Return an organisation by any of its names, None if no article names it."""

    def organisations(
        self,
        typed: str = "",
        type_: OrganisationType | None = None,
        *,
        first: int = 0,
        size: int = 20,
    ) -> OrganisationList:
        """Return organisations that articles name, those that act in most of them first.

        With `typed` as in `facet`; the counts of types are of all that match.
        """

    def near_organisations(self, name: str, *, size: int = 8) -> tuple[str, ...]:
        """Return organisations whose names are written or sound most like a name."""

    def subjects(self, name: Literal["organisation", "identifier"]) -> list[Subject]:
        """Return every organisation or identifier that articles name, without articles read.

        Organisations that act most often come first, identifiers that are named most.
        """

    def statistics(self) -> Statistics:
        """Count what is searched."""

    def index_usage(self) -> IndexUsage:
        """Tell what is searched, how large it is and how old; IndexUnavailable without one."""

    def cache_usage(self) -> CacheUsage:
        """Tell what the caches hold; they begin to count anew when the index changes."""

    def version(self) -> str | None:
        """Return what differs after every change of an answer, at the cost of no search.

        None while an answer may change without one, as suggestions do soon after a commit.
        """

    def suggest(self, typed: str) -> tuple[SuggestionGroup, ...]:
        """Return what a typed text may become, in groups."""

    def word_boundaries(self, text: str) -> tuple[int, ...]:
        """Return the offsets inside `text` where one word ends and the next begins."""

    def close(self) -> None:
        """Release files and connections."""
