"""The time of a search in its grains: all of it, months of its years, days of its months."""

from dataclasses import dataclass
from datetime import date

from search.backends.base import Searcher
from search.request import SearchRequest
from search.results import SearchResults
from web.charts import Histogram, daily, histogram
from web.params import changed, search_url
from web.spans import Span, in_force, month_span, narrowed, span_of_months

__all__ = ["Zoom", "zoom"]

_MOST_DAYS = 62  # in a period that is shown by days: two months
_MOST_MONTHS = 3  # that such a period may touch
_MOST_YEARS = 4  # whose months fit into the index column
_ALL_DAYS = 100  # values asked for: more than the days of three months
_ALL_MONTHS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoom:
    """Charts from the whole to its part, and the ways out of the period, names with links."""

    charts: tuple[Histogram, ...]
    out: tuple[tuple[str, str], ...]


def zoom(searcher: Searcher, request: SearchRequest, results: SearchResults) -> Zoom:
    """Return the charts of what a request finds at any time, with its own period marked."""
    months = results.facets["month"]
    if request.first or request.last:  # which narrow the months too, but others are to be chosen
        months = searcher.facet(narrowed(request, None), "month", size=_ALL_MONTHS).buckets
        months = tuple(sorted(months, key=lambda bucket: bucket.value))
    months = tuple(bucket for bucket in months if bucket.count or bucket.selected)
    whole = histogram(months, request)
    if whole is None:
        return Zoom(charts=(), out=())
    charts = [whole]
    period = _period(request, min(b.value for b in months), max(b.value for b in months))
    if period:
        years = _years(period)
        if whole.unit != "月" and period.last.year - period.first.year < _MOST_YEARS:
            charts += _some(histogram(months, request, window=years, height=48))
        days = _whole_months(period)
        if days:
            within = changed(request, month=(), first=days.first, last=days.last)
            counted = searcher.facet(within, "day", size=_ALL_DAYS).buckets
            charts += _some(daily(counted, request, days))
    return Zoom(charts=tuple(charts), out=tuple(_ways_out(request, period)))


def _some(chart: Histogram | None) -> list[Histogram]:
    return [chart] if chart else []


def _period(request: SearchRequest, first: str, last: str) -> Span | None:
    """Return the one span in force, an open end closed by the articles; None for several."""
    spans = in_force(request)
    if len(spans) != 1:
        return None
    everything = month_span(first).joined(month_span(last))
    return spans[0].clipped(everything) if spans[0].meets(everything) else None


def _years(period: Span) -> Span:
    return Span(date(period.first.year, 1, 1), date(period.last.year, 12, 31))


def _whole_months(period: Span) -> Span | None:
    """Return the whole months of a period that is short enough to be shown by days."""
    start = period.first.year * 12 + period.first.month - 1
    count = period.last.year * 12 + period.last.month - start
    is_short = period.days <= _MOST_DAYS and count <= _MOST_MONTHS
    return span_of_months(start, count) if is_short else None


def _ways_out(request: SearchRequest, period: Span | None) -> list[tuple[str, str]]:
    """Return all time, and the year and the month that a shorter period is in."""
    if not in_force(request):
        return []
    spans: list[tuple[str, Span | None]] = [("全部时间", None)]
    if period:
        year, month = _years(period), _whole_months(period)
        if period != year and period.first.year == period.last.year:
            spans.append((f"{period.first.year} 年", year))
        if month and month != period and period.first.month == period.last.month:
            spans.append((f"{period.first.month} 月", month))
    return [(name, search_url(narrowed(request, span))) for name, span in spans]
