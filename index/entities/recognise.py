"""Recognising the organisations of an article: candidates of all kinds, folded into mentions."""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from index.document import Evidence, Mention, OrganisationType
from index.entities.contexts import find_by_context
from index.entities.definitions import find_local_names, local_names
from index.entities.names import NameFinder, fold_text
from index.entities.spans import Span, choose_spans
from index.entities.suffixes import find_by_suffix
from index.entities.table import OrganisationTable, fold_name

__all__ = ["recognise"]

_FieldName = Literal["title", "lead", "body"]
_MOST_EVIDENCE = 3
_EVIDENCE_LENGTH = 120
_SENTENCE_END = re.compile("[。！？!?；;\n]")
# An organisation named this early in the body, or this often, acts in the story.
_EARLY = 400
_OFTEN = 3


def recognise(title: str, lead: str, body: str, table: OrganisationTable) -> tuple[Mention, ...]:
    """Return the organisations that an article names, in order of appearance.

    The offsets of an evidence are those of its own field.
    """
    texts: dict[_FieldName, str] = {"title": title, "lead": lead, "body": body}
    candidates = {field: _candidates(text, table) for field, text in texts.items()}
    spans = {field: choose_spans(found) for field, found in candidates.items()}
    names = _article_names(texts, spans, table)
    if names:
        for field, text in texts.items():
            candidates[field] += find_local_names(text, names)
            spans[field] = choose_spans(candidates[field])
    listed = {field: _support_listed(texts[field], found) for field, found in spans.items()}
    return _mentions(texts, listed)


@lru_cache(maxsize=4)
def _finder(table: OrganisationTable) -> NameFinder:
    return NameFinder(table)


def _candidates(text: str, table: OrganisationTable) -> list[Span]:
    if not text:
        return []
    known = list(_finder(table).find(text, fold_text(text)))
    return [*known, *find_by_suffix(text, known, table), *find_by_context(text, table)]


def _article_names(
    texts: dict[_FieldName, str], spans: dict[_FieldName, list[Span]], table: OrganisationTable
) -> dict[str, Span]:
    """Return names that hold in this article only: defined, shortened, or found by context once."""
    names: dict[str, Span] = {}
    for field, text in texts.items():
        strong = [span for span in spans[field] if not span.weak]
        for name, owner in local_names(text, strong, table):
            names.setdefault(name, owner)
        for span in strong:
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
    texts: dict[_FieldName, str], spans: dict[_FieldName, list[Span]]
) -> tuple[Mention, ...]:
    places: dict[str, list[tuple[_FieldName, Span]]] = {}
    for field, found in spans.items():
        for span in found:
            places.setdefault(fold_name(span.name or ""), []).append((field, span))
    return tuple(
        _mention(group, texts)
        for group in places.values()
        if not all(span.weak for _, span in group)
    )


def _mention(group: list[tuple[_FieldName, Span]], texts: dict[_FieldName, str]) -> Mention:
    surfaces = {texts[field][span.start : span.end] for field, span in group}
    types: list[OrganisationType] = [span.type for _, span in group]
    return Mention(
        name=group[0][1].name or "",
        type=types[0],
        salient=_is_salient(types[0], group),
        surfaces=tuple(sorted(surfaces, key=lambda surface: (-len(surface), surface))),
        evidence=tuple(_evidence(texts[field], field, span) for field, span in _telling(group)),
    )


def _is_salient(type_: OrganisationType, group: list[tuple[_FieldName, Span]]) -> bool:
    fields = {field for field, _ in group}
    if "title" in fields:
        return True
    if type_ == "media":  # most often only the source of a report
        return False
    if "lead" in fields:
        return True
    return len(group) >= _OFTEN or group[0][1].start < _EARLY


def _telling(
    group: list[tuple[_FieldName, Span]],
) -> Iterable[tuple[_FieldName, Span]]:
    """Return the first places; a strong one is among them."""
    return sorted(group, key=lambda place: place[1].weak)[:_MOST_EVIDENCE]


def _evidence(text: str, field: _FieldName, span: Span) -> Evidence:
    spare = max(0, _EVIDENCE_LENGTH - (span.end - span.start)) // 2
    left, right = max(0, span.start - spare), min(len(text), span.end + spare)
    for stop in _SENTENCE_END.finditer(text, left, span.start):
        left = stop.end()
    if after := _SENTENCE_END.search(text, span.end, right):
        right = after.end()
    return Evidence(field=field, start=span.start, end=span.end, text=text[left:right].strip())
