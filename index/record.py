"""The record of an article: what the store keeps of it, as JSON."""

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

import orjson

from index.document import Article, Evidence, Image, Indicator, Mention
from index.errors import StoreError

__all__ = ["DAMAGED", "read_article", "write_article"]

DAMAGED = (
    "Restore a backup: anwen restore FILE --force. Without one, set the data folder's articles.* "
    "and index aside, and read the crawl again: anwen index PATH"
)
"""How to mend a store that holds what it should not."""


def write_article(article: Article) -> str:
    """Return the record of an article, as JSON."""
    document = json.dumps(article, ensure_ascii=False, default=_as_json)
    # JSON inside a page can hold half of a character, which SQLite refuses.
    return document.encode("utf-8", "replace").decode("utf-8")


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return {field.name: getattr(value, field.name) for field in fields(value)}


def read_article(document: str | bytes, *, evidence: bool = True) -> Article:
    """Return the article that a record holds; raises StoreError for a damaged one.

    Without `evidence` its mentions have none: lists of hits show none, and it is most of a record.
    """
    try:
        return _article(orjson.loads(document), evidence=evidence)
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"A record of the article store is damaged: {error}. {DAMAGED}") from error


def _article(values: dict[str, Any], *, evidence: bool) -> Article:
    for name in ("published", "fetched"):
        if values[name]:
            values[name] = datetime.fromisoformat(values[name])
    values["tags"] = tuple(values["tags"])
    values["identifiers"] = tuple(values["identifiers"])
    # A record from before there were indicators has none.
    values["indicators"] = tuple(
        Indicator(**indicator) for indicator in values.get("indicators", ())
    )
    values["images"] = tuple(Image(**image) for image in values["images"])
    values["mentions"] = tuple(
        Mention(
            name=mention["name"],
            type=mention["type"],
            salient=mention["salient"],
            surfaces=tuple(mention["surfaces"]),
            evidence=tuple(Evidence(**each) for each in mention["evidence"]) if evidence else (),
            defined=tuple(mention.get("defined", ())),
        )
        for mention in values["mentions"]
    )
    return Article(**values)
