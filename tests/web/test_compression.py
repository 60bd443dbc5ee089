"""Compression: what is sent small, and what is left as it is."""

import gzip

import pytest
from flask.testing import FlaskClient

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.parametrize(
    "path", ["/search?q=漏洞", "/api/v1/search?q=漏洞", "/static/site.css", "/feed.atom"]
)
def test_text_is_sent_compressed_to_whoever_accepts_it(client: FlaskClient, path: str) -> None:
    with client.get(path) as plain, client.get(path, headers=GZIP) as small:
        assert "Content-Encoding" not in plain.headers
        assert small.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in plain.headers["Vary"]
        assert "Accept-Encoding" in small.headers["Vary"]
        assert int(small.headers["Content-Length"]) == len(small.data)
        if path.startswith("/static"):
            assert gzip.decompress(small.data) == plain.data
        assert len(small.data) < len(plain.data) / 2


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "br"])
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


def test_a_compressed_file_is_asked_for_again_by_its_tag(client: FlaskClient) -> None:
    with client.get("/static/site.css", headers=GZIP) as first:
        tag = first.headers["ETag"]
    assert tag.startswith("W/")
    with client.get("/static/site.css", headers={**GZIP, "If-None-Match": tag}) as again:
        assert again.status_code == 304
        assert again.data == b""
