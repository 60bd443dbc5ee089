"""Results in place in Chromium: the keyboard, and the input method that shares it."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.web.instant.following import (
    close_suggestions,
    compose,
    settle,
    state,
    stays,
)

pytestmark = pytest.mark.browser


def test_keys_belong_to_the_input_method_while_it_composes(page: Page, asked: list[str]) -> None:
    page.goto("/search?q=漏洞")
    before = state(page)[:3]
    field = page.locator("#q")
    field.fill("x")  # waits for its pause when the composition begins
    devtools = page.context.new_cdp_session(page)
    for end in range(1, 6):
        compose(devtools, "lesuo"[:end])
    for name, code in (("Enter", 13), ("ArrowDown", 40), ("ArrowUp", 38), ("Escape", 27)):
        for real in (229, code):
            if real == 27:
                continue  # the browser itself would empty the field
            told = "Process" if real == 229 else name
            key: dict[str, Any] = {"key": told, "code": name, "windowsVirtualKeyCode": real}
            devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
            devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})
        assert page.evaluate("document.activeElement.id") == "q"
    page.wait_for_timeout(400)
    assert set(asked) <= {"x"}
    assert not any("le" in query for query in asked)
    devtools.send("Input.insertText", {"text": "勒索"})
    page.wait_for_url("**E7%B4%A2")
    settle(page)
    assert asked[-1] == "x勒索"
    assert state(page)[:3] != before
    assert field.input_value() == "x勒索"


def test_suggestions_and_results_live_together(page: Page) -> None:
    page.goto("/search?q=漏洞&sort=newest")
    is_same = stays(page)
    field = page.locator("#q")
    field.fill("勒索")
    word = page.locator(".option[data-query=勒索软件]")
    word.wait_for()
    page.wait_for_url("**E7%B4%A2&sort=newest")
    settle(page)
    assert word.is_visible()
    field.press("Escape")
    assert not page.locator(".suggest").is_visible()
    field.press("ArrowDown")
    assert page.evaluate("document.activeElement.matches('.hit-title a')")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "q"
    field.press("Alt+ArrowDown")
    word.click()
    page.wait_for_url("**BB%B6&sort=newest")
    assert field.input_value() == "勒索软件"
    assert not page.locator(".suggest").is_visible()
    assert is_same()
    field.fill("qwjd")
    page.locator(".option").first.wait_for()
    field.press("ArrowDown")
    field.press("Enter")
    page.wait_for_url("**/organisation/*")


def test_on_the_front_page_enter_leads_to_the_results(page: Page, asked: list[str]) -> None:
    page.goto("/")
    page.locator("#q").press_sequentially("漏洞")
    page.wait_for_timeout(200)
    assert urlsplit(page.url).path == "/"
    page.locator("#q").press("Enter")
    page.wait_for_url("**/search?q=*")
    assert asked == []


def test_the_results_are_walked_through_by_keys(page: Page) -> None:
    page.goto("/search?q=漏洞")
    focused = """() => [...document.querySelectorAll(".hit-title a")]
        .indexOf(document.activeElement)"""
    page.keyboard.press("j")
    assert page.evaluate(focused) == 0
    for key, place in (("j", 1), ("ArrowDown", 2), ("k", 1), ("ArrowUp", 0), ("Control+j", 0)):
        page.keyboard.press(key)
        assert page.evaluate(focused) == place
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("End")
    page.keyboard.press("j")
    assert page.locator("#q").input_value() == "漏洞j"
    page.keyboard.press("Backspace")
    close_suggestions(page)
    settle(page)
    page.keyboard.press("ArrowDown")
    for _ in range(20):
        page.keyboard.press("j")
    assert page.evaluate(focused) == 8
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("ArrowDown")
    first = page.locator(".hit-title a").first.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{first}")


def test_two_keys_lead_to_the_field_from_everywhere(page: Page) -> None:
    page.goto("/search?q=漏洞")
    for key in ("/", "Control+k"):
        page.locator(".hit-title a").first.focus()
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == "q"
        assert page.evaluate("getSelection().toString()") in ("漏洞", "")
        assert page.locator("#q").input_value() == "漏洞"
