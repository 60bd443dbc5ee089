"""Spans: candidate places of organisations in one field, and the choice between them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from index.document import OrganisationType

__all__ = ["Span", "choose_spans", "sentence_bounds"]

_SENTENCE_END = re.compile("[。！？!?；;\n]")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of a field name an organisation.

    A trap has no `name`: it keeps what lies inside it from being found. `weak` says that the
    organisation must be named elsewhere in the article for this span to count.
    """

    start: int
    end: int
    name: str | None
    type: OrganisationType = "other"
    weak: bool = False


def choose_spans(candidates: Iterable[Span]) -> list[Span]:
    """Return the spans that remain when the longest wins each overlap, in order of appearance.

    Of two equal ones the first given wins. Traps do their work and are left out.
    """
    taken: list[Span] = []
    used: set[int] = set()
    for span in sorted(candidates, key=lambda span: (span.start - span.end, span.start)):
        places = range(span.start, span.end)
        if used.isdisjoint(places):
            used.update(places)
            taken.append(span)
    return sorted((span for span in taken if span.name), key=lambda span: span.start)


def sentence_bounds(text: str, span: Span) -> tuple[int, int]:
    """Return where the sentence around a span begins, and where it ends, its mark left out."""
    start = max(text.rfind(mark, 0, span.start) for mark in "。！？!?；;\n") + 1
    end = _SENTENCE_END.search(text, span.end)
    return start, end.start() if end else len(text)
