"""Cross-origin requests: which other sites' pages may read the answers of the API."""

from flask import Flask, Response, request

from index.settings import Settings

__all__ = ["register"]

_PREFIX = "/api/v1/"
_EXPOSED = "Content-Disposition, ETag, Retry-After"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": "Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


def register(app: Flask, settings: Settings) -> None:
    """Let pages of `settings.allowed_origins` ask the API, without cookies or passwords.

    Errors are answered to them as well, so that a page can tell its reader what went wrong.
    """
    origins = frozenset(settings.allowed_origins)
    if not origins:
        return

    def allowed() -> str | None:
        origin = request.headers.get("Origin")
        if not origin or not request.path.startswith(_PREFIX):
            return None
        if "*" in origins:
            return "*"
        return origin if origin.lower() in origins else None

    @app.before_request
    def answer_preflight() -> Response | None:
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        # The origin is added below, as to every other answer.
        return Response(status=204, headers=_PREFLIGHT) if asks and allowed() else None

    @app.after_request
    def name_origin(response: Response) -> Response:
        if not request.path.startswith(_PREFIX):
            return response
        if "*" not in origins:
            # Also where nobody else asked: a cache must not give that answer to a page that asks.
            response.vary.add("Origin")
        if origin := allowed():
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        return response
