"""What is told of requests: the log, its ids, the metrics and the health of a process."""

import io
import json
import logging
import os
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.test import Client, TestResponse

from index.errors import IndexUnavailable, StoreError
from index.settings import Settings
from search import Searcher
from web import create_app
from web.logs import JsonLines, PlainLines
from web.observer import CutOff, Observer
from web.server import serving
from web.turns import Turnstile, in_turns

PROXY = {"REMOTE_ADDR": "10.0.0.1"}
SECRET = "绝密检索词"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the program logs, as JSON lines."""
    yield from logged(JsonLines())


def logged(form: logging.Formatter) -> Iterator[io.StringIO]:
    handler, root = logging.StreamHandler(io.StringIO()), logging.getLogger()
    handler.setFormatter(form)
    loggers = [logging.getLogger(name) for name in ("anwen", "web")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
    root.addHandler(handler)
    yield handler.stream
    root.removeHandler(handler)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.fixture
def searcher(site_searcher: Searcher) -> Searcher:
    return site_searcher


def client_over(searcher: Searcher, settings: Settings) -> Client:
    return Client(serving(settings, searcher, os.getppid())[0])


@pytest.fixture
def client(searcher: Searcher) -> Client:
    return client_over(searcher, Settings(trusted_proxies=(ip_network("10.0.0.0/8"),)))


def test_a_request_is_one_line_without_its_query(client: Client, log: io.StringIO) -> None:
    answer = client.get("/search", query_string={"q": SECRET}, environ_base=PROXY)
    [line] = lines(log)
    assert line["method"] == "GET"
    assert line["path"] == "/search"
    assert line["status"] == 200
    assert line["bytes"] == len(answer.data)
    assert line["client"] == "10.0.0.1"
    assert line["duration_ms"] > 0
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert SECRET not in log.getvalue()
    assert "%E7%BB%9D" not in log.getvalue()


def test_the_query_is_logged_where_that_is_wanted(searcher: Searcher, log: io.StringIO) -> None:
    client_over(searcher, Settings(log_queries=True)).get("/search?q=ransomware")
    [line] = lines(log)
    assert line["query"] == "q=ransomware"


@pytest.mark.parametrize(
    ("given", "peer", "is_taken"),
    [
        ("7f3c-AB_1.2:3", "10.0.0.1", True),
        ("7f3c", "203.0.113.9", False),
        ("a\tb", "10.0.0.1", False),
        ('x"}{"level":"', "10.0.0.1", False),
        ("a" * 65, "10.0.0.1", False),
        ("é", "10.0.0.1", False),
    ],
)
def test_an_id_is_taken_from_a_trusted_proxy_if_it_is_harmless(
    client: Client, given: str, peer: str, is_taken: bool
) -> None:
    answer = client.get("/healthz", environ_base={"REMOTE_ADDR": peer, "HTTP_X_REQUEST_ID": given})
    assert (answer.headers["X-Request-Id"] == given) is is_taken
    assert answer.headers["X-Request-Id"].isascii()


def test_ids_differ(client: Client) -> None:
    ids = {client.get("/healthz").headers["X-Request-Id"] for _ in range(20)}
    assert len(ids) == 20


HOSTILE = [
    '/article/x\n{"level":"error","message":"forged"}',
    "/article/x\r\nGET / HTTP/1.1",
    "/article/\x1b[31mred\x1b[0m",
    "/article/\u2028\u0085\u202e",
    "/article/\x00\x7f",
]


@pytest.mark.parametrize("path", HOSTILE)
@pytest.mark.parametrize("form", [JsonLines(), PlainLines()])
def test_nothing_that_is_asked_makes_another_line(
    client: Client, path: str, form: logging.Formatter
) -> None:
    for log in logged(form):
        client.get(path)
        text = log.getvalue()
    assert len(text.splitlines()) == 1
    assert text[:-1].isprintable() or text[:-1].isascii()
    assert not set("\x1b\x00\r\u2028\u202e\x85") & set(text)


def failing(searcher: Searcher, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise error

    for name in ("search", "index_usage", "article", "version"):
        monkeypatch.setattr(type(searcher), name, fail)


@pytest.mark.parametrize("path", ["/search", "/api/v1/search"])
def test_a_bug_is_logged_with_its_place_and_told_with_its_id(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch, log: io.StringIO, path: str
) -> None:
    client = client_over(searcher, Settings())
    failing(searcher, monkeypatch, ZeroDivisionError(f"in {SECRET}"))
    answer = client.get(path, query_string={"q": SECRET})
    assert answer.status_code == 500
    found, line = lines(log)
    assert found["level"] == "error"
    assert found["exception"] == "ZeroDivisionError"
    assert any("in fail" in each for each in found["traceback"])
    assert found["request_id"] == line["request_id"] == answer.headers["X-Request-Id"]
    assert found["request_id"] in answer.get_data(as_text=True)
    assert SECRET not in json.dumps(lines(log), ensure_ascii=False)


def test_a_store_that_fails_is_logged_in_its_own_words(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    client = client_over(searcher, Settings())
    failing(searcher, monkeypatch, StoreError("The store is damaged. Put a backup in its place."))
    answer = client.get("/api/v1/search")
    assert answer.status_code == 503
    assert answer.get_json()["error"]["detail"]["request_id"] == answer.headers["X-Request-Id"]
    assert "Put a backup in its place" in lines(log)[0]["message"]


def test_a_terminal_is_told_in_plain_lines(client: Client) -> None:
    for log in logged(PlainLines()):
        client.get("/search?q=x")
        text = log.getvalue()
    assert " GET /search 200 " in text
    assert "?" not in text


def test_an_error_in_the_middle_of_a_list_is_logged_and_cuts_it(
    searcher: Searcher, log: io.StringIO
) -> None:
    metrics = create_app(Settings(), searcher).extensions["metrics"]

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        environ["anwen.exchange"].is_streamed = True
        start("200 OK", [])

        def pieces() -> Iterator[bytes]:
            yield b"one"
            raise ValueError(SECRET)

        return pieces()

    observer = Observer(application, metrics, seconds=9, queries=False)
    body = iter(observer({"REQUEST_METHOD": "GET"}, lambda *_: len))
    assert next(body) == b"one"
    with pytest.raises(CutOff) as caught:
        next(body)
    assert caught.value.__suppress_context__
    body.close()  # type: ignore[attr-defined]
    assert observer.under_way() == []
    found, line = lines(log)
    assert found["exception"] == "ValueError"
    assert line["bytes"] == 3
    assert SECRET not in log.getvalue()


# Health


def test_a_process_that_answers_is_alive_and_leaves_no_line(
    client: Client, log: io.StringIO
) -> None:
    assert client.get("/healthz").data == b"ok\n"
    assert client.get("/readyz").get_json()["status"] == "ready"
    assert log.getvalue() == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [(IndexUnavailable("No index."), "index_unavailable"), (StoreError("x"), "store_unavailable")],
)
def test_a_process_that_cannot_search_is_alive_and_not_ready(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    client = client_over(searcher, Settings())
    failing(searcher, monkeypatch, error)
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["error"]["code"] == code


def test_health_waits_for_no_turn() -> None:
    turnstile = Turnstile()
    turnstile.enter(1)

    def application(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        return [b"alive"]

    served = in_turns(application, turnstile, 0.05)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/healthz"}
    assert served(environ, lambda *_: len) == [b"alive"]


# Metrics


def metric(answer: TestResponse, line: str) -> float:
    found = [each for each in answer.get_data(as_text=True).splitlines() if each.startswith(line)]
    assert len(found) == 1, (line, found)
    return float(found[0].rpartition(" ")[2])


HERE = {"REMOTE_ADDR": "127.0.0.1"}


def test_metrics_count_by_endpoint_and_never_by_path(searcher: Searcher) -> None:
    client = client_over(searcher, Settings())
    for path in ("/search?q=a", "/search?q=b", "/nowhere", "/other", "/article/none"):
        client.get(path)
    client.open("/search", method="BREW")
    answer = client.get("/metrics", environ_base=HERE)
    counted = 'anwen_requests_total{endpoint="%s",method="%s",status="%s"}'
    assert metric(answer, counted % ("pages.search", "GET", 200)) == 2
    assert metric(answer, counted % ("none", "GET", 404)) == 2
    assert metric(answer, counted % ("pages.article", "GET", 404)) == 1
    assert metric(answer, counted % ("none", "other", 405)) == 1
    assert metric(answer, 'anwen_request_seconds_count{endpoint="pages.search"}') == 2
    assert metric(answer, "anwen_requests_under_way") == 1
    assert metric(answer, "anwen_requests_waiting") == 0
    assert metric(answer, "anwen_index_up") == 1
    assert metric(answer, "anwen_index_generation") == searcher.statistics().generation
    assert metric(answer, "anwen_index_articles") == searcher.statistics().articles
    assert metric(answer, "anwen_index_bytes") > 0
    assert 0 <= metric(answer, "anwen_index_age_seconds") < 3600
    assert metric(answer, "anwen_cache_bytes") <= metric(answer, "anwen_cache_limit_bytes")
    text = answer.get_data(as_text=True)
    assert "nowhere" not in text
    assert "BREW" not in text


def test_metrics_tell_of_an_index_that_does_not_answer(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_over(searcher, Settings())
    failing(searcher, monkeypatch, IndexUnavailable("No index."))
    assert metric(client.get("/metrics", environ_base=HERE), "anwen_index_up") == 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "status"),
    [
        ("127.0.0.1", None, 200),
        ("::1", None, 200),
        ("192.0.2.50", None, 200),
        ("203.0.113.9", None, 403),
        ("127.0.0.1", "203.0.113.9", 403),  # through a proxy that nobody has named
        ("127.0.0.1", "127.0.0.1", 403),
        ("10.0.0.1", "203.0.113.9", 403),
        ("10.0.0.1", "192.0.2.50", 200),
        ("10.0.0.1", "127.0.0.1", 200),
        ("10.0.0.1", None, 403),
    ],
)
def test_metrics_are_for_this_machine_and_for_whom_the_settings_name(
    searcher: Searcher, peer: str, forwarded: str | None, status: int
) -> None:
    settings = Settings(
        trusted_proxies=(ip_network("10.0.0.1"),), metrics_readers=(ip_network("192.0.2.0/24"),)
    )
    environ = {"REMOTE_ADDR": peer}
    if forwarded:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    answer = client_over(searcher, settings).get("/metrics", environ_base=environ)
    assert answer.status_code == status
