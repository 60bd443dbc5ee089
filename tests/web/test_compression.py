"""Compression: what is sent small, and what is left as it is."""

import gzip

import brotli
import pytest
from flask.testing import FlaskClient

GZIP = {"Accept-Encoding": "gzip, deflate"}
OPENED = {"br": brotli.decompress, "gzip": gzip.decompress}


@pytest.mark.parametrize("coding", OPENED)
@pytest.mark.parametrize(
    "path", ["/search?q=漏洞", "/api/v1/search?q=漏洞", "/static/site.css", "/feed.atom"]
)
def test_text_is_sent_compressed_to_whoever_accepts_it(
    client: FlaskClient, path: str, coding: str
) -> None:
    accepted = {"Accept-Encoding": coding}
    with client.get(path) as plain, client.get(path, headers=accepted) as small:
        assert "Content-Encoding" not in plain.headers
        assert small.headers["Content-Encoding"] == coding
        assert "Accept-Encoding" in plain.headers["Vary"]
        assert "Accept-Encoding" in small.headers["Vary"]
        assert int(small.headers["Content-Length"]) == len(small.data)
        if path.startswith("/static"):
            assert OPENED[coding](small.data) == plain.data
        assert len(small.data) < len(plain.data) / 2


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0, *", "gzip"),
        ("*", "br"),
        ("identity;q=0.5, gzip;q=0.6", "gzip"),
        ("BR", "br"),
    ],
)
def test_what_the_client_likes_best_is_taken(
    client: FlaskClient, accepted: str, coding: str
) -> None:
    with client.get("/search", headers={"Accept-Encoding": accepted}) as answer:
        assert answer.headers["Content-Encoding"] == coding
        assert "共" in OPENED[coding](answer.data).decode()


@pytest.mark.parametrize(
    "accepted", ["", "identity", "gzip;q=0", "*;q=0", "zstd", "gzip;q=0.5, br;q=0.1, identity"]
)
def test_who_does_not_accept_it_gets_the_text(client: FlaskClient, accepted: str) -> None:
    with client.get("/search", headers={"Accept-Encoding": accepted}) as answer:
        assert "Content-Encoding" not in answer.headers
        assert "共" in answer.text


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/search?format=csv", "/nothing"])
def test_small_streamed_and_failed_answers_are_left_as_they_are(
    client: FlaskClient, path: str
) -> None:
    with client.get(path, headers=GZIP) as answer:
        assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("path", ["/static/site.css", "/search?q=漏洞"])
def test_what_is_compressed_is_asked_for_again_by_its_tag(client: FlaskClient, path: str) -> None:
    with client.get(path, headers=GZIP) as first:
        tag = first.headers["ETag"]
    assert tag.startswith("W/")
    with client.get(path, headers={**GZIP, "If-None-Match": tag}) as again:
        assert "Accept-Encoding" in again.headers["Vary"]
        assert "Content-Encoding" not in again.headers
        assert again.status_code == 304
        assert again.data == b""
