"""An article as structured data: schema.org's NewsArticle, in JSON-LD."""

import json
from typing import Any

from markupsafe import Markup

from index.document import BEIJING, Article
from web.markup import web_address
from web.plain import written_out

__all__ = ["json_ld", "news_article"]

# In a script element nothing is escaped as markup: what could end it, or begin another, is written
# as JavaScript writes it, which JSON reads too.
_ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}


def news_article(article: Article, own: str) -> dict[str, Any]:
    """Return what is told of an article: the publisher's, read here at the address `own`.

    `url` and `mainEntityOfPage` are the original's, where it has an address that may be a link.
    A date is a day alone where no more is known, a predicted category is not told at all.
    """
    original = web_address(article.url)
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.title,
        "url": original or own,
        "mainEntityOfPage": original or own,
        "isBasedOn": original,
        "inLanguage": "zh",
        "datePublished": _date(article),
        "publisher": _named("Organization", article.source),
        # Many pages print the outlet's own name where an author would stand.
        "author": None if article.author == article.source else _named("Person", article.author),
        "description": article.lead,
        "articleSection": None if article.category_predicted else article.category,
        "keywords": list(article.tags),
        "mentions": [_named("Organization", name) for name in article.organisations],
    }
    return {name: value for name, value in told.items() if value}


def json_ld(value: dict[str, Any]) -> Markup:
    """Return an object as the content of a script element, whatever stands in its texts."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = written_out(text.encode("utf-8", "replace")).decode()
    return Markup(text.translate(_ESCAPED))  # noqa: S704 - nothing of markup is left in it


def _named(type_: str, name: str | None) -> dict[str, str] | None:
    return {"@type": type_, "name": name} if name else None


def _date(article: Article) -> str | None:
    if article.published is None:
        return None
    moment = article.published.astimezone(BEIJING)
    return (moment.date() if article.published_precision == "day" else moment).isoformat()
