"""Spans: candidate places of organisations in one field, and the choice between them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from index.document import OrganisationType

__all__ = ["Span", "choose_spans", "sentence_bounds"]

_LONGEST_SENTENCE = 1_000
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
    """Return where the sentence around a span begins, and where it ends, its mark left out.

    What has no mark within _LONGEST_SENTENCE characters on a side is cut there.
    """
    left = max(0, span.start - _LONGEST_SENTENCE)
    right = min(len(text), span.end + _LONGEST_SENTENCE)
    begin = max(text.rfind(mark, left, span.start) for mark in "。！？!?；;\n")
    end = _SENTENCE_END.search(text, span.end, right)
    return begin + 1 if begin >= 0 else left, end.start() if end else right
