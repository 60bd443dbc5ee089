"""Validators of answers (RFC 9110, 8.8): one address over one state of the index is one answer."""

from datetime import datetime
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

from flask import Flask, Response, request

from index.document import BEIJING
from index.errors import AnwenError
from index.settings import Settings
from search import Searcher

__all__ = ["register"]

# What an index, an address and a day decide. Suggestions are made anew up to a minute after a
# change, drafts are kept by nobody, and feeds have validators of their own.
_CACHED = {
    *(f"pages.{name}" for name in ("home", "search", "article", "analyze")),
    *(f"pages.{name}" for name in ("organisation", "organisations", "identifier")),
    *(f"api.{name}" for name in ("search", "article", "article_by_url", "related", "coverage")),
}


def register(app: Flask, settings: Settings, searcher: Searcher) -> None:
    """Tag answers by the state of the index, and answer 304 where a reader has that one already.

    A tag is compared before anything is searched. Answers are asked for again each time, so that
    none outlives a commit.
    """
    build = f"{version('anwen')} {_fingerprint()} {settings!r}"

    def tag() -> str | None:
        if request.endpoint not in _CACHED or request.method not in {"GET", "HEAD"}:
            return None
        if request.args.get("format", "json") != "json":
            return None  # a list is sent while it is read
        try:
            state = searcher.state()
        except AnwenError:
            return None  # the answer tells
        # Periods such as 最近一周, and the day of access of a reference, follow the calendar.
        today = datetime.now(BEIJING).date()
        text = f"{build} {state} {today} {request.full_path}"
        return blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()

    @app.before_request
    def answer_unchanged() -> Response | None:
        if not request.if_none_match:
            return None
        current = tag()
        # `*` asks whether there is anything at all, which only the answer knows.
        if current is None or not request.if_none_match.contains_weak(current):
            return None
        return None if request.if_none_match.star_tag else _tagged(Response(status=304), current)

    @app.after_request
    def set_tag(response: Response) -> Response:
        if response.status_code != 200 or (current := tag()) is None:
            return response
        return _tagged(response, current)


def _tagged(response: Response, tag: str) -> Response:
    # Weak: the time that a search took is another each time.
    response.set_etag(tag, weak=True)
    response.cache_control.no_cache = True
    return response


@cache
def _fingerprint() -> str:
    """Return a hash of the code, templates and scripts that make the answers."""
    digest = blake2b(digest_size=8)
    for package in ("search", "web"):
        _digest(files(package), digest)
    return digest.hexdigest()


def _digest(folder: Traversable, digest: blake2b) -> None:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name not in {"__pycache__", "sample"}:
            _digest(entry, digest)
        elif entry.name.endswith((".py", ".html", ".js", ".css")):
            digest.update(entry.read_bytes())
