"""Every request as it comes and goes: its id, its line in the log, its share of the metrics."""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from itertools import count
from secrets import token_hex
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from index.deadline import deadline
from index.errors import TimedOut
from web.exchange import EXCHANGE, Exchange, set_current
from web.logs import SERVER, RequestRecord
from web.turns import AT_ONCE

if TYPE_CHECKING:  # imported before the server has named a folder it would count alone
    from web.metrics import Metrics

__all__ = ["CutOff", "Observer"]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_logger = logging.getLogger(SERVER)


class CutOff(Exception):
    """An answer that ends before its end."""


class Observer:
    """An application that watches another; `seconds` bound what makes an answer."""

    def __init__(
        self, application: WSGIApplication, metrics: "Metrics", *, seconds: float, queries: bool
    ) -> None:
        self._application = application
        self._metrics = metrics
        self._seconds = seconds
        self._queries = queries
        self._name, self._numbers = token_hex(4), count(1)  # of this process, and its requests
        self._lock = Lock()
        self._under_way: set[Exchange] = set()

    def under_way(self) -> list[Exchange]:
        """Return the requests that are not yet answered, or still sent."""
        with self._lock:
            return list(self._under_way)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        given = str(environ.pop("HTTP_X_REQUEST_ID", ""))  # there from a trusted proxy alone
        is_fit = given and _ID.fullmatch(given)
        exchange = Exchange(id=given if is_fit else f"{self._name}{next(self._numbers):08x}")
        exchange.ends = exchange.started + self._seconds
        environ[EXCHANGE] = exchange
        set_current(exchange)
        with self._lock:
            self._under_way.add(exchange)
        self._metrics.began()

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            exchange.status = int(status[:3])
            return start(status, [*headers, ("X-Request-Id", exchange.id)], *rest)

        try:
            with deadline(exchange.ends):
                body = self._application(environ, started)
                if not exchange.is_streamed:
                    return [self._whole(body, exchange, environ)]
        except Exception:
            # Flask answers its own errors: this one is of the layers around it.
            _logger.exception("A request could not be answered")
            plain = json.dumps({"error": {"code": "internal_server_error", "message": "程序出错"}})
            started("500 Internal Server Error", [("Content-Type", "application/json")])
            self._finish(exchange, environ)
            return [plain.encode()]
        return _Stream(body, exchange, lambda: self._finish(exchange, environ))

    def _whole(self, body: Iterable[bytes], exchange: Exchange, environ: WSGIEnvironment) -> bytes:
        try:
            made = b"".join(body)
        finally:
            _close(body)
        exchange.sent = len(made)
        self._finish(exchange, environ)
        return made

    def _finish(self, exchange: Exchange, environ: WSGIEnvironment) -> None:
        with self._lock:
            self._under_way.discard(exchange)
        seconds = monotonic() - exchange.started
        method = environ["REQUEST_METHOD"]
        self._metrics.ended(exchange.endpoint, method, exchange.status, seconds)
        path = (
            str(environ.get("PATH_INFO", ""))
            .encode("latin-1", "replace")
            .decode("utf-8", "replace")
        )
        level = logging.DEBUG if path in AT_ONCE and exchange.status < 500 else logging.INFO
        if _logger.isEnabledFor(level):
            line: dict[str, Any] = {
                "request_id": exchange.id,
                "method": method[:20],
                "path": path[:2000],
                "status": exchange.status,
                "duration_ms": round(seconds * 1000, 1),
                "bytes": exchange.sent,
                "client": environ.get("REMOTE_ADDR", ""),
            }
            if self._queries:
                line["query"] = environ.get("QUERY_STRING", "")
            _logger.handle(RequestRecord(level, line))
        set_current(None)


class _Stream:
    """A body that is sent while it is made."""

    def __init__(self, body: Iterable[bytes], exchange: Exchange, finish: Any) -> None:
        self._body, self._pieces = body, iter(body)
        self._exchange, self._finish = exchange, finish

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        set_current(self._exchange)
        try:
            piece = next(self._pieces)
        except StopIteration:
            raise
        except Exception as error:
            _logger.log(
                logging.INFO if isinstance(error, TimedOut) else logging.ERROR,
                "An answer was cut off while it was sent",
                exc_info=error,
            )
            # The server logs what reaches it, words and all, and cuts the connection.
            raise CutOff from None
        self._exchange.sent += len(piece)
        return piece

    def close(self) -> None:
        """Release what the body holds, and end the exchange."""
        try:
            _close(self._body)
        finally:
            finish, self._finish = self._finish, lambda: None
            finish()


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close:
        close()
