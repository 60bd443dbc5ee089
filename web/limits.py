"""Limits of what one client, and all that wait together, may take of a process."""

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv6Address, ip_network
from threading import BoundedSemaphore
from time import monotonic
from typing import Any
from weakref import finalize

from flask import Flask, Response, request
from flask_limiter import Limiter
from werkzeug.exceptions import ServiceUnavailable

from index.deadline import deadline
from index.errors import TimedOut
from index.settings import Settings
from web import errors
from web.exchange import Exchange, exchange_of
from web.proxies import address_of

__all__ = ["BODIES", "STREAMS", "bound_streams", "bounded", "client_key", "register"]

STREAMS = 8
"""Lists that a process sends at once while it makes them."""

BODIES = 16
"""Texts that a process takes at once."""

_STREAM = 20  # times the limit of a request are given to a list
_AGAIN = 5  # seconds after which one may ask again

_HELD = "anwen.held"  # where a request's environment says what it has taken of the limits
_LIMITED = frozenset({"pages.feed", "pages.draft", "pages.check_draft", "pages.export"})


def register(app: Flask, settings: Settings) -> None:
    """Limit requests of an application; call it before anything else that looks at them."""
    bodies = BoundedSemaphore(BODIES)

    @app.before_request
    def begin() -> None:
        exchange = exchange_of(request.environ)
        if exchange is None:
            return
        exchange.endpoint = request.endpoint or "none"
        if exchange.is_too_late:
            raise ServiceUnavailable(retry_after=_AGAIN)

    @app.before_request
    def bound_bodies() -> None:
        if request.method != "POST" or request.endpoint is None:
            return
        if not bodies.acquire(blocking=False):
            raise ServiceUnavailable(retry_after=_AGAIN)
        request.environ[_HELD] = bodies
        if exchange := exchange_of(request.environ):
            exchange.waits()
            request.get_data()  # kept for whoever asks; here alone it is waited for
            exchange.goes_on()

    @app.teardown_request
    def release(_: BaseException | None) -> None:
        held = request.environ.pop(_HELD, None)
        if held:
            held.release()

    if settings.rate_limit:
        _limit_rates(app, settings.rate_limit)


def bound_streams(app: Flask, settings: Settings) -> None:
    """Limit what is sent while it is made; call it after everything that works on responses."""
    streams = BoundedSemaphore(STREAMS)

    @app.after_request
    def bound(response: Response) -> Response:
        if not response.is_streamed or response.direct_passthrough or request.method == "HEAD":
            return response
        if not streams.acquire(blocking=False):
            response.close()
            return errors.answer(ServiceUnavailable(retry_after=_AGAIN))
        # Once, and in the end whatever becomes of the answer.
        release = finalize(response, streams.release)
        response.call_on_close(release)
        if exchange := exchange_of(request.environ):
            exchange.is_streamed = True
            exchange.waits()
        response.response = bounded(response.response, settings.request_seconds, exchange, release)
        return response


def bounded(
    pieces: Iterable[Any], seconds: float, exchange: Exchange | None, release: Callable[[], object]
) -> Iterator[Any]:
    """Give the pieces; to make one may take as long as an answer, all together twenty times that.

    Raises TimedOut.
    """
    ends = monotonic() + _STREAM * seconds
    made = iter(pieces)
    try:
        while True:
            if exchange:
                exchange.goes_on()
            with deadline(min(ends, monotonic() + seconds)):
                piece = next(made, None)
            if piece is None:
                return
            if exchange:
                exchange.waits()
            yield piece
            if monotonic() > ends:
                raise TimedOut
    finally:
        release()


def _limit_rates(app: Flask, rate: str) -> None:
    """Answer 429 to a client that asks API, feeds and drafts more often than a rate allows."""
    limiter = Limiter(
        client_key,
        app=app,
        application_limits=[rate],
        headers_enabled=True,
        storage_uri="memory://",
        strategy="moving-window",
    )

    @limiter.request_filter
    def is_unlimited() -> bool:
        endpoint = request.endpoint or ""
        is_limited = endpoint.startswith("api.") or endpoint in _LIMITED
        return not is_limited or request.method == "OPTIONS"


def client_key() -> str:
    """Return who asks, for rates: an address, of IPv6 the network of a household."""
    address = address_of(request.remote_addr or "")
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)
