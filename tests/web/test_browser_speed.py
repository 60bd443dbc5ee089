"""What a first visit costs in Chromium: the bytes that are sent, and how much moves meanwhile."""

import json

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.web.browsing import PHONE, WIDE

pytestmark = pytest.mark.browser

MOST_BYTES = 60_000
MOST_SHIFT = 0.02

SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifts.push(entry.value);
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.mark.parametrize("path", ["/search", "/search?q=勒索软件", "/"])
def test_a_first_visit_is_small(browser: Browser, address: str, path: str) -> None:
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    addresses: dict[str, str] = {}
    sent: dict[str, int] = {}
    devtools.on(
        "Network.requestWillBeSent",
        lambda event: addresses.update({event["requestId"]: event["request"]["url"]}),
    )
    # Headers and body as they went over the line.
    devtools.on(
        "Network.loadingFinished",
        lambda event: sent.update({event["requestId"]: event["encodedDataLength"]}),
    )
    page.goto(address + path)
    page.wait_for_load_state("networkidle")
    sizes = {addresses[number].removeprefix(address): size for number, size in sent.items()}
    assert any(url.startswith("/static/site.css") for url in sizes)
    assert sum(sizes.values()) <= MOST_BYTES, sizes
    context.close()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", ["/search", "/search?q=勒索软件", "/search?q=没有这回事xyz", "/"])
def test_nothing_moves_while_a_page_loads(
    browser: Browser, address: str, path: str, viewport: ViewportSize
) -> None:
    context = browser.new_context(viewport=viewport, base_url=address)
    page = context.new_page()
    page.goto("/help/query")
    saved = [{"url": f"/search?q={n}", "name": f"保存的{n}", "seen": 1} for n in range(6)]
    page.evaluate("text => localStorage.setItem('anwen-saved', text)", json.dumps(saved))
    page.add_init_script(SHIFTS)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    assert page.evaluate("shifts.reduce((sum, one) => sum + one, 0)") <= MOST_SHIFT
    context.close()


def test_nothing_moves_while_one_waits_for_an_answer(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=WIDE, base_url=address)
    page = context.new_page()
    page.add_init_script(SHIFTS)
    page.goto("/search?q=勒索软件")
    page.route("**/search?*", lambda _: None)  # never answered
    page.locator(".results-head .switch a", has_text="最新").click()
    page.wait_for_timeout(1_000)
    assert page.locator("main").get_attribute("aria-busy") == "true"
    assert page.evaluate("shifts.reduce((sum, one) => sum + one, 0)") <= MOST_SHIFT
    context.close()
