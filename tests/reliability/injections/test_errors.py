"""Errors and answers without a page: they show nothing of what failed, and have all headers."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from index.errors import StoreError
from index.settings import Settings
from search.backends.cursor import write_cursor
from tests.reliability.injections.harmless import check_answer, check_headers, check_terminal
from tests.reliability.injections.injecting import PAYLOADS, ask, encoded
from web import create_app
from web.draft_input import MAX_DRAFT

pytestmark = pytest.mark.slow


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
