"""What tells a supervisor whether a process lives, and whether it can answer."""

from contextlib import suppress

from flask import Blueprint, Response

from index.errors import UnknownArticle
from search import Searcher
from web.folder import is_stopping
from web.responses import json_response

__all__ = ["blueprint"]


def blueprint(searcher: Searcher) -> Blueprint:
    """Return the routes, which take no turn: they wait for one search at most."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def is_alive() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @health.get("/readyz")
    def is_ready() -> Response:
        if is_stopping():
            return json_response({"status": "stopping"}, 503)
        usage = searcher.index_usage()
        with suppress(UnknownArticle):  # the store has answered
            searcher.article("")
        return json_response(
            {"status": "ready", "generation": usage.generation, "articles": usage.articles}
        )

    return health
