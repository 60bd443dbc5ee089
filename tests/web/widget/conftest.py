"""The widget on a page of another origin with the strictest policy that allows it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response
from playwright.sync_api import Browser

from index.settings import Settings
from search import Searcher
from tests.web.browsing import WIDE, serving
from tests.web.widget.visiting import LOOK, Foreign, Visit, Visiting
from web import create_app
from web.widget.demo import foreign_policy


@pytest.fixture(scope="module")
def foreign(site_searcher: Searcher) -> Iterator[Foreign]:
    site = Flask("foreign", static_folder=None)
    page: dict[str, str] = {}

    @site.get("/")
    def show() -> Response:
        return Response(page["html"], headers={"Content-Security-Policy": page["policy"]})

    @site.get("/look.css")
    def look() -> Response:
        return Response(LOOK, mimetype="text/css")

    @site.get("/favicon.ico")
    def icon() -> Response:
        return Response(status=204)

    with serving(site) as address:
        anwen = create_app(Settings(allowed_origins=(address,)), site_searcher)
        with serving(anwen) as server:
            page["policy"] = foreign_policy(server)
            yield Foreign(address, server, page)


@pytest.fixture
def visit(browser: Browser, foreign: Foreign) -> Iterator[Visiting]:
    """A function from a body to a visit of its page; at the end nothing may have gone wrong."""
    visits: list[Visit] = []

    def make(body: str, script: str | None = None, look: str = "", **options: Any) -> Visit:
        context = browser.new_context(**{"viewport": WIDE, **options})
        made = Visit(context.new_page())
        made.page.set_default_timeout(8_000)
        made.page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error(e.blockedURI))"
        )
        made.page.on("request", lambda request: made.requests.append(request))
        made.page.on("console", lambda message: made.problems.append(message.text))
        made.page.on("pageerror", lambda error: made.problems.append(str(error)))
        visits.append(made)
        made.page.goto(foreign.show(body, script, look))
        return made

    yield make
    for made in visits:
        made.page.context.close()
        assert made.problems == []
        hosts = {urlsplit(request.url).netloc for request in made.requests}
        assert hosts <= {urlsplit(foreign.address).netloc, urlsplit(foreign.server).netloc}
