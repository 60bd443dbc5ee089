"""The JSON of related coverage: related articles, an event's timeline, a checked draft."""

from collections.abc import Iterable
from typing import Any

from search.related import (
    Coverage,
    DraftName,
    DraftParagraph,
    DraftReport,
    DraftSource,
    RelatedHit,
    UnseenName,
)
from search.results import Hit
from web.related import reason_text
from web.wire import hit_object

__all__ = ["coverage_object", "draft_object", "related_object"]

_SHORT = ("id", "url", "title", "published", "published_precision", "source")


def related_object(related: Iterable[RelatedHit]) -> dict[str, Any]:
    """Return related articles, as every route and `anwen related --json` answer them."""
    return {
        "hits": [
            hit_object(found.hit)
            | {
                "reasons": [
                    {
                        "kind": reason.kind,
                        "values": list(reason.values),
                        "text": reason_text(reason),
                    }
                    for reason in found.reasons
                ],
                "same_event": found.same_event,
            }
            for found in related
        ]
    }


def coverage_object(coverage: Coverage) -> dict[str, Any]:
    """Return who reported the event of an article; `lag_seconds` null where it is not known."""
    return {
        "article": coverage.article,
        "reports": [
            hit_object(report.hit)
            | {"lag_seconds": None if report.lag is None else int(report.lag.total_seconds())}
            for report in coverage.reports
        ],
    }


def draft_object(report: DraftReport) -> dict[str, Any]:
    """Return what the archive has of a draft."""
    return {
        "articles": report.articles,
        "took_ms": report.took_ms,
        "paragraphs": [_paragraph_object(paragraph) for paragraph in report.paragraphs],
        "names": [_name_object(name) for name in report.names],
        "unseen": [_unseen_object(name) for name in report.unseen],
    } | related_object(report.related)


def _paragraph_object(paragraph: DraftParagraph) -> dict[str, Any]:
    return {
        "number": paragraph.number,
        "text": paragraph.text,
        "mark": paragraph.mark,
        "sources": [_source_object(source) for source in paragraph.sources],
        "others": paragraph.others,
    }


def _source_object(source: DraftSource) -> dict[str, Any]:
    return _short_object(source.hit) | {
        "paragraphs": list(source.paragraphs),
        "passages": [
            {
                "start": passage.start,
                "end": passage.end,
                "text": passage.text,
                "highlight": list(passage.highlight),
            }
            for passage in source.passages
        ],
    }


def _name_object(name: DraftName) -> dict[str, Any]:
    return {
        "name": name.name,
        "type": name.type,
        "paragraphs": list(name.paragraphs),
        "count": name.count,
        "latest": _short_object(name.latest),
    }


def _unseen_object(name: UnseenName) -> dict[str, Any]:
    return {
        "name": name.name,
        "paragraphs": list(name.paragraphs),
        "near": [{"name": near, "count": count} for near, count in name.near],
    }


def _short_object(hit: Hit) -> dict[str, Any]:
    whole = hit_object(hit)
    return {name: whole[name] for name in _SHORT}
