"""Filters as the pages show them: index rows with their links, and chips to take back."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from search.request import SearchRequest
from search.results import FacetBucket, FacetValues, SearchResults
from web.markup import period
from web.params import EXCLUDABLE, adding, adding_url, changed, removing, search_url

__all__ = [
    "LABELS",
    "Chip",
    "Facet",
    "Row",
    "chips",
    "facet_url",
    "facets",
    "looked_through",
    "recent_periods",
    "rows",
    "understood_chips",
    "unfiltered",
]

LABELS = {"category": "类别", "organisation": "机构", "source": "来源", "month": "时间"}

_SHOWN = 10  # values before the rest is folded away
_FOLDED = 10  # of the rest; what is beyond is found by its name, and each costs three addresses
_RECENT = (("近 7 天", 7), ("近 30 天", 30), ("近一年", 365))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of an index: a name, how many articles, and where it leads.

    `salient` is of an organisation the number of articles in which it acts; `of` the number that
    the articles counted are a part of.
    """

    name: str
    count: int | None
    url: str
    salient: int | None = None
    of: int | None = None
    exclude_url: str | None = None
    is_chosen: bool = False
    is_excluded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """A facet's rows: those shown at once, and the rest.

    Where its values were looked through, `typed` is what for, and `matching` how many there are.
    `can_be_searched`: it has a field to look through its values.
    """

    name: str
    label: str
    rows: tuple[Row, ...]
    rest: tuple[Row, ...]
    typed: str = ""
    matching: int = 0
    can_be_searched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter in force, and the search without it."""

    label: str
    value: str
    url: str
    is_excluded: bool = False


def facets(request: SearchRequest, results: SearchResults) -> list[Facet]:
    """Return the facets that are lists, chosen and excluded values always in sight."""
    found = []
    for name in EXCLUDABLE:
        buckets = results.facets[name]
        told = [bucket for bucket in buckets if bucket.count or bucket.selected]
        seen = [each for at, each in enumerate(told) if at < _SHOWN or each.selected]
        shown = list(_facet_rows(request, name, seen))
        rest = [bucket for bucket in told[_SHOWN:] if not bucket.selected][:_FOLDED]
        excluded = [
            Row(
                name=value,
                count=None,
                url=search_url(removing(request, f"exclude_{name}", value)),
                is_excluded=True,
            )
            for value in getattr(request, f"exclude_{name}")
        ]
        if shown or excluded:
            found.append(
                Facet(
                    name=name,
                    label=LABELS[name],
                    rows=(*shown, *excluded),
                    rest=tuple(_facet_rows(request, name, rest)),
                    can_be_searched=name == "organisation" or len(told) > _SHOWN,
                )
            )
    return found


def looked_through(request: SearchRequest, name: str, typed: str, values: FacetValues) -> Facet:
    """Return the facet of the values that match what was typed into its field."""
    return Facet(
        name=name,
        label=LABELS[name],
        rows=tuple(_facet_rows(request, name, values.buckets)),
        rest=(),
        typed=typed,
        matching=values.total,
        can_be_searched=True,
    )


def rows(
    buckets: tuple[FacetBucket, ...], request: SearchRequest, name: str, *, most: int = 1000
) -> list[Row]:
    """Return a facet's values as rows, each leading to the search that has it chosen."""
    return [
        Row(
            name=bucket.value,
            count=bucket.count,
            salient=bucket.salient,
            url=search_url(adding(request, name, bucket.value)),
        )
        for bucket in buckets[:most]
        if bucket.count
    ]


def chips(request: SearchRequest) -> list[Chip]:
    """Return each filter in force; months that follow each other are one."""
    found = []
    for name in EXCLUDABLE:
        for key, label, is_excluded in (
            (name, LABELS[name], False),
            (f"exclude_{name}", f"不含{LABELS[name]}", True),
        ):
            found += [
                Chip(
                    label=label,
                    value=value,
                    url=search_url(removing(request, key, value)),
                    is_excluded=is_excluded,
                )
                for value in getattr(request, key)
            ]
    found += [
        Chip(
            label="月份",
            value=run[0] if len(run) == 1 else f"{run[0]} 至 {run[-1]}",
            url=search_url(removing(request, "month", *run)),
        )
        for run in _runs(request.month)
    ]
    if request.first or request.last:
        found.append(
            Chip(
                label="时间",
                value=period(request.first, request.last),
                url=search_url(changed(request, first=None, last=None)),
            )
        )
    if request.match == "all":
        found.append(
            Chip(label="须含", value="全部词", url=search_url(changed(request, match="auto")))
        )
    return found


def understood_chips(request: SearchRequest, results: SearchResults) -> list[Chip]:
    """Return the periods that were read from words, each with the search without these words."""
    return [
        Chip(
            label=f"时间，读自“{found.text}”",
            value=period(found.first, found.last),
            url=search_url(
                changed(request, query=" ".join(request.query.replace(found.text, " ", 1).split()))
            ),
        )
        for found in results.understood
    ]


def unfiltered(request: SearchRequest) -> SearchRequest:
    """Return the request with its words and the form of its list alone."""
    return SearchRequest(
        query=request.query,
        sort=request.sort,
        duplicates=request.duplicates,
        size=request.size,
        reads_periods=request.reads_periods,
        corrects=request.corrects,
    )


def recent_periods(request: SearchRequest, today: date) -> list[tuple[str, str]]:
    """Return name and link of the periods that end today."""
    return [
        (
            name,
            search_url(
                changed(request, month=(), first=today - timedelta(days=days - 1), last=None)
            ),
        )
        for name, days in _RECENT
    ]


def _facet_rows(request: SearchRequest, name: str, buckets: Iterable[FacetBucket]) -> Iterator[Row]:
    choosing, excluding = adding_url(request, name), adding_url(request, f"exclude_{name}")
    for bucket in buckets:
        value, is_chosen = bucket.value, bucket.selected
        yield Row(
            name=value,
            count=bucket.count,
            salient=bucket.salient,
            url=search_url(removing(request, name, value)) if is_chosen else choosing(value),
            exclude_url=None if is_chosen else excluding(value),
            is_chosen=is_chosen,
        )


def facet_url(request: SearchRequest, name: str, bucket: FacetBucket) -> str:
    """Return the address of the search that has a value chosen, or no longer, where it is."""
    change = removing if bucket.selected else adding
    return search_url(change(request, name, bucket.value))


def _runs(months: tuple[str, ...]) -> list[list[str]]:
    """Return the months in order, those that follow each other together."""
    ordered = sorted(months)
    runs = [[month] for month in ordered[:1]]
    for previous, month in pairwise(ordered):
        if _ordinal(month) == _ordinal(previous) + 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return runs


def _ordinal(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])
