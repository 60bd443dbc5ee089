"""The production server: what its processes do with requests that come at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from wsgiref.types import StartResponse, WSGIEnvironment

from web.turns import Turnstile, in_turns


def started(*_: object) -> Callable[[bytes], object]:
    """Take the status and the headers."""
    return len


def test_answers_are_made_one_after_another() -> None:
    held, overlapped = Lock(), []

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        if not held.acquire(blocking=False):
            overlapped.append(environ)
            return []
        Event().wait(0.01)
        held.release()
        return [b"done"]

    served = in_turns(application, Turnstile())
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: served({"REQUEST_METHOD": "GET"}, started), range(20)))
    assert overlapped == []
    assert found == [[b"done"]] * 20


def test_an_answer_that_is_still_sent_or_waits_for_a_body_holds_up_no_other() -> None:
    sent = Event()

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        if environ["REQUEST_METHOD"] == "POST":
            assert sent.wait(10)
            return [b"draft"]
        return (b"row" for _ in range(3))

    served = in_turns(application, Turnstile())
    with ThreadPoolExecutor(1) as pool:
        draft = pool.submit(served, {"REQUEST_METHOD": "POST"}, started)
        rows = iter(served({"REQUEST_METHOD": "GET"}, started))
        assert next(rows) == b"row"
        assert list(served({"REQUEST_METHOD": "GET"}, started)) == [b"row"] * 3
        sent.set()
        assert draft.result(10) == [b"draft"]
