"""A search request: a query string with its filters, order and page."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from index.errors import BadParameter

__all__ = [
    "COUNTABLE",
    "FACETS",
    "FACET_SIZE",
    "MAX_WINDOW",
    "Duplicates",
    "Match",
    "SearchRequest",
    "Sort",
]

Sort = Literal["relevance", "newest", "oldest"]
Match = Literal["auto", "all"]
Duplicates = Literal["fold", "show"]

FACETS = ("category", "organisation", "source", "month")

COUNTABLE = (*FACETS, "identifier", "day")
"""Fields whose values are listed with their counts: those of every answer, and two on demand."""

FACET_SIZE = 50  # values of one facet that are listed; months all are

MAX_WINDOW = 10_000  # the deepest hit that page × size may name; beyond it a cursor leads on


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What is asked of a searcher.

    Repeated values of one filter mean any of them; different filters must all hold. `month` is
    `YYYY-MM`; `first` and `last` are days, both included. Days and months are those of Beijing.
    `reads_periods` lets words of the query such as 最近一周 stand for days, where neither days nor
    months are given; `corrects` lets a likelier spelling be searched where the query finds nothing.
    `duplicates` says whether a cluster of near-duplicates is one hit.
    `cursor` takes the place of `page`; `explain` asks how the query is evaluated.
    Raises BadParameter where two values contradict each other.
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
    duplicates: Duplicates = "fold"
    page: int = 1
    size: int = 10
    cursor: str | None = None
    explain: bool = False
    reads_periods: bool = True
    corrects: bool = True

    def __post_init__(self) -> None:
        if self.first and self.last and self.first > self.last:
            raise BadParameter(
                "to",
                self.last.isoformat(),
                f"不能早于 from（{self.first.isoformat()}），请对调两个日期",
            )
        if self.page * self.size > MAX_WINDOW:
            raise BadParameter(
                "page",
                str(self.page),
                f"page × size 不能超过 {MAX_WINDOW:,}。"
                "请加条件缩小范围，或把上一页 next 的值用作 cursor",
            )
