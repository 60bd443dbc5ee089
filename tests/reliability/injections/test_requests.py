"""Hostile texts in every parameter, path and header, and what a request may do at all.

Short form: each address with some of the payloads, so that each payload has been in a tenth of all
places; the long one, `--soak`, with all.
"""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from index.settings import Settings
from search import Searcher
from tests.reliability.injections.harmless import check, check_answer, check_headers
from tests.reliability.injections.injecting import ADDRESSES, FILLING, HEADERS, PAYLOADS, ask, some
from web import create_app

pytestmark = pytest.mark.slow

PLACES = [(endpoint, template) for endpoint, each in ADDRESSES.items() for template in each]


# What they bring


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
