"""Chromium over an application: the sizes of its window, and how both are started."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask
from playwright.sync_api import Browser, ViewportSize, sync_playwright
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

__all__ = ["PHONE", "WIDE", "chromium", "serving"]

WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

_SWITCHES = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)


@contextmanager
def chromium() -> Iterator[Browser | None]:
    """Give a browser, None on a machine that has none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_SWITCHES))
        yield browser
        browser.close()


@contextmanager
def serving(site: Flask, port: int = 0) -> Iterator[str]:
    """Give the address of an application, at a free port where none is named."""

    def whole(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        # The development server leaves a file open when its reader has gone: read it before.
        body, status, headers = run_wsgi_app(site, environ, buffered=True)
        start(status, list(headers))
        return body

    server = make_server("127.0.0.1", port, whole, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()
