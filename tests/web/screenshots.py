"""Pictures of the pages over the bundled sample, for docs and for whoever changes a style.

`python -m tests.web.screenshots docs/screens` writes one PNG for each page, width and theme; with
names behind the folder, of these pages alone. The day is that of the sample's newest article, so
that the same code makes the same pictures.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import Self
from unittest.mock import patch

from playwright.sync_api import Browser, Page, ViewportSize

from index.build import build
from index.settings import Settings
from search import Searcher, SearchRequest, open_searcher
from tests.web.browsing import PHONE, WIDE, chromium, serving
from web import create_app
from web.progress import progress_on
from web.widget.demo import create_demo

__all__ = ["SCREENS", "main", "sample_searcher", "take"]

_ROOT = Path(__file__).parents[2]
_MOST = 1500  # px of a page that a picture shows; the rest of a long one tells nothing more
_CLOCKS = ("web.pages", "web.cite", "search.backends.whoosh.searcher")
_SIZES: dict[int, ViewportSize] = {1280: WIDE, 390: PHONE}


@contextmanager
def sample_searcher() -> Iterator[Searcher]:
    """Give a searcher over the bundled sample, on the day of its newest article."""
    with TemporaryDirectory() as folder, ExitStack() as clocks:
        settings = Settings(data=Path(folder))
        with progress_on(sys.stderr) as progress:
            build(settings, [_ROOT / "web" / "sample"], jobs=1, progress=progress)
        searcher = open_searcher(settings)
        newest = searcher.statistics().newest
        assert newest is not None
        for module in _CLOCKS:
            clocks.enter_context(patch(f"{module}.datetime", _stopped(newest)))
        yield searcher
        searcher.close()


def _stopped(moment: datetime) -> type[datetime]:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(moment.timestamp(), tz)

    return Stopped


# How each page is reached. A new one is a function and a line in SCREENS.


@dataclass(frozen=True, slots=True)
class Sites:
    """What is behind the pages, and the address of another site that embeds the widget."""

    searcher: Searcher
    embedding: str


Reach = Callable[[Page, Sites], None]


def at(path: str) -> Reach:
    """Return what opens an address."""

    def reach(page: Page, _: Sites) -> None:
        page.goto(path)

    return reach


def article(page: Page, sites: Sites) -> None:
    """Open the article whose event most others report."""
    hits = sites.searcher.search(SearchRequest(sort="newest", size=100)).hits
    most = max(
        hits, key=lambda hit: (len(sites.searcher.coverage(hit.id).reports), hit.duplicate_count)
    )
    page.goto(f"/article/{most.id}")


def organisation(page: Page, sites: Sites) -> None:
    """Open the organisation that acts most often."""
    (found,) = sites.searcher.organisations(size=1).organisations
    page.goto(f"/organisation/{found.name}")


def identifier(page: Page, sites: Sites) -> None:
    """Open the identifier that most articles name."""
    (found,) = sites.searcher.facet(SearchRequest(), "identifier", size=1).buckets
    page.goto(f"/identifier/{found.value}")


def draft(page: Page, _: Sites) -> None:
    """Check the first draft of the test data, whose paragraphs have every mark."""
    lines = (
        (_ROOT / "tests" / "data" / "drafts" / "01.txt").read_text(encoding="utf-8").splitlines()
    )
    page.goto("/draft")
    page.locator("#draft-title").fill(lines[0])
    page.locator("#draft-text").fill("\n".join(line.split("\t")[1] for line in lines[2:] if line))
    page.locator(".button-main").click()
    page.locator(".strip").wait_for()


def suggestions(page: Page, _: Sites) -> None:
    """Type part of a word into the field."""
    page.goto("/")
    page.locator("#q").press_sequentially("勒索")
    page.locator(".option").first.wait_for()


def filters(page: Page, _: Sites) -> None:
    """Open the filters, which on a phone are a sheet."""
    page.goto("/search?q=漏洞#filters")
    page.evaluate("scrollTo(0, 0)")


def widget(page: Page, sites: Sites) -> None:
    """Search in the widget on the page of another site, related articles beside it."""
    page.goto(sites.embedding)
    page.locator("anwen-search[mode=related] li").first.wait_for()
    page.get_by_role("combobox").fill("网关漏洞")
    page.get_by_role("option").first.wait_for()


def widget_modal(page: Page, sites: Sites) -> None:
    """Search in the widget's dialog."""
    page.goto(sites.embedding)
    page.locator("anwen-search[mode=related] li").first.wait_for()
    page.locator("anwen-search[mode=modal] button").first.click()
    page.get_by_role("dialog").get_by_role("combobox").fill("勒索")
    page.get_by_role("option").first.wait_for()


SCREENS: dict[str, Reach] = {
    "home": at("/"),
    "suggestions": suggestions,
    "results": at("/search?q=勒索软件+医院&category=新闻"),
    "filters": filters,
    "zero": at("/search?q=勒索软件+没有这回事儿&match=all"),
    "article": article,
    "organisation": organisation,
    "identifier": identifier,
    "draft": draft,
    "widget": widget,
    "widget-modal": widget_modal,
}


def take(browser: Browser, address: str, sites: Sites, folder: Path, name: str) -> None:
    """Write the pictures of one page."""
    for width, viewport in _SIZES.items():
        for theme in ("light", "dark"):
            context = browser.new_context(
                base_url=address,
                locale="zh-CN",
                has_touch=viewport is PHONE,
                is_mobile=viewport is PHONE,
                viewport=viewport,
                color_scheme=theme,  # type: ignore[arg-type]
            )
            page = context.new_page()
            SCREENS[name](page, sites)
            height = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": width, "height": min(height, _MOST)})
            page.screenshot(path=folder / f"{name}-{width}-{theme}.png")
            context.close()


def main(folder: Path, names: list[str]) -> None:
    """Write the pictures of some pages, or of all."""
    folder.mkdir(parents=True, exist_ok=True)
    with sample_searcher() as searcher, chromium() as browser:
        if browser is None:
            sys.exit("Chromium is not installed. Install the package chromium.")
        with socket() as free:  # the two sites must know each other before either is served
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        embedding = f"http://127.0.0.1:{port}"
        anwen = create_app(Settings(allowed_origins=(embedding,)), searcher)
        with serving(anwen) as address, serving(create_demo(address), port):
            for name in names or SCREENS:
                take(browser, address, Sites(searcher, embedding), folder, name)


if __name__ == "__main__":
    if not sys.argv[1:] or set(sys.argv[2:]) - set(SCREENS):
        sys.exit(f"Usage: python -m tests.web.screenshots FOLDER [{'|'.join(SCREENS)}]…")
    main(Path(sys.argv[1]), sys.argv[2:])
