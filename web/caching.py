"""Validators: who has the answer of this very state already is told so without a search."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from hashlib import blake2b
from pathlib import Path

from flask import Flask, Response, g, request

import index
import search
from index.errors import AnwenError
from index.settings import Settings
from search import Searcher
from web.cite import today

__all__ = ["register"]

# Their answers follow from the address, the state of the archive, the day in Beijing and the
# program. A feed has a validator of its content instead: a reader that asks every hour need not
# fetch it again because something else was indexed.
_VALIDATED = frozenset(
    {
        *("api.search", "api.suggest", "api.facet", "api.article", "api.article_by_url"),
        *("api.related", "api.coverage"),
        *("pages.home", "pages.search", "pages.article", "pages.analyze"),
        *("pages.organisation", "pages.organisations", "pages.identifier"),
        "pages.trends",
    }
)


def register(app: Flask, settings: Settings, searcher: Searcher) -> None:
    """Give answers a weak ETag, and answer 304 where a request names it.

    Errors, drafts and lists that are sent while they are read have none.
    """
    build = _build(settings)

    def answer_unchanged() -> Response | None:
        if request.endpoint not in _VALIDATED or request.method not in {"GET", "HEAD"}:
            return None
        try:
            version = searcher.version()
        except AnwenError:
            return None  # the route asks again, and its error says what is wrong
        if version is None:
            return None
        g.etag = _etag(build, version)
        known = request.if_none_match
        # `*` is left to the route: only it knows whether there is anything at the address.
        if not known.star_tag and known.contains_weak(g.etag):
            return Response(status=304)
        return None

    app.before_request(answer_unchanged)
    app.after_request(_set_etag)


def _set_etag(response: Response) -> Response:
    etag = g.pop("etag", None)
    if etag and response.status_code in {200, 304} and not response.is_streamed:
        response.set_etag(etag, weak=True)
        # To be asked about each time, so that a reload is exact; Back needs no asking.
        response.headers["Cache-Control"] = "no-cache"
        if request.if_none_match.star_tag:
            response.status_code = 304
            response.set_data(b"")
    return response


def _etag(build: bytes, version: str) -> str:
    """Return the validator of the address that is asked; no other address has the same."""
    digest = blake2b(build, digest_size=12)
    for part in (version, today().isoformat(), request.script_root, request.path):
        digest.update(part.encode("utf-8", "replace") + b"\0")
    digest.update(request.query_string)
    return digest.hexdigest()


def _build(settings: Settings) -> bytes:
    """Return a hash of what shapes an answer and stays as it is while the program runs."""
    digest = blake2b(_program(), digest_size=12)
    for field in fields(settings):
        value = getattr(settings, field.name)
        digest.update(f"{field.name}={value}\0".encode())
        if isinstance(value, Path) and value.is_file():
            digest.update(value.read_bytes())
    return digest.digest()


@cache
def _program() -> bytes:
    """Return a hash of the files of the three packages: code, tables, templates, static files."""
    digest = blake2b(digest_size=12)
    for path in _files():
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.digest()


def _files() -> Iterator[Path]:
    folders = (Path(__file__).parent, *(Path(each.__path__[0]) for each in (index, search)))
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and "sample" not in path.parts:
                yield path
