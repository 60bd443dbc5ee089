"""What is known of a request under way: by the log, the metrics and the limits."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import get_ident
from time import monotonic
from wsgiref.types import WSGIEnvironment

__all__ = ["EXCHANGE", "Exchange", "current", "exchange_of", "set_current"]

EXCHANGE = "anwen.exchange"
"""The key of an environment under which its exchange stands."""


@dataclass(slots=True, kw_only=True, eq=False)
class Exchange:
    """A request and its answer, while they are under way; moments are of `time.monotonic`."""

    id: str
    started: float = field(default_factory=monotonic)
    thread: int = field(default_factory=get_ident)
    ends: float | None = None
    """When nobody waits any more; None where the request has no limit."""
    endpoint: str = "none"
    status: int = 0
    sent: int = 0
    """The bytes of the answer's body so far."""
    is_streamed: bool = False
    waits_for_client: float | None = None
    """Since when a body or a stream may be waiting for the client; None while none does."""
    busy_since: float = field(default_factory=monotonic)
    """Since when the process works for it, where it does not wait for the client."""
    is_too_late: bool = False
    """Whether the time was over before the answer was begun."""

    def waits(self) -> None:
        """Note that from now on it waits for the client."""
        self.waits_for_client = monotonic()

    def goes_on(self) -> None:
        """Note that the process works for it again."""
        self.waits_for_client, self.busy_since = None, monotonic()


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def current() -> Exchange | None:
    """Return the exchange that this thread works for."""
    return _current.get()


def set_current(exchange: Exchange | None) -> None:
    """Say which exchange this thread works for."""
    _current.set(exchange)


def exchange_of(environ: WSGIEnvironment) -> Exchange | None:
    """Return the exchange of a request, None where nobody observes."""
    found: Exchange | None = environ.get(EXCHANGE)
    return found
