"""Recognising the organisations of an article: candidates of all kinds, folded into mentions."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from index.document import Evidence, FieldName, Mention, OrganisationType
from index.entities.contexts import find_by_context
from index.entities.definitions import (
    defined_names,
    find_local_bodies,
    find_local_names,
    local_names,
)
from index.entities.names import NameFinder, fold_text
from index.entities.salience import is_salient
from index.entities.spans import Span, choose_spans, sentence_bounds
from index.entities.suffixes import find_by_suffix
from index.entities.table import OrganisationTable, fold_name
from index.entities.unlisted import unlisted_names

__all__ = ["recognise"]

_EVIDENCE_LENGTH = 120  # characters
_MOST_EVIDENCE = 100  # sentences of an organisation
_LONGEST = 100_000  # a book is no article


def recognise(title: str, lead: str, body: str, table: OrganisationTable) -> tuple[Mention, ...]:
    """Return the organisations that an article names, in order of appearance.

    The offsets of an evidence are those of its own field. Of a body the first _LONGEST characters
    are read.
    """
    texts: dict[FieldName, str] = {"title": title, "lead": lead, "body": body[:_LONGEST]}
    candidates = {field: _candidates(text, table) for field, text in texts.items()}
    spans = {field: choose_spans(found) for field, found in candidates.items()}
    new = unlisted_names(texts, candidates, spans, table) | find_local_bodies(texts, table)
    _add(new, texts, candidates, spans)
    _add(_article_names(texts, spans, table), texts, candidates, spans)
    listed = {field: _support_listed(texts[field], found) for field, found in spans.items()}
    return _mentions(texts, listed, table)


@lru_cache(maxsize=4)
def _finder(table: OrganisationTable) -> NameFinder:
    return NameFinder(table)


def _candidates(text: str, table: OrganisationTable) -> list[Span]:
    if not text:
        return []
    known = list(_finder(table).find(text, fold_text(text)))
    return [*known, *find_by_suffix(text, known, table), *find_by_context(text, table)]


def _add(
    names: dict[str, Span],
    texts: dict[FieldName, str],
    candidates: dict[FieldName, list[Span]],
    spans: dict[FieldName, list[Span]],
) -> None:
    """Add the places of names to the candidates, and choose the spans anew."""
    for field, text in texts.items() if names else ():
        # Before the others: of two spans for the same characters the first wins.
        candidates[field] = [*find_local_names(text, names), *candidates[field]]
        spans[field] = choose_spans(candidates[field])


def _article_names(
    texts: dict[FieldName, str], spans: dict[FieldName, list[Span]], table: OrganisationTable
) -> dict[str, Span]:
    """Return names that hold in this article only: defined, shortened, or found by context once."""
    names: dict[str, Span] = {}
    strong = {field: [span for span in found if not span.weak] for field, found in spans.items()}
    for field, text in texts.items():
        for name, owner in local_names(text, strong[field], table):
            names.setdefault(name, owner)
    for field, text in texts.items():
        for span in strong[field]:
            surface = text[span.start : span.end]
            if table.find(surface) is None and len(surface) > 2:
                names.setdefault(surface, span)
    return names


def _support_listed(text: str, spans: list[Span]) -> list[Span]:
    """Return the spans; a weak company in a list with another one is no longer weak: 百度、阿里."""
    joined = "、和与及,，/"
    sure = [span for span in spans if span.type == "company" and not span.weak]
    starts = {span.start for span in sure}
    ends = {span.end for span in sure}
    return [
        replace(span, weak=False)
        if span.weak
        and span.type == "company"
        and (
            (text[span.end : span.end + 1] in joined and span.end + 1 in starts)
            or (text[span.start - 1 : span.start] in joined and span.start - 1 in ends)
        )
        else span
        for span in spans
    ]


def _mentions(
    texts: dict[FieldName, str], spans: dict[FieldName, list[Span]], table: OrganisationTable
) -> tuple[Mention, ...]:
    places: dict[str, list[tuple[FieldName, Span]]] = {}
    for field, found in spans.items():
        for span in found:
            places.setdefault(fold_name(span.name or ""), []).append((field, span))
    return tuple(
        _mention(group, texts, table)
        for group in places.values()
        if not all(span.weak for _, span in group)
    )


def _mention(
    group: list[tuple[FieldName, Span]], texts: dict[FieldName, str], table: OrganisationTable
) -> Mention:
    surfaces = {texts[field][span.start : span.end] for field, span in group}
    types: list[OrganisationType] = [span.type for _, span in group]
    return Mention(
        name=group[0][1].name or "",
        type=types[0],
        salient=is_salient(types[0], group, texts),
        surfaces=tuple(sorted(surfaces, key=lambda surface: (-len(surface), surface))),
        evidence=tuple(islice(_evidence(group, texts), _MOST_EVIDENCE)),
        defined=tuple(
            dict.fromkeys(
                short for field, span in group for short in defined_names(texts[field], span, table)
            )
        ),
    )


def _evidence(
    group: list[tuple[FieldName, Span]], texts: dict[FieldName, str]
) -> Iterator[Evidence]:
    """Yield the first place in each sentence that names an organisation, strong names first."""
    told: set[tuple[FieldName, int]] = set()
    for field, span in sorted(group, key=lambda place: place[1].weak):
        text = texts[field]
        first, last = sentence_bounds(text, span)
        if (field, first) not in told:
            told.add((field, first))
            spare = max(0, _EVIDENCE_LENGTH - (span.end - span.start)) // 2
            left, right = max(first, span.start - spare), min(last + 1, span.end + spare)
            yield Evidence(
                field=field, start=span.start, end=span.end, text=text[left:right].strip()
            )
