"""Related articles and a checked draft as lines for a terminal."""

from collections.abc import Iterator, Sequence

from search.related import DraftParagraph, DraftReport, RelatedHit
from search.results import Hit
from web.draft import verdict
from web.markup import day, web_address
from web.related import MARKS, paragraphs_text, reasons_text, source_note

__all__ = ["draft_lines", "related_lines"]

_NAMES = 3  # near names after one that the archive has not


def related_lines(related: Sequence[RelatedHit]) -> Iterator[str]:
    """Give three lines an article: when, where and what; why; the address."""
    for found in related:
        yield f"{_day(found.hit)}  {found.hit.source}  {found.hit.title}"
        if found.reasons:
            yield f"  {reasons_text(found.reasons)}"
        yield f"  {web_address(found.hit.url) or found.hit.id}"
    yield f"共 {len(related)} 篇相关报道"


def draft_lines(report: DraftReport) -> Iterator[str]:
    """Give each paragraph with its mark and sources, then names, then related articles."""
    whole = verdict(report)
    marks = "，".join(text for _, text in whole.counts)
    yield f"{whole.paragraphs} 段，{whole.characters} 字：{marks}（库中 {report.articles:,} 篇）"
    for paragraph in report.paragraphs:
        yield ""
        yield from _paragraph_lines(paragraph)
    if report.names:
        yield ""
        yield "稿中机构与编号，最近一次报道"
        for name in report.names:
            yield f"  {name.name}  {_day(name.latest)} {name.latest.source}（共 {name.count:,} 篇）"
    if report.unseen:
        yield ""
        yield "库中未见，请核对写法"
        for unseen in report.unseen:
            near = "、".join(f"{name}（{count:,} 篇）" for name, count in unseen.near[:_NAMES])
            places = paragraphs_text(unseen.paragraphs) if unseen.paragraphs else ""
            told = "，".join(part for part in (places, near and f"近似：{near}") if part)
            yield f"  {unseen.name}  {told}".rstrip()
    if report.related:
        yield ""
        yield "相关报道"
        yield from (f"  {line}" for line in related_lines(report.related))


def _paragraph_lines(paragraph: DraftParagraph) -> Iterator[str]:
    yield f"第 {paragraph.number} 段  {MARKS[paragraph.mark]}"
    yield f"  {paragraph.text}"
    for source in paragraph.sources:
        yield f"  → {source.hit.title}"
        yield f"    {source_note(source)}  {web_address(source.hit.url) or source.hit.id}"
        for passage in source.passages:
            yield f"    相同：“{paragraph.text[passage.start : passage.end]}”"
    if paragraph.others:
        yield f"  另有 {paragraph.others:,} 篇"


def _day(hit: Hit) -> str:
    return day(hit.published) if hit.published else "日期不详"
