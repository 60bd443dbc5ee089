"""Hits: what of an article matched, and the window of its text that shows it best."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from index.analysis import Analyzer, normalise
from index.document import Article
from search.query import BooleanQuery, PhraseQuery, PrefixQuery, Query, WordQuery
from search.results import Highlight, Hit, Snippet

__all__ = ["Highlighter", "make_hit", "snippet"]

WIDTH = 120  # characters: three lines at the measure of a result list
_LEAD_IN = 24  # characters before the first match, where a sentence does not begin nearer
_STOPS = "。！？!?\n；;"
_ELLIPSIS = "……"
_LATIN = re.compile(r"[0-9A-Za-z@/:.,_-]+")
_REST = re.compile(rf"{_LATIN.pattern}\s*")
_LONG_WORD = 30  # characters: a longer one is cut rather than left out

_normalised = lru_cache(maxsize=4096)(normalise)  # the best hits are shown again and again

_Span = tuple[int, int, int]
"""Start, end, and the number of the clause that matched."""


class _Clause(NamedTuple):
    """What a clause marks in some fields: any of several sequences of units."""

    fields: tuple[str, ...]
    sequences: tuple[tuple[str, ...], ...]
    is_prefix: bool = False


class Highlighter:
    """Finds what the clauses of a query match in a text, without cutting it into words."""

    def __init__(self, query: BooleanQuery, analyzer: Analyzer) -> None:
        self._finder = analyzer.finder
        self._wanted: dict[str, list[tuple[int, tuple[str, ...], bool]]] = defaultdict(list)
        for number, clause in enumerate(dict.fromkeys(_clauses(query))):
            for field in clause.fields:
                self._wanted[field] += [
                    (number, sequence, clause.is_prefix)
                    for sequence in clause.sequences
                    if sequence
                ]

    def spans(self, text: str, field: str) -> list[_Span]:
        """Return every match in the text of a field, ordered; they may overlap."""
        normal = _normalised(text)
        return sorted(
            (*normal.span(start, end), number)
            for number, units, is_prefix in self._wanted.get(field, ())
            if units[0] in normal.text  # the finder asks too: most synonyms stand nowhere
            for start, end in self._finder.find(normal.text, units, is_prefix=is_prefix)
        )

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


def make_hit(
    article: Article,
    highlighter: Highlighter | None = None,
    score: float = 0.0,
    missing: tuple[str, ...] = (),
) -> Hit:
    """Return an article as a hit, with what matched in it marked; without a query nothing did."""
    return Hit(
        id=article.id,
        url=article.url,
        title=article.title,
        title_highlights=highlighter.highlights(article.title, "title") if highlighter else (),
        snippet=snippet(highlighter, article.lead, article.body)
        if highlighter
        else _window(article.lead or article.body, []),
        published=article.published,
        published_precision=article.published_precision,
        category=article.category,
        category_predicted=article.category_predicted,
        source=article.source,
        author=article.author,
        organisations=article.organisations,
        salient_count=sum(mention.salient for mention in article.mentions),
        identifiers=article.identifiers,
        score=round(score, 4),
        duplicate_count=0,
        missing=missing,
    )


def _clauses(query: Query) -> Iterator[_Clause]:
    match query:
        case BooleanQuery():
            for part in (*query.must, *query.should):
                yield from _clauses(part)
        case WordQuery():
            units = tuple(dict.fromkeys(variant.units for variant in query.variants))
            yield _Clause(query.fields, units)
        case PhraseQuery():
            yield _Clause(query.fields, query.parts)
        case PrefixQuery():
            yield _Clause(query.fields, (query.units,), is_prefix=True)


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
    start = _after_word(text, start, inside[0][0] if inside else end)
    end = _before_word(text, end, inside[-1][1] if inside else start)
    before, after = _ELLIPSIS if start else "", _ELLIPSIS if end < len(text) else ""
    shift = len(before) - start
    return Snippet(
        text=before + text[start:end].replace("\n", " ") + after,
        highlights=tuple((mark[0] + shift, mark[1] + shift) for mark in inside),
    )


def _best_start(text: str, spans: list[_Span]) -> int:
    """Return where the window with the most different clauses, then the most matches, begins."""
    held: Counter[int] = Counter()  # how often the window has each clause
    best, at, last = (0, 0), 0, 0
    for first, (start, _, number) in enumerate(spans):
        while last < len(spans) and spans[last][0] < start + WIDTH - _LEAD_IN:
            held[spans[last][2]] += 1
            last += 1
        score = len(held), last - first
        if score > best:
            best, at = score, start
        held[number] -= 1
        if not held[number]:
            del held[number]
    floor = max(0, at - _LEAD_IN)
    # Begin with the sentence where it begins near enough.
    stop = max(text.rfind(mark, floor, at) for mark in _STOPS)
    start = stop + 1 if stop >= 0 else floor
    return start + len(text[start:at]) - len(text[start:at].lstrip())


def _after_word(text: str, start: int, most: int) -> int:
    """Return where a window begins that would begin inside a Latin word, a number or an address."""
    if not (start and _LATIN.match(text, start - 1)):
        return start
    word = _REST.match(text, start)
    return word.end() if word and word.end() <= most and len(word[0]) < _LONG_WORD else start


def _before_word(text: str, end: int, least: int) -> int:
    """Return where a window ends that would end inside such a word."""
    if not _LATIN.match(text, end):
        return end
    first = end
    while first > least and _LATIN.match(text, first - 1):
        first -= 1
    return first if first > least and end - first < _LONG_WORD else end
