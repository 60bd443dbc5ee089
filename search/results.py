"""Search results: hits with their snippets, facets with their counts."""

from dataclasses import dataclass
from datetime import date, datetime

from index.document import OrganisationType, Precision
from search.explanation import HitExplanation, QueryExplanation

__all__ = [
    "Association",
    "Copy",
    "DidYouMean",
    "FacetBucket",
    "FacetPair",
    "FacetValues",
    "Highlight",
    "Hit",
    "Notice",
    "Organisation",
    "OrganisationList",
    "SearchResults",
    "Snippet",
    "Subject",
    "Suggestion",
    "SuggestionGroup",
    "Understood",
]

Highlight = tuple[int, int]
"""Start and end of a stretch of characters that matched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """The best window of an article's text, and what matched in it."""

    text: str
    highlights: tuple[Highlight, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Another article of the same cluster of near-duplicates.

    `is_first`: it was published before every other article of the cluster.
    """

    id: str
    url: str | None
    title: str
    source: str
    published: datetime | None
    published_precision: Precision | None
    is_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One matching article on a page of results.

    `organisations` are canonical names, salient ones first, the first `salient_count` of them
    salient; `missing` are the words of the query that it lacks. `duplicate_count` other matching
    articles are folded behind it, of which `copies` are the first, the earliest first.
    `explanation` says what the score is made of, where that was asked.
    """

    id: str
    url: str | None
    title: str
    title_highlights: tuple[Highlight, ...]
    snippet: Snippet
    published: datetime | None
    published_precision: Precision | None
    category: str | None
    category_predicted: bool
    source: str
    author: str | None
    organisations: tuple[str, ...]
    salient_count: int
    identifiers: tuple[str, ...]
    score: float
    duplicate_count: int
    missing: tuple[str, ...]
    copies: tuple[Copy, ...] = ()
    explanation: HitExplanation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetBucket:
    """One value of a facet, with the number of articles that selecting it would add or keep.

    `salient` is of an organisation the number of those in which it acts, None of other values.
    """

    value: str
    count: int
    selected: bool
    salient: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValues:
    """Some values of one facet, and how many there are in all."""

    total: int
    buckets: tuple[FacetBucket, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetPair:
    """A value of one field with a value of another, and how many articles have both."""

    value: str
    other: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """A value that stands out: how many of some articles have it, and how many of all."""

    value: str
    count: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation that articles name: in how many it acts, and how many name it.

    `aliases` are the other names that the table gives it.
    """

    name: str
    type: OrganisationType
    aliases: tuple[str, ...]
    salient: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationList:
    """Some organisations; how many there are in all, and of each type."""

    total: int
    types: dict[OrganisationType, int]
    organisations: tuple[Organisation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What articles name, and the day of the newest of them; None where all are undated.

    `salient` is of an organisation the number of articles in which it acts, None of an identifier.
    """

    name: str
    count: int
    salient: int | None
    newest: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something of the query that was read otherwise than typed, and where it stands."""

    code: str
    message: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A period read from words of the query."""

    text: str
    field: str
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DidYouMean:
    """A better spelling of the query, and what it would find."""

    query: str
    total: int
    applied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What a typed text may become.

    `count` is the number of articles, where there are several; `id` that of the one article whose
    headline is suggested.
    """

    text: str
    count: int | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionGroup:
    """Suggestions of one kind: query, organisation, identifier, category or title."""

    name: str
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResults:
    """The answer to a request.

    `total` counts articles that hold every word, `widened` those that lack some; where nothing
    holds every word (`nothing_full`), `total`, `groups` and the facets count the latter too. These
    are articles, copies included. A cluster of near-duplicates is one hit, unless duplicates are
    shown: `groups` counts the hits that the articles of `total` make, `pageable` all hits one can
    page through. What lacks some words is behind the hit of its cluster that holds all, where
    there is one. On a cluster of machines both are within a few percent where more than 40,000
    clusters match, and `groups_exact` is false.

    `relaxed` names each word that some hit on this page lacks, `next` is the cursor of the
    following page. `explanation` says how the query was read and evaluated; None where that was not
    asked.
    """

    query: str
    total: int
    groups: int
    widened: int
    pageable: int
    page: int
    size: int
    next: str | None
    took_ms: float
    hits: tuple[Hit, ...]
    facets: dict[str, tuple[FacetBucket, ...]]
    relaxed: tuple[str, ...]
    did_you_mean: DidYouMean | None
    notices: tuple[Notice, ...]
    understood: tuple[Understood, ...]
    nothing_full: bool = False
    groups_exact: bool = True
    explanation: QueryExplanation | None = None

    @property
    def articles(self) -> int:
        """How many articles can be paged through, whether hits or behind one."""
        return self.total if self.nothing_full else self.total + self.widened
