"""Saved searches and read marks in Chromium: kept by the browser alone, told to nobody."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, ViewportSize

from index.document import BEIJING, Article
from tests.web.browsing import PHONE, WIDE

pytestmark = pytest.mark.browser

KEEP = "保存检索"
FORGET = "不再保存这个检索"
CLEAR = "清除已读标记"


@pytest.fixture
def requests() -> list[Request]:
    """What the browser asked for."""
    return []


@pytest.fixture
def context(
    browser: Browser, address: str, viewport: ViewportSize, requests: list[Request]
) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=viewport, base_url=address)
    context.on("request", lambda request: requests.append(request))
    yield context
    context.close()
    assert {urlsplit(request.url).netloc for request in requests} <= {urlsplit(address).netloc}


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    assert problems == []


def stored(page: Page, key: str) -> Any:
    found = page.evaluate("key => localStorage.getItem(key)", key)
    return None if found is None else json.loads(found)


def store(page: Page, key: str, value: object) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, text])


def save(page: Page, path: str) -> None:
    page.goto(path)
    page.get_by_role("button", name=KEEP, exact=True).click()
    page.get_by_role("button", name=FORGET).wait_for()


def seen_at(page: Page, moment: datetime) -> None:
    """Let the saved searches have been looked at last then."""
    saved = stored(page, "anwen-saved")
    store(page, "anwen-saved", [one | {"seen": moment.timestamp() * 1_000} for one in saved])


def counting(requests: list[Request]) -> list[str]:
    return [
        unquote_plus(urlsplit(request.url).query)
        for request in requests
        if "/api/v1/search" in request.url
    ]


def test_a_search_is_saved_and_tells_what_is_new(
    page: Page, requests: list[Request], news: list[Article]
) -> None:
    save(page, "/search?q=漏洞&category=漏洞&page=1&sort=relevance")
    (saved,) = stored(page, "anwen-saved")
    assert unquote(saved["url"]) == "/search?q=漏洞&category=漏洞&sort=relevance"
    assert saved["name"] == "漏洞，漏洞"
    moment = datetime(2024, 6, 1, 12, tzinfo=BEIJING)
    seen_at(page, moment)
    requests.clear()
    page.goto("/")
    row = page.locator(".saved a.entry")
    row.scroll_into_view_if_needed()
    row.get_by_text("篇").wait_for()
    new = [
        article
        for article in news
        if article.category == "漏洞"
        and "漏洞" in article.title + article.body
        and article.published
        and article.published > moment
    ]
    assert 0 < len(new) < 40
    assert row.locator(".entry-count").text_content() == f"自上次以来 {len(new)} 篇"
    title = row.locator(".entry-count").get_attribute("title")
    assert title
    assert "晚于 2024-06-01 12:00（北京时间）" in title
    assert len(counting(requests)) == 1
    assert "from=2024-06-01" in counting(requests)[0]
    # A number that is fresh is not asked for again.
    page.goto("/")
    row.get_by_text("篇").wait_for()
    assert len(counting(requests)) == 1

    row.click()
    page.wait_for_url("**/search?q=*")
    assert stored(page, "anwen-saved")[0]["seen"] > datetime.now(BEIJING).timestamp() * 900
    page.goto("/")
    row.scroll_into_view_if_needed()
    row.locator(".entry-count", has_text="自上次以来 0 篇").wait_for()


def test_the_list_stands_under_the_filters_too(page: Page, viewport: ViewportSize) -> None:
    save(page, "/search?q=漏洞")
    save(page, "/search?q=私钥")
    if viewport == PHONE:
        page.locator(".filter-open").click()
    rows = page.locator("#filters .saved a.entry")
    assert rows.locator(".entry-name").all_inner_texts() == ["漏洞", "私钥"]
    assert rows.nth(1).get_attribute("aria-current") == "true"
    rows.nth(0).click()
    page.wait_for_url(lambda url: "9E" in url)
    assert page.locator("#q").input_value() == "漏洞"
    assert rows.nth(0).get_attribute("aria-current") == "true"
    assert page.evaluate("document.scrollingElement.scrollWidth") <= viewport["width"]


def test_a_period_read_from_words_stays_one(page: Page, requests: list[Request]) -> None:
    save(page, "/search?q=漏洞+2023年1月")
    seen_at(page, datetime(2023, 1, 2, tzinfo=BEIJING))
    requests.clear()
    page.goto("/")
    page.locator(".saved").scroll_into_view_if_needed()
    page.locator(".saved .entry-count", has_text=" 1 篇").wait_for()
    assert "from=" not in counting(requests)[0]


def test_a_saved_search_is_renamed_and_removed(page: Page, requests: list[Request]) -> None:
    save(page, "/search?q=漏洞")
    save(page, "/search?q=私钥")
    page.goto("/")
    page.locator(".saved summary").click()
    field = page.locator(".saved-edit input").first
    field.fill("每日<b>漏洞</b>，甲乙")
    field.press("Enter")
    names = page.locator(".saved a.entry .entry-name")
    assert names.all_inner_texts() == ["每日<b>漏洞</b>，甲乙", "私钥"]
    assert urlsplit(page.url).path == "/"
    page.reload()
    assert names.all_inner_texts() == ["每日<b>漏洞</b>，甲乙", "私钥"]
    page.locator(".saved summary").click()
    page.get_by_role("button", name="移除“私钥”").click()
    assert names.count() == 1
    page.get_by_role("button", name="移除“每日").click()
    assert page.locator(".saved").count() == 0
    # Names are told to nobody.
    sent = " ".join(f"{unquote(each.url)} {each.post_data}" for each in requests)
    assert "甲乙" not in sent


def test_what_is_saved_can_be_given_up_where_it_was_saved(page: Page) -> None:
    save(page, "/search?q=漏洞")
    page.get_by_role("button", name=FORGET).click()
    page.get_by_role("button", name=KEEP, exact=True).wait_for()
    assert stored(page, "anwen-saved") == []
    # The button follows what is shown in place.
    page.get_by_role("button", name=KEEP, exact=True).click()
    page.locator("#q").fill("私钥")
    page.get_by_role("button", name=KEEP, exact=True).wait_for()
    page.locator("#q").fill("漏洞")
    page.get_by_role("button", name=FORGET).wait_for()


def test_a_search_that_finds_nothing_can_be_saved(page: Page) -> None:
    save(page, "/search?q=没有这回事xyz")
    assert len(stored(page, "anwen-saved")) == 1


def test_ten_searches_are_kept_and_no_more(page: Page) -> None:
    for number in range(10):
        save(page, f"/search?q=漏洞+{number}")
    page.goto("/search?q=私钥")
    button = page.get_by_role("button", name=KEEP, exact=True)
    assert button.get_attribute("aria-disabled") == "true"
    button.click(force=True)
    assert len(stored(page, "anwen-saved")) == 10


@pytest.mark.parametrize("viewport", [PHONE], ids=["phone"], indirect=True)  # wide pages show it
def test_nothing_is_asked_where_the_list_is_not_seen(page: Page, requests: list[Request]) -> None:
    save(page, "/search?q=漏洞")
    page.goto("/search?q=私钥")
    page.wait_for_timeout(300)
    assert counting(requests) == []


def test_an_opened_article_is_marked_until_the_marks_are_cleared(page: Page) -> None:
    page.goto("/search?q=漏洞")
    first = page.locator(".hit-title a").first
    colour = "one => getComputedStyle(one).color"
    unread = first.evaluate(colour)
    assert page.get_by_role("button", name=CLEAR).count() == 0
    first.click()
    page.wait_for_url("**/article/*")
    page.go_back()
    page.locator(".hit-title a.is-read").wait_for()
    assert page.locator(".is-read").count() == 1
    assert first.inner_text().endswith("（已读）")
    assert first.evaluate(colour) != unread
    second = page.locator(".hit-title a").nth(1)
    assert second.evaluate(colour) == unread
    # The marks follow what is shown in place.
    page.locator(".results-head .switch a", has_text="最新").click()
    page.wait_for_url("**sort=newest")
    assert page.locator(".is-read").count() == 1
    button = page.get_by_role("button", name=CLEAR)
    button.click()
    assert page.locator(".is-read").count() == 0
    assert not button.is_visible()
    page.go_back()
    page.wait_for_url("**9E")
    page.locator("main:not([aria-busy])").wait_for()
    assert first.evaluate(colour) == unread
    assert "已读" not in first.inner_text()


def test_two_thousand_marks_are_kept_the_oldest_dropped(page: Page) -> None:
    page.goto("/")
    store(page, "anwen-read", [f"old{number}" for number in range(2_000)])
    page.goto(f"/article/{7:016x}")
    marks = stored(page, "anwen-read")
    assert len(marks) == 2_000
    assert marks[0] == "old1"
    assert marks[-1] == f"{7:016x}"


def test_another_tab_follows(context: BrowserContext, page: Page) -> None:
    page.goto("/search?q=漏洞")
    href = page.locator(".hit-title a").first.get_attribute("href")
    other = context.new_page()
    other.goto(href or "")
    page.locator(".is-read").wait_for()
    save(other, "/search?q=漏洞")
    page.get_by_role("button", name=FORGET).wait_for()
    other.evaluate("localStorage.clear()")
    page.get_by_role("button", name=KEEP, exact=True).wait_for()
    assert page.locator(".is-read").count() == 0


@pytest.mark.parametrize("found", ["no JSON", "{}", '[{"url": "javascript:alert(1)"}, null, 7]'])
def test_what_is_broken_in_the_storage_does_no_harm(page: Page, found: str) -> None:
    page.goto("/")
    for key in ("anwen-saved", "anwen-read"):
        store(page, key, found)
    page.goto("/search?q=漏洞")
    assert page.locator(".saved").count() == 0
    page.get_by_role("button", name=KEEP, exact=True).click()
    page.get_by_role("button", name=FORGET).wait_for()


def test_a_full_storage_is_done_without(page: Page) -> None:
    page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }"
    )
    page.goto("/search?q=漏洞")
    page.get_by_role("button", name=KEEP, exact=True).click()
    page.locator(".hit-title a").first.click()
    page.wait_for_url("**/article/*")


def test_a_closed_storage_is_done_without(page: Page) -> None:
    page.add_init_script(
        """for (const name of ["localStorage", "sessionStorage"])
            Object.defineProperty(window, name, {
                get() { throw new DOMException("", "SecurityError"); },
            });"""
    )
    page.goto("/search?q=漏洞")
    assert page.get_by_role("button", name=KEEP, exact=True).count() == 0
    page.locator(".results-head .switch a", has_text="最新").click()
    page.wait_for_url("**sort=newest")
    page.locator(".hit-title a").first.click()
    page.wait_for_url("**/article/*")


def test_without_a_script_there_is_nothing_to_save_with(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=WIDE, java_script_enabled=False)
    page = context.new_page()
    for path in ("/search?q=漏洞", "/"):
        page.goto(address + path)
        assert page.get_by_text("保存").count() == 0
        assert page.get_by_text("已读").count() == 0
    context.close()
