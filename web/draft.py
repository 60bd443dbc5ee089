"""The draft check: which paragraphs are new, reported before, or the same as another outlet's."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request

from index.errors import QueryError
from search import Searcher
from search.related import MAX_PARAGRAPHS, DraftMark, DraftParagraph, DraftReport, Passage
from search.results import Highlight
from web.draft_input import MAX_DRAFT, DraftInput, read_form, unlogged
from web.related import MARKS, paragraphs_text, reasons_text, source_note

__all__ = ["Bar", "Verdict", "merged", "register", "verdict"]

_RELATED = 8
_WIDTH = 1000  # of the strip's view box
_GAP = 3  # between two paragraphs, where there is room for it
_ROOM = 60  # paragraphs that leave room for gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One paragraph on the strip, as wide as it is long."""

    mark: DraftMark
    x: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a draft comes to: the numbers above its paragraphs."""

    paragraphs: int
    characters: int
    bars: tuple[Bar, ...]
    counts: tuple[tuple[DraftMark, str], ...]
    summary: str


def register(pages: Blueprint, searcher: Searcher) -> None:
    """Add the routes to the pages."""

    def page(draft: DraftInput, **found: Any) -> str:
        return render_template(
            "draft.html",
            draft=draft,
            articles=searcher.statistics().articles,
            most=MAX_DRAFT,
            most_paragraphs=MAX_PARAGRAPHS,
            marks=MARKS,
            merged=merged,
            paragraphs_text=paragraphs_text,
            reasons_text=reasons_text,
            source_note=source_note,
            **found,
        )

    @pages.get("/draft")
    def draft() -> str:
        return page(DraftInput())

    @pages.post("/draft")
    def check_draft() -> str | tuple[str, int]:
        with unlogged():
            sent = read_form(request)
            if not sent.text.strip():
                return page(sent, problem="还没有稿件。请把正文贴进下面的框里，再按“核对”。"), 400
            if sent.is_too_long:
                length = len(sent.title) + len(sent.text)
                return page(
                    sent,
                    problem=f"稿件有 {length:,} 字，一次最多核对 {MAX_DRAFT:,} 字。"
                    "稿件仍在下面的框里，请分几次核对。",
                ), 413
            if sent.paragraphs > MAX_PARAGRAPHS:
                return page(
                    sent,
                    problem=f"稿件有 {sent.paragraphs:,} 段，一次最多核对 {MAX_PARAGRAPHS} 段。"
                    "稿件仍在下面的框里，请分几次核对。",
                ), 413
            try:
                report = searcher.check_draft(sent.title, sent.text, size=_RELATED)
            except QueryError:  # neither empty nor too long: there is no word in it
                return page(sent, problem="稿件里没有可以核对的词句，请贴入正文。"), 400
            return page(sent, report=report, verdict=verdict(report))


def verdict(report: DraftReport) -> Verdict:
    """Return what a draft comes to."""
    paragraphs = report.paragraphs
    lengths = [len(paragraph.text) for paragraph in paragraphs]
    tally = Counter(paragraph.mark for paragraph in paragraphs)
    counts = tuple(
        (mark, f"{label} {tally[mark]:,} 段") for mark, label in MARKS.items() if tally[mark]
    )
    copied = sum(_copied(paragraph) for paragraph in paragraphs)
    return Verdict(
        paragraphs=len(paragraphs),
        characters=sum(lengths),
        bars=_bars(paragraphs, lengths),
        counts=tuple(
            (mark, f"{text}，共 {copied:,} 字" if mark == "copied" else text)
            for mark, text in counts
        ),
        summary="按篇幅：" + "，".join(text for _, text in counts),
    )


def merged(passages: Iterable[Passage]) -> tuple[Highlight, ...]:
    """Return where passages stand in their paragraph, overlapping ones as one."""
    found: list[Highlight] = []
    for start, end in sorted((passage.start, passage.end) for passage in passages):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def _copied(paragraph: DraftParagraph) -> int:
    passages = (passage for source in paragraph.sources for passage in source.passages)
    return sum(end - start for start, end in merged(passages))


def _bars(paragraphs: tuple[DraftParagraph, ...], lengths: list[int]) -> tuple[Bar, ...]:
    whole = sum(lengths) or 1
    gap = _GAP if len(paragraphs) <= _ROOM else 0
    bars, before = [], 0
    for paragraph, length in zip(paragraphs, lengths, strict=True):
        left = round(before / whole * _WIDTH)
        before += length
        right = round(before / whole * _WIDTH)
        width = right - left - (gap if before < whole else 0)
        bars.append(Bar(mark=paragraph.mark, x=left, width=max(width, 1)))
    return tuple(bars)
