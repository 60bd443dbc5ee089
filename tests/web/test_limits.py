"""Limits: how often a client may ask, how long an answer may take, how many wait for a client."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from limits import RateLimitItem, parse_many
from werkzeug.test import Client

from index.deadline import check_deadline, deadline
from index.errors import SettingsError, TimedOut
from index.settings import Settings, load_settings
from search import Searcher
from web.exchange import Exchange
from web.limits import BODIES, STREAMS, bounded
from web.observer import CutOff
from web.server import serving
from web.turns import Turnstile


@pytest.fixture
def searcher(site_searcher: Searcher) -> Searcher:
    return site_searcher


def client_over(searcher: Searcher, **settings: Any) -> Client:
    return Client(serving(Settings(**settings), searcher, os.getppid())[0])


# Rates


@pytest.mark.parametrize("text", ["60/minute", "10 per hour", "10/second;300/hour", "5 per 2 days"])
def test_a_rate_that_the_settings_take_is_read_as_it_is_written(text: str) -> None:
    assert load_settings({"ANWEN_RATE_LIMIT": text}).rate_limit == text
    assert all(isinstance(item, RateLimitItem) for item in parse_many(text))


def test_a_rate_without_a_unit_is_refused() -> None:
    with pytest.raises(SettingsError):
        load_settings({"ANWEN_RATE_LIMIT": "60"})


def test_nobody_is_limited_unless_the_settings_say_so(searcher: Searcher) -> None:
    client = client_over(searcher)
    answers = [client.get("/api/v1/suggest?q=a") for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("X-RateLimit-Limit" in answer.headers for answer in answers)


def test_who_asks_too_often_is_told_when_to_ask_again(searcher: Searcher) -> None:
    client = client_over(searcher, rate_limit="3/minute")
    for path in ("/api/v1/suggest?q=a", "/feed.atom", "/draft"):
        assert client.get(path).status_code == 200
    answer = client.get("/api/v1/search")
    assert answer.status_code == 429
    assert answer.get_json()["error"]["code"] == "too_many_requests"
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.post("/draft").status_code == 429
    page = client.get("/feed.atom")
    assert page.status_code == 429
    assert page.mimetype == "text/html"


def test_pages_and_health_are_not_limited(searcher: Searcher) -> None:
    client = client_over(searcher, rate_limit="1/hour")
    for path in ("/", "/search", "/healthz", "/readyz", "/static/site.css", "/nowhere"):
        for _ in range(3):
            assert client.get(path).status_code in {200, 404}


def test_each_client_has_its_own_share_behind_a_proxy_too(searcher: Searcher) -> None:
    client = client_over(searcher, rate_limit="1/minute", trusted_proxies=(ip_network("10.0.0.1"),))

    def ask(peer: str, forwarded: str | None = None) -> int:
        environ = {"REMOTE_ADDR": peer}
        if forwarded:
            environ["HTTP_X_FORWARDED_FOR"] = forwarded
        return client.get("/api/v1/suggest?q=a", environ_base=environ).status_code

    assert ask("203.0.113.1") == 200
    assert ask("203.0.113.1") == 429
    assert ask("203.0.113.1", "1.2.3.4") == 429  # its own word changes nothing
    assert ask("10.0.0.1", "203.0.113.2") == 200
    assert ask("10.0.0.1", "203.0.113.3") == 200
    assert ask("10.0.0.1", "9.9.9.9, 203.0.113.3") == 429
    assert ask("2001:db8::1") == 200
    assert ask("2001:db8::2") == 429  # of the same household
    assert ask("2001:db8:0:1::1") == 200


# Time


def test_work_stops_at_its_deadline_and_nowhere_else() -> None:
    check_deadline()
    with deadline(monotonic() + 60):
        check_deadline()
        with deadline(monotonic() - 1), pytest.raises(TimedOut):
            check_deadline()
        check_deadline()
    check_deadline()


@pytest.mark.parametrize(
    "path", ["/search?q=勒索软件", "/api/v1/search?q=勒索软件", "/api/v1/facets/source?q=软件"]
)
def test_an_answer_that_takes_too_long_is_503_and_the_next_is_made(
    searcher: Searcher, path: str
) -> None:
    late = client_over(searcher, request_seconds=-1)
    answer = late.get(path)
    assert answer.status_code == 503
    if path.startswith("/api/"):
        assert answer.get_json()["error"]["code"] == "timed_out"
    assert client_over(searcher).get(path).status_code == 200


def test_a_draft_that_takes_too_long_is_503(searcher: Searcher) -> None:
    text = "勒索软件借远程运维平台漏洞扩散，受影响的设备已经断开。"
    answer = client_over(searcher, request_seconds=-1).post("/api/v1/related", json={"text": text})
    assert answer.status_code == 503
    assert answer.get_json()["error"]["code"] == "timed_out"


def test_whose_turn_does_not_come_in_time_is_told_to_ask_again(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = Event(), Event()
    search = type(searcher).search

    def slow(*arguments: Any) -> Any:
        if arguments[1].query == "slow":
            entered.set()
            leave.wait(20)
        return search(*arguments)

    monkeypatch.setattr(type(searcher), "search", slow)
    client = client_over(searcher, request_seconds=1)
    first = Thread(target=client.get, args=("/api/v1/search?q=slow",))
    first.start()
    assert entered.wait(20)
    begun = monotonic()
    answer = client.get("/api/v1/search?q=a")
    assert 0.9 < monotonic() - begun < 10
    assert answer.status_code == 503
    assert answer.get_json()["error"]["code"] == "service_unavailable"
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200
    leave.set()
    first.join(20)
    assert client.get("/api/v1/search?q=a").status_code == 200


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turnstile, order = Turnstile(), []
    turnstile.enter(1)

    def wait(number: int) -> None:
        assert turnstile.enter(20)
        order.append(number)
        turnstile.leave()

    threads = [Thread(target=wait, args=(number,)) for number in range(8)]
    for number, thread in enumerate(threads, start=1):
        thread.start()
        while turnstile.waiting < number:
            sleep(0.001)
    turnstile.leave()
    for thread in threads:
        thread.join(20)
    assert order == list(range(8))


def test_who_stops_waiting_leaves_the_turn_to_the_others() -> None:
    turnstile = Turnstile()
    assert turnstile.enter(1)
    assert not turnstile.enter(0.01)
    assert turnstile.waiting == 0
    turnstile.leave()
    assert turnstile.enter(0)


# Those that wait for a client


def test_only_some_lists_are_sent_at_once_and_others_are_told_to_ask_again(
    searcher: Searcher,
) -> None:
    client = client_over(searcher)
    with ExitStack() as opened:
        for _ in range(STREAMS):
            answer = client.get("/api/v1/search?format=csv")
            assert answer.status_code == 200
            opened.callback(answer.close)
            assert next(iter(answer.response))
        refused = client.get("/api/v1/search?format=csv")
        assert refused.status_code == 503
        assert refused.get_json()["error"]["code"] == "service_unavailable"
        assert int(refused.headers["Retry-After"]) > 0
        assert "Content-Security-Policy" in refused.headers
        assert client.get("/api/v1/search").status_code == 200
        assert client.get("/export?id=" + "0" * 16).status_code == 503
    for _ in range(STREAMS + 1):
        answer = client.get("/api/v1/search?format=csv")
        assert answer.get_data(as_text=True).count("\n") > 40
        answer.close()


def test_a_list_that_is_sent_too_long_is_cut(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.limits._STREAM", 0)
    answer = client_over(searcher).get("/api/v1/search?format=csv")
    pieces = iter(answer.response)
    assert next(pieces)
    with pytest.raises(CutOff):
        next(pieces)
    answer.close()


def test_only_some_texts_are_taken_at_once(searcher: Searcher) -> None:
    client = client_over(searcher)
    held, begun = Event(), []

    class Slow:
        """A body that does not come."""

        def read(self, *_: int) -> bytes:
            begun.append(1)
            held.wait(20)
            return b""

    def send() -> None:
        client.open(
            "/api/v1/related",
            method="POST",
            environ_overrides={
                "wsgi.input": Slow(),
                "CONTENT_TYPE": "application/json",
                "CONTENT_LENGTH": "100",
            },
        )

    threads = [Thread(target=send) for _ in range(BODIES)]
    for thread in threads:
        thread.start()
    while len(begun) < BODIES:
        sleep(0.01)
    refused = client.post("/api/v1/related", json={"text": "勒索软件"})
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get("/api/v1/search").status_code == 200
    held.set()
    for thread in threads:
        thread.join(20)
    assert client.post("/api/v1/related", json={"text": "勒索软件"}).status_code == 200


def test_a_list_is_watched_while_a_piece_of_it_is_made_and_not_while_it_is_sent() -> None:
    exchange = Exchange(id="x", started=0.0)
    released: list[bool] = []
    made: list[tuple[float | None, float]] = []

    def pieces() -> Iterator[bytes]:
        for _ in range(2):
            made.append((exchange.waits_for_client, exchange.busy_since))
            check_deadline()
            yield b"a"

    for piece in bounded(pieces(), 10, exchange, lambda: released.append(True)):
        assert piece == b"a"
        assert exchange.waits_for_client
    assert [waits for waits, _ in made] == [None, None]
    assert made[1][1] > made[0][1] > 0
    assert released == [True]


def test_no_piece_of_a_list_may_take_longer_than_an_answer() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        sleep(0.05)
        check_deadline()
        yield b"b"

    found = []
    with pytest.raises(TimedOut):
        found.extend(bounded(pieces(), 0.01, None, lambda: None))


def test_a_list_that_takes_too_long_as_a_whole_is_cut() -> None:
    def pieces() -> Iterator[bytes]:
        while True:
            sleep(0.01)
            yield b"a"

    with pytest.raises(TimedOut):
        for _ in bounded(pieces(), 0.02, None, lambda: None):
            pass
