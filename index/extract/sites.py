"""The portals that are read by rules of their own: small declarations over a page's blocks."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["SITES", "WECHAT", "Site", "site_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """How one portal's pages are laid out; what is None is found as on every other site.

    The patterns must match the whole text of a block. Those of a byline are tried on the blocks
    between the title and the body.
    """

    hosts: tuple[str, ...]
    source: str | None
    """The outlet's short name; None where the page names it, as with public accounts."""
    begins: re.Pattern[str]
    """The lines of the byline: the body begins after the last of them."""
    ends: re.Pattern[str]
    """The first line that is no longer the article's."""
    leaves_out: re.Pattern[str] | None = None
    """Lines inside the article that are the site's."""
    author: re.Pattern[str] | None = None
    """A line of the byline; its group is the author."""
    author_below: re.Pattern[str] | None = None
    """The same, below the body."""
    first_line_is_author: bool = False
    """Whether the line after the title is the author's name."""
    has_author: bool = True
    category_link: re.Pattern[str] | None = None
    """The address of the byline's link to the category."""
    has_category: bool = True
    tag_link: re.Pattern[str] | None = None
    """The addresses of links to tags, below the body."""
    views: re.Pattern[str] | None = None
    """A line of the byline; its group is the number of readers."""


def _line(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


WECHAT = Site(
    hosts=("mp.weixin.qq.com",),
    source=None,
    begins=_line(r"[^。！？]{0,60}\s?\d{4}-\d\d-\d\d \d\d:\d\d(?: [^\s。，]{1,4})?"),
    ends=_line(
        r"预览时标签不可点|微信扫一扫|关注该公众号|继续滑动看下一个|轻触(?:阅读|查看)原文"
        r"|向上滑动看下一个|(?:点击)?阅读原文|作者头像"
    ),
    has_category=False,
)

SITES = (
    Site(
        hosts=("4hou.com",),
        source="嘶吼",
        begins=_line(r"收藏|导语[:：].*"),
        ends=_line(r"[^。]{0,30}翻译自[:：].*|.*如若转载，请注明(?:原文地址|出处).*|分享至"),
        first_line_is_author=True,
        category_link=re.compile(r"/category/"),
        views=_line(r"(\d+)"),
    ),
    Site(
        hosts=("freebuf.com",),
        source="FreeBuf",
        begins=_line(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?|所属地.*"),
        ends=_line(
            r"本文为.{0,40}(?:独立观点|未经授权禁止转载|转载).*|如需授权、对文章有疑问.*"
            r"|被以下专辑收录.*|相关推荐|展开更多"
        ),
        leaves_out=_line(
            r"本文由|.{0,30}创作，已纳入「FreeBuf原创奖励计划」.*|本文作者[:：].{0,40}转载请注明.*"
        ),
        has_author=False,
        category_link=re.compile(
            r"freebuf\.com/(?:articles|news|fevents|consult|column|vuls|sectool)"
        ),
    ),
    Site(
        hosts=("anquanke.com",),
        source="安全客",
        begins=_line(
            r"阅读量.*|\|?评论\d+|发布时间.*|[xX]|译文声明|本文是翻译文章.*|译文仅供参考.*|原文地址[:：].*"
        ),
        ends=_line(
            r"本文翻译自.{0,300}|商务合作，文章发布请联系.*|本文由.{1,40}原创发布.*"
            r"|转载，请参考.{0,10}转载声明.*|.{0,6}本文转载自[:：].{0,300}"
        ),
        author=_line(r".*文章原作者\s?(.+?)(?:，文章来源.*)?"),
        author_below=_line(r"本文由(.{1,40}?)原创发布"),
        has_category=False,
        tag_link=re.compile(r"^(?:https?://www\.anquanke\.com)?/tag/"),
        views=_line(r"阅读量(\d+)"),
    ),
    Site(
        hosts=("solidot.org",),
        source="Solidot",
        begins=_line(r"来自.{1,40}|.*发表于\s?\d{4}年.*"),
        # An empty line, by an invisible character, stands before the quotation of the day.
        ends=_line(r"|回复|\[?回复\]?.*|首页"),
        author=_line(r"(.+?)\s?\(\d+\)\s?发表于.*"),
        category_link=re.compile(r"/search\?tid=\d+"),
        views=_line(r"本文已被查看 (\d+) 次"),
    ),
    WECHAT,
)


def site_of(url: str | None) -> Site | None:
    """Return the rules for the pages of an address, or None where it has none of its own."""
    if not url:
        return None
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None
    return next(
        (site for site in SITES if any(host == h or host.endswith(f".{h}") for h in site.hosts)),
        None,
    )
