"""The fields of an article besides its text, read from a page's byline and the lines below it."""

import re
from collections.abc import Iterable
from datetime import timedelta

from index.extract.blocks import GAP, Block, fold
from index.extract.cut import Cut
from index.extract.dates import PrintedTime, find_time
from index.extract.furniture import is_byline, is_content, is_labelled_byline, is_notice
from index.extract.reading import Reading
from index.extract.sites import Site

__all__ = [
    "account_of",
    "find_author",
    "find_category",
    "find_lead",
    "find_published",
    "find_summary",
    "find_tags",
    "find_views",
    "labels_lead",
]

_AUTHOR = re.compile(
    r"(?:.{0,40}[\s|·•])?(?:作\s?者|文\s?[/／|丨]|撰文|作者/来源|Author\b|By\b(?!-))\s?[:：|/／]?\s?"
    r"(?P<name>[^\s:：|，。；;()（）\[\]【】][^|，。；;()（）\[\]【】\n]{0,30}?)"
    r"(?:\s?[|·•].*|\s+(?:来源|來源|发布|發佈|發布|更新|编辑|責編|责编|时间|時間|日期|阅读|\d{4}[-/.年]).*)?",
    re.IGNORECASE | re.DOTALL,
)
_BY_HAND = re.compile(
    r"原创\s(?P<author>\S.*?)\s{2}(?P<account>\S.*?)\s{2}|(?P<author_>\S.*?)\s{2}(?P<account_>\S.*?)\s{2}|(?P<alone>\S.*?)\s{2}"
)
_PERSON_URL = re.compile(
    r"/(?:member|user|users|author|authors|people|u|space|profile)/|/~|^https?://[^/]+/[\w-]+$"
)
_CATEGORY_URL = re.compile(
    r"/(?:categor(?:y|ies)|channel|column|section|topics?|cat|fenlei|class|list)[/=]|[?&](?:tid|cid|cat|fid)=|/category_"
)
_TAG_URL = re.compile(r"/tags?/|[?&]tags?=|/label/")
_CATEGORY = re.compile(
    r".{0,40}?(?:分类|栏目|频道|Category|Categories)\s?[:：]\s?(?P<name>[^\s|，,；;]{1,20}).*",
    re.DOTALL,
)
_TAGS = re.compile(
    r"(?:文章|本文|相关)?(?:标签|標籤|关键词|關鍵詞|关键字|Tags?)\s?[:：]\s?(?P<names>.{1,200})",
    re.DOTALL | re.I,
)
_TAG_BORDER = re.compile(r"[,，、;；|#/\s]+")
_LEAD = re.compile(
    r"(?:导语|導語|摘要|导读|導讀|核心提示|内容摘要|内容提要|编者按)\s?[:：]\s?(?P<lead>.*)"
    r"|[【\[](?:导语|導語|摘要|导读|導讀|核心提示|编者按)[】\]]\s?[:：]?\s?(?P<lead_>.*)",
    re.DOTALL,
)
_VIEWS = re.compile(
    r".{0,40}?(?:阅读|浏览|查看|热度|人气|围观|点击|访问)(?:量|数|次数)?\s?[:：(（]?\s?(?P<after>[\d,.]+)\s?(?P<unit>[万wWkK])?"
    r"|.{0,40}?(?P<before>[\d,.]+)\s?(?P<unit_>[万wWkK])?\s?(?:次|人)?(?:阅读|浏览|查看|围观|views)",
    re.DOTALL | re.IGNORECASE,
)
_UNITS = {"万": 10_000, "w": 10_000, "k": 1_000}
_NAME = re.compile(r"[^\[\]:：()（）。，、！？《》“”|]{2,20}")
_LONGEST_NAME = 24
_ABOVE = 6  # lines above the title that may hold its time or category


def find_published(cut: Cut, reading: Reading) -> PrintedTime | None:
    """Return when the article appeared: as printed, else as declared, else the crawl's day."""
    # The crawler meets an article within a day; a later time is that of an edit.
    known = reading.crawled.moment if reading.crawled else reading.fetched
    latest = known + timedelta(days=2) if known else None
    byline = [block for block in cut.byline if is_labelled_byline(block)]
    for blocks in (byline, cut.byline, cut.above[-_ABOVE:]):
        for block in blocks:
            if is_content(block) and not is_labelled_byline(block):
                continue
            found = find_time(block.text, reading.fetched)
            if found and (latest is None or found.moment <= latest):
                declared = reading.declared_time
                if found.precision == "day" and declared and declared.precision == "minute":
                    return declared
                return found
    return reading.declared_time or reading.crawled


def find_author(cut: Cut, reading: Reading, site: Site | None) -> str | None:
    """Return the author's name as printed."""
    lines = [block for block in cut.byline if block.text]
    if site is not None:
        if not site.has_author:
            return None
        for pattern, blocks in ((site.author, cut.byline), (site.author_below, cut.below)):
            for block in blocks if pattern else ():
                if pattern and (match := pattern.fullmatch(block.text)):
                    return match[1].strip() or None
        if site.first_line_is_author:
            return lines[0].text if lines else None
        if site.source is None:
            return _account_byline(lines, reading.outlet)[0]
    if reading.declared_author:
        return reading.declared_author
    for block in lines:
        if len(block.text) < 100 and (match := _AUTHOR.fullmatch(block.text)):
            return match["name"].replace(GAP, " ").strip()
    for block in lines:
        for link in block.links:
            if _PERSON_URL.search(link.url) and 0 < len(link.text) <= _LONGEST_NAME:
                return link.text
    return _first_line(lines, reading.title)


def _first_line(lines: list[Block], title: str) -> str | None:
    """Return a name that stands alone between the title and the time."""
    for block in lines[:2]:
        if block.kind == "text" and not block.links and not is_byline(block):
            is_name = _NAME.fullmatch(block.text) and fold(block.text) != fold(title)
            return block.text if is_name else None
    return None


def account_of(cut: Cut, reading: Reading) -> str | None:
    """Return the public account that a page names in its byline."""
    lines = [block for block in cut.byline if block.text]
    return _account_byline(lines, reading.outlet)[1]


def _account_byline(lines: list[Block], outlet: str) -> tuple[str | None, str | None]:
    """Return the author and the account that the byline of a public account's article names."""
    for block in lines:
        if (time := re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", block.text)) and GAP in block.text:
            match = _BY_HAND.fullmatch(block.text[: time.start()].rstrip(" ") + GAP)
            if match:
                author = match["author"] or match["author_"]
                account = match["account"] or match["account_"] or match["alone"]
                return author, account.removeprefix("原创").strip() or None
    names = [block.text for block in lines if block.text not in {"原创", "cover_image"}]
    if outlet in names:
        before = names[: names.index(outlet)]
        return (before[-1] if before and len(before[-1]) <= 40 else None), outlet
    return None, outlet or None


def find_category(cut: Cut, reading: Reading, site: Site | None) -> str | None:
    """Return the category as printed."""
    if site is not None and not site.has_category:
        return None
    pattern = site.category_link if site and site.category_link else _CATEGORY_URL
    above = cut.above[: -_ABOVE - 1 : -1] if site else ()
    for block in (*cut.byline, *above):
        for link in block.links:
            if pattern.search(link.url) and 0 < len(link.text) <= _LONGEST_NAME:
                return link.text.strip()
        if site is None and (match := _CATEGORY.fullmatch(block.text)):
            return match["name"]
    return reading.declared_category


def find_tags(cut: Cut, reading: Reading, site: Site | None) -> tuple[str, ...]:
    """Return the tags as printed, in order."""
    pattern = site.tag_link if site and site.tag_link else _TAG_URL
    below = cut.below[:30]
    tags: dict[str, None] = {}
    for block in below if site else (*cut.byline, *cut.body[-3:], *below):
        for link in block.links:
            if pattern.search(link.url) and 0 < len(link.text) <= _LONGEST_NAME:
                tags[link.text.strip("# ")] = None
        if site is None and not block.links and (match := _TAGS.fullmatch(block.text)):
            tags |= dict.fromkeys(filter(None, _TAG_BORDER.split(match["names"])))
    return tuple(tags) or reading.declared_tags


def find_lead(cut: Cut) -> str:
    """Return what the page labels as a summary, without the label; empty where there is none."""
    for block in (*cut.byline, *cut.body[:3]):
        match = _LEAD.fullmatch(block.text)
        if match and (lead := (match["lead"] or match["lead_"] or "").strip()):
            return lead
    return ""


def labels_lead(text: str) -> bool:
    """Say whether a line is a summary with its label before it."""
    return _LEAD.fullmatch(text) is not None


def find_summary(cut: Cut, title: str, body: str) -> str:
    """Return a paragraph that stands inside the byline, unless the body begins with it."""
    for block in cut.byline:
        if is_content(block) and not is_labelled_byline(block) and not is_notice(block):
            if fold(block.text) == fold(title):
                continue
            start = fold(block.text.rstrip("…."))[:60]
            return "" if start in fold(body[:2000]) else block.text
    return ""


def find_views(blocks: Iterable[Block], site: Site | None) -> int | None:
    """Return how often the page says it was read."""
    for block in blocks:
        if site and site.views:
            if match := site.views.fullmatch(block.text):
                return int(match[1])
        elif not site and len(block.text) < 140 and (match := _VIEWS.match(block.text)):
            number = (match["after"] or match["before"]).replace(",", "")
            unit = (match["unit"] or match["unit_"] or "").lower()
            try:
                return round(float(number) * _UNITS.get(unit, 1))
            except ValueError:
                continue
    return None
