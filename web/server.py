"""The production server: gunicorn, configured from settings."""

from contextlib import suppress
from threading import Thread
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from index.errors import AnwenError
from index.settings import Settings
from search import Searcher, open_searcher
from web import create_app

__all__ = ["run"]


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, settings: Settings, host: str, port: int) -> None:
        self._settings = settings
        self._bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": self._bind,
            "workers": self._settings.workers,
            "worker_class": "gthread",
            "threads": 4,  # a slow client holds a thread, not the process
            "limit_request_line": 8190,  # gunicorn's most: 800 Chinese characters, and filters
            "loglevel": "warning",
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        searcher = open_searcher(self._settings)
        Thread(target=_warm, args=(searcher,), daemon=True).start()
        return create_app(self._settings, searcher)


def _warm(searcher: Searcher) -> None:
    """Make what suggestions and corrections need before a reader waits for it."""
    with suppress(AnwenError):  # without an index requests are answered with what to do
        searcher.suggest("a")


def run(settings: Settings, host: str, port: int) -> None:
    """Serve until a signal ends it."""
    _Server(settings, host, port).run()
