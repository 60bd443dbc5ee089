"""What a page in HTML declares of itself: JSON-LD, meta elements, and marked names and times."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any

from bs4 import BeautifulSoup, Tag

from index.document import BEIJING
from index.extract.blocks import fold, tidy
from index.extract.dates import PrintedTime, parse_iso

__all__ = ["Metadata", "read_metadata"]

_TIMES = (
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datePublished",
    "weibo: article:create_at",
    "firstpublishedtime",
    "pubdate",
    "publishdate",
    "publish-date",
    "publication_date",
    "date",
    "dc.date",
)
_TITLE_BORDER = re.compile(r"\s*(?:[|｜_]|\s[-–—]\s|--|—)\s*|(?<=\S)[-–](?=[^-–]{2,20}$)")
_SCRIPT_TIME = re.compile(r"""\bct\s*=\s*["'](1[0-9]{9})["']""")
_LONGEST_OUTLET = 16
_BYLINES = {"byline", "entry-meta"}
_LOOKED_ABOVE = 50  # elements around one


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a page declares; empty or None where it declares nothing."""

    title: str
    url: str | None
    outlet: str
    time: PrintedTime | None
    author: str | None
    category: str | None
    tags: tuple[str, ...]


def read_metadata(soup: BeautifulSoup) -> Metadata:
    """Return what a page declares of itself."""
    data = _linked_data(soup)
    metas = _metas(soup)
    title = _title(soup, metas, data)
    tags = re.split("[,，;；]", metas.get("article:tag", ""))
    return Metadata(
        title=title,
        url=_address(soup, metas, data),
        outlet=_account(soup) or _outlet(metas, data) or _title_tail(soup, title),
        time=_time(soup, metas, data),
        author=_author(soup, metas, data),
        category=tidy(metas.get("article:section", "")) or None,
        tags=tuple(filter(None, map(tidy, tags))),
    )


def _metas(soup: BeautifulSoup) -> dict[str, str]:
    found: dict[str, str] = {}
    for meta in soup.find_all("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop")
        content = meta.get("content")
        if isinstance(name, str) and isinstance(content, str) and content.strip():
            found.setdefault(name.strip().lower(), content.strip())
    return found


def _linked_data(soup: BeautifulSoup) -> dict[str, Any]:
    """Return the JSON-LD object of the page's article, empty where there is none."""
    for script in soup.find_all("script"):
        if script.get("type") != "application/ld+json":
            continue
        try:
            value = json.loads(script.get_text(), strict=False)
        except (ValueError, RecursionError):
            continue
        for entry in _objects(value):
            kinds = entry.get("@type")
            if any(
                "Article" in str(kind) or kind in {"BlogPosting", "Report"} for kind in _list(kinds)
            ):
                return entry
            if "pubDate" in entry and "title" in entry:
                return {"headline": entry["title"], "datePublished": entry["pubDate"]}
    return {}


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    for entry in _list(value):
        if isinstance(entry, dict):
            yield entry
            yield from (graph for graph in _list(entry.get("@graph")) if isinstance(graph, dict))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _title(soup: BeautifulSoup, metas: dict[str, str], data: dict[str, Any]) -> str:
    page = soup.title.get_text() if soup.title else ""
    full = tidy(page)
    headings = [
        tidy(tag.get_text(" ", strip=True)) for tag in soup.find_all(["h1", "h2"], limit=12)
    ]
    declared = tidy(
        str(data.get("headline") or metas.get("og:title") or metas.get("twitter:title") or "")
    )
    # A heading that begins the page's title is the article's; the rest of the title is the site's.
    for heading in headings:
        if len(fold(heading)) > 3 and full and fold(full).startswith(fold(heading)):
            return heading
    if declared:
        return next((h for h in headings if fold(h) == fold(declared)), declared)
    if len(ones := soup.find_all("h1")) == 1:
        only = tidy(ones[0].get_text(" ", strip=True))
        if len(only) > 3:
            return only
    return _TITLE_BORDER.split(full)[0] if full else (headings[0] if headings else "")


def _address(soup: BeautifulSoup, metas: dict[str, str], data: dict[str, Any]) -> str | None:
    links = (link for link in soup.find_all("link") if "canonical" in (link.get("rel") or ()))
    href = canonical.get("href") if (canonical := next(links, None)) else None
    for url in (href, metas.get("og:url"), data.get("url")):
        if isinstance(url, str) and url.strip().startswith(("http://", "https://")):
            return url.strip()
    return None


def _outlet(metas: dict[str, str], data: dict[str, Any]) -> str:
    publisher = next(
        (entry for entry in _list(data.get("publisher")) if isinstance(entry, dict)), {}
    )
    return tidy(
        str(
            metas.get("og:site_name")
            or publisher.get("name")
            or metas.get("application-name")
            or ""
        )
    )


def _account(soup: BeautifulSoup) -> str:
    """Return the public account of an article saved from WeChat."""
    element = _first(soup, _names_account)
    return tidy(element.get_text()) if element else ""


def _title_tail(soup: BeautifulSoup, title: str) -> str:
    """Return the site's name, where it ends the page's title."""
    parts = _TITLE_BORDER.split(tidy(soup.title.get_text())) if soup.title else []
    last = parts[-1].strip() if len(parts) > 1 else ""
    return last if 1 < len(last) <= _LONGEST_OUTLET and fold(last) not in fold(title) else ""


def _time(soup: BeautifulSoup, metas: dict[str, str], data: dict[str, Any]) -> PrintedTime | None:
    element = _first(soup, lambda tag: tag.name == "time" and tag.has_attr("datetime")) or _first(
        soup, lambda tag: tag.get("itemprop") == "datePublished"
    )
    printed = ""
    if element is not None:
        printed = str(element.get("datetime") or element.get("content") or element.get_text())
    lowered = (metas.get(name.lower(), "") for name in _TIMES)
    for value in chain((str(data.get("datePublished") or ""),), lowered, (printed,)):
        if value and (found := parse_iso(value)):
            return found
    # WeChat writes its time by a script, from a number of seconds.
    for script in soup.find_all("script"):
        if match := _SCRIPT_TIME.search(script.get_text()):
            moment = datetime.fromtimestamp(int(match[1]), BEIJING)
            return PrintedTime(moment, "minute")
    return None


def _author(soup: BeautifulSoup, metas: dict[str, str], data: dict[str, Any]) -> str | None:
    names = [
        entry.get("name") if isinstance(entry, dict) else entry
        for entry in _list(data.get("author"))
    ]
    element = _first(soup, _names_author)
    names.append(element.get_text(" ", strip=True) if element else None)
    # Portals put their own name there.
    outlet = _outlet(metas, data)
    names += [name for name in (metas.get("article:author"), metas.get("author")) if name != outlet]
    for name in names:
        if (
            isinstance(name, str)
            and 0 < len(tidy(name)) <= 40
            and "://" not in name
            and "@" not in name
        ):
            return tidy(name)
    return None


# Of thousands of elements: selectors take twenty times as long.


def _first(soup: BeautifulSoup, is_wanted: Callable[[Tag], bool]) -> Tag | None:
    return next(filter(is_wanted, soup.find_all(True)), None)


def _names_account(tag: Tag) -> bool:
    return tag.get("id") == "js_name" or "profile_nickname" in _classes(tag)


def _names_author(tag: Tag) -> bool:
    if tag.get("itemprop") == "author" or tag.get("rel") in ("author", ["author"]):
        return True
    classes = _classes(tag)
    if "author" not in classes:
        return "author-name" in classes or "post-author" in classes
    above = islice(tag.parents, _LOOKED_ABOVE)
    return "name" in classes or any(not _BYLINES.isdisjoint(_classes(each)) for each in above)


def _classes(tag: Tag) -> Sequence[str]:
    return tag.get("class") or ()
