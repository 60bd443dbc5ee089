"""OpenSearch 1.1: how a browser's address bar, or any client, searches this site."""

import json
from xml.etree import ElementTree

from flask import Blueprint, Response, request, url_for

from index.settings import Settings
from search import Searcher
from search.parser import MAX_LENGTH
from search.results import Suggestion
from web.addresses import absolute
from web.plain import written_out
from web.wire import suggestion_url

__all__ = ["DESCRIPTION_TYPE", "register"]

DESCRIPTION_TYPE = "application/opensearchdescription+xml"
_SUGGESTIONS_TYPE = "application/x-suggestions+json"
_NAMESPACE = "http://a9.com/-/spec/opensearch/1.1/"
_LONGEST_NAME = 16  # characters of a ShortName, as the specification allows
_KINDS = {
    "query": "检索词",
    "organisation": "机构",
    "identifier": "编号",
    "category": "类别",
    "title": "文章",
}


def register(pages: Blueprint, settings: Settings, searcher: Searcher) -> None:
    """Add the routes to the pages."""

    @pages.get("/opensearch.xml")
    def opensearch() -> Response:
        return Response(_description(settings), mimetype=DESCRIPTION_TYPE)

    @pages.get("/suggest.json")
    def suggest() -> Response:
        typed = request.args.get("q", "")
        # An address bar sends whatever is pasted into it: too much has no suggestion, and is no
        # mistake that anybody would be shown.
        groups = searcher.suggest(typed) if len(typed) <= MAX_LENGTH else ()
        found: dict[str, tuple[str, str]] = {}
        for group in groups:
            for each in group.suggestions:
                url = absolute(settings, suggestion_url(group.name, each))
                # A completion is searched for when it is chosen, so the first of two that read
                # the same stands for both.
                found.setdefault(each.text, (_told(group.name, each), url))
        told, urls = [told for told, _ in found.values()], [url for _, url in found.values()]
        body = json.dumps([typed, list(found), told, urls], ensure_ascii=False)
        return Response(written_out(body.encode("utf-8", "replace")), mimetype=_SUGGESTIONS_TYPE)


def _told(kind: str, found: Suggestion) -> str:
    count = "" if found.count is None or kind == "query" else f"，{found.count:,} 篇"
    return f"{_KINDS[kind]}{count}"


def _description(settings: Settings) -> bytes:
    root = ElementTree.Element("OpenSearchDescription", {"xmlns": _NAMESPACE})

    def add(name: str, text: str = "", **attributes: str) -> None:
        child = ElementTree.SubElement(root, name, attributes)
        child.text = text or None

    def template(path: str, type_: str, **attributes: str) -> None:
        add("Url", type=type_, template=absolute(settings, path), **attributes)

    add("ShortName", settings.site_name[:_LONGEST_NAME])
    add("Description", f"{settings.site_name}：检索中文网络安全新闻")
    # Optional parameters stand in the feed's template alone: browsers write them out empty.
    search, feed = url_for("pages.search"), url_for("pages.feed")
    template(f"{search}?q={{searchTerms}}", "text/html")
    template(f"{feed}?q={{searchTerms}}&size={{count?}}", "application/atom+xml")
    suggestions = url_for("pages.suggest")
    template(f"{suggestions}?q={{searchTerms}}", _SUGGESTIONS_TYPE, rel="suggestions")
    template(url_for("pages.opensearch"), DESCRIPTION_TYPE, rel="self")
    icon = url_for("static", filename="icon.svg")
    add("Image", absolute(settings, icon), type="image/svg+xml", width="16", height="16")
    add("Language", "zh-CN")
    add("InputEncoding", "UTF-8")
    add("OutputEncoding", "UTF-8")
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document
