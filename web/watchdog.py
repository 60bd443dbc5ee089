"""A thread beside the requests: it cuts who holds a thread for nothing, and ends a lost process.

What waits inside the server for a client's bytes cannot be stopped by Python. The connection can,
from outside: the thread that waits for it goes on then.
"""

import logging
import os
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGTERM
from threading import Thread
from time import monotonic, sleep

from web.exchange import Exchange

__all__ = ["Watchdog"]

_TICK = 1.0  # seconds
_LEAST = 1000  # bytes a second, of a connection that somebody waits for
_STUCK = 30  # seconds after twice the limit, when an answer will not come any more
_SPLICED = struct.Struct("=QQ")
_BYTES = 120  # where the bytes acknowledged and received stand in Linux' struct tcp_info

_logger = logging.getLogger(__name__)


class Watchdog:
    """Watches the requests of one process; `seconds` are what one of them may take.

    `first` is the process without which this one stops.
    """

    def __init__(
        self,
        under_way: Callable[[], list[Exchange]],
        seconds: float,
        first: int,
        every_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._under_way = under_way
        self._seconds = seconds
        self._every_tick = every_tick
        self._first = first
        self._moved: dict[int, tuple[float, int]] = {}

    def start(self) -> None:
        """Watch from now on."""
        Thread(target=self._run, name="watchdog", daemon=True).start()

    def _run(self) -> None:
        while True:
            sleep(_TICK)
            try:
                self._every_tick()
                self.look()
            except Exception:
                _logger.exception("The watchdog stumbled")

    def look(self) -> None:
        """Do what is to be done now."""
        if os.getppid() != self._first:
            self._first = os.getppid()  # told once
            _logger.error("The first process is gone: this one stops")
            os.kill(os.getpid(), SIGTERM)
        now = monotonic()
        exchanges = self._under_way()
        waiting = [
            each
            for each in exchanges
            if each.waits_for_client and now - each.waits_for_client > self._seconds
        ]
        if waiting:
            self._cut_idle(now)
        else:
            self._moved.clear()
        for each in exchanges:
            if not each.waits_for_client and now - each.busy_since > 2 * self._seconds + _STUCK:
                self._give_up(each, now)

    def _cut_idle(self, now: float) -> None:
        """Cut connections that moved less than the least rate since they were first looked at."""
        seen = set()
        for number, connection, moved in _connections():
            with connection:
                seen.add(number)
                first, before = self._moved.setdefault(number, (now, moved))
                if now - first < self._seconds:
                    continue
                if moved - before < _LEAST * (now - first):
                    with suppress(OSError):  # gone by itself
                        connection.shutdown(socket.SHUT_RDWR)
                    _logger.warning("A connection was cut: its client neither sent nor read")
                else:
                    self._moved[number] = now, moved
        for number in self._moved.keys() - seen:
            del self._moved[number]

    def _give_up(self, exchange: Exchange, now: float) -> None:
        """End the process: an answer that does not end keeps every other one waiting."""
        frame = sys._current_frames().get(exchange.thread)
        place = "".join(traceback.format_stack(frame)) if frame else ""
        _logger.critical(
            "Request %s (%s) has taken %d seconds: this process ends, another begins\n%s",
            exchange.id,
            exchange.endpoint,
            now - exchange.started,
            place,
        )
        logging.shutdown()
        os._exit(70)


def _connections() -> Iterator[tuple[int, socket.socket, int]]:
    """Give the connections of this process: a number, a copy to be closed, and the bytes moved."""
    if sys.platform != "linux":  # elsewhere the system tells the bytes differently
        return
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if not str(entry.readlink()).startswith("socket:"):
                continue
            connection = socket.socket(fileno=os.dup(int(entry.name)))
        except OSError:
            continue  # closed a moment ago
        try:
            connection.getpeername()
            told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            number = os.fstat(connection.fileno()).st_ino
            moved = sum(_SPLICED.unpack_from(told, _BYTES))
        except (OSError, struct.error):  # no connection, or none of TCP
            connection.close()
            continue
        yield number, connection, moved
