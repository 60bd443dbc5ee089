"""The histogram of months: the numbers of an SVG, computed here so that no style is inline."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from search.request import SearchRequest
from search.results import FacetBucket
from web.params import adding, changed, removing, search_url

__all__ = ["Bar", "Histogram", "Year", "histogram"]

_GRAINS = (1, 3, 12)  # months in one bar
_MOST_BARS = 52  # more would be narrower than 4 pixels in the index column
_FEWEST_BARS = 12  # fewer would be as wide as doors
_LABEL = 36  # pixels that a year's label needs
_FLOOR = 4  # pixels under the axis, for the jaws


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar; `url` chooses its months, or takes them back where they are chosen.

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
    """A year on the axis: how many bars it spans, and the search for it."""

    name: str
    count: int
    bars: int
    labelled: bool
    url: str
    months: tuple[FacetBucket | None, ...]


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

    @property
    def axis(self) -> int:
        """Where the bars stand."""
        return self.height - _FLOOR


def histogram(
    buckets: Iterable[FacetBucket],
    request: SearchRequest,
    *,
    main: Iterable[FacetBucket] | None = None,
    width: int = 210,
    height: int = 64,
    rounded: bool = False,
) -> Histogram | None:
    """Return the chart of a month facet, None where no month has an article.

    `main` counts the articles that are to be told apart. With `rounded` the highest bar ends below
    a round number, for a chart with a scale.
    """
    months = {bucket.value: bucket for bucket in buckets}
    if not months:
        return None
    first, last = min(map(_ordinal, months)), max(map(_ordinal, months))
    grain = next((g for g in _GRAINS if (last - first) // g < _MOST_BARS), _GRAINS[-1])
    start = first - first % grain
    steps = max((last - start) // grain + 1, _FEWEST_BARS)
    start = max(12, min(start, last - last % grain - (steps - 1) * grain))  # not before the year 1
    pitch = max(width // steps, 2)
    spans = [
        [_name(month) for month in range(start + step * grain, start + (step + 1) * grain)]
        for step in range(steps)
    ]
    counts = [sum(months[m].count for m in span if m in months) for span in spans]
    peak = max(counts)
    top = _round_up(peak) if rounded else peak
    chosen = [_is_chosen(span, request) for span in spans]
    room = height - 2 * _FLOOR
    of_main = None if main is None else {bucket.value: bucket.count for bucket in main}
    bars = []
    for step, (span, count) in enumerate(zip(spans, counts, strict=True)):
        tall = _tall(count, top, room)
        some = None if of_main is None else sum(of_main.get(month, 0) for month in span)
        bars.append(
            Bar(
                x=step * pitch,
                y=height - _FLOOR - tall,
                width=pitch - 1,
                height=tall,
                label=span[0] if grain == 1 else f"{span[0]} 至 {span[-1]}",
                count=count,
                url=_months_url(request, span, chosen[step]) if count or chosen[step] else None,
                chosen=chosen[step],
                main=some,
                main_height=_tall(some or 0, top, room),
            )
        )
    label = spans[counts.index(peak)][0]
    summary = f"{_name(first)} 至 {_name(last)}，最高 {label}，{peak:,} 篇"
    return Histogram(
        width=steps * pitch,
        height=height,
        bars=tuple(bars),
        years=_years(spans, months, request, _LABEL / pitch, width // pitch - steps),
        caliper=_caliper(chosen, pitch, height),
        top=top,
        summary=summary,
    )


def _tall(count: int, top: int, room: int) -> int:
    return max(round(room * count / top), 1) if count else 0


def _is_chosen(span: list[str], request: SearchRequest) -> bool:
    if request.month:
        return any(month in request.month for month in span)
    if request.first is None and request.last is None:
        return False
    first, last = request.first or date.min, request.last or date.max
    return span[-1] >= first.isoformat()[:7] and span[0] <= last.isoformat()[:7]


def _months_url(request: SearchRequest, span: list[str], is_chosen: bool) -> str:
    change = removing if is_chosen and request.month else adding
    return search_url(change(request, "month", *span))


def _years(
    spans: list[list[str]],
    months: dict[str, FacetBucket],
    request: SearchRequest,
    narrowest: float,
    spare: int,
) -> tuple[Year, ...]:
    """Return the years below the bars; those that are narrower than a label share one.

    `narrowest` and `spare`, the room to the right of the last bar, are in bars.
    """
    names = sorted({span[0][:4] for span in spans})
    years = []
    room = 0  # bars since the last label
    for name in names:
        bars = sum(1 for span in spans if span[0][:4] == name)
        cells = tuple(months.get(f"{name}-{month:02}") for month in range(1, 13))
        room += bars
        labelled = room + (spare if name == names[-1] else 0) >= narrowest
        if labelled:
            room = 0
        years.append(
            Year(
                name=name,
                count=sum(cell.count for cell in cells if cell),
                bars=bars,
                labelled=labelled,
                url=search_url(
                    changed(
                        request,
                        month=(),
                        first=date(int(name), 1, 1),
                        last=date(int(name), 12, 31),
                    )
                ),
                months=cells,
            )
        )
    return tuple(years)


def _caliper(chosen: list[bool], pitch: int, height: int) -> str:
    """Return the path of one pair of jaws around each run of chosen bars."""
    path = []
    for step, is_chosen in enumerate(chosen):
        if is_chosen and not (step and chosen[step - 1]):
            path.append(f"M{step * pitch - 0.5} 0V{height}M{step * pitch - 3} .5h5")
        if is_chosen and not (step + 1 < len(chosen) and chosen[step + 1]):
            right = (step + 1) * pitch - 0.5
            path.append(f"M{right} 0V{height}M{right - 2.5} .5h5")
    return "".join(path)


def _ordinal(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def _name(ordinal: int) -> str:
    return f"{ordinal // 12:04}-{ordinal % 12 + 1:02}"


def _round_up(peak: int) -> int:
    """Return an even number at or above the peak, of one digit and zeros."""
    step = int("1" + "0" * (len(str(peak)) - 1))
    top = -(-peak // step) * step
    return top + top % 2
