"""The query tree: what a query string means, before any backend sees it."""

from dataclasses import dataclass, field
from datetime import date

__all__ = [
    "TEXT_FIELDS",
    "BooleanQuery",
    "KeywordQuery",
    "MatchAllQuery",
    "PhraseQuery",
    "PrefixQuery",
    "Query",
    "RangeQuery",
    "TermQuery",
]

TEXT_FIELDS = ("title", "lead", "body")


@dataclass(frozen=True, slots=True, kw_only=True)
class TermQuery:
    """One term of the index; `units` are those of the word, for highlighting.

    `surface` is what the reader typed. A query that is `optional` may go unanswered where the
    request allows the list to widen.
    """

    text: str
    units: tuple[str, ...]
    surface: str
    optional: bool = False
    fields: tuple[str, ...] = TEXT_FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseQuery:
    """Units that stand one after another: an exact substring along unit borders."""

    units: tuple[str, ...]
    surface: str
    optional: bool = False
    fields: tuple[str, ...] = TEXT_FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixQuery:
    """Any term that begins with `text`; `units` are those of `text`, for highlighting."""

    text: str
    units: tuple[str, ...]
    surface: str
    fields: tuple[str, ...] = TEXT_FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordQuery:
    """Any of `values` in a keyword field: category, organisation, source or month."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeQuery:
    """Published on a day from `first` to `last`, both included; None leaves that side open."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchAllQuery:
    """Every article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanQuery:
    """All of `must` and `filter`, none of `must_not`; only `must` and `should` are scored."""

    must: tuple["Query", ...] = field(default=())
    should: tuple["Query", ...] = field(default=())
    filter: tuple["Query", ...] = field(default=())
    must_not: tuple["Query", ...] = field(default=())


Query = (
    TermQuery | PhraseQuery | PrefixQuery | KeywordQuery | RangeQuery | MatchAllQuery | BooleanQuery
)
