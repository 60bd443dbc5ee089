"""The widget in Chromium, on a page of another origin under the strictest policy it works with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, Response
from playwright.sync_api import Browser, Locator, Page

from index.settings import Settings
from search import Searcher, SearchRequest
from tests.web.browsing import PHONE, WIDE, serving
from web import create_app
from web.widget import widget_script
from web.widget.demo import demo_page, policy

pytestmark = pytest.mark.browser

TEXT = "衡岳智联的网关产品被曝漏洞，灰鹭团伙借它投放勒索软件，青梧机电停产。"
SCRIPT = {
    "plain": '<script src="{server}/widget.js"></script>',
    "checked": '<script src="{server}/widget/{version}.js" integrity="{integrity}"'
    ' crossorigin="anonymous"></script>',
}


@pytest.fixture(scope="module")
def servers(site_searcher: Searcher) -> Iterator[tuple[str, str, list[str]]]:
    """The address of the site, that of another site's page, and the body of this page."""
    body: list[str] = [""]
    host = Flask("host", static_folder=None)
    api = create_app(Settings(allowed_origins=("*",)), site_searcher)
    with serving(api) as server:

        @host.get("/")
        def index() -> Response:
            response = Response(body[0], mimetype="text/html")
            response.headers["Content-Security-Policy"] = policy(server)
            return response

        with serving(host) as address:
            yield server, address, body


Opener = Callable[..., Page]


@pytest.fixture
def embed(browser: Browser, servers: tuple[str, str, list[str]]) -> Iterator[Opener]:
    """Open a page that embeds the widget; its console must stay clean, and no one else be asked."""
    server, address, body = servers
    contexts = []
    problems: list[str] = []

    def opened(markup: str, script: str = "plain", **options: object) -> Page:
        made = widget_script()
        tag = SCRIPT[script].format(server=server, version=made.version, integrity=made.integrity)
        body[0] = (
            '<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"><title>通知</title>'
            f'<link rel="icon" href="data:,">{tag}</head><body><main><h1>通知</h1><p>{TEXT}</p>'
            f"{markup.format(server=server)}</main></body></html>"
        )
        context = browser.new_context(**({"viewport": WIDE} | options))  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request",
            lambda request: problems.extend(
                [request.url] * (not request.url.startswith((server, address, "data:")))
            ),
        )
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


@contextmanager
def asked_of(page: Page) -> Iterator[list[str]]:
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    yield urls


def field(page: Page) -> Locator:
    return page.locator("anwen-search input[type=search]")


@pytest.mark.parametrize("script", ["plain", "checked"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE])
def test_results_appear_while_one_types(embed: Opener, script: str, viewport: object) -> None:
    page = embed("<anwen-search></anwen-search>", script, viewport=viewport)
    field(page).press_sequentially("漏洞")
    page.locator(".option mark").first.wait_for()
    assert page.locator("[role=listbox] a.option").count() > 1
    assert field(page).get_attribute("aria-expanded") == "true"
    assert "用上下键选择" in page.locator("[role=status]").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_it_is_used_by_keyboard_alone(embed: Opener, servers: tuple[str, str, list[str]]) -> None:
    page = embed("<anwen-search></anwen-search>")
    page.keyboard.press("Tab")
    page.keyboard.type("漏洞")
    page.locator(".option").first.wait_for()
    page.keyboard.press("ArrowDown")
    chosen = page.locator(".option[aria-selected=true]")
    assert field(page).get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    page.keyboard.press("ArrowUp")
    assert field(page).get_attribute("aria-activedescendant") is None
    page.keyboard.press("Escape")
    assert not page.locator(".list").is_visible()
    assert field(page).input_value() == "漏洞"
    page.keyboard.press("ArrowDown")
    page.locator(".option").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{servers[0]}/article/*")


def test_enter_in_the_field_leads_to_all_results_with_the_presets(
    embed: Opener, servers: tuple[str, str, list[str]]
) -> None:
    page = embed('<anwen-search category="漏洞" organisation="青梧机电, 衡岳智联"></anwen-search>')
    with asked_of(page) as urls:
        field(page).press_sequentially("漏洞")
        page.locator(".option").first.wait_for()
    search = next(url for url in urls if "/api/v1/search" in url)
    wanted = [("category", "漏洞"), ("organisation", "青梧机电"), ("organisation", "衡岳智联")]
    assert [pair for pair in parse_qsl(urlsplit(search).query) if pair[0] not in "q size"] == wanted
    field(page).press("Enter")
    page.wait_for_url(f"{servers[0]}/search?*")
    assert [pair for pair in parse_qsl(urlsplit(page.url).query) if pair[0] != "q"] == wanted


def test_what_is_being_composed_is_neither_asked_for_nor_chosen(embed: Opener) -> None:
    page = embed("<anwen-search></anwen-search>")
    field(page).click()
    devtools = page.context.new_cdp_session(page)
    with asked_of(page) as urls:
        for text in ("lou", "loudong"):
            devtools.send(
                "Input.imeSetComposition",
                {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
            )
        for key in ("ArrowDown", "Enter", "Escape"):
            devtools.send(
                "Input.dispatchKeyEvent",
                {"type": "rawKeyDown", "windowsVirtualKeyCode": 229, "key": key},
            )
        page.wait_for_timeout(300)
        assert urls == []
        assert page.locator(".list").is_hidden()
        devtools.send("Input.insertText", {"text": "漏洞"})
        page.locator(".option").first.wait_for()
    assert sum("/api/v1/search" in url for url in urls) == 1
    assert field(page).input_value() == "漏洞"


def test_a_dialog_opens_by_key_and_gives_the_focus_back(embed: Opener) -> None:
    page = embed('<anwen-search mode="modal"></anwen-search>')
    opener = page.locator("button.open")
    opener.focus()
    page.keyboard.press("Control+k")
    page.locator("dialog[open]").wait_for()
    page.keyboard.type("漏洞")
    page.locator(".option").first.wait_for()
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.className") == "open"


@pytest.mark.parametrize("target", ["", "main"])
def test_related_coverage_of_a_page_is_found_by_its_own_words(embed: Opener, target: str) -> None:
    page = embed("<div></div>")
    page.evaluate(
        """(target) => {
          window.heard = [];
          addEventListener("anwen:results", (event) => heard.push(event.detail.total));
          const made = document.createElement("anwen-search");
          made.setAttribute("mode", "related");
          made.setAttribute("related-to", target);
          made.setAttribute("size", "3");
          document.querySelector("div").append(made);
        }""",
        target,
    )
    page.locator("anwen-search li a").first.wait_for()
    assert 1 <= page.locator("anwen-search li").count() <= 3
    assert page.evaluate("window.heard") == [page.locator("anwen-search li").count()]


@pytest.mark.parametrize("is_known", [True, False])
def test_related_coverage_of_an_address_is_asked_for_first(
    embed: Opener, site_searcher: Searcher, is_known: bool
) -> None:
    hits = site_searcher.search(SearchRequest(query="勒索软件", size=20)).hits
    known = next(hit.id for hit in hits if site_searcher.related(hit.id, size=2))
    page = embed("<div></div>")
    # A 404 of the network would stand in the console, which is to stay clean.
    page.evaluate(
        """([ok, id]) => {
          const real = fetch;
          const known = async () => ({ ok, status: 404, json: async () => ({ id }) });
          window.fetch = (url, options) =>
            url.includes("/articles?url=") ? known() : real(url, options);
          const made = document.createElement("anwen-search");
          const attributes = { mode: "related", "related-to": "https://a.example/1", size: "2" };
          for (const name in attributes) made.setAttribute(name, attributes[name]);
          document.querySelector("div").append(made);
        }""",
        [is_known, known],
    )
    page.locator("anwen-search li a").first.wait_for()
    titles = page.locator("anwen-search li a").all_inner_texts()
    wanted = [related.hit.title for related in site_searcher.related(known, size=2)]
    assert (titles == wanted) == is_known


def test_without_a_script_the_form_inside_is_there(embed: Opener) -> None:
    inside = '<input name="q" aria-label="检索"><button>检索</button>'
    markup = f'<anwen-search><form action="{{server}}/search">{inside}</form></anwen-search>'
    page = embed(markup, java_script_enabled=False)
    page.locator("anwen-search input").fill("漏洞")
    page.locator("anwen-search button").click()
    page.wait_for_url("**/search?q=*")
    assert page.locator(".hit").count()


def test_a_host_hears_of_searches_and_may_keep_a_choice(embed: Opener) -> None:
    page = embed("<anwen-search></anwen-search>")
    page.evaluate(
        """() => {
          window.heard = [];
          for (const name of ["search", "results", "select"]) {
            addEventListener(`anwen:${name}`, (event) => {
              heard.push(name);
              if (name === "select") event.preventDefault();
            });
          }
        }"""
    )
    before = page.url
    field(page).press_sequentially("漏洞")
    page.locator(".option").first.click()
    assert page.evaluate("window.heard").count("select") == 1
    assert {"search", "results"} <= set(page.evaluate("window.heard"))
    assert page.url == before


def test_two_widgets_and_another_language_stand_on_one_page(embed: Opener) -> None:
    page = embed(
        '<anwen-search id="a"></anwen-search><anwen-search id="b" lang="en"></anwen-search>'
    )
    page.locator("#b input[type=search]").press_sequentially("漏洞")
    page.locator("#b .option").first.wait_for()
    assert page.locator("#a .list").is_hidden()
    assert page.locator("#b .label").first.inner_text() == "Articles"
    assert page.locator("#b button").inner_text() == "Search"


def test_nothing_found_and_no_answer_are_told(embed: Opener) -> None:
    page = embed("<anwen-search></anwen-search>")
    field(page).fill("zzqqxxyyjj")
    page.locator(".told").wait_for()
    assert "没有找到“zzqqxxyyjj”" in page.locator(".told").inner_text()
    page.route(
        "**/api/v1/**",
        lambda route: route.fulfill(
            status=200, body="not JSON", headers={"Access-Control-Allow-Origin": "*"}
        ),
    )
    field(page).fill("漏洞")
    page.locator(".failed").wait_for()
    assert (
        page.locator(".list .foot a")
        .first.get_attribute("href")
        .endswith("/search?q=%E6%BC%8F%E6%B4%9E")
    )  # type: ignore[union-attr]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(embed: Opener, scheme: str) -> None:
    markup = '<anwen-search></anwen-search><anwen-search mode="related" size="2"></anwen-search>'
    page = embed(markup, color_scheme=scheme)
    # The canvas of the browser follows the scheme, but axe takes it for white unless it is named.
    style = "color-scheme: light dark; background: Canvas"
    page.evaluate(f"document.documentElement.style.cssText = '{style}'")
    page.locator("li a").first.wait_for()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    options = {"runOnly": {"type": "tag", "values": tags}}
    for text, shown in (("", "body"), ("漏洞", ".option"), ("zzqqxxyyjj", ".told")):
        field(page).fill(text)
        page.locator(shown).first.wait_for()
        found = Axe().run(page, options=options).response["violations"]
        # The page has no colours of its own, which are those of the browser.
        assert [f"{each['id']}: {each['nodes'][0]['html']}" for each in found] == []


def test_the_demo_page_keeps_its_own_policy(
    browser: Browser, servers: tuple[str, str, list[str]]
) -> None:
    server, *_ = servers
    with serving(demo_page(server)) as address:
        page = browser.new_page(viewport=WIDE)
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.goto(address)
        page.locator("anwen-search li a").first.wait_for()
        page.locator("anwen-search input[type=search]").first.press_sequentially("漏洞")
        page.locator(".option").first.wait_for()
        page.close()
    assert problems == []
