"""Hostile texts in Chromium: 0 executed, and 0 that only the policy stopped.

Short form: all payloads as lists, in which each stands several times, and some one by one; the long
one, `--soak`, each payload on each page by itself.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response
from playwright.sync_api import Browser, BrowserContext, Page, expect

from index.settings import Settings
from search import Searcher
from tests.reliability.injections.injecting import FILLING, PAYLOADS, Payload, encoded, some
from tests.web.browsing import WIDE, chromium, serving
from web import create_app
from web.widget.demo import foreign_policy

pytestmark = pytest.mark.browser

_WATCH = """
window.__blocked = [];
addEventListener("securitypolicyviolation", (event) =>
  window.__blocked.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
# What runs, what the policy stopped, and what only a payload can have made, in shadow roots too.
_LOOK = """() => {
  const made = [];
  const elements = new Set(["x-hit", "iframe", "frame", "object", "embed", "base", "img", "math",
    "mtext", "style", "template", "foreignObject", "animate"]);
  const walk = (root) => {
    for (const one of root.querySelectorAll("*")) {
      const told = one.outerHTML.slice(0, 200);
      if (elements.has(one.localName)) made.push(told);
      for (const { name } of one.attributes)
        if (/^on|^(style|srcdoc|formaction|data-hit)$/i.test(name)) made.push(`${name} of ${told}`);
      if (one.localName === "script" && !one.src && one.type !== "application/ld+json")
        made.push(told);
      if (one.localName === "meta" && one.httpEquiv) made.push(told);
      if (one.localName === "a" && one.hasAttribute("href")) {
        const url = new URL(one.href.baseVal ?? one.href, location);
        if (!/^https?:$/.test(url.protocol) || url.username) made.push(told);
        const isForeign = root === document && url.origin !== location.origin;
        if (isForeign && !/noopener.*nofollow/.test(one.rel)) made.push(`rel of ${told}`);
      }
      if (one.localName === "form" && one.action && !/^https?:/.test(one.action)) made.push(told);
      if (one.shadowRoot) walk(one.shadowRoot);
    }
  };
  walk(document);
  return { hit: window.__hit ?? null, blocked: window.__blocked, made };
}"""
LISTS = [
    *("/", "/search?size=100&duplicates=show", "/search?size=100&page=2&duplicates=show"),
    *("/search?size=100&page=3&duplicates=show", "/search?q=漏洞&size=100", "/organisations"),
    *("/organisations?page=2", "/organisation/衡岳智联?latest=all", "/identifier/CVE-2026-31337"),
    *("/trends?q=漏洞", "/analyze?q=漏洞"),
]
# Each payload alone, in the long form: its article, and every page that it may be asked of.
ALONE = [
    *("/article/{id}", "/search?q={}", "/search?q=漏洞&source={}", "/search?month={}", "/{}"),
    *("/analyze?q={}", "/organisation/{}", "/organisations?prefix={}", "/identifier/{}"),
    *("/trends?q={}", "/draft?text={}"),
]


@dataclass(slots=True)
class Watched:
    """A page, and everything on it that should not be."""

    page: Page
    problems: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Check that nothing ran, was stopped or was made so far."""
        found = self.page.evaluate(_LOOK)
        assert found == {"hit": None, "blocked": [], "made": []}, (self.page.url, found)
        assert self.problems == [], self.page.url

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.look()


@pytest.fixture(scope="module")
def browser(lacking: Callable[[str], NoReturn]) -> Iterator[Browser]:
    with chromium() as found:
        if found is None:
            lacking("Chromium")
        yield found


@pytest.fixture(scope="module")
def address(searcher: Searcher) -> Iterator[str]:
    with serving(create_app(Settings(), searcher)) as found:
        yield found


def watched(context: BrowserContext) -> Watched:
    context.add_init_script(_WATCH)
    made = Watched(context.new_page())
    made.page.set_default_timeout(15_000)

    def note(text: str) -> None:
        if not text.startswith("Failed to load resource"):  # the page of an error, asked for so
            made.problems.append(text)

    made.page.on("console", lambda message: note(message.text))
    made.page.on("pageerror", lambda error: note(str(error)))
    made.page.on("dialog", lambda dialog: (note(f"a dialog: {dialog.message}"), dialog.dismiss()))
    context.on("request", lambda request: made.hosts.add(urlsplit(request.url).netloc))
    return made


@pytest.fixture
def view(browser: Browser, address: str) -> Iterator[Watched]:
    context = browser.new_context(viewport=WIDE, base_url=address)
    made = watched(context)
    yield made
    context.close()
    assert made.problems == []
    assert made.hosts <= {urlsplit(address).netloc}


def text_of(payload: Payload) -> str:
    return payload.text.encode("utf-8", "replace").decode()


def one_line(payload: Payload) -> str:
    return " ".join(text_of(payload).replace("\0", "").split())


# Pages


@pytest.mark.parametrize("path", LISTS)
def test_nothing_of_hostile_articles_runs_on_a_list(view: Watched, path: str) -> None:
    view.open(path)
    view.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    view.look()


def open_alone(view: Watched, payloads: Iterable[Payload], templates: Iterable[str]) -> None:
    for payload in payloads:
        for template in templates:
            path = template.replace("{id}", payload.article_id)
            view.open(path.replace("{}", encoded(payload.text)))


@pytest.mark.parametrize("number", range(len(ALONE)))
def test_some_payloads_alone_run_on_no_page(view: Watched, number: int) -> None:
    payloads = [each for each in some(22) if "/" not in each.text or "/{}" not in ALONE[number]]
    open_alone(view, payloads[number % 3 :: 3], [ALONE[number]])


@pytest.mark.soak
@pytest.mark.parametrize("template", ALONE)
def test_each_payload_alone_runs_on_no_page(view: Watched, template: str) -> None:
    open_alone(view, PAYLOADS, [template])


def test_copying_a_reference_runs_nothing(view: Watched) -> None:
    for payload in some(60):
        view.page.goto(f"/article/{payload.article_id}")
        for form in view.page.locator(".cite-form").all():
            form.evaluate("one => { one.open = true; }")  # they close one another
            form.locator("[data-copy]").click()
        view.look()


# What scripts write


def test_results_and_suggestions_that_come_while_one_types_are_text(view: Watched) -> None:
    view.page.goto("/search?q=漏洞")
    field = view.page.get_by_role("combobox")
    for typed in ("<script>__h", "javascript", "=7*7", "a", "{{7*7}}", '" autofocus', "__proto__"):
        field.fill(typed)
        expect(view.page.locator("[aria-busy=true]")).to_have_count(0)
        view.page.wait_for_timeout(250)  # the pause before suggestions are asked for, and an answer
        view.look()
    field.fill("<script")
    expect(view.page.get_by_role("option").first).to_be_visible()
    expect(view.page.locator(".suggest")).to_contain_text("<script")
    view.look()


@pytest.mark.soak
def test_every_payload_may_be_typed(view: Watched) -> None:
    view.page.goto("/search?q=漏洞")
    field = view.page.get_by_role("combobox")
    for payload in PAYLOADS:
        field.fill(one_line(payload))
        view.page.wait_for_timeout(250)
        view.look()


def test_values_of_a_facet_that_come_while_one_types_are_text(view: Watched) -> None:
    view.page.goto("/search?duplicates=show")
    field = view.page.locator("form[data-find=organisation] input[type=search]")
    for typed in ("<", "script", "javascript", "=", "__hit"):
        field.fill(typed)
        view.page.wait_for_timeout(400)
        view.look()
    assert "__hit" in view.page.locator(".filters").inner_text()


SAVED = [
    *[{"url": text_of(each), "name": text_of(each), "seen": 0} for each in some(4)],
    *[
        {"url": f"/search?q={encoded(each.text)}", "name": text_of(each), "seen": 1}
        for each in some(40)
    ],
]


@pytest.mark.parametrize("path", ["/", "/search?q=漏洞", "/article/0000000000000001"])
def test_a_storage_that_somebody_has_filled_runs_nothing(view: Watched, path: str) -> None:
    view.page.goto("/")
    texts = [text_of(each) for each in some(3)]
    kept: list[Any] = [
        *(SAVED[:6], SAVED[-6:], texts, {"url": "javascript:__hit=1"}, None, 7, "x"),
        [{"url": f"/search{text}", "name": text, "seen": 1e300} for text in texts[:9]],
        [{"url": "/search", "name": text, "seen": -8.64e15} for text in texts[:3]],
        [{"url": ["/search"], "name": {}, "seen": "1"}, None, 3, [], "/search"],
        '[{"__proto__": {"url": "/search", "name": "x", "seen": 1}}]',
    ]
    for value in kept:
        text = value if isinstance(value, str) else json.dumps(value)
        view.page.evaluate(
            """([text, counts]) => {
              for (const key of ["anwen-saved", "anwen-read", "anwen-theme"])
                localStorage.setItem(key, text);
              sessionStorage.setItem("anwen-saved-counts", counts);
            }""",
            [text, json.dumps({"/search": {"seen": 1, "found": "<x-hit>", "at": 9e15}})],
        )
        view.open(path)
        view.page.wait_for_timeout(50)
        view.look()
        for link in view.page.locator(".saved a").all():
            assert (link.get_attribute("href") or "").startswith("/search")


def test_a_draft_and_what_is_found_of_it_are_text(view: Watched) -> None:
    for start in range(0, len(PAYLOADS), 40):
        view.page.goto("/draft")
        lines = [one_line(each) for each in PAYLOADS[start : start + 40]]
        view.page.get_by_label("标题").fill(lines[0])
        paragraphs = "\n".join(f"{line}漏洞{line}" for line in lines)
        view.page.get_by_label("正文").fill(f"{paragraphs}\n{FILLING}")
        view.page.get_by_role("button", name="核对").click()
        view.page.locator(".strip").wait_for()
        view.look()
        view.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        view.look()


# The widget on a page of another site


@pytest.fixture
def embed(browser: Browser, searcher: Searcher) -> Iterator[Callable[[str], Watched]]:
    """A function from a body to a page of another origin, under the strictest policy."""
    site = Flask("foreign", static_folder=None)
    shown: dict[str, str] = {}

    @site.get("/")
    def show() -> Response:
        return Response(shown["html"], headers={"Content-Security-Policy": shown["policy"]})

    @site.get("/favicon.ico")
    def icon() -> Response:
        return Response(status=204)

    opened: list[Watched] = []
    with serving(site) as foreign:
        anwen = create_app(Settings(allowed_origins=(foreign,)), searcher)
        with serving(anwen) as server:
            shown["policy"] = foreign_policy(server)

            def open_body(body: str) -> Watched:
                shown["html"] = (
                    '<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8">'
                    f'<title>通知</title><script src="{server}/widget.js"></script></head>'
                    f"<body><main>{body}</main></body></html>"
                )
                made = watched(browser.new_context(viewport=WIDE, base_url=foreign))
                opened.append(made)
                made.page.goto("/")
                return made

            yield open_body
            for made in opened:
                made.page.context.close()
                assert made.problems == []
                assert made.hosts <= {urlsplit(foreign).netloc, urlsplit(server).netloc}


@pytest.mark.parametrize("mode", ["inline", "modal"])
def test_what_the_widget_finds_is_text(embed: Callable[[str], Watched], mode: str) -> None:
    made = embed(f'<anwen-search mode="{mode}" size="20" lang="zh"></anwen-search>')
    if mode == "modal":
        made.page.locator("anwen-search button").first.click()
    field = made.page.get_by_role("combobox")
    for typed in ("漏洞", "<script>__hit=1", "javascript", "onerror", "{{7*7}}", '"><x-hit', "a"):
        field.fill(typed)
        made.page.wait_for_timeout(400)
        made.look()
    field.fill("script")
    expect(made.page.get_by_role("option").first).to_be_visible()
    assert "<script" in made.page.locator("anwen-search").evaluate(
        "one => one.shadowRoot.textContent"
    )


def test_related_articles_in_the_widget_are_text(embed: Callable[[str], Watched]) -> None:
    about = [
        *("https://tingchao.example/<script>__hit=1</script>", "javascript:__hit=1", "x-hit,["),
        *(one_line(each) for each in some(30)),
    ]
    for text in about:
        escaped = text.replace("&", "&amp;").replace('"', "&quot;")
        made = embed(
            "<h1>勒索软件</h1><p>漏洞第1号通报说，网关固件的签名私钥外泄，恢复从离线备份开始。</p>"
            f'<anwen-search mode="related" size="20" related-to="{escaped}"></anwen-search>'
            f'<anwen-search server="{escaped}" category="{escaped}" lang="en"></anwen-search>'
        )
        made.page.wait_for_function(
            """() => !document.querySelector("anwen-search").shadowRoot
              .querySelector("[aria-busy]")"""
        )
        made.look()
    found = embed(
        "<h1>script onerror</h1><p>script javascript onerror huilu example __hit alert iframe</p>"
        '<anwen-search mode="related"></anwen-search>'
    )
    expect(found.page.locator("anwen-search li").first).to_be_visible()
    found.look()
