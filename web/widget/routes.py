"""The addresses of the widget's script: one that never changes, and one that is the newest."""

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as BaseResponse

from web.widget.script import widget_script

__all__ = ["blueprint"]

_YEAR = 365 * 86_400  # seconds
_HOUR = 3600


def blueprint() -> Blueprint:
    """Return the routes of the script, which any site may load and check by its hash."""
    widget = Blueprint("widget", __name__)

    @widget.get("/widget.js")
    def newest() -> BaseResponse:
        response = _script()
        response.cache_control.max_age = _HOUR
        return response.make_conditional(request)

    @widget.get("/widget/<version>.js")
    def version(version: str) -> BaseResponse:
        if version != widget_script().version:
            abort(404)
        response = _script()
        response.cache_control.max_age = _YEAR
        response.cache_control.immutable = True
        return response.make_conditional(request)

    return widget


def _script() -> Response:
    script = widget_script()
    response = Response(script.text, mimetype="text/javascript")
    response.set_etag(script.version)
    response.cache_control.public = True
    # Without these a page that checks the hash, or isolates itself, could not load it.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
