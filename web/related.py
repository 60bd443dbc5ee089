"""Why articles are related, in words: for the pages, the JSON and the command alike."""

from collections.abc import Iterable, Sequence
from itertools import chain

from search.related import DraftMark, DraftSource, Reason
from web.markup import day

__all__ = ["MARKS", "paragraphs_text", "reason_parts", "reason_text", "reasons_text", "source_note"]

_LABELS = {
    "event": "同一事件",
    "identifier": "同一编号",
    "group": "同一团伙",
    "organisation": "共同提及",
    "words": "用词相近",
}

MARKS: dict[DraftMark, str] = {"new": "新写", "covered": "已报", "copied": "雷同", "short": "太短"}


def reason_parts(reason: Reason) -> tuple[str, str]:
    """Return what an article shares, as a label, and the values, as a list in words."""
    return _LABELS[reason.kind], "、".join(reason.values)


def reason_text(reason: Reason) -> str:
    """Return one reason: 同一编号 CVE-2026-31337."""
    label, values = reason_parts(reason)
    if not values:
        return label
    return f"{label}：{values}" if reason.kind == "words" else f"{label} {values}"


def reasons_text(reasons: Iterable[Reason]) -> str:
    """Return all reasons, the most telling first."""
    return "；".join(map(reason_text, reasons))


def paragraphs_text(numbers: Sequence[int]) -> str:
    """Name paragraphs by their numbers: 第 1、3 段, 第 13 至 19 段."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = ([f"{run[0]} 至 {run[-1]}"] if len(run) > 2 else list(map(str, run)) for run in runs)
    return f"第 {'、'.join(chain.from_iterable(parts))} 段"


def source_note(source: DraftSource) -> str:
    """Say where an article has what a paragraph says, and how much is word for word the same."""
    hit = source.hit
    parts = [f"{hit.source} {day(hit.published) if hit.published else '日期不详'}"]
    if source.paragraphs:
        parts.append(paragraphs_text(source.paragraphs))
    alike = sum(passage.end - passage.start for passage in source.passages)
    if alike:
        manner = "连续" if len(source.passages) == 1 else f"{len(source.passages)} 处共"
        parts.append(f"{manner} {alike:,} 字相同")
    return "，".join(parts)
