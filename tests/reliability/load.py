"""Readers and a writer at once, over a copy of a data folder: errors, latencies, growth.

    python -m tests.reliability.load DATA MINUTES [--readers 32] [--pause 1] [--watch]

The server is `anwen serve` with two processes. Each reader asks for a page, waits for `--pause`
seconds on average and asks again; first for a minute without the writer. The writer is a process
of its own that takes in three pages every two seconds and commits; what it does in worker
processes otherwise it does itself, since to start these takes longer than that. With `--watch` it
is `anwen watch`. After three minutes of new articles newer editions of them come, so that the
archive grows no more: what still grows is the program. Exit status 1 where an aim of
docs/reliability.md is missed.
"""

import argparse
import itertools
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from random import Random
from threading import Event, Thread
from typing import Any
from urllib.parse import quote

import index.build
import index.stages
import index.workers
from index.analysis import Analyzer
from index.backends.whoosh import WhooshIndex
from index.build import Indexer
from index.corpus import read_pages
from index.entities import OrganisationTable
from index.settings import Settings
from tests.reliability.checking import Silent
from tests.reliability.pages import write_pages
from tests.reliability.recorded import InlinePool

_WRITES = 2.0  # seconds from one commit to the next
_PAGES = 3  # of a commit
_ARTICLES = 270  # that they tell of, edition after edition
_SETTLED = 300  # seconds after which nothing grows any more
_PICKED_UP = 2.0  # seconds within which a commit is seen
_LOOKS = 6  # connections that must all see it: they are dealt to the server's processes


@dataclass
class Readers:
    """Threads that ask one page after another; `latencies` are in seconds."""

    port: int
    addresses: list[str]
    pause: float
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    stop: Event = field(default_factory=Event)

    def run(self, count: int, seconds: float) -> "Readers":
        threads = [Thread(target=self._read, args=(Random(each),)) for each in range(count)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.stop.set()
        for thread in threads:
            thread.join()
        return self

    def _read(self, random: Random) -> None:
        while not self.stop.wait(random.expovariate(1 / self.pause) if self.pause else 0):
            address = random.choice(self.addresses)
            started = time.perf_counter()
            try:
                status, body = get(self.port, address)
                if status != 200 or not body:
                    self.errors[f"{status} {address.partition('?')[0]}"] += 1
            except (OSError, HTTPException) as error:
                self.errors[f"{type(error).__name__} {address.partition('?')[0]}"] += 1
            self.latencies.append(time.perf_counter() - started)

    def percentile(self, share: float) -> float:
        """Return the latency in ms that a share of the answers does not exceed."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def get(port: int, address: str) -> tuple[int, bytes]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", address)
        response = connection.getresponse()
        return response.status, response.read()


def addresses_of(data: Path, random: Random) -> list[str]:
    """Return what readers ask for: words from titles, filters, suggestions, articles, feeds."""
    with closing(sqlite3.connect(data / "articles.sqlite3")) as database:
        rows = database.execute(
            "SELECT id, json_extract(document, '$.title') FROM article WHERE document IS NOT NULL"
        ).fetchall()
    found = ["/", "/organisations", "/trends", "/feed.atom"]
    for identifier, title in random.sample(rows, min(400, len(rows))):
        start = random.randrange(max(len(title) - 6, 1))
        typed = title[start : start + random.randint(2, 6)].strip() or "安全"
        words = quote(typed)
        found += [
            *(f"/search?q={words}", f"/api/v1/search?q={words}&sort=newest"),
            *(f"/api/v1/suggest?q={quote(typed[0])}", f"/article/{identifier}"),
        ]
    return found


def measure(session: int) -> tuple[int, int, int]:
    """Return KB of anonymous memory, KB resident and open files of the server's processes."""
    anonymous = resident = files = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if _session(folder) != session:
                continue
            for line in (folder / "status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name == "RssAnon":
                    anonymous += int(value.split()[0])
                elif name == "VmRSS":
                    resident += int(value.split()[0])
            files += len(list((folder / "fd").iterdir()))
        except OSError:
            continue  # it has ended meanwhile
    return anonymous, resident, files


def _session(folder: Path) -> int:
    return int((folder / "stat").read_text().rpartition(")")[2].split()[3])


def write_next(folder: Path, number: int) -> str:
    """Write the pages of a commit, and return a word that only one of them has."""
    edition, first = divmod(number * _PAGES, _ARTICLES)
    write_pages(folder, range(first, first + _PAGES), edition=edition + 1)
    return f"n{first}e{edition + 1}"


def write(data: Path, folder: Path, stop: Any, committed: Any) -> None:
    """Take in pages every two seconds; put a word, the time and the seconds of each commit."""
    settings = Settings(data=data)
    analyzer = Analyzer()
    index.workers.ProcessPoolExecutor = InlinePool  # type: ignore[attr-defined,misc,assignment]
    index.build.Analyzer = lambda _: analyzer  # type: ignore[attr-defined,misc,assignment]
    OrganisationTable.load = cache(OrganisationTable.load)  # type: ignore[method-assign]
    indexer = Indexer(settings, jobs=1)
    for number in itertools.count():
        if stop.is_set():
            return
        started = time.time()
        pages = folder / f"{number:06}"
        word = write_next(pages, number)
        summary = indexer.run(read_pages([pages]), progress=Silent())
        assert summary.added + summary.updated == _PAGES
        committed.put((word, time.time(), time.time() - started))
        stop.wait(max(0.0, started + _WRITES - time.time()))


@dataclass
class Pickup:
    """Watches for what is committed; `seconds` are from commits to all connections seeing them."""

    port: int
    committed: Any
    stop: Event = field(default_factory=Event)
    seconds: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    _looked_for: str = ""

    def run(self) -> None:
        word, when = "", 0.0
        while not self.stop.is_set():
            try:
                word, when, took = self.committed.get(timeout=0.5)
                self.writes.append(took)
                while True:  # the newest, where looking for the one before took long
                    word, when, took = self.committed.get_nowait()
                    self.writes.append(took)
            except Empty:
                if not self.writes or word == self._looked_for:
                    continue
            self._looked_for = word
            self.seconds.append(self._look(f"/api/v1/search?q={word}", when))

    def _look(self, address: str, when: float) -> float:
        """Return the seconds after which no connection was answered without the new article."""
        first, seen = time.time(), 0
        while seen < _LOOKS and time.time() - when < 10 * _PICKED_UP:
            asked = time.time()
            status, body = get(self.port, address)
            found = status == 200 and json.loads(body)["total"]
            first = asked if found and not seen else first
            seen = seen + 1 if found else 0
        return first - when if seen else 10 * _PICKED_UP


def drop_pages(data: Path, folder: Path, stop: Any, committed: Any) -> None:
    """Leave new pages where `anwen watch` finds them, two seconds after it has committed others."""
    followed = WhooshIndex(data / "index", "")
    for number in itertools.count():
        if stop.is_set():
            return
        started, revision = time.time(), followed.revision
        word = write_next(folder, number)
        while followed.revision == revision and not stop.is_set():
            time.sleep(0.02)
        committed.put((word, time.time(), time.time() - started))
        stop.wait(max(0.0, started + _WRITES - time.time()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--readers", type=int, default=32)
    parser.add_argument("--pause", type=float, default=1.0)
    parser.add_argument("--watch", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.data.parent) as scratch:
        shutil.copytree(given.data, Path(scratch) / "data")
        return run(Path(scratch), given)


def run(scratch: Path, given: argparse.Namespace) -> int:
    data, pages = scratch / "data", scratch / "pages"
    pages.mkdir()
    addresses = addresses_of(data, Random(1))
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "web", "--data", str(data)]
    server = subprocess.Popen(
        [*command, "serve", "--port", str(port), "--workers", "2"],
        start_new_session=True,
        stderr=(scratch / "server.log").open("w"),
    )
    try:
        wait_for(port)
        Readers(port, addresses, given.pause).run(given.readers, 15)  # what is loaded only once
        idle = Readers(port, addresses, given.pause).run(given.readers, min(60, 15 * given.minutes))
        return under_writer(command, port, server, pages, addresses, idle, given)
    finally:
        server.terminate()
        server.wait(40)
        sys.stdout.write((scratch / "server.log").read_text()[-2000:])


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            if get(port, "/api/v1/search?q=a")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("The server does not answer.")


def under_writer(
    command: list[str],
    port: int,
    server: "subprocess.Popen[bytes]",
    pages: Path,
    addresses: list[str],
    idle: Readers,
    given: argparse.Namespace,
) -> int:
    context = get_context("spawn")
    stop, committed = context.Event(), context.Queue()
    watch = None
    if given.watch:
        watch = subprocess.Popen([*command, "watch", str(pages)])
        writer = context.Process(target=drop_pages, args=(pages, stop, committed))
    else:
        writer = context.Process(target=write, args=(pages.parent / "data", pages, stop, committed))
    pickup = Pickup(port, committed)
    looking = Thread(target=pickup.run)
    busy = Readers(port, addresses, given.pause)
    reading = Thread(target=busy.run, args=(given.readers, 60 * given.minutes))
    samples: list[tuple[float, tuple[int, int, int]]] = []
    writer.start()
    committed.get(timeout=300)  # what it loads only once is loaded
    looking.start()
    reading.start()
    started = time.monotonic()
    while reading.is_alive():
        samples.append((time.monotonic() - started, measure(server.pid)))
        reading.join(5)
    stop.set()
    writer.join(60)
    pickup.stop.set()
    looking.join()
    if watch:
        watch.terminate()
        watch.wait(60)
    return report(idle, busy, pickup, samples, wrote=writer.exitcode == 0)


def report(
    idle: Readers,
    busy: Readers,
    pickup: Pickup,
    samples: list[tuple[float, tuple[int, int, int]]],
    *,
    wrote: bool,
) -> int:
    settled = min(_SETTLED, samples[-1][0] / 3)
    steady = [each for when, each in samples if when >= settled]
    tenth = max(len(steady) // 5, 1)

    def mean(part: list[tuple[int, int, int]], place: int) -> float:
        return sum(each[place] for each in part) / len(part)

    before = [mean(steady[:tenth], place) for place in range(3)]
    after = [mean(steady[-tenth:], place) for place in range(3)]
    ratio = busy.percentile(0.99) / idle.percentile(0.99)
    slow = sum(each > _PICKED_UP for each in pickup.seconds)
    lines = [
        f"idle: {len(idle.latencies):,} answers, p50 {idle.percentile(0.5):.0f} ms, "
        f"p99 {idle.percentile(0.99):.0f} ms, {idle.errors.total()} errors",
        f"with a writer: {len(busy.latencies):,} answers, p50 {busy.percentile(0.5):.0f} ms, "
        f"p99 {busy.percentile(0.99):.0f} ms ({ratio:.2f} of idle), "
        f"slowest {busy.percentile(1):.0f} ms, {busy.errors.total()} errors {dict(busy.errors)}",
        f"{len(pickup.writes)} commits, each in {max(pickup.writes, default=0):.2f} s at most; "
        f"seen after {max(pickup.seconds, default=0):.2f} s at most, "
        f"{slow} of them later than {_PICKED_UP:.0f} s",
        f"from {settled:.0f} s to the end: anonymous memory {before[0] / 1024:.0f} MB to "
        f"{after[0] / 1024:.0f} MB, resident {before[1] / 1024:.0f} MB to {after[1] / 1024:.0f} "
        f"MB, open files {before[2]:.0f} to {after[2]:.0f}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    holds = (
        *(wrote, not idle.errors, not busy.errors, ratio <= 3, not slow, bool(pickup.seconds)),
        *(after[0] <= 1.05 * before[0], after[2] <= before[2] + 4),
    )
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
