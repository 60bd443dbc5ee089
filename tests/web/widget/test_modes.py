"""The widget in Chromium: as a dialog, and as a list of related articles."""

import json

import pytest
from playwright.sync_api import expect

from tests.web.widget.visiting import (
    MODAL,
    RELATED,
    TEXT,
    Foreign,
    Visiting,
    combobox,
    fail_with,
    search,
)

pytestmark = pytest.mark.browser


def test_the_dialog_opens_by_its_button_and_by_key_and_gives_the_focus_back(
    visit: Visiting,
) -> None:
    page = visit(MODAL).page
    dialog = page.get_by_role("dialog", name="检索安全新闻")
    button = page.get_by_role("button", name="检索安全新闻")
    for keys in ("Control+k", "Meta+k"):
        page.get_by_role("link", name="首页").focus()
        page.keyboard.press(keys)
        expect(dialog).to_be_visible()
        expect(combobox(page)).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(page.get_by_role("link", name="首页")).to_be_focused()
    button.click()
    search(page, "漏洞")
    page.get_by_role("button", name="关闭").click()
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    expect(combobox(page)).to_have_value("漏洞")
    page.mouse.click(5, 5)
    expect(dialog).to_be_hidden()


def test_escape_leaves_the_dialog_open_while_chinese_is_composed(visit: Visiting) -> None:
    page = visit(MODAL).page
    page.get_by_role("button", name="检索安全新闻").click()
    client = page.context.new_cdp_session(page)
    client.send("Input.imeSetComposition", {"text": "lou", "selectionStart": 3, "selectionEnd": 3})
    client.send(
        "Input.dispatchKeyEvent",
        {"type": "rawKeyDown", "key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 229},
    )
    page.wait_for_timeout(100)
    expect(page.get_by_role("dialog")).to_be_visible()


# Related articles


def test_a_page_of_the_archive_has_its_related_articles(visit: Visiting, foreign: Foreign) -> None:
    made = visit("<p>-</p>")
    known = json.dumps({"id": f"{1:016x}"})  # the ids of these articles are not of their addresses
    headers = {"Access-Control-Allow-Origin": "*"}
    made.page.route(
        "**/api/v1/articles?*", lambda route: route.fulfill(body=known, headers=headers)
    )
    made.page.goto(
        foreign.show(RELATED.replace(" lang", ' related-to="https://tingchao.example/p/1" lang'))
    )
    rows = made.page.get_by_role("listitem")
    expect(rows.first).to_be_visible()
    count = rows.count()
    assert "共同提及" in rows.first.inner_text() or "同一" in rows.first.inner_text()
    expect(made.page.get_by_role("status")).to_have_text(f"{count} 篇相关报道")
    assert len(made.asked("articles")) == 1
    assert not [request for request in made.requests if request.method == "POST"]
    more = made.page.get_by_role("link", name="更多报道").get_attribute("href") or ""
    assert "/article/" in more


def test_the_reasons_of_related_articles_are_english_on_an_english_page(visit: Visiting) -> None:
    page = visit(TEXT + RELATED.replace('"zh"', '"en"')).page
    expect(page.get_by_role("status")).to_have_text("3 related articles")
    told = page.locator("li .aside").all_inner_texts()
    assert "Both name: 衡岳智联" in told
    assert all(": " in reason for reason in told)


@pytest.mark.parametrize("related_to", ["", "main", "https://it.huaizhou.example/notice/319"])
def test_another_page_is_compared_by_its_own_text(visit: Visiting, related_to: str) -> None:
    made = visit(TEXT + RELATED.replace(" lang", f' related-to="{related_to}" lang'))
    expect(made.page.get_by_role("listitem")).to_have_count(3)
    (sent,) = (request for request in made.requests if request.method == "POST")
    body = sent.post_data_json
    assert body["title"] == "关于排查远程运维平台的通知"
    assert "停用批量下发的功能" in body["text"]
    assert body["size"] == 3
    if related_to.startswith("http"):
        assert "status of 404" in made.problems.pop()


def test_a_long_page_is_cut_to_what_the_server_compares(visit: Visiting) -> None:
    lines = "".join(f"<p>第{number}行：{'𠀀勒索软件' * 40}</p>" for number in range(400))
    made = visit(TEXT + lines + RELATED)
    expect(made.page.get_by_role("listitem")).to_have_count(3)
    (sent,) = (request for request in made.requests if request.method == "POST")
    assert len(sent.post_data_json["title"]) + len(sent.post_data_json["text"]) <= 20_000


@pytest.mark.parametrize("selector", ["#nothing", "[[", "#empty"])
def test_without_a_text_nothing_is_asked_and_a_sentence_says_so(
    visit: Visiting, selector: str
) -> None:
    made = visit(RELATED.replace(" lang", f' related-to="{selector}" lang'))
    expect(made.page.locator(".text")).to_have_text("没有相关报道。")
    assert made.asked("related") == []


def test_an_error_of_related_articles_is_a_sentence(visit: Visiting) -> None:
    made = visit("<p>-</p>")
    made.page.route("**/api/v1/related", fail_with(503))
    made.page.evaluate("document.body.append(document.createElement('anwen-search'))")
    made.page.evaluate("document.querySelector('anwen-search').setAttribute('mode', 'related')")
    expect(made.page.locator(".notice")).to_contain_text("暂时连不上安闻")
    assert "status of 503" in made.problems.pop()
