"""Pictures of the pages over the bundled sample, for docs and for whoever changes a style.

`python -m tests.web.screenshots docs/screens` writes one PNG for each page, width and theme; with
names behind the folder, of these pages alone. The day is that of the sample's newest article, so
that the same code makes the same pictures.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
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

__all__ = ["SCREENS", "main", "sample_searcher", "take"]

_ROOT = Path(__file__).parents[2]
_MOST = 1500  # px of a page that a picture shows; the rest of a long one tells nothing more
_CLOCKS = ("web.pages", "web.cite", "search.backends.whoosh")
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

Reach = Callable[[Page, Searcher], None]


def at(path: str) -> Reach:
    """Return what opens an address."""

    def reach(page: Page, _: Searcher) -> None:
        page.goto(path)

    return reach


def article(page: Page, searcher: Searcher) -> None:
    """Open the article whose event most others report."""
    hits = searcher.search(SearchRequest(sort="newest", size=100)).hits
    most = max(hits, key=lambda hit: (len(searcher.coverage(hit.id).reports), hit.duplicate_count))
    page.goto(f"/article/{most.id}")


def organisation(page: Page, searcher: Searcher) -> None:
    """Open the organisation that acts most often."""
    (found,) = searcher.organisations(size=1).organisations
    page.goto(f"/organisation/{found.name}")


def identifier(page: Page, searcher: Searcher) -> None:
    """Open the identifier that most articles name."""
    (found,) = searcher.facet(SearchRequest(), "identifier", size=1).buckets
    page.goto(f"/identifier/{found.value}")


def draft(page: Page, _: Searcher) -> None:
    """Check the first draft of the test data, whose paragraphs have every mark."""
    lines = (
        (_ROOT / "tests" / "data" / "drafts" / "01.txt").read_text(encoding="utf-8").splitlines()
    )
    page.goto("/draft")
    page.locator("#draft-title").fill(lines[0])
    page.locator("#draft-text").fill("\n".join(line.split("\t")[1] for line in lines[2:] if line))
    page.locator(".button-main").click()
    page.locator(".strip").wait_for()


def suggestions(page: Page, _: Searcher) -> None:
    """Type part of a word into the field."""
    page.goto("/")
    page.locator("#q").press_sequentially("勒索")
    page.locator(".option").first.wait_for()


def filters(page: Page, _: Searcher) -> None:
    """Open the filters, which on a phone are a sheet."""
    page.goto("/search?q=漏洞#filters")


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
    # "widget": the page of a foreign site, which its server would have to stand beside this one.
}


def take(browser: Browser, address: str, searcher: Searcher, folder: Path, name: str) -> None:
    """Write the pictures of one page."""
    for width, viewport in _SIZES.items():
        for theme in ("light", "dark"):
            context = browser.new_context(
                base_url=address,
                viewport=viewport,
                color_scheme=theme,  # type: ignore[arg-type]
            )
            page = context.new_page()
            SCREENS[name](page, searcher)
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
        with serving(create_app(Settings(), searcher)) as address:
            for name in names or SCREENS:
                take(browser, address, searcher, folder, name)


if __name__ == "__main__":
    if not sys.argv[1:] or set(sys.argv[2:]) - set(SCREENS):
        sys.exit(f"Usage: python -m tests.web.screenshots FOLDER [{'|'.join(SCREENS)}]…")
    main(Path(sys.argv[1]), sys.argv[2:])
