"""The histogram of articles by time: the numbers of an SVG, so that no style is inline."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from search.request import SearchRequest
from search.results import FacetBucket
from web.spans import Span, chosen, clicked, in_force, month_span, span_of_months, span_url

__all__ = [
    "MOST_BARS",
    "Bar",
    "Histogram",
    "Year",
    "caliper",
    "daily",
    "heights",
    "histogram",
    "month_bars",
    "places",
]

MOST_BARS = 52  # more would be narrower than 4 pixels in the index column

_GRAINS = (1, 3, 12)  # months in one bar
_FEWEST_BARS = 12  # fewer would be as wide as doors
_LABEL = 36  # pixels that a year's label needs
_FLOOR = 4  # pixels under the axis, for the jaws


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar; `url` leads to the search that a click on it makes.

    Of its articles `main` are told apart, at the foot of the bar, up to `main_height`.
    """

    x: int
    y: int
    width: int
    height: int
    label: str
    count: int
    url: str | None
    chosen: bool
    main: int | None = None
    main_height: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """A year or month on the axis: how many bars it spans, and the search for it."""

    name: str
    count: int
    bars: int
    labelled: bool
    url: str
    months: tuple[FacetBucket | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Bars from left to right with their axis; `caliper` is the path of the jaws, or empty."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    years: tuple[Year, ...]
    caliper: str
    top: int
    summary: str
    unit: str

    @property
    def axis(self) -> int:
        """Where the bars stand."""
        return self.height - _FLOOR


def histogram(
    buckets: Iterable[FacetBucket],
    request: SearchRequest,
    *,
    main: Iterable[FacetBucket] | None = None,
    window: Span | None = None,
    width: int = 210,
    height: int = 64,
    rounded: bool = False,
) -> Histogram | None:
    """Return the chart of a month facet, None where no month has an article.

    `main` counts the articles that are to be told apart. With `rounded` the highest bar ends below
    a round number, for a chart with a scale. With a `window` it has the months of that alone, and
    what is taken back there leaves the window.
    """
    months = {bucket.value: bucket for bucket in buckets}
    if window:
        months = {name: b for name, b in months.items() if window.covers(month_span(name))}
    if not months:
        return None
    spans = month_bars(months, window)
    counts = _of_spans(spans, {name: bucket.count for name, bucket in months.items()})
    mains = None
    if main is not None:
        mains = _of_spans(spans, {bucket.value: bucket.count for bucket in main})
    url, bars_of = span_url(request), Counter(span.first.year for span in spans)

    def tick(year: int) -> Year:
        of_year = tuple(map(months.get, _months_of(year)))
        return Year(
            name=f"{year:04}",
            count=sum(bucket.count for bucket in of_year if bucket),
            bars=bars_of[year],
            labelled=True,
            url=url(Span(date(year, 1, 1), date(year, 12, 31))),
            months=of_year,
        )

    ticks = [tick(year) for year in sorted(bars_of)]
    unit = {1: "月", 3: "季", 12: "年"}[_size(spans[0])]
    drawn = _drawn(spans, counts, mains, request, window, (width, height), rounded=rounded)
    told = f"{min(months)} 至 {max(months)}，最高 {_peak(spans, counts)}，{max(counts):,} 篇"
    return _chart(drawn, spans, counts, ticks, (width, height), told, unit, rounded=rounded)


def daily(
    buckets: Iterable[FacetBucket],
    request: SearchRequest,
    window: Span,
    *,
    width: int = 210,
    height: int = 48,
) -> Histogram | None:
    """Return the chart of the days of some whole months, None where no day has an article."""
    known = {bucket.value: bucket.count for bucket in buckets}
    if not known:
        return None
    days = [window.first + timedelta(days=number) for number in range(window.days)]
    spans = [Span(day, day) for day in days]
    counts = [known.get(day.isoformat(), 0) for day in days]
    months = sorted({day.isoformat()[:7] for day in days})
    url = span_url(request)
    ticks = [
        Year(
            name=month,
            count=sum(count for day, count in known.items() if day.startswith(month)),
            bars=month_span(month).days,
            labelled=True,
            url=url(month_span(month)),
        )
        for month in months
    ]
    drawn = _drawn(spans, counts, None, request, window, (width, height), rounded=False)
    told = f"{window.first} 至 {window.last}，最高 {_peak(spans, counts)}，{max(counts):,} 篇"
    return _chart(drawn, spans, counts, ticks, (width, height), told, "日", rounded=False)


def month_bars(months: Iterable[str], window: Span | None = None) -> list[Span]:
    """Return the spans of the bars for some months: months, quarters or years, none left out."""
    if window:
        first, last = _ordinal(window.first), _ordinal(window.last)
        return [span_of_months(month, 1) for month in range(first, last + 1)]
    ordinals = [_ordinal(month_span(month).first) for month in months]
    first, last = min(ordinals), max(ordinals)
    grain = next((g for g in _GRAINS if (last - first) // g < MOST_BARS), _GRAINS[-1])
    start = first - first % grain
    steps = max((last - start) // grain + 1, _FEWEST_BARS)
    start = max(12, min(start, last - last % grain - (steps - 1) * grain))  # not before the year 1
    return [span_of_months(start + step * grain, grain) for step in range(steps)]


def places(steps: int, width: int) -> list[int]:
    """Return where each bar begins, and where the last one ends, in whole pixels."""
    width = max(width, 2 * steps)
    return [step * width // steps for step in range(steps + 1)]


def heights(counts: Sequence[int], top: int, room: int) -> list[int]:
    """Return how high each count is where `top` fills the room: something is never nothing."""
    return [max(round(room * count / top), 1) if count else 0 for count in counts]


def caliper(marked: Sequence[bool], edges: Sequence[int], height: int) -> str:
    """Return the path of one pair of jaws around each run of chosen bars."""
    path = []
    for step, is_chosen in enumerate(marked):
        if is_chosen and not (step and marked[step - 1]):
            left = edges[step]
            path.append(f"M{left - 0.5} 0V{height}M{left - 3} .5h5")
        if is_chosen and not (step + 1 < len(marked) and marked[step + 1]):
            right = edges[step + 1] - 0.5
            path.append(f"M{right} 0V{height}M{right - 2.5} .5h5")
    return "".join(path)


def _drawn(
    spans: Sequence[Span],
    counts: Sequence[int],
    mains: Sequence[int] | None,
    request: SearchRequest,
    window: Span | None,
    size: tuple[int, int],
    *,
    rounded: bool,
) -> list[Bar]:
    width, height = size
    top = _top(counts, rounded=rounded)
    edges, room = places(len(spans), width), height - 2 * _FLOOR
    tall = heights(counts, top, room)
    main_tall = heights(mains, top, room) if mains else [0] * len(spans)
    forced = in_force(request)
    marked = chosen(forced, spans)
    url = span_url(request)
    return [
        Bar(
            x=edges[step],
            y=height - _FLOOR - tall[step],
            width=edges[step + 1] - edges[step] - 1,
            height=tall[step],
            label=_label(span),
            count=counts[step],
            url=url(clicked(forced, spans, step, out=window) if forced else span)
            if counts[step] or marked[step]
            else None,
            chosen=marked[step],
            main=mains[step] if mains else None,
            main_height=main_tall[step],
        )
        for step, span in enumerate(spans)
    ]


def _chart(
    drawn: Sequence[Bar],
    spans: Sequence[Span],
    counts: Sequence[int],
    ticks: Sequence[Year],
    size: tuple[int, int],
    summary: str,
    unit: str,
    *,
    rounded: bool,
) -> Histogram:
    edges = places(len(spans), size[0])
    return Histogram(
        width=edges[-1],
        height=size[1],
        bars=tuple(drawn),
        years=tuple(_labelled(ticks, _LABEL * len(spans) / edges[-1])),
        caliper=caliper([bar.chosen for bar in drawn], edges, size[1]),
        top=_top(counts, rounded=rounded),
        summary=summary,
        unit=unit,
    )


def _labelled(ticks: Sequence[Year], narrowest: float) -> Iterable[Year]:
    """Give the ticks; where those are narrower than a label, told in bars, some have none."""
    free = place = 0.0  # where the last label ends, and the tick begins
    end = sum(tick.bars for tick in ticks)
    for tick in ticks:
        labelled = place >= free and (place == 0 or end - place >= narrowest)
        if labelled:
            free = place + narrowest
        yield replace(tick, labelled=labelled)
        place += tick.bars


def _of_spans(spans: Sequence[Span], counts: Mapping[str, int]) -> list[int]:
    """Return the sums of what months count over spans that follow each other, all of one size."""
    start, size = _ordinal(spans[0].first), _size(spans[0])
    found = [0] * len(spans)
    for month, count in counts.items():
        step = (_ordinal(month_span(month).first) - start) // size
        if 0 <= step < len(found):
            found[step] += count
    return found


def _size(span: Span) -> int:
    """Return how many months a span has."""
    return _ordinal(span.last) - _ordinal(span.first) + 1


@lru_cache(maxsize=1000)
def _months_of(year: int) -> tuple[str, ...]:
    return tuple(f"{year:04}-{month:02}" for month in range(1, 13))


def _label(span: Span) -> str:
    """Return the day or month of a span, or its first and last month."""
    if span.first == span.last:
        return span.first.isoformat()
    first, last = span.first.isoformat()[:7], span.last.isoformat()[:7]
    return first if first == last else f"{first} 至 {last}"


def _peak(spans: Sequence[Span], counts: Sequence[int]) -> str:
    span = spans[counts.index(max(counts))]
    return span.first.isoformat() if span.first == span.last else span.first.isoformat()[:7]


def _ordinal(day: date) -> int:
    return day.year * 12 + day.month - 1


def _top(counts: Sequence[int], *, rounded: bool) -> int:
    """Return the highest count, or an even number of one digit and zeros at or above it."""
    peak = max(counts)
    if not rounded:
        return max(peak, 1)
    step = int("1" + "0" * (len(str(peak)) - 1))
    top = -(-peak // step) * step
    return top + top % 2
