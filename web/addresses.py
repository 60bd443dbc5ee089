"""Whole addresses of this site, for what is read outside of it."""

import re

from flask import Flask, abort, request

from index.settings import Settings

__all__ = ["absolute", "mount", "register"]

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]*)?")


def register(app: Flask) -> None:
    """Refuse a request whose Host is none: the address of this site may be made of it."""
    app.before_request(_check_host)


def mount(settings: Settings) -> str:
    """Return what stands before every path: the setting, or what the request itself was sent to."""
    return (settings.base_url or request.url_root).rstrip("/")


def absolute(settings: Settings, path: str) -> str:
    """Return a path of this site as an address that means the same anywhere."""
    return mount(settings) + path


def _check_host() -> None:
    # A name in Chinese arrives as xn--…; HTTP/1.0 may send none.
    if not _HOST.fullmatch(request.environ.get("HTTP_HOST", "localhost")):
        abort(400)
