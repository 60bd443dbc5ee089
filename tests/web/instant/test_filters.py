"""Results in place in Chromium: the filters beside them, a sheet on a phone."""

import pytest
from playwright.sync_api import Page, expect

from tests.web.browsing import PHONE, WIDE
from tests.web.instant.following import choose, close_suggestions, settle, stays

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("viewport", [PHONE], ids=["phone"], indirect=True)
def test_the_open_sheet_stays_open_while_one_chooses(page: Page) -> None:
    page.goto("/search?q=漏洞")
    is_same = stays(page)
    sheet = page.locator("#filters")
    choose(page, "category", "漏洞")
    settle(page)
    assert sheet.is_visible()
    assert page.evaluate("document.activeElement.innerText").startswith("漏洞")
    page.locator("#from").fill("2024-01-01")
    page.locator(".range button").click()
    page.wait_for_url("**from=2024-01-01#filters")
    settle(page)
    assert sheet.is_visible()
    assert page.evaluate("document.getElementById('main').inert")
    page.go_back()
    page.wait_for_url("**category=%E6%BC%8F%E6%B4%9E#filters")
    settle(page)
    assert sheet.is_visible()
    page.keyboard.press("Escape")
    assert not sheet.is_visible()
    expect(page.locator(".filter-open")).to_be_focused()
    assert not page.evaluate("document.getElementById('main').inert")
    assert page.locator(".chip").count() == 1
    assert is_same()


@pytest.mark.parametrize("viewport", [WIDE], ids=["wide"], indirect=True)
def test_the_focus_stays_where_one_chose(page: Page) -> None:
    page.goto("/search?q=漏洞")
    choose(page, "organisation", "青梧机电")
    settle(page)
    row = "document.activeElement.querySelector('.entry-name').innerText"
    assert page.evaluate(row) == "青梧机电"
    page.keyboard.press("Enter")
    page.wait_for_url("**q=%E6%BC%8F%E6%B4%9E")
    settle(page)
    assert page.evaluate(row) == "青梧机电"
    page.locator(".results-head .switch a", has_text="最新").press("Enter")
    page.wait_for_url("**sort=newest")
    assert page.evaluate("document.activeElement.innerText") == "最新"
    choose(page, "category", "漏洞")
    page.locator(".chip").press("Enter")
    page.wait_for_url(lambda url: "category" not in url)
    settle(page)
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_field_of_a_facet_works_after_an_answer(page: Page) -> None:
    page.goto("/search?q=私钥")
    page.locator("#q").fill("漏洞")
    page.wait_for_url("**9E")
    settle(page)
    close_suggestions(page)
    if not page.locator("#filters").is_visible():
        page.locator(".filter-open").click()
    page.locator("#find").press_sequentially("qwjd")
    page.get_by_text("1 个机构符合").wait_for()
