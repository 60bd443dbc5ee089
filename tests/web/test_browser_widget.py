"""The widget in Chromium, on a page of another origin with the strictest policy that allows it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, Response
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from index.settings import Settings
from search import Searcher
from tests.web.browsing import PHONE, WIDE, serving
from web import create_app
from web.widget import make_bundle
from web.widget.demo import foreign_policy

pytestmark = pytest.mark.browser

INLINE = '<anwen-search lang="zh"></anwen-search>'
MODAL = '<p><a href="#">首页</a></p><anwen-search mode="modal" lang="zh"></anwen-search>'
RELATED = '<anwen-search mode="related" lang="zh" size="3"></anwen-search>'
LOOK = (
    ":root { color-scheme: light dark } body { background: light-dark(#fff, #10151f);"
    " color: light-dark(#111, #eee) }"
)
LINK = '<link rel="stylesheet" href="look.css">'
TEXT = (
    "<h1>关于排查远程运维平台的通知</h1><p>勒索软件借远程运维平台漏洞扩散，衡岳智联已发布说明，"
    "编号CVE-2026-90001。请各单位停用批量下发的功能，并核对全部巡检脚本。</p>"
)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A site that is not ours: it shows a body under the strict policy, and the widget."""

    address: str
    server: str
    page: dict[str, str]

    def show(self, body: str, script: str | None = None, look: str = "") -> str:
        """Return the address of a page with a body; a look is another thing for its head."""
        tag = f'<script src="{self.server}/widget.js" async></script>'
        self.page["html"] = (
            '<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"><title>通知</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"{look}{tag if script is None else script}</head>"
            f"<body><main>{body}</main></body></html>"
        )
        return self.address


@dataclass(slots=True)
class Visit:
    """A page, what it asked for, and what its console and its policy complained of."""

    page: Page
    requests: list[Request] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def asked(self, path: str) -> list[list[tuple[str, str]]]:
        """The parameters of each request for a path of the API."""
        parts = (urlsplit(request.url) for request in self.requests if request.method != "OPTIONS")
        return [parse_qsl(part.query) for part in parts if part.path == f"/api/v1/{path}"]


@pytest.fixture(scope="module")
def foreign(site_searcher: Searcher) -> Iterator[Foreign]:
    site = Flask("foreign", static_folder=None)
    page: dict[str, str] = {}

    @site.get("/")
    def show() -> Response:
        return Response(page["html"], headers={"Content-Security-Policy": page["policy"]})

    @site.get("/look.css")
    def look() -> Response:
        return Response(LOOK, mimetype="text/css")

    @site.get("/favicon.ico")
    def icon() -> Response:
        return Response(status=204)

    with serving(site) as address:
        anwen = create_app(Settings(allowed_origins=(address,)), site_searcher)
        with serving(anwen) as server:
            page["policy"] = foreign_policy(server)
            yield Foreign(address, server, page)


Visiting = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, foreign: Foreign) -> Iterator[Visiting]:
    """A function from a body to a visit of its page; at the end nothing may have gone wrong."""
    visits: list[Visit] = []

    def make(body: str, script: str | None = None, look: str = "", **options: Any) -> Visit:
        context = browser.new_context(**{"viewport": WIDE, **options})
        made = Visit(context.new_page())
        made.page.set_default_timeout(8_000)
        made.page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error(e.blockedURI))"
        )
        made.page.on("request", lambda request: made.requests.append(request))
        made.page.on("console", lambda message: made.problems.append(message.text))
        made.page.on("pageerror", lambda error: made.problems.append(str(error)))
        visits.append(made)
        made.page.goto(foreign.show(body, script, look))
        return made

    yield make
    for made in visits:
        made.page.context.close()
        assert made.problems == []
        hosts = {urlsplit(request.url).netloc for request in made.requests}
        assert hosts <= {urlsplit(foreign.address).netloc, urlsplit(foreign.server).netloc}


def combobox(page: Page) -> Locator:
    return page.get_by_role("combobox")


def search(page: Page, query: str) -> Locator:
    """Type a query; the options that come of it."""
    combobox(page).fill(query)
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    return options


def listen(page: Page) -> None:
    """Note the events that reach the page's document."""
    page.evaluate("""() => {
      window.told = [];
      for (const name of ["search", "results", "select"])
        document.addEventListener(`anwen:${name}`, (e) => window.told.push([name, e.detail]));
    }""")


def told(page: Page) -> list[Any]:
    events: list[Any] = page.evaluate("window.told")
    return events


def fail_with(status: int, message: str = "") -> Callable[[Route], None]:
    body = json.dumps({"error": {"code": "x", "message": message, "detail": {}}})
    headers = {"Access-Control-Allow-Origin": "*"}
    return lambda route: route.fulfill(status=status, body=body, headers=headers)


# Searching


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
    combobox(made.page).press_sequentially("ransom", delay=20)
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


# The dialog


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


# The element


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
