"""A reader's journey in Chromium, with and without JavaScript."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.browsing import PHONE, WIDE

pytestmark = pytest.mark.browser

PAGES = [
    "/",
    "/search",
    "/search?q=勒索软件",
    "/search?q=勒索软件+私钥+槐州",
    "/search?q=公告&category=行业&organisation=" + "UnbrokenHoldings" * 8,
    "/search?q=" + "a" * 300 + "+没有这回事&category=" + "b" * 200,
    "/search?q=x&page=" + "c" * 200,
    "/search?page=9",
    "/article/" + "e" * 16,
    "/article/" + "f" * 16,
    "/article/" + f"{7:016x}",
    "/organisation/青梧机电",
    "/organisation/青吴机电",
    "/organisations",
    "/organisations?type=institute",
    "/identifier/CVE-2026-90007",
    "/identifier/T1486",
    "/identifier/CVE-2026-9",
    "/search?q=漏洞&find=" + "UnbrokenHoldings" * 8,
    "/organisation/" + "UnbrokenHoldings" * 8,
    "/draft",
    "/help/query",
    "/docs",
    "/nothing",
]


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def context(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=WIDE, java_script_enabled=request.param)
    yield context
    context.close()


def state(page: Page) -> tuple[str, str, list[str], list[str]]:
    """The address, the total, the chips, and the rows that are chosen."""
    return (
        page.url,
        page.locator("h1").inner_text(),
        page.locator(".chip").all_inner_texts(),
        page.locator(".entry[aria-current] .entry-name").all_inner_texts(),
    )


def choose(page: Page, facet: str, name: str) -> None:
    rows = page.locator(f"section[aria-labelledby=facet-{facet}] a.entry")
    rows.filter(has_text=name).first.click()
    page.wait_for_load_state()


def test_a_reader_filters_goes_back_and_reloads(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address)
    page.locator("#q").fill("漏洞")
    page.locator("#q").press("Enter")
    page.wait_for_url("**/search?q=*")
    states = [state(page)]
    assert states[0][1].endswith("共 9 篇")
    for step in (
        lambda: choose(page, "organisation", "青梧机电"),
        lambda: choose(page, "organisation", "Corvane Networks"),
        lambda: choose(page, "category", "漏洞"),
        lambda: page.locator("svg.histogram a").first.click(),
    ):
        step()
        page.wait_for_url(lambda url: url != states[-1][0])
        states.append(state(page))
    assert len({url for url, *_ in states}) == 5
    url, heading, chips, rows = states[-1]
    assert [parameter.split("=")[0] for parameter in url.split("?")[1].split("&")] == [
        *("q", "category", "organisation", "organisation", "month"),
    ]
    assert [chip.split()[1] for chip in chips] == ["类别", "机构", "机构", "月份"]
    assert sorted(rows) == ["Corvane Networks", "漏洞", "青梧机电"]
    assert page.locator("li.hit").count() == int(heading.split("共 ")[1].removesuffix(" 篇"))
    assert page.locator(".bar-mine").count() == 1

    page.reload()
    assert state(page) == states[-1]
    for before in reversed(states[:-1]):
        page.go_back()
        page.wait_for_url(before[0])
        page.locator("main:not([aria-busy])").wait_for()
        assert state(page) == before
    for after in states[1:]:
        page.go_forward()
        page.wait_for_url(after[0])
        page.locator("main:not([aria-busy])").wait_for()
        assert state(page) == after
    page.locator(".chip").last.click()
    page.wait_for_url(states[-2][0])
    assert state(page) == states[-2]


@pytest.mark.parametrize("viewport", [WIDE, PHONE, {"width": 320, "height": 600}])
@pytest.mark.parametrize("path", PAGES, ids=range(len(PAGES)))
def test_nothing_overflows_sideways(
    browser: Browser, address: str, path: str, viewport: dict[str, int]
) -> None:
    context = browser.new_context(viewport=viewport)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address + path)
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    width = page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= viewport["width"]
    context.close()


def test_the_filter_sheet_of_a_phone_opens_keeps_open_and_closes(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto("/search?q=漏洞")
    sheet = page.locator("#filters")
    assert not sheet.is_visible()
    page.locator(".filter-open").click()
    assert sheet.is_visible()
    # The browser tells of a changed fragment a moment after it has changed.
    expect(sheet.locator("a").first).to_be_focused()
    assert page.evaluate("document.querySelector('#main').inert")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    choose(page, "category", "漏洞")
    page.wait_for_url("**category=*#filters")
    assert sheet.is_visible()
    page.keyboard.press("Escape")
    assert not sheet.is_visible()
    expect(page.locator(".filter-open")).to_be_focused()
    assert not page.evaluate("document.querySelector('#main').inert")


def test_the_filter_sheet_of_a_phone_needs_no_script(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/search?q=漏洞")
    page.locator(".filter-open").click()
    assert page.locator("#filters").is_visible()
    choose(page, "category", "漏洞")
    assert not page.locator("#filters").is_visible()
    assert page.locator(".chip").count() == 1
    context.close()


def test_enter_that_ends_a_composition_does_not_search(page: Page, address: str) -> None:
    page.goto("/")
    field = page.locator("#q")
    field.click()
    devtools = page.context.new_cdp_session(page)
    devtools.send(
        "Input.imeSetComposition", {"text": "loudong", "selectionStart": 7, "selectionEnd": 7}
    )
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    devtools.send("Input.dispatchKeyEvent", {"type": "keyDown", **enter})
    devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    page.wait_for_timeout(300)
    assert page.url == f"{address}/"
    devtools.send("Input.insertText", {"text": "漏洞"})
    assert field.input_value() == "漏洞"
    field.press("Enter")
    page.wait_for_url("**/search?q=*")
    assert "共 9 篇" in page.locator("h1").inner_text()


def test_a_key_with_the_code_of_a_composition_does_not_search(page: Page, address: str) -> None:
    page.goto("/")
    prevented = page.locator("#q").evaluate(
        """field => !field.dispatchEvent(new KeyboardEvent("keydown",
            {key: "Enter", keyCode: 229, bubbles: true, cancelable: true}))"""
    )
    assert prevented
    assert page.url == f"{address}/"


def test_a_slash_leads_to_the_field_and_stays_a_slash_inside_it(page: Page) -> None:
    page.goto("/search?q=漏洞")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("End")
    page.keyboard.press("/")
    assert page.locator("#q").input_value() == "漏洞/"


def test_the_theme_is_switched_and_kept(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.locator("[data-theme-toggle]").click()
    dark = page.evaluate(paper)
    assert dark != light
    page.goto("/search?q=漏洞")
    assert page.evaluate(paper) == dark
    page.locator("[data-theme-toggle]").click()
    assert page.evaluate(paper) == light


def test_dates_narrow_the_search(page: Page) -> None:
    page.goto("/search?q=漏洞")
    page.locator("#from").fill("2024-01-01")
    page.locator("#to").fill("2024-12-31")
    page.locator(".range button").click()
    page.wait_for_url("**from=2024-01-01&to=2024-12-31")
    assert "时间 2024" in page.locator(".chip").inner_text()
    assert page.locator("#from").input_value() == "2024-01-01"


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, as a reader without a mouse does."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


@pytest.mark.parametrize("may_write", [True, False], ids=["clipboard", "selection"])
def test_a_reference_is_copied_by_the_keyboard_alone(page: Page, *, may_write: bool) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if not may_write:
        page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error())")
    page.goto("/article/" + f"{7:016x}")
    tab_to(page, "[data-copy=cite-gbt]")
    button = page.locator("[data-copy=cite-gbt]")
    assert button.inner_text().startswith("复制")
    page.keyboard.press("Enter")
    page.locator("#copied", has_text="已复制").wait_for(state="attached")
    assert button.inner_text().startswith("已复制")
    assert page.evaluate("document.activeElement.dataset.copy") == "cite-gbt"
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#cite-gbt").inner_text()
    assert "[EB/OL]" in copied
    button.filter(has_not_text="已复制").wait_for()
    assert page.locator("#copied").inner_text() == ""

    # The other forms open one at a time.
    tab_to(page, "details.cite-form:nth-of-type(2) summary")
    page.keyboard.press("Enter")
    assert page.locator("#cite-bibtex").is_visible()
    assert not page.locator("#cite-gbt").is_visible()


def test_where_nothing_may_be_copied_the_reference_is_selected(page: Page) -> None:
    page.add_init_script(
        """navigator.clipboard.writeText = () => Promise.reject(new Error());
           document.execCommand = () => false;"""
    )
    page.goto("/article/" + f"{7:016x}")
    page.locator("[data-copy=cite-gbt]").press("Enter")
    page.locator("#copied", has_text="已选中").wait_for(state="attached")
    assert page.evaluate("getSelection().toString()") == page.locator("#cite-gbt").inner_text()


def test_a_reference_needs_no_script(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=WIDE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/article/{7:016x}")
    assert "[EB/OL]" in page.locator("#cite-gbt").inner_text()
    assert page.locator(".copy:visible").count() == 0
    context.close()


@pytest.mark.parametrize("viewport", [WIDE, PHONE])
def test_chosen_hits_are_taken_away(
    context: BrowserContext, address: str, viewport: dict[str, int]
) -> None:
    page = context.new_page()
    page.set_viewport_size(viewport)  # type: ignore[arg-type]
    page.goto(f"{address}/search?q=勒索软件")
    boxes = page.locator(".pick input")
    assert not boxes.first.is_visible()
    page.locator("#export summary").press("Enter")
    for number in (0, 2):
        boxes.nth(number).focus()
        page.keyboard.press("Space")
    wanted = [boxes.nth(number).get_attribute("value") for number in (0, 2)]
    with page.expect_download() as coming:
        page.locator("#export-chosen button[value=jsonl]").press("Enter")
    lines = coming.value.path().read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == wanted
    assert coming.value.suggested_filename.endswith(".jsonl")
    assert page.locator(".hits[aria-busy=true]").count() == 0

    with page.expect_download() as coming:
        page.locator("#export a", has_text="CSV").click()
    assert len(coming.value.path().read_text(encoding="utf-8").splitlines()) == 17


def test_suggestions_appear_are_walked_through_and_followed(page: Page, address: str) -> None:
    page.goto("/search?q=漏洞&category=漏洞")
    field = page.locator("#q")
    field.fill("")
    with page.expect_response("**/api/v1/suggest?q=qwjd"):  # after which the list stays as it is
        field.press_sequentially("qwjd")
    option = page.locator(".option").first
    expect(option).to_contain_text("青梧机电")
    assert field.get_attribute("aria-expanded") == "true"
    field.press("ArrowDown")
    assert page.locator(".option[aria-selected=true]").count() == 1
    assert field.get_attribute("aria-activedescendant") == option.get_attribute("id")
    field.press("ArrowUp")
    assert field.get_attribute("aria-activedescendant") is None
    field.press("Escape")
    assert not page.locator(".suggest").is_visible()
    assert field.input_value() == "qwjd"
    field.press("ArrowDown")
    option.wait_for()
    field.press("ArrowDown")
    field.press("Enter")
    page.wait_for_url(f"{address}/organisation/*")


def test_a_suggested_word_keeps_the_filters(page: Page) -> None:
    page.goto("/search?q=漏洞&category=漏洞")
    field = page.locator("#q")
    field.fill("")
    field.press_sequentially("勒索")
    word = page.locator(".option[data-query=勒索软件]")
    word.click()
    page.wait_for_url("**/search?**")
    assert "category=" in page.url
    assert page.locator("#q").input_value() == "勒索软件"


def test_what_is_being_composed_is_not_asked_for(page: Page) -> None:
    page.goto("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.extend([request.url] * ("suggest?" in request.url)))
    page.locator("#q").click()
    devtools = page.context.new_cdp_session(page)
    devtools.send(
        "Input.imeSetComposition", {"text": "lesuo", "selectionStart": 5, "selectionEnd": 5}
    )
    page.wait_for_timeout(300)
    assert asked == []
    devtools.send("Input.insertText", {"text": "勒索"})
    page.locator(".option").first.wait_for()
    assert len(asked) == 1


def test_the_search_works_where_suggestions_fail(page: Page) -> None:
    page.route("**/api/v1/suggest**", lambda route: route.fulfill(status=200, body="not JSON"))
    page.goto("/")
    page.locator("#q").press_sequentially("漏洞")
    page.wait_for_timeout(300)
    assert not page.locator(".suggest").is_visible()
    page.locator("#q").press("Enter")
    page.wait_for_url("**/search?q=*")


@pytest.mark.parametrize("viewport", [WIDE, PHONE])
def test_the_values_of_a_facet_are_looked_through_and_chosen(
    page: Page, viewport: dict[str, int]
) -> None:
    page.set_viewport_size(viewport)  # type: ignore[arg-type]
    page.goto("/search?q=漏洞#filters")
    field = page.locator("#find")
    rows = page.locator("section[aria-labelledby=facet-organisation] a.entry")
    before = rows.all_inner_texts()
    field.press_sequentially("qwjd")
    page.get_by_text("1 个机构符合").wait_for()
    assert page.locator(".find-told").get_attribute("role") == "status"
    assert rows.count() == 1
    (was,) = [text for text in before if "青梧机电" in text]
    assert rows.first.inner_text() == was
    assert page.evaluate("document.scrollingElement.scrollWidth") <= viewport["width"]
    field.press("Escape")
    assert field.input_value() == ""
    assert rows.all_inner_texts() == before
    assert field.is_visible()
    field.press_sequentially("没有")
    page.get_by_text("结果中没有这个机构").wait_for()
    field.fill("青梧")
    page.get_by_text("1 个机构符合").wait_for()
    field.press("ArrowDown")
    assert "青梧机电" in page.evaluate("document.activeElement.innerText")
    page.keyboard.press("Enter")
    page.wait_for_url("**organisation=*")
    assert "青梧机电" in page.locator(".chip").first.inner_text()
    assert page.locator("#find").input_value() == ""


def test_the_values_of_a_facet_are_looked_through_without_a_script(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(viewport=WIDE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/search?q=漏洞&sort=newest")
    page.locator("#find").fill("qwjd")
    page.locator("#find").press("Enter")
    page.wait_for_url("**find=qwjd**")
    choose(page, "organisation", "青梧机电")
    page.wait_for_url("**organisation=*")
    assert "sort=newest" in page.url
    assert "find=" not in page.url
    context.close()


def test_the_filters_work_where_looking_through_fails(page: Page) -> None:
    page.route("**/api/v1/facets/**", lambda route: route.fulfill(status=200, body="not JSON"))
    page.goto("/search?q=漏洞")
    page.locator("#find").press_sequentially("青梧")
    page.get_by_text("没有应答").wait_for()
    page.locator(".find button").click()
    page.wait_for_url("**find=**")
    assert "1 个机构符合" in page.locator(".find-told").inner_text()


def test_what_is_being_composed_is_not_looked_for(page: Page) -> None:
    page.goto("/search?q=漏洞")
    asked: list[str] = []
    page.on("request", lambda request: asked.extend([request.url] * ("facets/" in request.url)))
    page.locator("#find").click()
    devtools = page.context.new_cdp_session(page)
    devtools.send(
        "Input.imeSetComposition", {"text": "qingwu", "selectionStart": 6, "selectionEnd": 6}
    )
    page.wait_for_timeout(400)
    assert asked == []
    devtools.send("Input.insertText", {"text": "青梧"})
    page.get_by_text("1 个机构符合").wait_for()
    assert len(asked) == 1
