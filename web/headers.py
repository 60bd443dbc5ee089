"""Response headers: what a browser may do with our pages, and how long it may keep them."""

from collections.abc import Mapping

from flask import Flask, Response, request

__all__ = ["register"]

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_YEAR = 365 * 86_400  # seconds

# What a reader sends to be compared stays with the reader: no cache keeps the answer, and no other
# site learns where a link was followed from.
_PRIVATE = {"pages.draft", "pages.check_draft", "api.related_to"}
# Pages say themselves whether a search engine may list them; what is no page cannot.
_UNLISTED = {"pages.export", "pages.feed", "pages.suggest"}
_PRIVATE_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def register(app: Flask, prints: Mapping[str, str]) -> None:
    """Set the headers on every response of an application.

    `prints` are the hashes by which addresses of static files are told from those of other content.
    """

    @app.after_request
    def set_headers(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)  # the widget is there for other sites
        if request.endpoint in _PRIVATE:
            response.headers.update(_PRIVATE_HEADERS)
        if request.path.startswith("/api/") or request.endpoint in _UNLISTED:
            response.headers["X-Robots-Tag"] = "noindex"
        if request.endpoint == "static" and response.status_code == 200:
            _keep_file(response, prints.get((request.view_args or {}).get("filename", "")))
        return response


def _keep_file(response: Response, current: str | None) -> None:
    # Another content has another address; what a page of another version asks for is not kept.
    if current and request.args.get("v") == current:
        response.cache_control.no_cache = None
        response.cache_control.public = True
        response.cache_control.max_age = _YEAR
        response.cache_control.immutable = True
