"""An editor's journey in Chromium: a draft is pasted, its marks are read, a source is opened."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.web.browsing import PHONE, WIDE
from tests.web.crafted import COPIED, DRAFT, CraftedSearcher, make_reports

pytestmark = pytest.mark.browser

NARROW: ViewportSize = {"width": 320, "height": 600}
LONG = "UnbrokenHoldings" * 20


@pytest.fixture(scope="module")
def site(crafted_site: Flask) -> Flask:
    return crafted_site


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def context(
    request: pytest.FixtureRequest, browser: Browser, address: str
) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport=WIDE, java_script_enabled=request.param, base_url=address
    )
    yield context
    context.close()


def check(page: Page, text: str) -> None:
    page.goto("/draft")
    page.get_by_label("正文").fill(text)
    page.get_by_role("button", name="核对").click()
    page.locator(".strip").wait_for()


def width(page: Page) -> int:
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    found: int = page.evaluate("document.scrollingElement.scrollWidth")
    return found


def test_an_editor_pastes_a_draft_reads_its_marks_and_opens_a_source(
    context: BrowserContext,
) -> None:
    page = context.new_page()
    page.goto("/")
    page.get_by_role("link", name="稿件体检").click()
    page.get_by_label("正文").fill(DRAFT)
    page.get_by_role("button", name="核对").click()
    page.wait_for_url("**/draft")
    marks = page.locator(".verdict b").all_inner_texts()
    assert marks == ["新写", "已报", "雷同", "太短", "新写"]
    copied = page.locator(".paragraph.is-copied")
    assert copied.locator(".paragraph-text mark").inner_text() == COPIED
    assert copied.locator("figure mark").all_inner_texts() == [COPIED] * 2
    with context.expect_page() as opened:
        copied.locator(".source a").click()
    source = opened.value
    source.wait_for_load_state()
    assert source.url.endswith(f"/article/{1:016x}")
    assert source.locator("h1").is_visible()
    # The answer is where it was, with the draft in its field.
    assert page.locator(".paragraph").count() == 5
    page.get_by_text("改稿，再核对").click()
    field = page.get_by_label("正文")
    assert field.input_value() == DRAFT
    field.fill(DRAFT.split("\n")[0])
    page.get_by_role("button", name="核对").click()
    page.locator(".strip").wait_for()
    assert page.locator(".paragraph").count() == 1


def test_the_source_learns_nothing_of_the_draft(page: Page) -> None:
    check(page, DRAFT)
    with page.context.expect_page() as opened:
        page.locator(".source a").first.click()
    assert opened.value.evaluate("document.referrer") == ""
    assert opened.value.evaluate("window.opener") is None


def focused(page: Page) -> str:
    text: str = page.evaluate("document.activeElement.innerText || document.activeElement.id")
    return text.strip()


def tab_to(page: Page, wanted: str) -> None:
    """Go on with the tab key until something is focused whose text begins so."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if focused(page).startswith(wanted):
            return
    pytest.fail(f"no tab leads to {wanted}")


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_keyboard_alone_leads_from_a_draft_to_a_copied_citation(
    page: Page, viewport: ViewportSize
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_viewport_size(viewport)
    page.goto("/draft")
    tab_to(page, "draft-title")
    page.keyboard.press("Tab")
    assert focused(page) == "draft-text"
    page.keyboard.insert_text(DRAFT)
    page.keyboard.press("Tab")
    assert focused(page) == "核对"
    page.keyboard.press("Enter")
    page.locator(".strip").wait_for()
    assert page.locator(".verdict b").all_inner_texts() == ["新写", "已报", "雷同", "太短", "新写"]
    tab_to(page, "改稿")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused(page) == "draft-text"
    tab_to(page, "灰鹭借远程")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    tab_to(page, "对照原文")
    page.keyboard.press("Enter")
    assert not page.locator(".compare blockquote").first.is_visible()
    source = opened.value
    source.wait_for_url(f"**/article/{1:016x}")
    source.bring_to_front()
    tab_to(source, "复制")
    source.keyboard.press("Enter")
    source.locator("#copied", has_text="已复制").wait_for(state="attached")
    assert "[EB/OL]" in source.evaluate("navigator.clipboard.readText()")


def test_a_slash_stays_a_slash_in_a_draft(page: Page) -> None:
    page.goto("/draft")
    field = page.get_by_label("正文")
    field.click()
    page.keyboard.type("a/b\nc")
    assert field.input_value() == "a/b\nc"


@pytest.mark.parametrize("viewport", [WIDE, PHONE, NARROW], ids=["wide", "phone", "narrow"])
@pytest.mark.parametrize("text", [DRAFT, f"{LONG}\n{COPIED}{LONG}"], ids=["draft", "unbroken"])
def test_a_checked_draft_does_not_overflow_sideways(
    page: Page, viewport: ViewportSize, text: str
) -> None:
    page.set_viewport_size(viewport)
    check(page, text)
    assert width(page) <= viewport["width"]


def test_on_a_phone_both_sides_stand_under_each_other(page: Page) -> None:
    page.set_viewport_size(PHONE)
    check(page, DRAFT)
    draft, article = page.locator(".beside figure").all()
    upper, lower = draft.bounding_box(), article.bounding_box()
    assert upper
    assert lower
    assert upper["x"] == lower["x"]
    assert upper["y"] + upper["height"] <= lower["y"]


@pytest.mark.parametrize("hours", [0.2, 8, 24 * 300])
@pytest.mark.parametrize("viewport", [WIDE, PHONE, NARROW], ids=["wide", "phone", "narrow"])
def test_a_timeline_does_not_overflow_sideways(
    page: Page,
    crafted: CraftedSearcher,
    monkeypatch: pytest.MonkeyPatch,
    viewport: ViewportSize,
    hours: float,
) -> None:
    reports = [
        replace(report, lag=report.lag and timedelta(hours=hours * number))
        for number, report in enumerate(make_reports())
    ]
    monkeypatch.setattr(crafted, "reports", tuple(reports))
    page.set_viewport_size(viewport)
    page.goto(f"/article/{1:016x}")
    assert page.locator(".timeline li").count() == 6
    assert width(page) <= viewport["width"]
    labels = page.locator(".ruler-scale li")
    assert labels.evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_marks_of_the_strip_differ_in_more_than_colour(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    check(page, DRAFT)
    look = "bar => getComputedStyle(bar).fill + getComputedStyle(bar).strokeDasharray"
    marks = ("new", "covered", "copied", "short")
    for place in (".strip", ".key"):
        looks = [page.locator(f"{place} .is-{mark}").first.evaluate(look) for mark in marks]
        assert len(set(looks)) == 4, looks
    assert "url" in page.locator(".key .is-covered").evaluate(look)


def test_on_paper_the_answer_stands_without_the_field(page: Page) -> None:
    check(page, DRAFT)
    page.emulate_media(media="print")
    assert not page.get_by_text("改稿，再核对").is_visible()
    assert not page.get_by_role("button", name="检索").is_visible()
    assert page.locator(".paragraph-text").count() == 5
    after = "getComputedStyle(document.querySelector('.source a'), '::after').content"
    assert "https://tingchao.example/p/2" in page.evaluate(after)


def test_what_is_wrong_is_told_beside_the_field(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/draft")
    page.get_by_role("button", name="核对").click()
    assert "还没有稿件" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("正文").is_visible()
