"""What axe cannot see: keys, focus, larger text, other colours, no motion, paper."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.browsing import PHONE, WIDE
from tests.web.crafted import DRAFT

pytestmark = pytest.mark.browser

PATHS = (
    "/",
    "/search?q=勒索软件+私钥+槐州&exclude_category=行业",
    "/search?q=没有这回事儿+漏洞&match=all",
    "/article/" + f"{7:016x}",
    "/article/" + "e" * 16,
    "/organisation/青梧机电",
    "/organisations",
    "/identifier/T1486",
    "/draft",
    "/analyze?q=勒索病毒的漏洞+槐州",
    "/help/query",
    "/nothing",
)

# What a reader may set (WCAG 1.4.12).
SPACING = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-block-end: 2em !important; }
"""
CLIPPED = """() => [...document.querySelectorAll("body *")].filter((each) => {
    if (!each.checkVisibility()) return false;
    if (each.closest(".visually-hidden, svg, input, textarea")) return false;
    const style = getComputedStyle(each);
    const cuts = style.overflowX === "hidden" || style.overflowX === "clip" || each.matches(
        "button, .button, .chip, summary, .entry, .switch a, .nav a");
    return cuts && (each.scrollWidth > each.clientWidth + 2
        || each.scrollHeight > each.clientHeight + 2);
}).map((each) => each.outerHTML.slice(0, 150))"""

# The focus is seen by an outline, of the element or of what is drawn around it, and nothing lies
# over all of it.
FOCUS = """() => {
    const focused = document.activeElement;
    if (focused === document.body) return null;
    const box = focused.getBoundingClientRect();
    const seen = [focused, focused.closest(".search")].some((each) => each
        && getComputedStyle(each).outlineStyle !== "none"
        && parseFloat(getComputedStyle(each).outlineWidth) >= 2);
    const places = [[.5, .5], [.05, .5], [.95, .5], [.5, .1], [.5, .9]];
    const free = [...focused.getClientRects()].some((rect) => places.some(([x, y]) => {
        const top = document.elementFromPoint(rect.x + rect.width * x, rect.y + rect.height * y);
        return top && (focused.contains(top) || top.contains(focused));
    }));
    const inside = box.bottom > 0 && box.top < innerHeight
        && box.right > 0 && box.left < innerWidth;
    return { seen, free, inside, what: focused.outerHTML.slice(0, 150) };
}"""


@pytest.fixture(scope="module")
def site(crafted_site: Flask) -> Flask:
    return crafted_site


@pytest.fixture
def open_at(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """A function from an address, and what a reader has set, to the page."""
    contexts: list[BrowserContext] = []

    def build(path: str, **settings: object) -> Page:
        context = browser.new_context(base_url=address, **settings)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield build
    for context in contexts:
        context.close()


def walk(page: Page, key: str, most: int = 400) -> int:
    """Press a key until the focus leaves the page, and look at each place it comes to."""
    for number in range(most):
        page.keyboard.press(key)
        found = page.evaluate(FOCUS)
        if found is None:
            return number
        assert found["seen"], found["what"]
        assert found["free"], found["what"]
        assert found["inside"], found["what"]
    raise AssertionError("The focus does not come to an end")


@pytest.mark.parametrize("path", PATHS)
def test_the_focus_is_seen_wherever_it_goes(open_at: Callable[..., Page], path: str) -> None:
    page = open_at(path, viewport=WIDE)
    assert walk(page, "Tab") > 5


def test_the_focus_is_seen_in_the_filter_sheet_both_ways(open_at: Callable[..., Page]) -> None:
    page = open_at("/search?q=漏洞", viewport=PHONE)
    page.locator(".filter-open").press("Enter")
    for _ in range(45):
        page.keyboard.press("Tab")
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        found = page.evaluate(FOCUS)
        assert found is None or (found["seen"] and found["free"] and found["inside"]), found


@pytest.mark.parametrize("path", ["/", "/search?q=漏洞", "/article/" + f"{7:016x}", "/draft"])
def test_the_first_key_leads_past_what_stands_on_every_page(
    open_at: Callable[..., Page], path: str
) -> None:
    page = open_at(path, viewport=WIDE)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#main') !== null")


@pytest.mark.parametrize("width", [1280, 640, 320], ids=["100 %", "200 %", "400 %"])
@pytest.mark.parametrize("path", PATHS)
def test_larger_text_and_wider_spacing_lose_nothing(
    open_at: Callable[..., Page], path: str, width: int
) -> None:
    page = open_at(path, viewport={"width": width, "height": 700})
    page.evaluate(
        """css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css);
                    document.adoptedStyleSheets = [sheet]; }""",
        SPACING,
    )
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert page.evaluate(CLIPPED) == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_its_landmarks_and_headings_in_order(
    open_at: Callable[..., Page], path: str
) -> None:
    page = open_at(path, java_script_enabled=False)
    for landmark in ("body > header", "main", "body > footer", "h1"):
        assert page.locator(landmark).count() == 1, landmark
    names = page.locator("nav").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert all(names)
    assert len(names) == len(set(names))
    levels = page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(one => +one.tagName[1])")
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_nothing_moves(open_at: Callable[..., Page]) -> None:
    page = open_at("/search?q=漏洞", viewport=WIDE)
    moving = """() => [...document.querySelectorAll("*")].filter((each) => {
        const style = getComputedStyle(each);
        return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0
            || style.scrollBehavior === "smooth";
    }).length"""
    assert page.evaluate(moving) == 0


def test_what_is_chosen_is_seen_in_forced_colours(open_at: Callable[..., Page]) -> None:
    page = open_at("/search?q=漏洞", viewport=WIDE, forced_colors="active")
    field = page.locator("#q")
    field.fill("")
    field.press_sequentially("勒索")
    page.locator(".option").first.wait_for()
    field.press("ArrowDown")
    chosen = page.locator(".option[aria-selected=true]")
    assert chosen.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    current = page.locator(".results-head .switch [aria-current]")
    assert current.evaluate("one => getComputedStyle(one).textDecorationLine") == "underline"


def test_a_new_paragraph_has_no_bar_in_forced_colours(open_at: Callable[..., Page]) -> None:
    page = open_at("/draft", viewport=WIDE, forced_colors="active")
    page.get_by_label("正文").fill(DRAFT)
    page.get_by_role("button", name="核对").click()
    page.locator(".strip").wait_for()
    colour = "one => getComputedStyle(one).borderInlineStartColor"
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert page.locator(".is-new .paragraph-text").first.evaluate(colour) == paper
    assert page.locator(".is-copied .paragraph-text").first.evaluate(colour) != paper


def test_paper_has_the_articles_and_their_addresses_and_no_controls(
    open_at: Callable[..., Page],
) -> None:
    page = open_at("/search?q=漏洞&category=漏洞", viewport=WIDE)
    page.emulate_media(media="print")
    for control in (".search", ".nav", ".filters", ".pager", ".export", ".pick", ".foot"):
        assert not page.locator(control).first.is_visible(), control
    assert page.locator(".chip").is_visible()
    shown = page.locator(".hit-title a[data-source-url^=http]").first.evaluate(
        "one => getComputedStyle(one, '::after').content"
    )
    assert "https://" in shown
    page.goto("/")
    for control in (".search", ".try", ".nav"):
        assert not page.locator(control).first.is_visible(), control
