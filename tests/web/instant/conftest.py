"""A page whose results are replaced in place."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, ViewportSize


@pytest.fixture
def page(browser: Browser, address: str, viewport: ViewportSize) -> Iterator[Page]:
    """A page in which no error is thrown, and from which nothing is asked of another host."""
    context = browser.new_context(viewport=viewport, base_url=address)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    hosts: set[str | None] = set()
    context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    yield page
    context.close()
    assert problems == []
    assert hosts <= {urlsplit(address).netloc}


@pytest.fixture
def asked(page: Page) -> list[str]:
    """The queries that were asked without leaving the page."""
    found: list[str] = []

    def note(request: Request) -> None:
        url = urlsplit(request.url)
        if url.path == "/search" and request.resource_type == "fetch":
            found.append(parse_qs(url.query).get("q", [""])[0])

    page.on("request", note)
    return found
