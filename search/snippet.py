"""Highlights and snippets: what of a text matched, and the window that shows it best."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from index.analysis import Analyzer
from search.query import BooleanQuery, PhraseQuery, PrefixQuery, Query, TermQuery
from search.results import Highlight, Snippet

__all__ = ["Highlighter", "snippet"]

WIDTH = 120  # characters: three lines at the measure of a result list
_LEAD_IN = 24  # characters before the first match, where a sentence does not begin nearer
_STOPS = "。！？!?\n；;"
_ELLIPSIS = "……"

_Span = tuple[int, int, int]
"""Start, end, and the number of the clause that matched."""


class Highlighter:
    """Finds what the clauses of a query match in a text, unit by unit, without cutting words."""

    def __init__(self, query: BooleanQuery, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._clauses = list(dict.fromkeys(_clauses(query)))

    def spans(self, text: str, field: str) -> list[_Span]:
        """Return every match in the text of a field, ordered; they may overlap."""
        clauses = [
            (number, clause)
            for number, clause in enumerate(self._clauses)
            if field in clause.fields
        ]
        if not clauses or not text:
            return []
        units, normal = self._analyzer.units(text)
        # Each unit and each part of an identifier, by what it says.
        places: dict[str, list[tuple[int, int, int]]] = {}
        for index, unit in enumerate(units):
            places.setdefault(unit.text, []).append((index, unit.start, unit.end))
            for part, offset in unit.parts():
                start = unit.start + offset
                places.setdefault(part, []).append((index, start, start + len(part)))
        found: set[_Span] = set()
        for number, clause in clauses:
            is_prefix = isinstance(clause, PrefixQuery)
            for start, end in _sequences(clause.units, places, is_prefix=is_prefix):
                found.add((*normal.span(start, end), number))
        return sorted(found)

    def highlights(self, text: str, field: str) -> tuple[Highlight, ...]:
        """Return what to mark in the text of a field: ordered, not overlapping."""
        return _merge(self.spans(text, field))


def snippet(highlighter: Highlighter, lead: str, body: str) -> Snippet:
    """Return the window that shows most of the query, from the body or else the lead.

    Without a match it is the beginning of the lead, or of the body where there is no lead.
    """
    for text, field in ((body, "body"), (lead, "lead")):
        if spans := highlighter.spans(text, field):
            return _window(text, spans)
    return _window(lead or body, [])


def _clauses(query: Query) -> Iterator[TermQuery | PhraseQuery | PrefixQuery]:
    if isinstance(query, BooleanQuery):
        for part in (*query.must, *query.should):
            yield from _clauses(part)
    elif isinstance(query, TermQuery | PhraseQuery | PrefixQuery):
        yield query


def _sequences(
    wanted: Sequence[str], places: dict[str, list[tuple[int, int, int]]], *, is_prefix: bool
) -> Iterator[tuple[int, int]]:
    """Give start and end of each place where `wanted` stands unit after unit."""

    def at(text: str, *, last: bool) -> Iterable[tuple[int, int, int]]:
        if is_prefix and last:
            return (
                place
                for known, found in places.items()
                if known.startswith(text)
                for place in found
            )
        return places.get(text, ())

    runs = [(index, start, end) for index, start, end in at(wanted[0], last=len(wanted) == 1)]
    for number, text in enumerate(wanted[1:], 2):
        following = {index: end for index, _, end in at(text, last=number == len(wanted))}
        runs = [
            (index + 1, start, following[index + 1])
            for index, start, _ in runs
            if index + 1 in following
        ]
    for _, start, end in runs:
        yield start, end


def _merge(spans: Iterable[_Span]) -> tuple[Highlight, ...]:
    merged: list[Highlight] = []
    for start, end, _ in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _window(text: str, spans: list[_Span]) -> Snippet:
    marks = _merge(spans)
    start = min(_best_start(text, spans), max(0, len(text) - WIDTH)) if spans else 0
    end = min(len(text), start + WIDTH)
    inside = [mark for mark in marks if mark[1] > start and mark[0] < end]
    if inside:
        # Never cut a match: one that is longer than the window stretches it.
        start, end = min(start, inside[0][0]), max(end, inside[-1][1])
    before, after = _ELLIPSIS if start else "", _ELLIPSIS if end < len(text) else ""
    shift = len(before) - start
    return Snippet(
        text=before + text[start:end].replace("\n", " ") + after,
        highlights=tuple((mark[0] + shift, mark[1] + shift) for mark in inside),
    )


def _best_start(text: str, spans: list[_Span]) -> int:
    """Return where the window with the most different clauses, then the most matches, begins."""
    starts = [span[0] for span in spans]
    best = (0, 0, 0)
    for first, span in enumerate(spans):
        last = bisect_left(starts, span[0] + WIDTH - _LEAD_IN)
        held = spans[first:last]
        score = (len({number for _, _, number in held}), len(held), -first)
        if first == 0 or score > best:
            best = score
    at = starts[-best[2]]
    floor = max(0, at - _LEAD_IN)
    # Begin with the sentence where it begins near enough.
    stop = max(text.rfind(mark, floor, at) for mark in _STOPS)
    start = stop + 1 if stop >= 0 else floor
    return start + len(text[start:at]) - len(text[start:at].lstrip())
