"""What one sees of a page of results, and what one does to it."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import CDPSession, Page

__all__ = ["State", "choose", "close_suggestions", "compose", "reach", "settle", "state", "stays"]

State = tuple[str, str, str, str, list[str], list[str]]
"""The address, the title, the heading, what was typed, the chips, and where each hit leads."""


def state(page: Page) -> State:
    return (
        page.url,
        page.title(),
        page.locator("h1").inner_text(),
        page.locator("#q").input_value(),
        page.locator(".chip").all_inner_texts(),
        page.locator(".hit-title a").evaluate_all("all => all.map(one => one.pathname)"),
    )


def settle(page: Page) -> None:
    page.wait_for_timeout(120)  # longer than the pause after a key
    page.locator("main:not([aria-busy])").wait_for(state="attached")


def close_suggestions(page: Page) -> None:
    """Close the suggestions, those too that are still on their way; Esc might empty the field."""
    field = page.locator("#q")
    field.blur()
    field.focus()


def reach(page: Page, wanted: State) -> None:
    """Wait until the page is in a state, which an answer brings about a little later."""
    page.wait_for_url(wanted[0])
    settle(page)
    assert state(page) == wanted


def stays(page: Page) -> Callable[[], bool]:
    """Return a function that tells whether the document is still the one of now."""
    page.evaluate("window.marked = true")
    return lambda: bool(page.evaluate("window.marked === true"))


def choose(page: Page, facet: str, name: str) -> None:
    if not page.locator("#filters").is_visible():
        page.locator(".filter-open").click()
    before = page.url
    rows = page.locator(f"section[aria-labelledby=facet-{facet}] a.entry")
    rows.filter(has_text=name).first.click()
    page.wait_for_url(lambda url: url != before)


def compose(devtools: CDPSession, text: str) -> None:
    """Type a letter to an input method, whose keys have the code 229."""
    for kind in ("rawKeyDown", "keyUp"):
        key: dict[str, Any] = {"type": kind, "windowsVirtualKeyCode": 229, "key": "Process"}
        devtools.send("Input.dispatchKeyEvent", key)
        if kind == "rawKeyDown":
            devtools.send(
                "Input.imeSetComposition",
                {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
            )
