"""The widget in Chromium: what a reader types into it, and what it answers."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.web.widget.visiting import (
    INLINE,
    RELATED,
    TEXT,
    Foreign,
    Visiting,
    combobox,
    fail_with,
    listen,
    search,
    told,
)

pytestmark = pytest.mark.browser


def test_a_reader_types_and_follows_an_article_by_keyboard(
    visit: Visiting, foreign: Foreign
) -> None:
    page = visit(INLINE).page
    options = search(page, "勒索软件")
    assert options.count() >= 6
    assert "勒索软件" in page.locator("mark").first.inner_text()
    expect(page.get_by_role("status")).to_contain_text("条建议，用上下键选择")
    field = combobox(page)
    expect(field).to_have_attribute("aria-expanded", "true")
    field.press("ArrowDown")
    field.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute(
        "aria-activedescendant", options.nth(1).get_attribute("id") or ""
    )
    field.press("ArrowUp")
    field.press("ArrowUp")  # the field is one of the places
    assert field.get_attribute("aria-activedescendant") is None
    field.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    field.press("ArrowDown")
    field.press("ArrowDown")
    href = options.first.get_attribute("href") or ""
    assert href.startswith(f"{foreign.server}/article/")
    field.press("Enter")
    page.wait_for_url(href)


def test_enter_alone_leads_to_all_results(visit: Visiting, foreign: Foreign) -> None:
    page = visit(INLINE).page
    search(page, "勒索软件")
    combobox(page).press("Enter")
    page.wait_for_url(f"{foreign.server}/search?q=*")


def test_escape_closes_and_an_arrow_opens_again(visit: Visiting) -> None:
    page = visit(INLINE).page
    options = search(page, "漏洞")
    combobox(page).press("Escape")
    expect(options.first).to_be_hidden()
    expect(combobox(page)).to_have_attribute("aria-expanded", "false")
    combobox(page).press("ArrowDown")
    expect(options.first).to_be_visible()
    page.mouse.click(5, 800)
    expect(options.first).to_be_hidden()


def test_organisations_and_identifiers_are_found_too(visit: Visiting, foreign: Foreign) -> None:
    page = visit(INLINE).page
    search(page, "青梧")
    named = page.get_by_role("group", name="机构").get_by_role("option")
    expect(named.first).to_contain_text("青梧机电")
    assert (named.first.get_attribute("href") or "").startswith(f"{foreign.server}/organisation/")
    found = {"text": "CVE-2026-90001", "count": 1200, "id": None, "url": "/search?q=CVE-2026-90001"}
    body = json.dumps({"groups": [{"name": "identifier", "suggestions": [found]}]})
    headers = {"Access-Control-Allow-Origin": "*"}
    page.route("**/api/v1/suggest?*", lambda route: route.fulfill(body=body, headers=headers))
    search(page, "cve-2026-9000")
    numbered = page.get_by_role("group", name="编号").get_by_role("option")
    expect(numbered).to_have_text("CVE-2026-900011,200 篇")


def test_only_the_last_of_quick_words_is_asked_for(visit: Visiting) -> None:
    made = visit(INLINE)
    # In one go: on a busy machine a pressed key comes later than the widget waits for it.
    combobox(made.page).evaluate(
        """field => {
            for (const text of ["r", "ra", "ran", "rans", "ranso", "ransom"]) {
                field.value = text;
                field.dispatchEvent(new InputEvent("input", {bubbles: true, composed: true}));
            }
        }"""
    )
    made.page.wait_for_timeout(400)
    assert [dict(values)["q"] for values in made.asked("search")] == ["ransom"]


def test_an_answer_that_comes_late_does_not_replace_a_newer_one(visit: Visiting) -> None:
    page = visit(INLINE).page
    held: list[Route] = []
    page.route("**/api/v1/search?q=a*", lambda route: held.append(route))
    combobox(page).fill("a")
    page.wait_for_timeout(300)
    assert len(held) == 1
    expect(page.locator(".wait")).to_have_count(3)
    options = search(page, "漏洞")
    assert "漏洞" in options.first.inner_text()


def test_filters_of_the_page_stand_in_requests_and_links(visit: Visiting) -> None:
    made = visit(
        '<anwen-search category="漏洞, 新闻" source="听潮网安" organisation="青梧机电，灰鹭" '
        'size="2"></anwen-search>'
    )
    search(made.page, "勒索软件")
    chosen = [
        ("category", "漏洞"),
        ("category", "新闻"),
        ("organisation", "青梧机电"),
        ("organisation", "灰鹭"),
        ("source", "听潮网安"),
    ]
    assert made.asked("search") == [[("q", "勒索软件"), ("size", "2"), *chosen]]
    assert made.asked("suggest") == []
    everything = made.page.get_by_role("link", name="回车看全部")
    assert parse_qsl(urlsplit(everything.get_attribute("href") or "").query)[1:] == chosen


def test_markup_of_an_article_is_text(visit: Visiting) -> None:
    page = visit(INLINE).page
    options = search(page, "标题 引号")
    expect(options.filter(has_text="<script>alert('标题')</script>")).to_be_visible()
    expect(options.filter(has_text="<b>某报</b>")).to_be_visible()


def test_a_page_that_demands_trusted_types_may_embed_it(
    visit: Visiting, foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = foreign.page["policy"] + "; require-trusted-types-for 'script'; trusted-types 'none'"
    monkeypatch.setitem(foreign.page, "policy", policy)
    page = visit(TEXT + INLINE + RELATED).page
    expect(page.get_by_role("listitem")).to_have_count(3)
    search(page, "勒索软件")


# Input methods


def test_nothing_happens_while_chinese_is_composed(visit: Visiting) -> None:
    made = visit(INLINE)
    page = made.page
    client = page.context.new_cdp_session(page)
    options = search(page, "漏洞")
    combobox(page).press("ArrowDown")
    selected = options.first
    before = (page.url, len(made.asked("search")))
    for composed in ("l", "le", "lesuo"):
        client.send(
            "Input.imeSetComposition",
            {"text": composed, "selectionStart": len(composed), "selectionEnd": len(composed)},
        )
    for key, code in (("Enter", 13), ("ArrowDown", 40), ("Escape", 27)):
        client.send(
            "Input.dispatchKeyEvent",
            {"type": "rawKeyDown", "key": key, "code": key, "windowsVirtualKeyCode": 229},
        )
        client.send(
            "Input.dispatchKeyEvent", {"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}
        )
    page.wait_for_timeout(400)
    assert (page.url, len(made.asked("search"))) == before
    expect(selected).to_have_attribute("aria-selected", "true")
    client.send("Input.insertText", {"text": "勒索"})
    expect(page.get_by_role("status")).to_contain_text("条建议")
    page.wait_for_timeout(400)
    assert combobox(page).input_value() == "漏洞勒索"
    assert [dict(values)["q"] for values in made.asked("search")] == ["漏洞", "漏洞勒索"]


@pytest.mark.parametrize("key", ["Enter", "ArrowDown", "Escape"])
def test_a_key_that_safari_marks_with_229_alone_belongs_to_the_method(
    visit: Visiting, key: str
) -> None:
    page = visit(INLINE).page
    options = search(page, "漏洞")
    combobox(page).evaluate(
        "(field, key) => field.dispatchEvent(new KeyboardEvent('keydown', "
        "{key, keyCode: 229, bubbles: true, cancelable: true}))",
        key,
    )
    expect(options.first).to_be_visible()
    assert combobox(page).get_attribute("aria-activedescendant") is None


# States


def test_nothing_found_is_a_sentence_and_a_way_on(visit: Visiting) -> None:
    page = visit(INLINE).page
    combobox(page).fill("qqzzxxyy")
    expect(page.locator(".text")).to_have_text("没有关于“qqzzxxyy”的文章、机构或编号。")
    expect(page.get_by_role("link", name="仍检索“qqzzxxyy”")).to_be_visible()
    expect(combobox(page)).to_have_attribute("aria-expanded", "false")


@pytest.mark.parametrize(("status", "sentence"), [(503, "暂时连不上安闻"), (400, "检索式太长。")])
def test_an_error_is_a_sentence_and_the_same_words_may_be_asked_again(
    visit: Visiting, status: int, sentence: str
) -> None:
    made = visit(INLINE)
    page = made.page
    page.route("**/api/v1/search*", fail_with(status, "检索式太长。"))
    combobox(page).fill("漏洞")
    expect(page.locator(".notice")).to_contain_text(sentence)
    expect(page.get_by_role("status")).to_contain_text(sentence)
    page.unroute("**/api/v1/search*")
    combobox(page).press("Escape")
    combobox(page).press("ArrowDown")
    expect(page.get_by_role("option").first).to_be_visible()
    assert len(made.problems) == 1
    assert f"status of {status}" in made.problems.pop()


# Events


def test_the_page_is_told_and_may_follow_links_itself(visit: Visiting, foreign: Foreign) -> None:
    page = visit(INLINE).page
    listen(page)
    page.evaluate("document.addEventListener('anwen:select', (event) => event.preventDefault())")
    search(page, "勒索软件")
    combobox(page).press("ArrowDown")
    combobox(page).press("Enter")
    combobox(page).press("ArrowUp")
    combobox(page).press("Enter")
    names = [name for name, _ in told(page)]
    assert names == ["search", "results", "select", "select"]
    (_, asked), (_, found), (_, chosen), (_, everything) = told(page)
    assert asked == {"query": "勒索软件"}
    assert found["total"] >= len(found["hits"]) == 6
    assert chosen["id"] == found["hits"][0]["id"]
    assert chosen["url"] == f"{foreign.server}/article/{chosen['id']}"
    assert everything["kind"] == "all"
    assert page.url == f"{foreign.address}/"
