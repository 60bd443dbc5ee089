"""Extraction: a page to an article, or the reason why it holds none."""

import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from urllib.parse import urlsplit

from index.categories import category_of
from index.corpus import Page
from index.document import Article, Image
from index.extract.blocks import Block, fold, join_lines, tidy
from index.extract.bounds import (
    LONGEST_BODY,
    LONGEST_LEAD,
    LONGEST_NAME,
    LONGEST_TITLE,
    LONGEST_URL,
    MOST_IMAGES,
    MOST_TAGS,
)
from index.extract.cut import Cut, cut_page
from index.extract.decode import decode
from index.extract.fields import (
    account_of,
    find_author,
    find_category,
    find_lead,
    find_published,
    find_summary,
    find_tags,
    find_views,
    labels_lead,
)
from index.extract.furniture import (
    is_content,
    is_disclaimer,
    is_notice,
    is_promotion,
    opens_disclaimer,
)
from index.extract.markup import reading_of_html
from index.extract.reading import Reading, reading_of_markdown
from index.extract.refuse import refuse
from index.extract.sites import WECHAT, Site, site_of
from index.identity import article_id, article_key

__all__ = ["extract"]

_SITE_BORDER = re.compile(
    r"\s*[-–—_|｜·,，:：]\s*|(?<=[A-Za-z0-9])\s(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])\s"
)
_LONGEST_CAPTION = 60
_FIRST_NOTES = 3  # blocks among which a note on the article's origin may stand
_OPENING = 12  # blocks at the body's beginning among which an account advertises itself


def extract(page: Page, *, own_rules: bool = True) -> Article:
    """Return the article of a page.

    Without `own_rules` every site is read as one that has no rules of its own. Raises NotAnArticle
    with the reason: "captcha", "deleted", "links" (a bare list of links), "shell" (no text).
    """
    text = decode(page.raw)
    reading = reading_of_html(text) if page.format == "html" else reading_of_markdown(text)
    site = _site(reading) if own_rules else None
    cut = _cut(reading, site)
    refuse(reading, cut, site)
    labelled = find_lead(cut)
    body = _body(cut, reading, site, labelled)
    lead = tidy(labelled or find_summary(cut, reading.title, body))[:LONGEST_LEAD]
    published = find_published(cut, reading)
    printed = find_category(cut, reading, site)
    author = find_author(cut, reading, site)
    url = reading.url if reading.url and len(reading.url) <= LONGEST_URL else None
    return Article(
        id=article_id(article_key(url, page.path)),
        url=url,
        title=reading.title[:LONGEST_TITLE],
        published=published.moment if published else None,
        published_precision=published.precision if published else None,
        category=category_of(printed),
        category_printed=printed[:LONGEST_NAME] if printed else None,
        source=_source(cut, reading, site)[:LONGEST_NAME],
        author=author[:LONGEST_NAME] if author else None,
        tags=tuple(tag[:LONGEST_NAME] for tag in find_tags(cut, reading, site)[:MOST_TAGS]),
        lead=lead,
        body=body,
        views=find_views((*cut.above[-4:], *cut.byline), site),
        images=_images(cut.body),
        truncated=len(body) == LONGEST_BODY
        or (reading.cut_short and not any(block.text for block in cut.below)),
        fetched=reading.fetched,
    )


def _site(reading: Reading) -> Site | None:
    if site := site_of(reading.url):
        return site
    # An account's article that was kept without its address still has its byline.
    if any(WECHAT.begins.fullmatch(block.text) for block in reading.blocks[:6]):
        return WECHAT
    return None


def _cut(reading: Reading, site: Site | None) -> Cut:
    cut = cut_page(reading.blocks, reading.title, site, reading.outlet)
    if not reading.article:
        return cut
    # The page marks its article: nothing else can be in the body.
    inner = cut_page(reading.article, reading.title, site, reading.outlet)
    byline = (*cut.byline, *inner.above, *inner.byline)
    return replace(inner, above=cut.above, byline=byline)


def _body(cut: Cut, reading: Reading, site: Site | None, lead: str) -> str:
    title = fold(reading.title)
    kept: list[Block] = []
    disclaims = False
    for number, block in enumerate(cut.body):
        after_caption, disclaims = disclaims, opens_disclaimer(block)
        if (
            disclaims
            or (_is_marginal(number, cut.body) and is_disclaimer(block))
            or (after_caption and len(block.text) > _LONGEST_CAPTION)
            or block.is_contents_line
            or (lead and block.text.endswith(lead) and labels_lead(block.text))
            or ((number < 4 or block.kind == "heading") and fold(block.text) == title)
            or (site and site.leaves_out and site.leaves_out.fullmatch(block.text))
        ):
            continue
        if number < _FIRST_NOTES and is_notice(block):
            continue
        if number < _OPENING and is_promotion(block) and not any(map(is_content, kept)):
            kept.clear()
            continue
        kept.append(block)
    body = join_lines(kept)[:LONGEST_BODY]
    return body.removesuffix("...").rstrip() if reading.cut_short else body


def _is_marginal(number: int, body: Sequence[Block]) -> bool:
    """Say whether a block stands at the body's beginning or end, where laws are not quoted."""
    return number < _OPENING or number >= len(body) - _OPENING


def _source(cut: Cut, reading: Reading, site: Site | None) -> str:
    """Return the outlet's short name: 嘶吼, not 嘶吼 RoarTalk – 网络安全行业综合服务平台."""
    if site is not None and site.source:
        return site.source
    if site is WECHAT and (account := account_of(cut, reading)):
        return account
    name = next(
        (part for part in _SITE_BORDER.split(unescape(reading.outlet)) if len(part) > 1), ""
    )
    return name or _host(reading.url or "") or "未知来源"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # http://[ is no address, and may be printed as one
        return ""


def _images(body: Sequence[Block]) -> tuple[Image, ...]:
    """Return the pictures of the body; a short line right after one is its caption."""
    images: list[Image] = []
    for number, block in enumerate(body):
        if not block.images:
            continue
        after = body[number + 1] if number + 1 < len(body) else None
        is_caption = (
            not block.text
            and after is not None
            and after.kind in {"text", "quote"}
            and not after.images
            and 0 < len(after.text) <= _LONGEST_CAPTION
            and not after.text.endswith(("。", "：", ":", "！", "？", "；"))
            and not (is_content(after) and len(after.text) > _LONGEST_CAPTION // 2)
        )
        caption = after.text if is_caption and after else ""
        images += [
            replace(image, caption=image.caption or caption)
            for image in block.images
            if 0 < len(image.url) <= LONGEST_URL
        ]
    return tuple(images[:MOST_IMAGES])
