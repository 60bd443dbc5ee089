"""Cutting a page: where the title stands, which lines are its byline, where the body ends."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.extract.blocks import Block, fold
from index.extract.dates import find_time
from index.extract.furniture import (
    closes_article,
    is_address,
    is_byline,
    is_content,
    is_footer,
    is_labelled_byline,
    is_notice,
    is_promotion,
    opens_references,
)
from index.extract.sites import Site

__all__ = ["Cut", "cut_page"]

_SITE_NAME = re.compile(r"\s[-–—_|｜]\s[^。]{2,40}$")
# A first letter that folding leaves as it is, but for its case; an accent may follow another.
_PLAIN_START = re.compile(r"[\u4e00-\u9fff]|[A-Za-z0-9](?=[\x00-\x7f]|\Z)")
_NAVIGATION = 300  # characters of text that a portal may have above its article
_LONGEST_HEAD = 150  # lines of a portal's head
_BYLINE_LINES = 40  # how far below the title a byline may reach
_GAP_LINES = 3  # between two lines of one byline
_ACCOUNT_LINES = 6  # how far below the title a public account's name may stand
_SCRAP = 6  # characters; less at the end of a page is a button
_APPENDIX = 0.2  # of the text before it, which an advertisement and what follows may have
_FEW_LINKS = 4  # links in a row, and nothing else, that are a list of other pages


@dataclass(frozen=True, slots=True)
class Cut:
    """A page in four parts, each a run of its blocks."""

    above: Sequence[Block]
    byline: Sequence[Block]
    body: Sequence[Block]
    below: Sequence[Block]


def cut_page(blocks: Sequence[Block], title: str, site: Site | None, outlet: str = "") -> Cut:
    """Cut a page by its site's rules, or by what is common to all.

    `outlet` is the name under which the crawler knows the page's account or site. The `weights` of
    blocks, below, are the lengths of those that read like text, and 0 for all others.
    """
    weights = [len(block.text) if is_content(block) else 0 for block in blocks]
    at = _find_title(blocks, weights, title, site)
    start = _find_start(blocks, at, site, outlet)
    end = _find_end(blocks, weights, start, site)
    return Cut(blocks[:at], blocks[at:start], blocks[start:end], blocks[end:])


def _find_title(
    blocks: Sequence[Block], weights: Sequence[int], title: str, site: Site | None
) -> int:
    """Return the place after the title's last occurrence above the text, 0 where it stands nowhere.

    Pages print it up to three times above the article, again as its first line, and in lists
    below it.
    """
    wanted = {fold(title), fold(_SITE_NAME.sub("", title))} - {""}
    firsts = {text[0] for text in wanted}
    half = max(_NAVIGATION, sum(weights) / 2)
    found, seen = 0, 0
    for number, block in enumerate(blocks):
        if seen > half or (found and _tells_time(block, site)):
            break
        # Folding is slow, and most lines begin with another letter than the title.
        first = _PLAIN_START.match(block.text)
        if (not first or first[0].lower() in firsts) and (
            fold(block.text) in wanted or fold(_SITE_NAME.sub("", block.text)) in wanted
        ):
            found = number + 1
        seen += weights[number]
    if site is not None and not _has_byline(blocks, found, found + _BYLINE_LINES, site):
        # Editors change titles after the crawler has seen the first. A page with several bylines
        # is a list of articles.
        places = [n for n in range(found, len(blocks)) if _tells_time(blocks[n], site)]
        if places and places[-1] - places[0] < _BYLINE_LINES and places[0] < _LONGEST_HEAD:
            return places[0]
    return found


def _has_byline(blocks: Sequence[Block], start: int, end: int, site: Site) -> bool:
    return any(site.begins.fullmatch(block.text) for block in blocks[start:end])


def _tells_time(block: Block, site: Site | None) -> bool:
    if site is not None:
        return bool(site.begins.fullmatch(block.text))
    return is_labelled_byline(block) and find_time(block.text) is not None


def _find_start(blocks: Sequence[Block], at: int, site: Site | None, outlet: str) -> int:
    if site is None:
        return _find_general_start(blocks, at)
    start = at
    for number in range(at, min(len(blocks), at + _BYLINE_LINES)):
        text = blocks[number].text
        is_account = site.source is None and number < at + _ACCOUNT_LINES and text == outlet
        if is_account or site.begins.fullmatch(text):
            start = number + 1
        elif start > at and number - start > _GAP_LINES:
            break
    return start


def _find_general_start(blocks: Sequence[Block], at: int) -> int:
    start, passed = at, 0
    for number in range(at, min(len(blocks), at + _BYLINE_LINES)):
        block = blocks[number]
        if is_labelled_byline(block):
            start = number + 1
        elif is_content(block) and not is_byline(block):
            # One paragraph may stand inside a byline: a summary.
            passed += 1
            if passed > 1:
                break
    while start < len(blocks) and _is_loose(blocks[start]):
        start += 1
    return start


def _is_loose(block: Block) -> bool:
    return (is_byline(block) and not is_content(block) and not block.images) or is_notice(block)


def _find_end(
    blocks: Sequence[Block], weights: Sequence[int], start: int, site: Site | None
) -> int:
    end = len(blocks)
    if site is not None:
        for number in range(start, end):
            if not blocks[number].images and site.ends.fullmatch(blocks[number].text):
                end = number
                break
    if site is None or site.source is None:
        end = _without_appendix(blocks, weights, start, end)
    if site is None:
        end = _without_link_list(blocks, weights, start, end)
    while end > start and _is_tail(blocks[end - 1], site):
        end -= 1
    return _without_references(blocks, weights, start, end)


def _without_appendix(blocks: Sequence[Block], weights: Sequence[int], start: int, end: int) -> int:
    """Return where what follows an article begins: other articles, comments, advertisement.

    The same words stand inside articles too, so no more text may follow than a share of it.
    """
    before, after = 0, sum(weights[start:end])
    for number in range(start, end):
        block = blocks[number]
        if after <= before and closes_article(block):
            return number
        if after <= _APPENDIX * before and (is_promotion(block) or is_notice(block)):
            return number
        before += weights[number]
        after -= weights[number]
    return end


def _without_link_list(
    blocks: Sequence[Block], weights: Sequence[int], start: int, end: int
) -> int:
    """Return where a list of links begins that is followed by no more text than came before."""
    run = 0
    before = sum(weights[start:end])
    seen = 0
    for number in range(start, end):
        block = blocks[number]
        run = run + 1 if block.is_link else run if not block.text else 0
        if run >= _FEW_LINKS and seen >= before * 0.6:
            return number + 1 - run
        seen += weights[number]
    return end


def _is_tail(block: Block, site: Site | None) -> bool:
    if block.kind == "code":
        return False
    if not block.text:
        return site is None or not block.images
    if is_notice(block) or is_footer(block) or is_address(block) or block.kind == "heading":
        return True
    if site is not None and site.source is not None:
        return False
    is_scrap = len(block.text) < _SCRAP and not is_content(block) and block.kind == "text"
    return is_labelled_byline(block) or (
        site is None and (is_scrap or (is_byline(block) and not is_content(block)))
    )


def _without_references(
    blocks: Sequence[Block], weights: Sequence[int], start: int, end: int
) -> int:
    after = 0
    before = sum(weights[start:end])
    for number in range(end - 1, max(start, end - 60), -1):
        block = blocks[number]
        if after > _APPENDIX * before:
            break
        if opens_references(blocks[number:end]):
            return number
        if not is_address(block):
            after += weights[number]
    return end
