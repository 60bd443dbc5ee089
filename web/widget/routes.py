"""The addresses of the widget: one that never changes a version, one that is always the newest."""

from flask import Blueprint, Response, abort, request

from web.widget.bundle import Bundle, make_bundle

__all__ = ["blueprint"]

_YEAR = 365 * 86_400  # seconds
_SHORT = 600  # seconds until a page that asks for the newest has it


def blueprint() -> Blueprint:
    """Return the routes under which other sites find the widget."""
    widget = Blueprint("widget", __name__)

    @widget.get("/widget.js")
    def newest() -> Response:
        response = _script(make_bundle())
        response.cache_control.max_age = _SHORT
        response.make_conditional(request)
        return response

    @widget.get("/widget/<version>.js")
    def fixed(version: str) -> Response:
        bundle = make_bundle()
        if version != bundle.version:
            # Another content under this address would fail the integrity that pages print.
            abort(404)
        response = _script(bundle)
        response.cache_control.max_age = _YEAR
        response.cache_control.immutable = True
        response.make_conditional(request)
        return response

    return widget


def _script(bundle: Bundle) -> Response:
    packed = request.accept_encodings.quality("gzip") > 0
    response = Response(
        bundle.compressed if packed else bundle.script,
        content_type="text/javascript; charset=utf-8",
    )
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.set_etag(bundle.version + ("-gzip" if packed else ""))
    response.cache_control.public = True
    # Anybody's page may run it, and check its integrity, for which it has to be read.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
