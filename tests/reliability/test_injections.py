"""Hostile texts through every field, parameter, path and header, out of every format.

The checks are those of checking.py: 0 payloads that became structure, 0 raw. Short form: each
address with some of the payloads, so that each payload has been in a tenth of all places; the long
one, `--soak`, with all. That nothing runs in Chromium is test_injections_browser.py.
"""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from rich.console import Console
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from index.document import Article
from index.errors import StoreError
from index.settings import Settings
from search import Searcher, open_searcher
from search.backends.cursor import write_cursor
from search.evaluation import QueryRun, Run
from tests.reliability.harmless import (
    STEERING,
    check_answer,
    check_headers,
    check_json,
    check_terminal,
)
from tests.reliability.injecting import (
    ADDRESSES,
    FILLING,
    HEADERS,
    PAYLOADS,
    Payload,
    ask,
    encoded,
    hostile_articles,
    hostile_pages,
)
from web import create_app
from web.cite import references, today
from web.cli import main
from web.draft_input import MAX_DRAFT
from web.evaluate import print_run
from web.plain import plain

pytestmark = pytest.mark.slow

BASE = "https://news.example"
EVERY = 20  # of the payloads, in the short form
PLACES = [(endpoint, template) for endpoint, each in ADDRESSES.items() for template in each]
LISTS = [
    *("/", "/search?size=100&duplicates=show", "/search?size=100&q=漏洞&duplicates=show"),
    *("/search?size=100&page=2&duplicates=show", "/search?size=100&page=3&duplicates=show"),
    *("/search?q=漏洞", "/organisations", "/organisations?page=2", "/organisation/衡岳智联"),
    *(
        "/organisation/衡岳智联?latest=all",
        "/identifier/CVE-2026-31337",
        "/trends",
        "/trends?q=漏洞",
    ),
    *("/analyze?q=漏洞", "/feed.atom?size=100", "/feed.atom?q=漏洞&size=100", "/sitemap.xml"),
    *("/sitemap/1.xml", "/api/v1/search?size=100", "/api/v1/search?q=漏洞&size=100&explain=1"),
    *(f"/api/v1/facets/{name}?limit=100" for name in ("category", "organisation", "source")),
    *("/api/v1/facets/identifier?limit=100", "/api/v1/facets/day?limit=100"),
    *(f"/api/v1/search?format={form}&duplicates=show" for form in ("csv", "jsonl", "md")),
    *(f"/api/v1/search?format={form}&q=漏洞" for form in ("csv", "jsonl", "md")),
    *("/suggest.json?q=a", "/api/v1/suggest?q=a", "/api/v1/suggest?q=x", "/api/v1/suggest?q=s"),
]


def some(step: int = EVERY, start: int = 0) -> tuple[Payload, ...]:
    return PAYLOADS[start % step :: step]


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory,
    fill_folder: Callable[..., Searcher],
    article_maker: Callable[..., Article],
) -> Path:
    """A data folder of articles each of whose fields carries a payload; pairs are near-copies."""
    found = tmp_path_factory.mktemp("hostile")
    articles = hostile_articles(article_maker)
    pairs = {article.id: f"{number // 2:016x}" for number, article in enumerate(articles)}
    fill_folder(found, articles, pairs).close()
    return found


@pytest.fixture(scope="module")
def searcher(folder: Path) -> Iterator[Searcher]:
    with_hostile = open_searcher(Settings(data=folder))
    yield with_hostile
    with_hostile.close()


@pytest.fixture(scope="module")
def site(folder: Path, searcher: Searcher) -> Flask:
    settings = Settings(data=folder, base_url=BASE, allowed_origins=("https://portal.example",))
    return create_app(settings, searcher)


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    return site.test_client()


def check(client: FlaskClient, address: str, host: str = "news.example", **values: Any) -> int:
    answer = client.get(address, **values)
    try:
        check_answer(answer, host)
    except AssertionError as error:
        raise AssertionError(f"{address}: {error}") from error
    finally:
        answer.close()  # of a static file
    return answer.status_code


# What articles bring


def test_the_payloads_are_a_hundred_or_more_and_all_different() -> None:
    assert len({payload.text for payload in PAYLOADS}) == len(PAYLOADS) >= 100


def test_no_endpoint_of_the_site_is_left_out(site: Flask) -> None:
    assert {rule.endpoint for rule in site.url_map.iter_rules()} == set(ADDRESSES)


@pytest.mark.parametrize("address", LISTS)
def test_lists_of_hostile_articles_are_lists(client: FlaskClient, address: str) -> None:
    assert check(client, address) == 200


def test_the_lists_have_every_payload(client: FlaskClient) -> None:
    """Or the checks would pass over articles that nobody sees."""
    titles: list[str] = []
    for page in (1, 2, 3):
        found = client.get(f"/api/v1/search?size=100&page={page}&duplicates=show").get_json()
        titles += [hit["title"] for hit in found["hits"]]
    stored = {p.text.encode("utf-8", "replace").decode() for p in PAYLOADS}
    assert set(titles) == stored


@pytest.mark.parametrize(
    "payloads", [some(7), pytest.param(PAYLOADS, marks=pytest.mark.soak)], ids=["some", "all"]
)
def test_the_page_of_a_hostile_article_shows_its_text(
    client: FlaskClient, payloads: tuple[Payload, ...]
) -> None:
    for payload in payloads:
        assert check(client, f"/article/{payload.article_id}") == 200
        page = client.get(f"/article/{payload.article_id}").get_data(as_text=True)
        heading = html.document_fromstring(page).find(".//h1")
        shown = plain(payload.text.encode("utf-8", "replace").decode()).split()
        assert heading.text_content().split() == shown
        for path in ("", "/related", "/coverage"):
            assert check(client, f"/api/v1/articles/{payload.article_id}{path}") == 200
        for form in ("csv", "jsonl", "md"):
            assert check(client, f"/export?id={payload.article_id}&format={form}") == 200


def test_an_indicator_is_never_written_so_that_it_could_be_followed(client: FlaskClient) -> None:
    for payload in some():
        page = client.get(f"/article/{payload.article_id}").get_data(as_text=True)
        shown = html.document_fromstring(page).find_class("indicators")[0]
        assert list(shown.iterlinks()) == []
        text = shown.text_content()
        for value in ("http://huilu.example", "c2.huilu.example", "203.0.113.7"):
            assert value not in text
        for value in ("hxxp://huilu[.]example/", "c2[.]huilu[.]example", "203[.]0[.]113[.]7"):
            assert value in text


def test_no_html_of_a_crawled_page_is_served(client: FlaskClient) -> None:
    """No path gives the bytes of a page, or any file of the data folder."""
    for name in ("articles.sqlite3", "index/current", "0000000000000001.md"):
        for address in (f"/{name}", f"/static/../{name}", f"/static/%2e%2e/{name}"):
            assert check(client, address) == 404
    # The pages stored by `fill` are the ids of the articles; none is an answer to anything.
    for template in ("/article/{}.md", "/article/{}/raw", "/api/v1/articles/{}/page"):
        assert check(client, template.format(PAYLOADS[1].article_id)) == 404


@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.soak)], ids=["some", "all"])
def test_pages_that_were_crawled_with_payloads_are_indexed_and_shown_as_text(
    tmp_path: Path, every: int
) -> None:
    crawl = tmp_path / "crawl"
    crawl.mkdir()
    pages = hostile_pages(crawl, every)
    report = tmp_path / "report.tsv"
    arguments = ["--data", str(tmp_path / "data"), "index", str(crawl), "--report", str(report)]
    run = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert run.exit_code == 0, run.output
    check_terminal(run.output)
    assert not STEERING.search(report.read_text(encoding="utf-8"))
    settings = Settings(data=tmp_path / "data", base_url=BASE)
    searcher = open_searcher(settings)
    client = create_app(settings, searcher).test_client()
    try:
        found = client.get("/api/v1/search?size=100&duplicates=show").get_json()
        assert found["total"] > pages / 3  # some payloads make a page that holds no article
        for address in LISTS:
            check(client, address)
        for hit in found["hits"]:
            assert check(client, f"/article/{hit['id']}") == 200
            assert check(client, f"/api/v1/articles/{hit['id']}") == 200
    finally:
        searcher.close()


# What requests bring


@pytest.mark.parametrize(("endpoint", "template"), PLACES, ids=range(len(PLACES)))
def test_a_hostile_request_is_answered_with_text(
    client: FlaskClient, endpoint: str, template: str
) -> None:
    for payload in some(start=PLACES.index((endpoint, template))):
        check(client, ask(template, payload))


@pytest.mark.soak
@pytest.mark.parametrize("template", [template for _, template in PLACES])
def test_every_hostile_request_is_answered_with_text(client: FlaskClient, template: str) -> None:
    for payload in PAYLOADS:
        check(client, ask(template, payload))


@pytest.mark.parametrize("endpoint", ["/draft", "/api/v1/related"])
def test_a_hostile_draft_is_answered_with_text(client: FlaskClient, endpoint: str) -> None:
    for payload in some(4):
        text = payload.text.encode("utf-8", "replace").decode()
        draft = {"title": text, "text": f"{text}漏洞{text}\n{text}\n{FILLING}"}
        if endpoint == "/draft":
            answer = client.post(endpoint, data=draft)
        else:
            for body in (draft, draft | {"draft": True}, {text: text}, {"text": "a", text: 1}):
                check_answer(client.post(endpoint, json=body), "news.example")
            answer = client.post(endpoint, data=text, content_type="application/json")
        check_answer(answer, "news.example")


def send(site: Flask, path: str, headers: dict[str, str]) -> TestResponse:
    """Send headers as they are; the test client would make an address of a host."""
    builder = EnvironBuilder(path=path)
    environ = builder.get_environ()
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = value.encode("utf-8", "surrogatepass").decode("latin-1")
    body, status, answered = run_wsgi_app(site, environ, buffered=True)
    return TestResponse(body, status, answered, builder.get_request())


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("path", ["/search?q=漏洞", "/api/v1/search?q=漏洞", "/feed.atom"])
def test_a_hostile_header_changes_nothing_but_what_it_is_for(
    site: Flask, path: str, name: str
) -> None:
    for payload in some(start=HEADERS.index(name)):
        value = re.sub(r"[\r\n\0]", " ", payload.text)  # no server lets these through
        answer = send(site, path, {name: value})
        if name == "Accept-Encoding" and answer.content_encoding:
            check_headers(answer)
            continue
        check_answer(answer, "news.example")
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers


PUBLIC = ["/", "/feed.atom", "/sitemap.xml", "/robots.txt", "/opensearch.xml", "/docs"]


@pytest.mark.parametrize(
    "path", [*PUBLIC, "/article/0000000000000001", "/suggest.json?q=漏洞", "/openapi.json"]
)
def test_where_base_url_is_set_no_header_names_the_site(site: Flask, path: str) -> None:
    known = send(site, path, {}).data
    for name, value in (
        ("Host", "poison.example"),
        ("Host", "poison.example:80"),
        ("X-Forwarded-Host", "poison.example"),
        ("X-Forwarded-Proto", "poison"),
        ("X-Forwarded-Prefix", "/poison"),
        ("Forwarded", "host=poison.example;proto=http"),
    ):
        answer = send(site, path, {name: value})
        assert answer.status_code == 200
        assert b"poison" not in answer.data, name
        assert "poison" not in str(answer.headers)
        assert abs(len(answer.data) - len(known)) < 10  # a duration in milliseconds may differ


def test_where_it_is_not_a_host_that_is_none_is_refused(folder: Path, searcher: Searcher) -> None:
    site = create_app(Settings(data=folder), searcher)
    for path in PUBLIC:
        for payload in some(3):
            value = re.sub(r"[\r\n\0]", " ", payload.text)
            answer = send(site, path, {"Host": value})
            is_host = re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]*)?", value)
            assert answer.status_code == (200 if is_host else 400), (path, value)
            check_headers(answer)
        answer = send(site, path, {"X-Forwarded-Host": "poison.example", "Host": "news.example"})
        assert b"poison" not in answer.data


# Errors


class Broken:
    """A searcher whose store or code has failed with a payload in the message."""

    word_boundaries = staticmethod(lambda _: ())

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*_: object, **__: object) -> Any:
            raise self.error

        return fail


@pytest.mark.parametrize(
    "path", ["/search?q=a", "/api/v1/search?q=a", "/feed.atom", "/sitemap.xml"]
)
def test_what_a_failed_store_says_is_logged_in_one_line_and_not_shown(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    for payload in PAYLOADS[::30]:
        error = StoreError(f"{payload.text} cannot be read")
        site = create_app(Settings(), Broken(error))  # type: ignore[arg-type]
        with caplog.at_level(logging.ERROR):
            answer = site.test_client().get(path)
        assert answer.status_code == 503
        check_headers(answer)
        assert payload.text not in answer.get_data(as_text=True) or payload.text in "\r\n \0"
    messages = [record.getMessage() for record in caplog.records]
    assert messages
    for message in messages:
        assert "\n" not in message
        check_terminal(message)


@pytest.mark.parametrize("path", ["/search?q={}", "/api/v1/search?q={}", "/article/{}"])
def test_a_bug_shows_nothing_of_itself(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for payload in PAYLOADS[::30]:
        site = create_app(Settings(), Broken(RuntimeError(payload.text)))  # type: ignore[arg-type]
        monkeypatch.setattr(site.logger, "disabled", True)
        answer = site.test_client().get(ask(path, payload))
        # A payload with a slash in it is no id, and there is no such page.
        assert answer.status_code == (404 if "/" in payload.text and "q=" not in path else 500)
        check_headers(answer)
        text = answer.get_data(as_text=True)
        assert "Traceback" not in text
        answer.status_code = 400  # a page of an error as any other
        check_answer(answer)


def test_errors_of_every_status_have_all_headers(client: FlaskClient) -> None:
    text = '<script>__hit=1</script>"><x-hit>'
    long = "字" * (MAX_DRAFT + 1)
    found = {
        400: client.get(f"/search?month={encoded(text)}"),
        404: client.get(f"/{encoded(text)}"),
        405: client.post("/search", data={text: text}),
        410: client.get(
            "/api/v1/search", query_string={"q": "漏洞", "cursor": write_cursor((99, 99), 10)}
        ),
        413: client.post("/draft", data={"title": text, "text": long + text}),
    }
    for status, answer in found.items():
        assert answer.status_code == status
        check_answer(answer, "news.example")
        as_json = client.get(f"/api/v1/{encoded(text)}")
        check_answer(as_json)


@pytest.mark.parametrize(
    "path", ["/", "/search?q=漏洞", "/api/v1/search", "/article/0000000000000001"]
)
def test_an_answer_that_is_not_sent_again_has_all_headers(client: FlaskClient, path: str) -> None:
    etag = client.get(path).headers["ETag"]
    answer = client.get(path, headers={"If-None-Match": etag})
    assert answer.status_code == 304
    check_headers(answer)


def test_static_files_have_all_headers_in_every_status(client: FlaskClient) -> None:
    whole = client.get("/static/site.js")
    for answer in (
        whole,
        client.get("/static/site.js", headers={"If-None-Match": whole.headers["ETag"]}),
        client.get("/static/site.js", headers={"Range": "bytes=0-1"}),
        client.get("/static/site.js", headers={"Range": "bytes=9999999-"}),
        client.get("/static/none.js"),
        client.options("/static/site.js"),
        client.head("/static/site.js"),
        client.get("/widget.js"),
    ):
        check_headers(answer)
        answer.close()


# What may be done, and by whom


def test_nothing_is_done_over_http_but_reading(site: Flask, client: FlaskClient) -> None:
    posts = {"pages.check_draft", "api.related_to"}
    for rule in site.url_map.iter_rules():
        path = re.sub(r"<(?:int:)?\w*number>", "1", rule.rule)
        path = re.sub(r"<[^>]+>", "x", path)
        allowed = {"GET", "HEAD", "OPTIONS"}
        assert (rule.methods or set()) <= allowed | {"POST"}
        assert "POST" not in (rule.methods or set()) or rule.endpoint in posts
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "PURGE"):
            answer = client.open(path, method=method, headers={"X-HTTP-Method-Override": "GET"})
            assert answer.status_code == 405, (method, path)
            check_headers(answer)
        if path not in {"/draft", "/api/v1/related"}:
            assert client.post(path).status_code == 405


def test_only_listed_origins_may_read_the_interface(client: FlaskClient) -> None:
    for origin in (
        *("https://portal.example.huilu.example", "https://huilu.example", "null", "*", "http://"),
        *("https://portal.example:444", "http://portal.example", "https://portal.example@huilu"),
        *(
            "https://xportal.example",
            "https://portal.example/",
            "file://",
            "https://portal.example ",
        ),
        *(re.sub(r"[\r\n\0]", " ", p.text) for p in some() if p.text.isascii()),
    ):
        for method in ("GET", "OPTIONS"):
            answer = client.open(
                "/api/v1/search",
                method=method,
                headers={"Origin": origin, "Access-Control-Request-Method": "GET"},
            )
            assert "Access-Control-Allow-Origin" not in answer.headers, origin
    answer = client.get("/api/v1/search", headers={"Origin": "https://portal.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://portal.example"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    answer = client.get("/search", headers={"Origin": "https://portal.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers  # pages are nobody else's


def test_a_redirect_never_leaves_the_site(client: FlaskClient) -> None:
    for payload in PAYLOADS:
        for template in ("/organisation/{}", "/identifier/{}", "/identifier/cve-2026-31337{}"):
            answer = client.get(ask(template, payload))
            place = answer.headers.get("Location", "/")
            assert re.match(r"/(?![/\\])", place), place


# The command line


@pytest.fixture(scope="module")
def command(folder: Path) -> Callable[..., str]:
    def run(*arguments: str, stdin: str = "") -> str:
        given = ["--data", str(folder), *arguments]
        found = CliRunner().invoke(main, given, input=stdin, color=True, catch_exceptions=False)
        check_terminal(found.output)
        return found.output

    return run


def test_no_title_gives_orders_to_a_terminal(command: Callable[..., str]) -> None:
    for sort in ("relevance", "newest", "oldest"):
        for page in ("1", "2", "3"):
            command("search", "漏洞", "--size", "100", "--page", page, "--sort", sort, "--explain")
    command("search", "漏洞", "--size", "100", "--duplicates", "show")


def test_a_hit_has_its_own_lines_and_no_others(command: Callable[..., str]) -> None:
    for line in command("search", "漏洞", "--size", "100").splitlines():
        assert not re.match(r"2026-01-01", line), line


TERMINAL = [payload for payload in PAYLOADS if payload.kind in {"terminal", "unicode"}]


@pytest.mark.parametrize(
    "payloads",
    [TERMINAL[::27], pytest.param(PAYLOADS[::3], marks=pytest.mark.soak)],  # a second a command
    ids=["some", "more"],
)
def test_no_text_of_an_article_or_a_query_gives_orders_to_a_terminal(
    command: Callable[..., str], payloads: list[Payload]
) -> None:
    for payload in payloads:
        # What a shell can pass: no NUL, no half of a pair; in one, what all of them steer by.
        text = payload.text.replace("\0", "").encode("utf-8", "replace").decode()
        text += "\u001b[2J\u009b31m\u202e\u2028\r\n2026-01-01 伪造"
        for json_too in ([], ["--json"]):
            command("suggest", *json_too, "--", text)
            command("related", payload.article_id, *json_too)
            command("analyze", *json_too, "--", text)
            command("search", *json_too, "--source", text, "--", text)
            draft = f"{text}漏洞{text}\n{text}\n{FILLING}"
            command("related", "-", "--draft", *json_too, stdin=draft)
        command("search", "--cursor", text, "--", text)
        command("search", "--from", text, "--", "漏洞")
        command("related", "--", text)
    command("suggest", "a")
    command("info")
    command("remove", "\u001b[2Jx\n2026-01-01 伪造")


def test_lists_written_to_a_terminal_are_checked_as_files_are(command: Callable[..., str]) -> None:
    for form in ("csv", "jsonl", "md"):
        command("search", "漏洞", "--format", form)


def test_a_crawled_page_gives_no_orders_when_it_is_looked_at(
    tmp_path: Path, command: Callable[..., str]
) -> None:
    hostile_pages(tmp_path, 6)
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    command("extract", *files)
    for line in command("extract", "--json", *files).split("\n"):
        if line:
            check_json_of_an_operator(line)


def check_json_of_an_operator(line: str) -> None:
    assert not STEERING.search(line)
    json.loads(line)


def test_a_table_of_figures_shows_titles_as_they_are() -> None:
    payloads = [
        *("[bold]粗[/bold]", "[/x]", "[link=https://huilu.example]看[/link]"),
        *(payload.text for payload in PAYLOADS),
    ]
    out = io.StringIO()
    for text in payloads:
        query = QueryRun(
            id=text, query=text, kind=text, hits=(), measures={"nDCG@10": 0.5},
            unjudged=((text, text),),
        )  # fmt: skip
        run = Run(queries=(query,), measures={"nDCG@10": 0.5}, kinds={text: {}}, missing=())
        print_run(Console(file=out, width=200), run, None)
    check_terminal(out.getvalue())
    assert "[bold]粗[/bold]" in out.getvalue()


def test_references_are_one_entry_and_one_line(article_maker: Callable[..., Article]) -> None:
    for article in hostile_articles(article_maker):
        found = references(article, today())
        check_json(json.dumps({"bibtex": found.bibtex, "plain": found.plain}))
        for line in (found.gb_t_7714, found.plain):
            assert len(line.splitlines()) == 1
            assert not STEERING.search(line)
