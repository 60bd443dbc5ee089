"""Forwarded headers: whose are believed, and what becomes of the others."""

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.proxies import DIRECT, PEER, address_of, behind_proxies, client_of

TRUSTED = tuple(map(ip_network, ("10.0.0.0/8", "192.0.2.7", "fd00::/8", "::1")))


def seen(trusted: Any = TRUSTED, **environ: str) -> WSGIEnvironment:
    """The environment that an application behind proxies sees."""
    found: WSGIEnvironment = {}

    def application(environ: WSGIEnvironment, _: StartResponse) -> Iterable[bytes]:
        found.update(environ)
        return []

    plain = {"REMOTE_ADDR": "10.1.1.1", "HTTP_HOST": "inner:8000", "wsgi.url_scheme": "http"}
    behind_proxies(application, trusted)(plain | environ, lambda *_: len)
    return found


@pytest.mark.parametrize(
    ("peer", "forwarded", "client", "hops"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9", 0),
        ("10.1.1.1", "", "10.1.1.1", 1),
        ("10.1.1.1", "198.51.100.1", "198.51.100.1", 1),
        ("10.1.1.1", "6.6.6.6, 198.51.100.1", "198.51.100.1", 1),
        ("10.1.1.1", "6.6.6.6, 198.51.100.1, 192.0.2.7, 10.2.2.2", "198.51.100.1", 3),
        ("10.1.1.1", "10.9.9.9, 10.2.2.2", "10.9.9.9", 3),
        ("10.1.1.1", "198.51.100.1, unknown", "10.1.1.1", 1),
        ("10.1.1.1", "198.51.100.1, unknown, 10.2.2.2", "10.2.2.2", 2),
        ("10.1.1.1", "198.51.100.1:4711", "198.51.100.1", 1),
        ("10.1.1.1", ",,,", "10.1.1.1", 1),
        ("10.1.1.1", "127.0.0.1\r\nX: y", "10.1.1.1", 1),
        ("10.1.1.1", "1" * 9000, "10.1.1.1", 1),
        ("::1", "2001:db8::5", "2001:db8::5", 1),
        ("::1", "[2001:db8::5]:443, fd00::3", "2001:db8::5", 2),
        ("::ffff:10.1.1.1", "::ffff:198.51.100.1", "198.51.100.1", 1),
        ("2001:db8::1", "198.51.100.1", "2001:db8::1", 0),
        ("", "198.51.100.1", "", 0),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_not_trusted(
    peer: str, forwarded: str, client: str, hops: int
) -> None:
    assert client_of(peer, forwarded, TRUSTED) == (client, hops)


@given(st.lists(st.sampled_from(["10.0.0.1", "8.8.8.8", "fd00::1", "x", "", "9.9.9.9:1"])))
def test_what_stands_left_of_the_client_changes_nothing(left: list[str]) -> None:
    forwarded = ", ".join([*left, "198.51.100.1", "10.2.2.2"])
    assert client_of("10.1.1.1", forwarded, TRUSTED) == ("198.51.100.1", 2)


@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    address_of(text)
    client_of("10.1.1.1", text, TRUSTED)


def test_nobody_is_believed_where_no_proxy_is_trusted() -> None:
    found = seen((), HTTP_X_FORWARDED_FOR="1.1.1.1", HTTP_X_FORWARDED_PROTO="https")
    assert found["REMOTE_ADDR"] == "10.1.1.1"
    assert found["wsgi.url_scheme"] == "http"
    assert not any(name.startswith("HTTP_X_FORWARDED") for name in found)
    assert found[DIRECT] is False


def test_a_stranger_has_every_forwarding_header_taken_away() -> None:
    found = seen(
        REMOTE_ADDR="203.0.113.9",
        HTTP_X_FORWARDED_FOR="127.0.0.1",
        HTTP_X_FORWARDED_HOST="evil.example",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_PORT="1",
        HTTP_X_FORWARDED_PREFIX="/x",
        HTTP_X_REAL_IP="127.0.0.1",
        HTTP_FORWARDED="for=127.0.0.1",
        HTTP_X_REQUEST_ID="mine",
    )
    assert found["REMOTE_ADDR"] == found[PEER] == "203.0.113.9"
    assert found["HTTP_HOST"] == "inner:8000"
    assert {name for name in found if name.startswith("HTTP_")} == {"HTTP_HOST"}
    assert found[DIRECT] is False


def test_a_request_id_alone_makes_no_proxy() -> None:
    found = seen(REMOTE_ADDR="127.0.0.1", HTTP_X_REQUEST_ID="mine")
    assert found[DIRECT] is True
    assert "HTTP_X_REQUEST_ID" not in found


def test_a_trusted_proxy_tells_address_scheme_host_and_id() -> None:
    found = seen(
        HTTP_X_FORWARDED_FOR="198.51.100.1",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_HOST="news.example",
        HTTP_X_REQUEST_ID="abc",
    )
    assert found["REMOTE_ADDR"] == "198.51.100.1"
    assert found["wsgi.url_scheme"] == "https"
    assert found["HTTP_HOST"] == "news.example"
    assert found["HTTP_X_REQUEST_ID"] == "abc"
    assert found[PEER] == "10.1.1.1"
    assert found[DIRECT] is True


@pytest.mark.parametrize(
    ("values", "scheme"),
    [
        ("https", "https"),
        ("https, http", "https"),  # each of two proxies added its own
        ("http, https, http", "https"),  # the first is the client's own
        ("gopher", "http"),
        ("", "http"),
    ],
)
def test_the_scheme_is_the_one_that_the_client_used(values: str, scheme: str) -> None:
    forwarded = "198.51.100.1, 10.2.2.2"
    found = seen(HTTP_X_FORWARDED_FOR=forwarded, HTTP_X_FORWARDED_PROTO=values)
    assert found["wsgi.url_scheme"] == scheme


@pytest.mark.parametrize(
    "host", ["", "a b", "evil.example/path", "x\r\ny", "a@b", "[::1", "<script>", "-", "x" * 300]
)
def test_a_host_that_is_none_is_not_taken_over(host: str) -> None:
    assert seen(HTTP_X_FORWARDED_HOST=host)["HTTP_HOST"] == "inner:8000"
