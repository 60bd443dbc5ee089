"""The draft check over the bundled sample: what the archive itself answers, in Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from index.settings import Settings
from search import open_searcher
from tests.web.browsing import PHONE, WIDE
from web import create_app

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
NAMES = {"新写": "new", "已报": "covered", "雷同": "copied", "太短": "short"}


@pytest.fixture(scope="module")
def site(demo_folder: Path) -> Iterator[Flask]:
    settings = Settings(data=demo_folder)
    searcher = open_searcher(settings)
    yield create_app(settings, searcher)
    searcher.close()


def read_draft(number: int) -> tuple[str, list[tuple[str, str, list[str]]]]:
    """A draft of `tests/data/drafts`: its title, and its paragraphs with label and sources."""
    path = ROOT / "tests" / "data" / "drafts" / f"{number:02}.txt"
    title, _, *lines = path.read_text(encoding="utf-8").splitlines()
    rows = [[*line.split("\t"), ""][:3] for line in lines if line.strip()]
    return title, [(label, text, urls.split(",")) for label, text, urls in rows]


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("number", [1, 29])
def test_a_draft_is_pasted_its_marks_read_and_a_source_opened(
    browser: Browser, address: str, number: int, viewport: dict[str, int]
) -> None:
    context = browser.new_context(viewport=viewport, base_url=address)  # type: ignore[arg-type]
    page = context.new_page()
    title, rows = read_draft(number)
    page.goto("/draft")
    page.get_by_label("标题").fill(title)
    page.get_by_label("正文").fill("\n".join(text for _, text, _ in rows))
    page.get_by_role("button", name="核对").click()
    page.locator(".strip").wait_for()
    marks = [NAMES[mark] for mark in page.locator(".verdict b").all_inner_texts()]
    assert len(marks) == len(rows)
    right = [mark == label for mark, (label, _, _) in zip(marks, rows, strict=True)]
    assert sum(right) >= 0.8 * len(rows), marks
    assert page.evaluate("document.scrollingElement.scrollWidth") <= viewport["width"]
    place = next(
        at for at, (label, _, _) in enumerate(rows) if (label, marks[at]) == ("copied", "copied")
    )
    paragraph = page.locator(".paragraph").nth(place)
    assert paragraph.locator(".paragraph-text mark").count() >= 1
    with context.expect_page() as opened:
        paragraph.locator(".source a").first.click()
    source: Page = opened.value
    source.wait_for_load_state()
    original = source.locator("a.read").get_attribute("href")
    assert original in rows[place][2]
    assert source.locator("#cite-gbt").inner_text().count("[EB/OL]") == 1
    context.close()
