"""Which other sites' pages may ask the JSON interface (CORS, Fetch standard)."""

from collections.abc import Collection

from flask import Flask, Response, request

__all__ = ["register"]

_API = "/api/"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}


def register(app: Flask, origins: Collection[str]) -> None:
    """Let pages of these origins read what the interface answers; `*` lets every page.

    Answers carry no cookies and ask for none, so that a page learns no more than anybody does.
    """

    @app.after_request
    def allow(response: Response) -> Response:
        if not request.path.startswith(_API):
            return response
        origin = request.headers.get("Origin", "")
        if "*" in origins:
            allowed = "*"
        else:
            response.vary.add("Origin")  # or a cache would give one site the answer of another
            allowed = origin if origin in origins else ""
        if allowed and origin:
            response.headers["Access-Control-Allow-Origin"] = allowed
            response.headers["Access-Control-Expose-Headers"] = "ETag"
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            if request.method == "OPTIONS":
                response.headers.update(_PREFLIGHT)
        return response
