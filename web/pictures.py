"""The pictures of /trends: numbers of SVGs, each part of which leads to the search it counts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from search.backends.base import Searcher
from search.request import SearchRequest
from search.results import FacetPair
from search.syntax import quoted
from web.charts import month_bars, places
from web.facets import Row
from web.params import adding, changed, search_url
from web.spans import Span, in_force, month_span, narrowed

__all__ = ["Layer", "Segment", "Stack", "StackRow", "companions", "stack"]

_LAYERS = 5  # categories told apart: more patterns would not be
_WIDTH, _HEIGHT = 672, 224
_GAP = 1  # pixels of paper between two segments
_COMPANIONS = 15
_LABEL = 64  # pixels of a year that is labelled: on a phone the picture is half as wide
_REST = "其余与未分类"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A category in the picture, or all others: `fill` is the number of its pattern."""

    name: str
    fill: int
    count: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The articles of one layer in one bar."""

    x: int
    y: int
    width: int
    height: int
    fill: int
    label: str
    count: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRow:
    """A bar as a row of the table: for each layer its count and link, None where it has none."""

    label: str
    url: str
    count: int
    cells: tuple[tuple[int, str] | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Bars by month, quarter or year, in layers by category, the largest at the foot."""

    width: int
    height: int
    layers: tuple[Layer, ...]
    segments: tuple[Segment, ...]
    rows: tuple[StackRow, ...]
    years: tuple[tuple[str, int, bool], ...]
    top: int
    summary: str


def stack(searcher: Searcher, request: SearchRequest) -> Stack | None:
    """Return the coverage by month and category, None where no article has a date.

    The request is one that `settled` gives: then each part counts what its address finds.
    """
    pairs = searcher.facet_pairs(request, "month", "category")
    totals = Counter(
        {pair.value: pair.count for pair in searcher.facet_pairs(request, "month", "month")}
    )
    if not totals:
        return None
    spans = month_bars(totals)
    names = _commonest(pairs)
    counts = [[0] * (len(names) + 1) for _ in spans]
    for at, span in enumerate(spans):
        every = sum(count for month, count in totals.items() if span.covers(month_span(month)))
        for pair in pairs:
            if pair.other in names and span.covers(month_span(pair.value)):
                counts[at][names.index(pair.other)] += pair.count
        counts[at][-1] = every - sum(counts[at])
    requests = [_of_category(request, name) for name in names]
    layers = [*names, _REST] if any(row[-1] for row in counts) else names
    requests.append(_of_others(request, names))
    bars = [sum(row) for row in counts]
    top = max(bars)
    rows = tuple(_rows(request, requests[: len(layers)], spans, counts))
    years = sorted({span.first.year for span in spans})
    widths = [sum(1 for span in spans if span.first.year == year) for year in years]
    peak = _label(spans[bars.index(top)])
    return Stack(
        width=_WIDTH,
        height=_HEIGHT,
        layers=tuple(
            Layer(
                name=name,
                fill=at + 1 if at < len(names) else _LAYERS + 1,
                count=sum(row[at] for row in counts),
                url=search_url(requests[at]),
            )
            for at, name in enumerate(layers)
        ),
        segments=tuple(_segments(layers, rows, len(names), top)),
        rows=tuple(row for row in rows if row.count),
        years=tuple(
            (f"{year:04}", steps, steps * _WIDTH // len(spans) >= _LABEL)
            for year, steps in zip(years, widths, strict=True)
        ),
        top=top,
        summary=f"{min(totals)} 至 {max(totals)}，最高 {peak}，{top:,} 篇",
    )


def companions(searcher: Searcher, request: SearchRequest) -> list[Row]:
    """Return the organisations that stand out in what a request finds, the most named first.

    What a row counts are the articles that its address finds: those of the request that name it
    too. Organisations that the request chooses therefore become words of its query, since a filter
    holds where any of its values does.
    """
    chosen = request.organisation
    base = request
    if chosen:
        words = " OR ".join(f"机构:{quoted(name)}" for name in chosen)
        words = f"({words})" if len(chosen) > 1 else words
        base = changed(request, query=f"{words} {request.query}".strip(), organisation=())
    known = [each.name for name in chosen if (each := searcher.organisation(name))]
    found = searcher.associated(base, "organisation", tuple(known), size=_COMPANIONS)
    rows = [
        Row(
            name=each.value,
            count=each.count,
            of=each.total,
            url=search_url(adding(base, "organisation", each.value)),
        )
        for each in found
    ]
    if not rows and not chosen:  # in all there is, or in few articles, nothing stands out
        named = searcher.facet(base, "organisation", size=_COMPANIONS).buckets
        rows = [
            Row(
                name=bucket.value,
                count=bucket.count,
                url=search_url(adding(base, "organisation", bucket.value)),
            )
            for bucket in named
        ]
    return sorted(rows, key=lambda row: -(row.count or 0))


def _commonest(pairs: Iterable[FacetPair]) -> list[str]:
    counts = Counter[str]()
    for pair in pairs:
        counts[pair.other] += pair.count
    return [name for name, _ in counts.most_common(_LAYERS)]


def _of_category(request: SearchRequest, name: str) -> SearchRequest:
    return changed(request, category=(name,))


def _of_others(request: SearchRequest, names: Sequence[str]) -> SearchRequest:
    """Return the request for what has none of the categories."""
    if request.category:
        named = {name.casefold() for name in names}
        rest = tuple(name for name in request.category if name.casefold() not in named)
        return changed(request, category=rest)
    excluded = dict.fromkeys((*request.exclude_category, *names))
    return changed(request, exclude_category=tuple(excluded))


def _inside(request: SearchRequest, span: Span) -> SearchRequest:
    """Return the request for what of its own time is in a span."""
    if request.month:
        kept = tuple(month for month in request.month if month_span(month).meets(span))
        return changed(request, month=kept)
    for forced in in_force(request):
        span = span.clipped(forced)
    return narrowed(request, span)


def _rows(
    request: SearchRequest,
    requests: Sequence[SearchRequest],
    spans: Sequence[Span],
    counts: Sequence[Sequence[int]],
) -> Iterable[StackRow]:
    for span, row in zip(spans, counts, strict=True):
        cells = tuple(
            (count, search_url(_inside(one, span))) if count else None
            for one, count in zip(requests, row, strict=False)
        )
        url = search_url(_inside(request, span)) if any(row) else ""
        yield StackRow(label=_label(span), url=url, count=sum(row), cells=cells)


def _segments(
    layers: Sequence[str], rows: Sequence[StackRow], named: int, top: int
) -> Iterable[Segment]:
    edges = places(len(rows), _WIDTH)
    for at, row in enumerate(rows):
        below = 0
        for number, cell in enumerate(row.cells):
            if cell is None:
                continue
            foot, below = below, below + cell[0]
            low, high = (round(_HEIGHT * count / top) for count in (foot, below))
            if high == low:
                continue  # too few to be seen; the table has them
            tall = high - low - _GAP if high - low > _GAP else high - low
            yield Segment(
                x=edges[at],
                y=_HEIGHT - low - tall,
                width=edges[at + 1] - edges[at] - 2,
                height=tall,
                fill=number + 1 if number < named else _LAYERS + 1,
                label=f"{row.label}，{layers[number]}",
                count=cell[0],
                url=cell[1],
            )


def _label(span: Span) -> str:
    first, last = span.first.isoformat()[:7], span.last.isoformat()[:7]
    if first == last:
        return first
    return first[:4] if (first[5:], last[5:]) == ("01", "12") else f"{first} 至 {last}"
