"""The widget in Chromium: as an element of its page, what it looks like, and to whom it speaks."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.web.browsing import PHONE, WIDE
from tests.web.widget.visiting import (
    INLINE,
    LINK,
    MODAL,
    RELATED,
    TEXT,
    Foreign,
    Visit,
    Visiting,
    combobox,
    fail_with,
    search,
)
from web.widget import make_bundle

pytestmark = pytest.mark.browser


def test_two_elements_on_a_page_work_for_themselves(visit: Visiting) -> None:
    page = visit(INLINE + "<p>其间</p>" + INLINE.replace('"zh"', '"en"')).page
    first, second = combobox(page).nth(0), combobox(page).nth(1)
    expect(second).to_have_attribute("placeholder", "Search security news")
    first.fill("漏洞")
    expect(page.get_by_role("option").first).to_be_visible()
    second.fill("勒索软件")
    expect(page.get_by_role("group", name="Articles")).to_be_visible()
    expect(page.get_by_role("group", name="文章")).to_be_hidden()
    expect(page.get_by_role("link", name="Enter: all")).to_be_visible()


def test_attributes_are_observed_and_what_was_typed_stays(visit: Visiting) -> None:
    made = visit(INLINE)
    search(made.page, "漏洞")
    made.page.evaluate("document.querySelector('anwen-search').setAttribute('category', '新闻')")
    made.page.evaluate("document.querySelector('anwen-search').lang = 'en'")
    expect(combobox(made.page)).to_have_attribute("placeholder", "Search security news")
    expect(combobox(made.page)).to_have_value("漏洞")
    search(made.page, "漏洞 勒索")
    assert ("category", "新闻") in made.asked("search")[-1]


def test_an_element_that_is_taken_away_leaves_nothing_behind(visit: Visiting) -> None:
    page = visit(MODAL).page
    expect(page.get_by_role("button", name="检索安全新闻")).to_be_visible()
    page.evaluate("window.kept = document.querySelector('anwen-search'); window.kept.remove()")
    heard = page.evaluate(
        "!document.dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'k', ctrlKey: true, bubbles: true, cancelable: true}))"
    )
    assert not heard
    page.evaluate("document.body.append(window.kept)")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_the_server_may_be_another_than_that_of_the_script(
    visit: Visiting, foreign: Foreign
) -> None:
    made = visit(INLINE.replace(" lang", ' server="javascript:alert(1)" lang'))
    search(made.page, "漏洞")  # not an address: the script's own server
    made.page.evaluate(
        "(server) => document.querySelector('anwen-search').setAttribute('server', server)",
        foreign.server + "/search?x",
    )
    made.page.wait_for_timeout(50)
    options = search(made.page, "勒索")
    assert (options.first.get_attribute("href") or "").startswith(f"{foreign.server}/")


def test_the_script_with_its_integrity_runs_and_with_another_does_not(
    visit: Visiting, foreign: Foreign
) -> None:
    bundle = make_bundle()
    tag = '<script src="{}" integrity="{}" crossorigin="anonymous"></script>'
    page = visit(INLINE, tag.format(foreign.server + bundle.path, bundle.integrity)).page
    search(page, "漏洞")
    wrong = visit(
        "<anwen-search><a href='#'>检索</a></anwen-search>",
        tag.format(foreign.server + bundle.path, "sha384-" + "A" * 64),
    )
    expect(wrong.page.get_by_role("link", name="检索")).to_be_visible()
    assert len(wrong.problems) == 1
    assert "integrity" in wrong.problems.pop()


def test_without_a_script_the_form_inside_works(visit: Visiting, foreign: Foreign) -> None:
    form = (
        f'<anwen-search><form action="{foreign.server}/search"><input type="search" name="q" '
        'aria-label="检索"><button>检索</button></form></anwen-search>'
    )
    page = visit(form, java_script_enabled=False).page
    page.get_by_role("searchbox").fill("勒索软件")
    page.get_by_role("button").click()
    page.wait_for_url(f"{foreign.server}/search?q=*")
    with_script = visit(form).page
    expect(combobox(with_script)).to_be_visible()
    expect(with_script.get_by_role("button")).to_have_count(1)


# How it looks, and to whom it speaks


def colour(page: Page, name: str) -> str:
    found: str = page.locator(".search").evaluate(
        "(part, name) => getComputedStyle(part).getPropertyValue(name)", name
    )
    return found


def test_it_follows_the_page_the_reader_or_an_attribute(visit: Visiting) -> None:
    sheets = {"light": "rgb(255, 255, 255)", "dark": "rgb(28, 33, 36)"}
    for scheme, other in (("light", "dark"), ("dark", "light")):
        page = visit(INLINE, color_scheme=scheme, look=LINK).page
        assert colour(page, "background-color") == sheets[scheme]
        page.evaluate(
            "(theme) => document.querySelector('anwen-search').setAttribute('theme', theme)", other
        )
        assert colour(page, "background-color") == sheets[other]
    page = visit(INLINE, color_scheme="dark").page  # a page that is light whatever readers like
    assert colour(page, "background-color") == sheets["light"]
    page.evaluate("document.querySelector('anwen-search').setAttribute('theme', 'auto')")
    assert colour(page, "background-color") == sheets["dark"]


def test_a_page_may_set_the_tokens_and_cannot_spoil_the_rest(visit: Visiting) -> None:
    page = visit(INLINE).page
    page.evaluate("""() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(`html { font-size: 5px; --ink: red } body { letter-spacing: 9px }
        input { display: none } anwen-search { --sheet: rgb(1, 2, 3) }`);
      document.adoptedStyleSheets = [sheet];
    }""")
    assert colour(page, "background-color") == "rgb(1, 2, 3)"
    assert colour(page, "border-top-color") == "rgb(20, 25, 27)"
    assert colour(page, "letter-spacing") == "normal"
    assert colour(page, "font-size") == "16px"
    expect(combobox(page)).to_be_visible()


def in_states(made: Visit) -> Iterator[str]:
    """Bring a page with a field, a dialog and related articles into each of its states."""
    page = made.page
    expect(page.get_by_role("listitem").first).to_be_visible()
    yield "at rest"
    field = combobox(page)
    search(page, "勒索软件")
    field.press("ArrowDown")
    yield "options"
    field.fill("qqzzxxyy")
    expect(page.locator("p.text")).to_be_visible()
    yield "nothing found"
    page.route("**/api/v1/search*", lambda _: None)
    field.fill("")
    expect(page.locator("p.text")).to_be_hidden()
    field.fill("漏洞")
    expect(page.locator(".wait").first).to_be_visible()
    yield "loading"
    page.unroute_all()
    page.route("**/api/v1/search*", fail_with(503))
    field.fill("漏洞 ")
    field.fill("私钥")
    expect(page.locator(".notice")).to_be_visible()
    yield "error"
    page.unroute_all()
    made.problems.clear()
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").fill("漏洞")
    expect(dialog.get_by_role("option").first).to_be_visible()
    yield "dialog"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["390", "1280"])
def test_every_state_is_accessible_and_fits_the_window(
    visit: Visiting, viewport: Any, scheme: str, language: str
) -> None:
    body = TEXT + INLINE + RELATED + INLINE.replace(" lang", ' mode="modal" lang')
    body = body.replace('"zh"', f'"{language}"')
    made = visit(body, look=LINK, viewport=viewport, color_scheme=scheme)
    seen = []
    for state in in_states(made):
        seen.append(state)
        found = Axe().run(made.page, options={"rules": {"region": {"enabled": False}}})
        broken = [(each["id"], each["nodes"]) for each in found.response["violations"]]
        assert broken == [], state
        width = made.page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], state
    assert len(seen) == 6
