"""The timeline of an event: its reports with their lags in words, and the ruler above them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from index.document import BEIJING
from search.related import Coverage, Report
from search.results import Hit
from web.markup import clock, lag, number_of_copies

__all__ = ["Entry", "Ruler", "Timeline", "timeline"]

_FEWEST = 2  # one report is no timeline
_SHOWN = 12  # reports before the rest is folded away

_WIDTH = 700  # of the ruler's view box
_MOST_STEPS = 5  # more labels would touch on a phone
_QUARTERS = 4  # fine strokes between two labels

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_STEPS = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 20, 30)),
    *(hours * _HOUR for hours in (1, 2, 4, 6, 12)),
    *(days * _DAY for days in (1, 2, 4, 7, 14, 30, 60, 120, 365)),
)
_UNITS = ((_DAY, "天"), (_HOUR, "小时"), (_MINUTE, "分"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One report: `lag` is what stands before it, `when` its time as far as it is known.

    `copies` tells of its reposts, or that it is one; empty where there are none.
    """

    hit: Hit
    lag: str
    when: str
    copies: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruler:
    """The numbers of an SVG: strokes of the scale, and where the reports stand on it.

    `labels` stand under the strokes, one a step, all steps alike wide.
    """

    width: int
    axis: str
    grid: str
    ticks: tuple[int, ...]
    mine: int | None
    labels: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Who reported an event and when: the entries shown, and those folded away."""

    shown: tuple[Entry, ...]
    folded: tuple[Entry, ...]
    summary: str
    ruler: Ruler | None

    @property
    def ids(self) -> frozenset[str]:
        """The articles of the event."""
        return frozenset(entry.hit.id for entry in (*self.shown, *self.folded))


def timeline(coverage: Coverage) -> Timeline | None:
    """Return the timeline of an event's coverage, None where there is but one report."""
    reports = coverage.reports
    if len(reports) < _FEWEST:
        return None
    years = {
        report.hit.published.astimezone(BEIJING).year for report in reports if report.hit.published
    }
    first = _first(reports)
    entries = [
        Entry(
            hit=report.hit,
            lag="首发" if report is first else _lag(report),
            when=_when(report.hit, with_year=len(years) > 1),
            copies=_copies(report.hit),
            is_current=report.hit.id == coverage.article,
        )
        for report in reports
    ]
    shown, folded = _fold(entries)
    return Timeline(
        shown=tuple(shown),
        folded=tuple(folded),
        summary=_summary(reports),
        ruler=_ruler(coverage, first) if first else None,
    )


def _first(reports: Sequence[Report]) -> Report | None:
    """Return the report that lags are counted from; None where the earliest prints no time."""
    first = reports[0]
    return first if first.hit.published_precision == "minute" else None


def _fold(entries: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Part a long list; the article that one stands on is never folded away."""
    if len(entries) <= _SHOWN + 1:  # to fold a single one would save nothing
        return entries, []
    place = next((place for place, entry in enumerate(entries) if entry.is_current), 0)
    if place < _SHOWN:
        return entries[:_SHOWN], entries[_SHOWN:]
    last = _SHOWN - 1
    return [*entries[:last], entries[place]], [*entries[last:place], *entries[place + 1 :]]


def _lag(report: Report) -> str:
    if report.hit.published is None:
        return "日期不详"
    if report.hit.published_precision == "day":
        return "仅知日期"
    return "时差不详" if report.lag is None else lag(report.lag)


def _when(hit: Hit, *, with_year: bool) -> str:
    if hit.published is None:
        return ""
    told = clock(hit.published, hit.published_precision)
    return told if with_year else told[5:]


def _copies(hit: Hit) -> str:
    if not hit.duplicate_count:
        return ""
    first = next((copy for copy in hit.copies if copy.is_first), None)
    if first:
        return f"转载，最早见于{first.source}"
    return f"另有 {number_of_copies(hit.source, hit.duplicate_count, hit.copies)}转载"


def _summary(reports: Sequence[Report]) -> str:
    outlets = len({report.hit.source for report in reports})
    parts = [f"{len(reports):,} 篇"] if outlets < len(reports) else []
    parts.append(f"{outlets:,} 家")
    if longest := max((report.lag for report in reports if report.lag), default=None):
        parts.append(f"历时 {lag(longest).removeprefix('+')}")
    return "，".join(parts)


def _ruler(coverage: Coverage, first: Report) -> Ruler | None:
    """Return the ruler, None where there are no two times to measure between."""
    lags = {report.hit.id: report.lag for report in coverage.reports if report.lag is not None}
    span = max(lags.values(), default=timedelta())
    if not span:
        return None
    lags[first.hit.id] = timedelta()
    step = next((step for step in _STEPS if step * _MOST_STEPS >= span), None)
    step = step or -(-span // (_MOST_STEPS * 365 * _DAY)) * 365 * _DAY
    steps = -(-span // step)
    whole = step * steps
    places = {
        article: round(passed / whole * _WIDTH)
        for article, passed in sorted(lags.items(), key=lambda item: item[1])
    }
    mine = places.get(coverage.article)
    return Ruler(
        width=_WIDTH,
        axis=f"M0 28H{_WIDTH}" + _strokes(14, steps),
        grid=_strokes(20, steps * _QUARTERS),
        ticks=tuple(dict.fromkeys(place for place in places.values() if place != mine)),
        mine=mine,
        labels=("首发", *(_label(step, number) for number in range(1, steps))),
        summary=f"{len(places)} 篇报道距首发的时间，从 0 到 {lag(whole).removeprefix('+')}",
    )


def _label(step: timedelta, number: int) -> str:
    """Name a stroke in the unit of the step, so that no label has two: +36 小时."""
    unit, name = next(each for each in _UNITS if not step % each[0])
    return f"+{step * number // unit:,} {name}"


def _strokes(top: int, parts: int) -> str:
    return "".join(f"M{round(_WIDTH * part / parts)} {top}V28" for part in range(parts + 1))
