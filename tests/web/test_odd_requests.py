"""However a request is broken, the interface answers in one shape, and never with a 500."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

LONG = "9" * 5000
DRAFT = "/api/v1/related"
ODD = [
    *("%", "%00", "%ff%fe", "%ed%a0%80", "%F0%9F", "\ufeff", "%C0%80", "%u52d2", "a%0d%0ab"),
    *("NaN", "1e9", "-1", "0x10", "٣", "１", "1_000", LONG, "0" * 400 + "1", "%2e%2e%2f", "[]"),
]
NAMES = [
    *("q", "category", "organisation", "source", "month", "from", "to", "exclude_source"),
    *("match", "sort", "page", "size", "cursor", "duplicates", "format", "correct", "explain"),
]
PATHS = [
    *("/api", "/api/", "/api/v1", "/api/v2/search", "/api/v1/search/", "/api/v1/search/x"),
    *("/api/v1/articles/", "/api/v1/articles/%00", "/api/v1/articles/%ff", "/api/v1/articles/a/b"),
    *("/api/v1/articles/..", "/api/v1/articles/%2e%2e%2f/related", "/api/v1/articles//coverage"),
    *("/api/v1/facets/", "/api/v1/facets/%ff", "/api/v1/facets/month%00", "/api//v1/search"),
    *("/api/v1/articles/" + "a" * 9000, "/api/v1/articles?url=" + "%ff" * 3000, "/api/v1/%"),
    *("/api/v1/articles?url=http://[", "/api/v1/articles?url=http://a:99999999/", "/api/v1/é"),
    *("/api/v1/articles?url=%ed%a0%80", "/api/v1/articles?url=//%00", "/api/v1/articles?url=x:y"),
]
BODIES = [
    *(b"", b"\xff\xfe", b"\xef\xbb\xbf{}", b"null", b"[]", b'"a"', b"{", b"[" * 100_000),
    *(b'{"text": NaN}', b'{"text": 1}', b'{"text": null}', b'{"size": 1e400, "text": "a"}'),
    *(b'{"text": "a", "size": 0}', b'{"text": "a", "size": true}', b'{"text": "\\u0000"}'),
    *(b'{"text": "\\ud800"}', b'{"\\ud800": 1}', b'{"text": "a", "text": "b"}', b'{"text": " "}'),
    *(b'{"size": ' + b"9" * 5000 + b', "text": "a"}', b'{"title": "\x00", "text": "a"}'),
    *(
        b'{"text": "' + b"a" * 20_001 + b'"}',
        b" " * 1_000_001,
        b'{"text": "' + b"\\n" * 301 + b'"}',
    ),
]


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    return site.test_client()


def check(client: FlaskClient, method: str, address: str, **values: object) -> int:
    answer = client.open(address, method=method, **values)  # type: ignore[arg-type]
    if answer.status_code >= 400 and address.startswith("/api/"):
        assert answer.mimetype == "application/json"
        found = json.loads(answer.data)
        assert list(found) == ["error"]
        assert list(found["error"]) == ["code", "message", "detail"]
        assert found["error"]["message"]
    return answer.status_code


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_value_is_answered(client: FlaskClient, name: str) -> None:
    for value in ODD:
        for route in ("search", "facets/organisation", "suggest"):
            address = f"/api/v1/{route}?{name}={value}"
            assert check(client, "GET", address) in {200, 400, 410}, value[:20]


@pytest.mark.parametrize("route", ["facets/source?limit=", "facets/source?prefix="])
def test_an_odd_value_of_a_facet_is_answered(client: FlaskClient, route: str) -> None:
    for value in ODD:
        assert check(client, "GET", f"/api/v1/{route}{value}") in {200, 400}, value[:20]


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_an_odd_address_is_answered(client: FlaskClient, path: str) -> None:
    assert check(client, "GET", path) in {400, 404}


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_an_odd_body_is_answered(client: FlaskClient, body: bytes) -> None:
    status = check(client, "POST", DRAFT, data=body, content_type="application/json")
    assert status in {200, 400, 413}


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/json; charset=gbk", "application/json;", "a/b/c", "é"]
)
def test_an_odd_content_type_is_answered(client: FlaskClient, kind: str) -> None:
    data = json.dumps({"text": "勒索软件"})
    assert check(client, "POST", DRAFT, data=data, headers={"Content-Type": kind}) in {200, 400}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "nothing"])
@pytest.mark.parametrize("path", ["/api/v1/search", "/api/v1/related", "/api/v1/articles/a"])
def test_another_method_is_refused(client: FlaskClient, method: str, path: str) -> None:
    assert check(client, method, path) == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": value}
        for value in ("", "*", "x", '"', 'W/"', '"a", *', "W/*", ",,,", '"' + "a" * 9000 + '"')
    ]
    + [{"Accept": "nothing/at-all"}, {"Range": "bytes=0-1"}, {"If-Modified-Since": "never"}],
)
def test_an_odd_header_is_answered(client: FlaskClient, headers: dict[str, str]) -> None:
    assert check(client, "GET", "/api/v1/search", headers=headers) in {200, 304}
