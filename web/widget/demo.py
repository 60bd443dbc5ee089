"""A page of another site that embeds the widget, under the strictest policy it works with."""

from functools import cache
from importlib.resources import files

from flask import Flask, Response

from web.widget.script import widget_script

__all__ = ["demo_page", "policy"]


def policy(server: str) -> str:
    """Return the Content Security Policy of a page that embeds the widget of a server."""
    return f"default-src 'self'; script-src {server}; connect-src {server}; img-src 'self' data:"


def demo_page(server: str) -> Flask:
    """Return an application with that one page; `server` is the origin of an Anwen site."""
    app = Flask("demo", static_folder=None)
    script = widget_script()

    @app.get("/")
    def page() -> Response:
        html = _read("demo.html")
        for name, value in (
            ("{script}", f"{server}/widget/{script.version}.js"),
            ("{integrity}", script.integrity),
            ("{server}", server),
        ):
            html = html.replace(name, value)
        response = Response(html, mimetype="text/html")
        response.headers["Content-Security-Policy"] = policy(server)
        return response

    @app.get("/demo.css")
    def sheet() -> Response:
        return Response(_read("demo.css"), mimetype="text/css")

    return app


@cache
def _read(name: str) -> str:
    return (files("web.widget") / name).read_text(encoding="utf-8")
