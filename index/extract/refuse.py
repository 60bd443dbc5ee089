"""Refusing pages that hold no article: captchas, notices, lists of links, empty shells."""

import re
from collections.abc import Iterable, Sequence
from math import inf

from index.errors import NotAnArticle
from index.extract.blocks import Block, fold
from index.extract.cut import Cut
from index.extract.fields import find_lead
from index.extract.furniture import is_content, is_labelled_byline
from index.extract.reading import Reading
from index.extract.sites import Site

__all__ = ["refuse"]

_CAPTCHA = re.compile(
    "当前环境异常|完成验证后即可继续访问|请完成(?:安全|下列|以下)?验证|拖动滑块|人机(?:身份)?验证"
    "|验证码错误|Just a moment|Checking your browser|Verify you are human|Attention Required"
)
_GONE = re.compile(
    "(?:该|此)(?:内容|文章|页面|帖子|账号|公众号|网页)(?:已|因|涉嫌).{0,20}"
    "(?:删除|违规|违反|屏蔽|迁移|封禁|停用|过期|下线|无法查看|投诉)"
    "|(?:文章|页面|内容|帖子|网页)(?:不存在|已被?删除|已下线|未找到|找不到了)"
    "|(?:404|410) (?:Not Found|Gone|页面)|404错误|Page [Nn]ot [Ff]ound|传送失败"
    "|链接已(?:过期|失效)|您(?:访问|查看)的(?:页面|内容|文章)(?:不存在|已)"
)
_SHORTEST = 20  # letters and Han characters; less is no article's text
_SHORT = 150  # a notice stands on a page with hardly anything else
_LEAST_PROSE = 40  # the same, where nothing else tells an article from a menu
_TITLE = 8  # letters that a title has at least
_LISTED = 0.5  # share of a body's text in links beyond which it is a list of links
_FEW_LINKS, _MANY_LINKS = 8, 20  # how many make a list, on a short page and on any


def refuse(reading: Reading, cut: Cut, site: Site | None) -> None:
    """Raise NotAnArticle where a page holds none.

    Reasons: "captcha", "deleted", "links" (a bare list of links), "shell" (no text to speak of).
    """
    links = [link for block in cut.body for link in block.links]
    linked = _letters(link.text for link in links)
    # Where a page says as much, the rest of it changes nothing.
    enough = max(linked / _LISTED, linked + _SHORT)
    said = _letters((block.text for block in cut.body), enough)
    own = said - linked
    if own < _SHORT:
        whole = "\n".join(block.text for block in reading.blocks[:80])
        if _CAPTCHA.search(whole):
            raise NotAnArticle("captcha")
        if _GONE.search(whole) or _GONE.search(reading.title):
            raise NotAnArticle("deleted")
    if linked > _LISTED * said and len(links) >= (_FEW_LINKS if own < _SHORT else _MANY_LINKS):
        raise NotAnArticle("links")
    # Some articles are a picture, but they have a lead or a byline of their own.
    is_pictured = any(block.images for block in cut.body)
    is_signed = is_pictured and any(map(is_labelled_byline, cut.byline))
    if site is None and not is_signed and _prose(cut.body) < _LEAST_PROSE:
        raise NotAnArticle("links" if _listed(cut) >= _FEW_LINKS else "shell")
    if said < _SHORTEST and not is_signed and len(find_lead(cut)) < _SHORTEST:
        raise NotAnArticle("shell")


def _listed(cut: Cut) -> int:
    """Return how many links on a page are as long as titles are."""
    links = (link for part in (cut.byline, cut.body, cut.below) for b in part for link in b.links)
    return sum(len(fold(link.text)) >= _TITLE for link in links)


def _prose(blocks: Sequence[Block]) -> int:
    """Return how many letters stand in lines that read like text, links left out, or enough."""
    return _letters((block.own_text for block in blocks if is_content(block)), _LEAST_PROSE)


def _letters(texts: Iterable[str], enough: float = inf) -> int:
    """Return how many letters and digits stand in texts; the counting ends where it is enough."""
    count = 0
    for text in texts:
        if count >= enough:
            break
        count += len(fold(text))
    return count
