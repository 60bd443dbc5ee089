"""Spans of days: which one a request has in force, and what choosing another makes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from search.request import SearchRequest
from web.params import around, changed, pairs, search_url

__all__ = [
    "Span",
    "chosen",
    "clicked",
    "in_force",
    "month_span",
    "narrowed",
    "span_of_months",
    "span_url",
]


@dataclass(frozen=True, slots=True)
class Span:
    """The days from the first to the last, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def covers(self, other: "Span") -> bool:
        """Tell whether every day of another span is in this one."""
        return self.first <= other.first and other.last <= self.last

    def meets(self, other: "Span") -> bool:
        """Tell whether the two have a day in common."""
        return self.first <= other.last and other.first <= self.last

    def joined(self, other: "Span") -> "Span":
        """Return the shortest span that has both."""
        return Span(min(self.first, other.first), max(self.last, other.last))

    def clipped(self, other: "Span") -> "Span":
        """Return what of the span is in another one that it meets."""
        return Span(max(self.first, other.first), min(self.last, other.last))


def month_span(month: str) -> Span:
    """Return the days of a month that is written YYYY-MM."""
    return span_of_months(int(month[:4]) * 12 + int(month[5:7]) - 1, 1)


@lru_cache(maxsize=4096)  # the months of an archive are the same on every page
def span_of_months(ordinal: int, count: int) -> Span:
    """Return the days of some months that follow each other; the ordinal counts from year 0."""
    first = date(ordinal // 12, ordinal % 12 + 1, 1)
    following = ordinal + count
    if following // 12 > date.max.year:
        return Span(first, date.max)
    return Span(first, date(following // 12, following % 12 + 1, 1) - timedelta(days=1))


def in_force(request: SearchRequest) -> tuple[Span, ...]:
    """Return the spans that a request is narrowed to, months that follow each other as one."""
    if not request.month:
        if request.first is None and request.last is None:
            return ()
        return (Span(request.first or date.min, request.last or date.max),)
    spans: list[Span] = []
    for span in map(month_span, sorted(set(request.month))):
        if spans and spans[-1].last + timedelta(days=1) == span.first:
            spans[-1] = spans[-1].joined(span)
        else:
            spans.append(span)
    return tuple(spans)


def narrowed(request: SearchRequest, span: Span | None) -> SearchRequest:
    """Return the request for one span alone, None for all time; a month is written as one."""
    if span is None:
        return changed(request, month=(), first=None, last=None)
    if _is_month(span):
        return changed(request, month=(span.first.isoformat()[:7],), first=None, last=None)
    return changed(request, month=(), first=span.first, last=span.last)


def span_url(request: SearchRequest) -> Callable[[Span | None], str]:
    """Return what gives `search_url(narrowed(request, span))` for one span after another."""
    everything = narrowed(request, None)
    found = pairs(everything)
    of_month, of_days = around(found, "month"), around(found, "from")

    def url(span: Span | None) -> str:
        if span is None:
            return search_url(everything)
        if _is_month(span):
            (head, tail), own = of_month, f"month={span.first.isoformat()[:7]}"
        else:
            (head, tail), own = of_days, f"from={span.first}&to={span.last}"
        return f"/search?{head}{own}{tail}"

    return url


def _is_month(span: Span) -> bool:
    return span == span_of_months(span.first.year * 12 + span.first.month - 1, 1)


def chosen(spans: Sequence[Span], bars: Sequence[Span]) -> list[bool]:
    """Return which bars have a day of the spans; none where all of them do, for then it is all."""
    if not spans:
        return [False] * len(bars)
    found = [any(bar.meets(span) for span in spans) for bar in bars]
    is_all = any(span.covers(bars[0].joined(bars[-1])) for span in spans)
    return [False] * len(bars) if is_all else found


def clicked(
    spans: Sequence[Span], bars: Sequence[Span], at: int, *, out: Span | None = None
) -> Span | None:
    """Return the span that a click on a bar makes of those in force; None is all time.

    The first click chooses a bar, one beside what is chosen stretches it so far, and one on an end
    takes that end back. `out` is what remains where nothing of these bars does.
    """
    marked = [step for step, is_chosen in enumerate(chosen(spans, bars)) if is_chosen]
    if not marked:
        return bars[at]
    low, high = marked[0], marked[-1]
    if at < low or at > high:
        whole = bars[0].joined(bars[-1])
        kept = [span.clipped(whole) for span in spans if span.meets(whole)]
        return kept[0].joined(kept[-1]).joined(bars[at])
    if low == high:
        is_whole = any(span.covers(bars[at]) for span in spans)
        return out if is_whole else bars[at]
    if at in (low, high):
        return bars[high if at == low else low]
    return bars[at]
