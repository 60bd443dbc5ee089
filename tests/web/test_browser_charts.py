"""The charts of time in Chromium: chosen, stretched, zoomed; with and without JavaScript."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.web.browsing import PHONE, WIDE

pytestmark = pytest.mark.browser


@pytest.fixture(
    params=[(WIDE, True), (WIDE, False), (PHONE, True), (PHONE, False)],
    ids=["wide", "wide, no script", "phone", "phone, no script"],
)
def page_(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    viewport, has_script = request.param
    context = browser.new_context(
        viewport=viewport, java_script_enabled=has_script, base_url=address
    )
    yield context.new_page()
    context.close()


def open_filters(page: Page) -> None:
    """Show the column, which is a sheet on a phone and may still be open there."""
    if not page.locator("#filters").is_visible():
        page.locator(".filter-open").click()


def click_bar(page: Page, chart: int, label: str) -> None:
    open_filters(page)
    bar = page.locator("svg.histogram").nth(chart).locator("a", has_text=label)
    before = page.url
    bar.locator(".bar-area").click()
    page.wait_for_url(lambda url: url.split("#")[0] != before.split("#")[0])


def query_of(page: Page) -> str:
    return page.url.partition("?")[2].partition("#")[0]


def test_a_month_is_chosen_a_range_closed_and_an_end_taken_back(page_: Page) -> None:
    page_.goto("/search?sort=newest")
    click_bar(page_, 0, "2024-02，")
    assert query_of(page_).startswith("month=2024-02")
    assert page_.locator(".bar-mine").count() == 1
    click_bar(page_, 0, "2024-08，")
    assert query_of(page_).startswith("from=2024-02-01&to=2024-08-31")
    assert "2024-02 至 2024-08" in (page_.locator(".chip").text_content() or "")
    click_bar(page_, 0, "2024-08，")
    assert query_of(page_).startswith("month=2024-02")
    click_bar(page_, 0, "2024-02，")
    assert "month=" not in page_.url
    assert page_.locator(".chip").count() == 0


def test_a_month_is_zoomed_to_its_days_and_back(page_: Page) -> None:
    page_.goto("/search?sort=newest")
    click_bar(page_, 0, "2024-02，")
    days = page_.locator("svg.histogram").nth(1)
    label = days.locator("title").first.text_content() or ""
    click_bar(page_, 1, label[:11])
    assert query_of(page_).startswith(f"from={label[:10]}&to={label[:10]}")
    open_filters(page_)
    page_.locator(".zoom-out a", has_text="2 月").click()
    page_.wait_for_url("**month=2024-02**")
    open_filters(page_)
    page_.locator(".zoom-out a", has_text="2024 年").click()
    page_.wait_for_url("**from=2024-01-01&to=2024-12-31**")
    open_filters(page_)
    page_.locator(".zoom-out a", has_text="全部时间").click()
    page_.wait_for_url(lambda url: "from=" not in url)
    assert page_.locator(".zoom-out").count() == 0


def test_bars_stand_on_whole_pixels_in_the_wide_column(page: Page) -> None:
    page.goto("/search?month=2024-02")
    places = page.locator("svg.histogram rect.bar").evaluate_all(
        "all => all.map(bar => bar.getBoundingClientRect()).flatMap(box => [box.x, box.width])"
    )
    assert places
    assert all(abs(place - round(place)) < 0.01 for place in places)


@pytest.mark.parametrize("viewport", [WIDE, PHONE, {"width": 320, "height": 600}])
@pytest.mark.parametrize(
    "path",
    [
        "/trends",
        "/trends?q=漏洞&month=2024-02",
        "/search?month=2024-02",
        "/search?q=" + "a" * 300 + "+没有这回事&match=all",
        "/organisation/青梧机电",
    ],
    ids=range(5),
)
def test_no_picture_overflows_sideways(page: Page, path: str, viewport: ViewportSize) -> None:
    page.set_viewport_size(viewport)
    page.goto(path)
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= viewport["width"]


def test_a_part_of_a_picture_leads_to_its_articles(page_: Page) -> None:
    page_.goto("/trends")
    part = page_.locator("svg.stack a").nth(2)
    told = part.locator("title").text_content() or ""
    part.locator("rect").click(force=True)
    page_.wait_for_url("**/search?**")
    count = told.rpartition("，")[2].removesuffix(" 篇")
    assert f"共 {count} 篇" in page_.locator("h1").inner_text()
