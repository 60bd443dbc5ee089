"""Every kind of page, as axe-core sees it: WCAG 2.2 A and AA, and what is good practice."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.web.browsing import PHONE, WIDE
from tests.web.crafted import DRAFT

pytestmark = pytest.mark.browser

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# Each page in two views: themes differ in colours alone, widths in layout alone.
VIEWS = {"phone light": (PHONE, "light"), "wide dark": (WIDE, "dark")}

# A new kind of page is one more line. What needs more than an address is a function below.
PATHS = {
    "home": "/",
    "all articles": "/search",
    "results": "/search?q=勒索软件",
    "results with filters and widened hits": (
        "/search?q=勒索软件+私钥+槐州&exclude_category=行业&organisation=青梧机电"
    ),
    "results in a period": "/search?q=漏洞+勒锁软件+2024年5月",
    "another page of results": "/search?q=勒索软件&sort=oldest&page=2&size=5",
    "a page after the last": "/search?page=9",
    "values of a facet looked through": "/search?q=漏洞&find=青梧",
    "no result": "/search?q=没有这回事儿+漏洞&match=all&category=漏洞",
    "nothing to do instead": "/search?q=没有这回事儿",
    "bad query": "/search?q=漏洞&from=yesterday",
    "article": "/article/" + f"{7:016x}",
    "article with the longest of everything": "/article/" + "e" * 16,
    "article full of markup": "/article/" + "f" * 16,
    "organisation": "/organisation/青梧机电",
    "organisation, every article": "/organisation/青梧机电?latest=all",
    "unknown organisation": "/organisation/青吴机电",
    "organisations": "/organisations",
    "organisations of a type": "/organisations?type=institute&prefix=x",
    "identifier": "/identifier/T1486",
    "unknown identifier": "/identifier/CVE-2026-9",
    "no identifier": "/identifier/nothing",
    "draft": "/draft",
    "analyze": "/analyze",
    "analyze a query": "/analyze?q=勒索病毒的漏洞+槐州",
    "help": "/help/query",
    "pictures": "/trends?q=漏洞",
    "days of a month": "/search?q=漏洞&month=2024-02",
    "interface": "/docs",
    "error": "/nothing",
}


@pytest.fixture(scope="module")
def site(crafted_site: Flask) -> Flask:
    """The site with related coverage: the article that has everything."""
    return crafted_site


@pytest.fixture(params=VIEWS.values(), ids=VIEWS)
def view(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    viewport, theme = request.param
    context = browser.new_context(base_url=address, viewport=viewport, color_scheme=theme)
    yield context.new_page()
    context.close()


def problems(page: Page, *, opened: bool = True) -> str:
    """What axe finds wrong, with all that can be opened open."""
    if opened:
        # Of the references only one is open at a time, by their name.
        page.locator("details").evaluate_all(
            "all => all.forEach(one => { one.removeAttribute('name'); one.open = true; })"
        )
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return "\n".join(
        f"{each['id']}: {each['help']}\n  {node['html'][:200]}\n  {node['failureSummary']}"
        for each in found
        for node in each["nodes"][:5]
    )


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_page_has_no_violation(view: Page, path: str) -> None:
    view.goto(path)
    assert problems(view) == ""


def open_suggestions(page: Page) -> None:
    page.goto("/search?q=漏洞")
    field = page.locator("#q")
    field.fill("")
    field.press_sequentially("勒索")
    page.locator(".option").first.wait_for()
    # What was found before is paler while the server is slow to answer.
    page.wait_for_url("**q=%E5%8B%92%E7%B4%A2")
    page.locator("[aria-busy]").first.wait_for(state="detached")


def walk_through_suggestions(page: Page) -> None:
    open_suggestions(page)
    page.locator("#q").press("ArrowDown")
    assert page.locator(".option[aria-selected=true]").count() == 1


def open_export(page: Page) -> None:
    page.goto("/search?q=勒索软件")
    page.locator("#export summary").click()
    page.locator(".pick input").first.check()


def check_a_draft(page: Page) -> None:
    page.goto("/draft")
    page.get_by_label("正文").fill(DRAFT)
    page.get_by_role("button", name="核对").click()
    page.locator(".strip").wait_for()


def send_an_empty_draft(page: Page) -> None:
    page.goto("/draft")
    page.get_by_role("button", name="核对").click()
    page.locator(".notice-error").wait_for()


STATES = (
    open_suggestions,
    walk_through_suggestions,
    open_export,
    check_a_draft,
    send_an_empty_draft,
)


@pytest.mark.parametrize("reach", STATES, ids=lambda reach: reach.__name__)
def test_a_state_of_a_page_has_no_violation(view: Page, reach: Callable[[Page], None]) -> None:
    reach(view)
    assert problems(view, opened=False) == ""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_filter_sheet_has_no_violation(browser: Browser, address: str, theme: str) -> None:
    context = browser.new_context(
        base_url=address,
        viewport=PHONE,
        color_scheme=theme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto("/search?q=漏洞&category=漏洞")
    page.locator(".filter-open").click()
    assert page.locator("#filters").is_visible()
    assert problems(page) == ""
    context.close()
