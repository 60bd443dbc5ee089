"""Reading a saved page in HTML: its elements as blocks."""

import logging
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString
from lxml.html import HtmlElement
from readability import Document

from index.document import Image
from index.errors import NotAnArticle
from index.extract.blocks import GAP, Block, Kind, Link, tidy
from index.extract.bounds import MOST_BLOCKS, bounded
from index.extract.furniture import is_content
from index.extract.metadata import read_metadata
from index.extract.reading import Reading

__all__ = ["reading_of_html"]

_BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div"),
        *("dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "li", "main", "nav", "ol", "p", "pre", "section"),
        *("summary", "table", "tbody", "td", "th", "thead", "tr", "ul"),
    }
)
_KINDS: dict[str, Kind] = {
    "li": "item",
    "dt": "item",
    "dd": "item",
    "blockquote": "quote",
    "tr": "table",
}
_SKIPPED = frozenset(
    {
        *("button", "canvas", "footer", "head", "iframe", "input", "nav", "noscript", "object"),
        *("option", "script", "select", "style", "svg", "template", "textarea"),
    }
)
_FURNITURE = re.compile(
    r"(?:^|[-_ ])(?:comments?|comment-?list|reply|replies|side-?bar|breadcrumbs?|shar(?:e|ing)"
    r"|social|related|recommend\w*|hot-?news|rank\w*|footer|foot|copyright|pagination|pager|nav|navbar|menu"
    r"|qrcode|reward|donate|advert\w*|ads?|banner|author-?card|toc)(?:$|[-_ ])",
    re.IGNORECASE,
)
_ALWAYS_FURNITURE = re.compile("comment|reply|related|recommend", re.IGNORECASE)
_LEAST_TEXT = 4000  # characters; an element with as many is more than its name says
_IN_ROWS = frozenset({"p", "div", "table", "ul"})
_IN_CELLS = _IN_ROWS | {"pre"}
_LOOKED_AT = 500  # nodes of one element: each may be inside of as many others as are walked
# Where a page says which element is its article; the first that holds text is taken.
_ARTICLES = (
    "[itemprop=articleBody]",
    "#js_content",
    ".entry-content",
    ".post-content",
    ".article-content",
    ".article-body",
    "#article_content",
    "#artibody",
    "#endText",
    ".post_body",
    ".post_text",
    ".article__content",
    ".rich_media_content",
    "#article-content",
    "#articleContent",
    ".main_content",
    "article",
)
_IMAGE_SOURCES = ("data-src", "data-original", "src")
_MOST_ARTICLES = 20  # elements with one mark that are compared
_LEAST_ARTICLE = 80  # characters; less is a teaser
_LONG_TAG = re.compile(r"<[^<>]{10000,}>")
_MOST_ATTRIBUTES = 1000  # of one element: libxml2 takes the square of the time for more
_NO_TEXT = {"script", "style"}  # these hold no elements
_DEEPEST = 200  # elements inside one another; more is an accident or an attack
# readability measures the whole text of each element that holds a paragraph, and of its links.
_MOST_AGAIN = 10_000_000  # characters; the most of 679 saved pages is 2,104,790
_OF_A_LINK = 100  # characters that take as long

logging.getLogger("readability").setLevel(logging.CRITICAL)  # it logs what it raises as well


def reading_of_html(text: str) -> Reading:
    """Read a page in HTML. Raises NotAnArticle where it has neither title nor text."""
    text = bounded(_LONG_TAG.sub(_uncrowded, text), "html")
    soup = _Soup(text, "lxml")
    metadata = read_metadata(soup)
    if not metadata.title:
        raise NotAnArticle("shell")
    root = soup.body or soup
    whole = list(_blocks(root))
    element = _article_element(soup)
    if element is not None:
        article = list(_blocks(element))
    else:
        article = _readable(text, whole) if soup.again <= _MOST_AGAIN else []
    return Reading(
        title=metadata.title,
        url=metadata.url,
        outlet=metadata.outlet,
        blocks=whole,
        article=article,
        declared_time=metadata.time,
        declared_author=metadata.author,
        declared_category=metadata.category,
        declared_tags=metadata.tags,
    )


class _Soup(BeautifulSoup):
    """A parsed page without the elements below a depth, whose text their parent keeps.

    Beautiful Soup goes up to the root for each element that ends: a depth of thousands takes it
    the square of the time. `again` is the number of characters that one would read who reads each
    element's whole text, a link counted as some.
    """

    again: int
    _kept: list[bool]  # for each element that is open

    def reset(self) -> None:
        super().reset()
        self.again = 0
        self._kept = []

    def handle_starttag(self, name: str, *args: Any, **values: Any) -> Tag | None:
        self._kept.append(len(self.tagStack) <= _DEEPEST or name in _NO_TEXT)
        self.again += _OF_A_LINK * len(self.tagStack) if name == "a" else 0
        return super().handle_starttag(name, *args, **values) if self._kept[-1] else None

    def handle_endtag(self, *args: Any) -> None:
        if self._kept.pop():
            super().handle_endtag(*args)

    def handle_data(self, data: str) -> None:
        self.again += len(data) * len(self.tagStack)
        super().handle_data(data)


def _uncrowded(match: re.Match[str]) -> str:
    """Return a tag, empty where it has more attributes than any page writes by itself."""
    tag = match[0]
    return "" if max(tag.count("="), len(tag.split())) > _MOST_ATTRIBUTES else tag


def _article_element(soup: BeautifulSoup) -> Tag | None:
    found: dict[str, list[Tag]] = {}
    for tag in soup.find_all(True):
        for mark in _marks(tag):
            if mark in _ARTICLES and len(found.setdefault(mark, [])) < _MOST_ARTICLES:
                found[mark].append(tag)
    for mark in _ARTICLES:
        lengths = [(len(tag.get_text(strip=True)), tag) for tag in found.get(mark, ())]
        length, best = max(lengths, key=lambda pair: pair[0], default=(0, None))
        if length > _LEAST_ARTICLE:
            return best
    return None


def _marks(tag: Tag) -> Iterator[str]:
    """Give what an element is known by, as selectors."""
    yield tag.name
    yield f"#{tag.get('id')}"
    yield f"[itemprop={tag.get('itemprop')}]"
    yield from (f".{name}" for name in tag.get("class") or ())


def _readable(text: str, whole: list[Block]) -> list[Block]:
    """Return the article that readability finds, unless it loses most of the page's text."""
    try:
        summary = _Document(text).summary(html_partial=True)
    except Exception:  # readability lets errors of lxml and of its own through, of many classes
        return []
    blocks = list(_blocks(BeautifulSoup(summary, "lxml")))
    return blocks if any(map(is_content, blocks)) or not any(map(is_content, whole)) else []


class _Document(Document):  # type: ignore[misc]  # readability has no types
    """A page to readability, which asks for the links of each element inside one another anew."""

    def get_link_density(self, elem: HtmlElement) -> float:
        """Return which part of an element's characters stands in links."""
        linked = sum(map(_length, elem.findall(".//a")))
        return linked / max(_length(elem), 1)


def _length(element: HtmlElement) -> int:
    return len(" ".join(element.text_content().split()))


def _blocks(root: Tag) -> Iterator[Block]:
    yield from islice(_Walk().walk(root), MOST_BLOCKS)


class _Walk:
    """Gathers the text between the borders of block elements, with its links and images."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._unlinked: list[str] = []
        self._in_link = False
        self._links: list[Link] = []
        self._images: list[Image] = []
        self._level = 0

    def walk(self, element: Tag, kind: Kind = "text", depth: int = 0) -> Iterator[Block]:
        """Give the blocks of an element, in order."""
        for child in element.children:
            if isinstance(child, NavigableString):
                if not isinstance(child, PreformattedString):
                    text = re.sub(r"\s+", " ", str(child))
                    self._pieces.append(text)
                    if not self._in_link:
                        self._unlinked.append(text)
                continue
            if not isinstance(child, Tag) or _is_skipped(child):
                continue
            name = child.name
            if name == "br":
                yield from self._flush(kind)
            elif name == "pre":
                yield from self._flush(kind)
                lines = child.get_text().splitlines()
                yield from (Block("code", line.rstrip()) for line in lines if line.strip())
            elif name == "img":
                self._image(child)
            elif name in _BLOCKS:
                yield from self._flush(kind)
                if name in {"h1", "h2", "h3", "h4", "h5", "h6"}:
                    self._level = int(name[1])
                    yield from self.walk(child, "heading", depth + 1)
                    yield from self._flush("heading")
                    self._level = 0
                elif name == "tr":
                    yield from self._row(child, depth + 1)
                else:
                    inner = _KINDS.get(name, kind)
                    yield from self.walk(child, inner, depth + 1)
                    yield from self._flush(inner)
            else:
                href = child.get("href") if name == "a" else None
                was_in_link, self._in_link = self._in_link, self._in_link or bool(href)
                start = len(self._pieces)
                yield from self.walk(child, kind, depth + 1)
                self._in_link = was_in_link
                if isinstance(href, str):
                    said = "".join(self._pieces[start:])
                    self._links.append(Link(tidy(said), href.strip()))
        if depth == 0:
            yield from self._flush(kind)

    def _row(self, row: Tag, depth: int) -> Iterator[Block]:
        cells = [child for child in row.children if isinstance(child, Tag)]
        if not any(cell.name == "td" for cell in cells) and _holds(row, _IN_ROWS):
            yield from self.walk(row, "table", depth)
        cells = [cell for cell in cells if cell.name in {"td", "th"}]
        if len(cells) < 3 and any(_holds(cell, _IN_CELLS) for cell in cells):
            # A table for layout: its cells hold paragraphs.
            for cell in cells:
                yield from self.walk(cell, "text", depth)
                yield from self._flush("text")
            return
        text = GAP.join(filter(None, (tidy(cell.get_text(" ", strip=True)) for cell in cells)))
        if text:
            yield Block("table", text)

    def _image(self, tag: Tag) -> None:
        for name in _IMAGE_SOURCES:
            source = tag.get(name)
            if isinstance(source, str) and source.strip() and not source.startswith("data:"):
                self._images.append(Image(url=source.strip(), caption=""))
                return

    def _flush(self, kind: Kind) -> Iterable[Block]:
        text = tidy("".join(self._pieces))
        if text or self._images:
            unlinked = tidy("".join(self._unlinked))
            links, images = tuple(self._links), tuple(self._images)
            yield Block(kind, text, links, images, self._level, unlinked=unlinked)
        self._pieces.clear()
        self._unlinked.clear()
        self._links.clear()
        self._images.clear()


def _is_skipped(tag: Tag) -> bool:
    if tag.name in _SKIPPED:
        return True
    names = " ".join(filter(None, [str(tag.get("id") or ""), " ".join(tag.get("class") or [])]))
    if names and _FURNITURE.search(names) and tag.name not in {"body", "html", "main", "article"}:
        return bool(_ALWAYS_FURNITURE.search(names)) or not _says_more(tag, _LEAST_TEXT)
    style = tag.get("style")
    return isinstance(style, str) and "display:none" in style.replace(" ", "").lower()


def _says_more(tag: Tag, characters: int) -> bool:
    """Say whether an element's text is that long; no more of it is read than it takes."""
    for number, text in enumerate(tag.stripped_strings):
        characters -= len(text)
        if characters <= 0 or number > _LOOKED_AT:
            return True
    return False


def _holds(tag: Tag, names: frozenset[str]) -> bool:
    """Say whether an element has others of these names inside, among the first that it has."""
    inside = islice(tag.descendants, _LOOKED_AT)
    return any(isinstance(child, Tag) and child.name in names for child in inside)
