"""The production server: Granian, configured from settings.

It reads requests and sends answers beside Python: a slow client holds no thread, unless it sends a
body or takes a list that is sent while it is made. The system deals connections to the processes by
their addresses, some as many to each.
"""

import gc
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from signal import SIG_DFL, SIGINT, SIGTERM, signal
from socket import AF_INET, AF_INET6, getaddrinfo
from threading import Lock, Thread
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from index.errors import AnwenError
from index.settings import Settings
from search import Searcher, open_searcher
from web import create_app

__all__ = ["in_turns", "run"]

_THREADS = 4  # of a process: while one waits for a disk another computes
_GRACE = 30  # seconds that requests under way have when the server is to stop


def run(settings: Settings, host: str, port: int) -> None:
    """Serve until a signal ends it; the host is an address or a name that has one."""
    family = AF_INET6 if ":" in host else AF_INET
    server = Granian(
        "web",
        address=str(getaddrinfo(host, port, family)[0][4][0]),
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=_THREADS,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=_GRACE,
    )
    server.serve(target_loader=partial(_load, settings), wrap_loader=False)


def _load(settings: Settings) -> WSGIApplication:
    """Return the application of a process that has just begun."""
    # A terminal's Ctrl-C is for the first process, which ends the others: told twice they have been
    # seen to hang.
    os.setpgrp()
    for wanted in (SIGINT, SIGTERM):  # until it serves it would not hear that it should stop
        signal(wanted, SIG_DFL)
    searcher = open_searcher(settings)
    Thread(target=_warm, args=(searcher,), daemon=True).start()
    return in_turns(create_app(settings, searcher))


def in_turns(application: WSGIApplication) -> WSGIApplication:
    """Return an application that makes one answer at a time.

    Python computes one at a time in any case, and who began first is done first. What is sent
    while it is made, and what has a body to be waited for, takes no turn.
    """
    turn = Lock()

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return application(environ, start)
        with turn:
            return application(environ, start)

    return answer


def _warm(searcher: Searcher) -> None:
    """Make what suggestions and corrections need before a reader waits for it."""
    with suppress(AnwenError):  # without an index requests are answered with what to do
        searcher.suggest("a")
    # What stands now stays: the collector looked through all of it in the midst of requests, and
    # one in a hundred waited a third of a second longer.
    gc.collect()
    gc.freeze()
