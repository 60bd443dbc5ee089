"""The production server: Granian, configured from settings.

It reads requests and sends answers beside Python: a slow client holds no thread, unless it sends a
body or takes a list that is sent while it is made; of those a process takes only some at once. The
system deals connections to the processes by their addresses, some as many to each.
"""

import gc
import logging
import os
import socket
import sys
from contextlib import suppress
from ctypes import CDLL
from functools import partial
from pathlib import Path
from signal import SIG_DFL, SIGHUP, SIGINT, SIGTERM, signal
from socket import AF_INET, AF_INET6, getaddrinfo
from threading import Thread
from typing import Any
from wsgiref.types import WSGIApplication

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketHolder  # type: ignore[attr-defined]

from index.errors import AnwenError
from index.settings import Settings
from search import Searcher, open_searcher
from web import create_app
from web.folder import announce_stop, shared_folder
from web.logs import configuration
from web.observer import Observer
from web.proxies import behind_proxies
from web.turns import Turnstile, in_turns
from web.watchdog import Watchdog

__all__ = ["run", "serving"]

_LOG = logging.getLogger("anwen.processes")

_THREADS = 128  # of a process at most; nearly all of them wait, for their turn or for a client
_CONNECTIONS = 2048  # of a process at once; others wait in the system's queue
_HEAD = 20_000  # milliseconds for the head of a request, and between two of one connection
_GRACE = 30  # seconds that requests under way have when the server is to stop
# Seconds after which a thread that computes lets another have Python, by default 0.005. Each time
# an answer has waited for something it gets Python back so much later, while suggestions are made.
_SWITCH = 0.0005
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_START = 3.0  # seconds that a new process has to begin before the one it replaces is stopped


def run(settings: Settings, host: str, port: int) -> None:
    """Serve until a signal ends it; the host is an address or a name that has one.

    SIGTERM and SIGINT let requests under way come to their end, and before that wait for the
    setting `drain_seconds`, or for the signal to come again. SIGHUP puts a new process in the place
    of each, one after another, and no connection is lost on the way.
    """
    family = AF_INET6 if ":" in host else AF_INET
    server = _Server(
        "web",
        address=str(getaddrinfo(host, port, family)[0][4][0]),
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,  # proxies speak it, and its streams cannot be opened by the thousand
        http1_settings=HTTP1Settings(header_read_timeout=_HEAD),
        workers=settings.workers,
        blocking_threads=_THREADS,
        backpressure=_CONNECTIONS,
        websockets=False,
        log_level=LogLevels.warning,
        log_dictconfig=configuration(queries=settings.log_queries),
        respawn_failed_workers=True,
        respawn_interval=_START,
        workers_kill_timeout=_GRACE,
    )
    where = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    processes = f"{settings.workers} process" + "es" * (settings.workers > 1)
    server.on_startup(partial(_LOG.info, "Serving %s with %s", where, processes))
    server.on_reload(partial(_LOG.info, "Putting a new process in the place of each"))
    server.on_shutdown(partial(_LOG.info, "Stopped"))
    with shared_folder() as folder:
        if settings.drain_seconds:
            server.drain = folder, settings.drain_seconds
        server.serve(target_loader=partial(_load, settings, os.getpid()), wrap_loader=False)


class _Server(Granian):  # type: ignore[misc, valid-type]
    """Granian with a socket for each process that stays open when the process is replaced.

    Each process of Granian opens its own, and what waits in it is reset when it stops: of 8,600
    requests during a reload one was.
    """

    drain: tuple[Path, float] | None = None
    """Where to announce a stop, and the seconds until it."""

    def shutdown(self, exit_code: int = 0) -> None:
        _LOG.info("Stopping")
        if self.drain and self.interrupt_signal:
            folder, seconds = self.drain
            with suppress(OSError):  # a full disk; then nobody knows
                announce_stop(folder)
            self.main_loop_interrupt.clear()  # another signal, or the end of a process, sets it
            self.main_loop_interrupt.wait(seconds)
        super().shutdown(exit_code)

    def _init_shared_socket(self) -> None:
        if sys.platform != "linux":  # there one socket is shared by all, and stays open too
            super()._init_shared_socket()
            return
        family = AF_INET6 if ":" in self.bind_addr else AF_INET
        self._listeners = []
        for _ in range(self.workers):
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            # Connections take it over; without it a list in pieces waits 40 ms for the client.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.bind((self.bind_addr, self.bind_port))
            listener.listen(self.backlog)
            listener.setblocking(False)
            self._listeners.append(listener)

    def _spawn_worker(self, idx: int, *args: Any, **kwargs: Any) -> Any:
        if sys.platform == "linux":
            listener = self._listeners[idx]
            self._ssp = self._sso = None
            held = SocketHolder(listener.fileno(), False, self.backlog)  # type: ignore[call-arg]
            self._shd = held
        return super()._spawn_worker(idx, *args, **kwargs)


def _load(settings: Settings, first: int) -> WSGIApplication:
    """Return the application of a process that has just begun; `first` began it."""
    # A terminal's Ctrl-C is for the first process, which ends the others: told twice they have been
    # seen to hang.
    os.setpgrp()
    for wanted in (SIGINT, SIGTERM, SIGHUP):  # until it serves it would not hear that it shall stop
        signal(wanted, SIG_DFL)
    sys.setswitchinterval(_SWITCH)
    _return_memory()
    searcher = open_searcher(settings)
    Thread(target=_warm, args=(searcher,), daemon=True).start()
    application, watchdog = serving(settings, searcher, first)
    watchdog.start()
    return application


def _return_memory() -> None:
    """Let arrays that are freed go back to the system, where the C library is glibc.

    It gives each thread memory of its own, and after the first large array that is freed keeps the
    next ones: in five minutes with a commit every two seconds the processes of a server went from
    1,585 to 1,889 MB, and so from 1,380 to 1,503. Parameters and their numbers are those of
    mallopt(3).
    """
    with suppress(OSError, AttributeError):  # another C library
        mallopt = CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_MMAP_THRESHOLD, 1 << 20)  # bytes


def serving(settings: Settings, searcher: Searcher, first: int) -> tuple[WSGIApplication, Watchdog]:
    """Return the application with all that stands before it, and what watches its requests.

    `first` is the process that began this one, without which it stops.
    """
    app = create_app(settings, searcher)
    metrics = app.extensions["metrics"]
    turnstile = Turnstile()
    metrics.waiting = lambda: turnstile.waiting
    observer = Observer(
        in_turns(app, turnstile),
        metrics,
        seconds=settings.request_seconds,
        queries=settings.log_queries,
    )
    watchdog = Watchdog(observer.under_way, settings.request_seconds, first, metrics.look)
    return behind_proxies(observer, settings.trusted_proxies), watchdog


def _warm(searcher: Searcher) -> None:
    """Make what suggestions and corrections need before a reader waits for it."""
    with suppress(AnwenError):  # without an index requests are answered with what to do
        searcher.suggest("a")
    # What stands now stays: the collector looked through all of it in the midst of requests, and
    # one in a hundred waited a third of a second longer.
    gc.collect()
    gc.freeze()
