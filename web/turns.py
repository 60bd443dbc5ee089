"""Turns: a process makes one answer at a time, in the order in which they were asked for."""

from collections import deque
from collections.abc import Iterable
from threading import Lock
from time import monotonic
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from web.exchange import exchange_of

__all__ = ["AT_ONCE", "Turnstile", "in_turns"]

AT_ONCE = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that tell how a process is, which must be answered while it is busy."""


class Turnstile:
    """Lets one thread through at a time, the one that waits longest first."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._is_busy = False
        self._waiting: deque[Lock] = deque()

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        return len(self._waiting)

    def enter(self, seconds: float) -> bool:
        """Wait for the turn; return whether it came in time."""
        with self._guard:
            if not self._is_busy:
                self._is_busy = True
                return True
            ticket = Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        if ticket.acquire(timeout=max(seconds, 0)):
            return True
        with self._guard:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                return False
        return True  # it came in the very moment

    def leave(self) -> None:
        """Give the turn to the next."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_busy = False


def in_turns(
    application: WSGIApplication, turnstile: Turnstile, seconds: float = 3600
) -> WSGIApplication:
    """Return an application that makes one answer at a time.

    Python computes one at a time in any case, and who began first is done first. What is sent
    while it is made, and what has a body to be waited for, takes no turn. Whose turn does not come
    before the end of its exchange, or within `seconds`, goes on as one that is too late.
    """

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or environ.get("PATH_INFO") in AT_ONCE:
            return application(environ, start)
        exchange = exchange_of(environ)
        ends = exchange.ends if exchange else None
        if not turnstile.enter(seconds if ends is None else ends - monotonic()):
            if exchange:
                exchange.is_too_late = True
            return application(environ, start)
        try:
            return application(environ, start)
        finally:
            turnstile.leave()

    return answer
