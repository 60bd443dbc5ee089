"""A search request: a query string with its filters, order and page."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

__all__ = ["FACETS", "FACET_SIZE", "MAX_WINDOW", "Match", "SearchRequest", "Sort"]

Sort = Literal["relevance", "newest", "oldest"]
Match = Literal["auto", "all"]

FACETS = ("category", "organisation", "source", "month")

FACET_SIZE = 50  # values of one facet that are listed; months all are

MAX_WINDOW = 10_000  # the deepest hit that page × size may name; beyond it a cursor leads on


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What is asked of a searcher.

    Repeated values of one filter mean any of them; different filters must all hold. `month` is
    `YYYY-MM`; `first` and `last` are days, both included. Days and months are those of Beijing.
    `cursor` takes the place of `page`.
    """

    query: str = ""
    category: tuple[str, ...] = ()
    organisation: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    month: tuple[str, ...] = ()
    exclude_category: tuple[str, ...] = ()
    exclude_organisation: tuple[str, ...] = ()
    exclude_source: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    match: Match = "auto"
    sort: Sort = "relevance"
    page: int = 1
    size: int = 10
    cursor: str | None = None
