"""A page as read: its blocks, and what it or its crawler declares of it."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from index.document import BEIJING
from index.errors import NotAnArticle
from index.extract.blocks import Block, clean, tidy
from index.extract.bounds import bounded
from index.extract.dates import PrintedTime, find_time, parse_iso
from index.extract.markdown import read_markdown, split_front_matter

__all__ = ["Reading", "reading_of_markdown"]


_BROKEN_LAYOUT = re.compile(r"\s{5,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What there is to cut an article from.

    `outlet` is the name of the site or account as the crawler or the page gives it, `crawled` the
    day of the crawl. `article` holds the blocks of the element that the page marks as its article,
    empty where it marks none. `declared_…` come from the page's metadata.
    """

    title: str
    url: str | None = None
    outlet: str = ""
    blocks: Sequence[Block] = ()
    article: Sequence[Block] = ()
    crawled: PrintedTime | None = None
    fetched: datetime | None = None
    cut_short: bool = False
    declared_time: PrintedTime | None = None
    declared_author: str | None = None
    declared_category: str | None = None
    declared_tags: tuple[str, ...] = field(default=())


def reading_of_markdown(text: str) -> Reading:
    """Read a page in Markdown. Raises NotAnArticle where it has no title."""
    matter, rest = split_front_matter(bounded(text, "md"))
    blocks = read_markdown(rest)
    heading = next((block for block in blocks if block.kind == "heading" and block.text), None)
    title = _printed_title(matter.get("title", "")) or (
        _printed_title(heading.text) if heading else ""
    )
    if not title:
        raise NotAnArticle("shell")
    return Reading(
        title=title,
        url=matter.get("url") or _original_address(blocks),
        outlet=tidy(matter.get("source", "")),
        blocks=blocks,
        crawled=find_time(matter.get("date", "")),
        fetched=_fetched(matter.get("fetch_date", "")),
        cut_short=text.rstrip().endswith("...") and len(text) > 7900,
    )


def _printed_title(text: str) -> str:
    """Return a title as printed: two spaces are the editor's, many are a broken layout's."""
    return _BROKEN_LAYOUT.sub(" ", clean(html.unescape(text)))


def _original_address(blocks: Sequence[Block]) -> str | None:
    """Return the address that a page without front matter gives above its title."""
    for block in blocks[:3]:
        if block.text.startswith(("原文链接", "原文地址")) and "http" in block.text:
            return block.text[block.text.index("http") :].split()[0]
        if block.kind == "heading":
            break
    return None


def _fetched(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        found = parse_iso(text) if text else None
        return found.moment if found else None
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)
