"""A page of an invented university with the widget in it, to be served from another origin."""

from importlib.resources import files

from flask import Flask, Response

from web.widget.bundle import make_bundle

__all__ = ["create_demo", "foreign_policy"]


def foreign_policy(server: str) -> str:
    """Return the strictest policy under which a page can embed the widget of a server."""
    return f"default-src 'self'; script-src {server}; connect-src {server}"


def create_demo(server: str) -> Flask:
    """Return a site of one page that embeds the widget of the server at an origin."""
    app = Flask(__name__, static_folder=None)
    folder = files("web.widget")
    bundle = make_bundle()
    page = folder.joinpath("demo.html").read_text(encoding="utf-8")
    page = page.replace("@@SERVER@@", server).replace("@@PATH@@", bundle.path)
    page = page.replace("@@INTEGRITY@@", bundle.integrity)
    style = folder.joinpath("demo.css").read_text(encoding="utf-8")

    @app.get("/")
    def notice() -> Response:
        return Response(page, headers={"Content-Security-Policy": foreign_policy(server)})

    @app.get("/demo.css")
    def look() -> Response:
        return Response(style, mimetype="text/css")

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(status=204)

    return app
