"""Three nodes under load, of which one is killed, then another, then all: is anything lost?

    python -m tests.opensearch.faults DATA [--readers 32] [--quiet 15] [--pause 1]

Readers ask `anwen serve` with three addresses, a writer indexes new articles and commits every
second. The elected manager is killed and started again, then another node, then a new generation is
built and the alias moved; `--quiet` seconds lie between. After that all nodes are killed, and
started again. Exit status 1 where a request or a commit has failed, an article that was committed
is gone, or an answer held less than one before it.
"""

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event, Thread

from opensearchpy import OpenSearch

import index.workers
from index.build import Indexer
from index.corpus import read_pages
from index.errors import AnwenError
from index.settings import Settings
from tests.inline import InlinePool
from tests.opensearch.cluster import Cluster, free_port
from tests.reliability.checking import Silent
from tests.reliability.load import Readers, addresses_of, get, wait_for
from tests.reliability.pages import write_pages

_NODES = 3
_SOON = 2.0  # seconds within which a lost cluster is told


@dataclass
class Writer:
    """Commits one new article a second, and a new generation where it is asked for."""

    settings: Settings
    folder: Path
    committed: int = 0
    generations: int = 0
    slowest: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    rebuild: Event = field(default_factory=Event)
    rebuilt: Event = field(default_factory=Event)
    stop: Event = field(default_factory=Event)

    def run(self) -> None:
        with Indexer(self.settings, jobs=1) as indexer:
            for number in itertools.count():
                if self.stop.is_set():
                    return
                pages = self.folder / f"{number:06}"
                write_pages(pages, [number])
                rebuild = self.rebuild.is_set()
                started = time.monotonic()
                try:
                    done = indexer.run(read_pages([pages]), rebuild=rebuild, progress=Silent())
                    self.committed = number + 1
                    self.generations = max(self.generations, done.generation)
                except AnwenError as error:
                    self.errors[str(error)[:120]] += 1
                if rebuild:
                    self.rebuild.clear()
                    self.rebuilt.set()
                self.slowest = max(self.slowest, time.monotonic() - started)
                self.stop.wait(1.0)


@dataclass
class Watcher:
    """Asks the same question again and again: what it counts must never become less."""

    port: int
    most: int = 0
    asked: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    stop: Event = field(default_factory=Event)

    def run(self) -> None:
        while not self.stop.wait(0.2):
            status, body = get(self.port, "/api/v1/search?q=*&duplicates=show")
            self.asked += 1
            if status != 200:
                self.faults[f"status {status}"] += 1
                continue
            told = json.loads(body)
            counted = sum(bucket["count"] for bucket in told["facets"]["month"])
            if told["total"] < self.most or counted > told["total"]:
                self.faults["less than before"] += 1
            self.most = max(self.most, told["total"])


def elected(client: OpenSearch) -> int:
    """Return the number of the node that is the manager."""
    return int(client.cat.cluster_manager(format="json")[0]["node"].removeprefix("node"))


def settle(client: OpenSearch, index: str) -> None:
    """Wait until every shard of the index is on every node that it is to be on."""
    end = time.monotonic() + 120
    while client.cluster.health(index=f"{index}-*")["status"] != "green":
        if time.monotonic() > end:
            raise TimeoutError("The shards are not on every node.")
        time.sleep(0.2)


@contextmanager
def running(*threads: Thread) -> Iterator[None]:
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("data", type=Path)
    options.add_argument("--readers", type=int, default=32)
    options.add_argument("--pause", type=float, default=1.0)
    options.add_argument("--quiet", type=float, default=15.0)
    given = options.parse_args()
    index.workers.ProcessPoolExecutor = InlinePool  # type: ignore[attr-defined,misc,assignment]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(given.data, folder / "data")
        port = free_port()
        while not all(_is_free(port + each) for each in range(_NODES)):
            port = free_port()
        cluster = Cluster(folder / "cluster", nodes=_NODES, port=port)
        try:
            return run(cluster, folder, given)
        finally:
            cluster.stop()


def _is_free(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def run(cluster: Cluster, folder: Path, given: argparse.Namespace) -> int:
    say = sys.stdout.write
    settings = Settings(
        data=folder / "data",
        backend="opensearch",
        opensearch_url=tuple(cluster.urls),
        opensearch_replicas=_NODES - 1,
        opensearch_shards=2,
    )
    environment = {
        "ANWEN_BACKEND": "opensearch",
        "ANWEN_OPENSEARCH_URL": ",".join(cluster.urls),
        "ANWEN_OPENSEARCH_REPLICAS": str(_NODES - 1),
    }
    command = [sys.executable, "-m", "web", "--data", str(settings.data)]
    whole = {**os.environ, **environment}
    subprocess.run([*command, "migrate"], env=whole, check=True, capture_output=True)
    client = OpenSearch(cluster.urls, timeout=70, max_retries=5, retry_on_timeout=True)
    settle(client, settings.opensearch_index)
    port = free_port()
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(
        [*command, "serve", "--port", str(port), "--workers", "2"],
        env=whole,
        stderr=log,
        start_new_session=True,
    )
    try:
        wait_for(port)
        addresses = addresses_of(settings.data, Random(1))
        readers = Readers(port, addresses, given.pause)
        writer, watcher = Writer(settings, folder / "pages"), Watcher(port)
        reading = [Thread(target=readers._read, args=(Random(n),)) for n in range(given.readers)]
        stops = (readers.stop, writer.stop, watcher.stop)
        disturbing = Thread(target=_disturb, args=(cluster, client, writer, given.quiet, stops))
        with running(*reading, Thread(target=watcher.run), disturbing):
            writer.run()  # here: what workers do with signals, only this thread may do
        say(
            f"{len(readers.latencies):,} answers, p50 {readers.percentile(0.5):.0f} ms, "
            f"slowest {readers.percentile(1):.0f} ms, {readers.errors.total()} errors "
            f"{dict(readers.errors)}\n"
            f"{watcher.asked} times the same question, {watcher.most} articles, "
            f"{dict(watcher.faults) or 'never less than before'}\n"
        )
        lost = _lost(port, writer.committed)
        say(
            f"{writer.committed} articles committed, each in {writer.slowest:.1f} s at most, "
            f"generation {writer.generations}, {dict(writer.errors) or 'no error'}; "
            f"lost: {lost or 'none'}\n"
        )
        silent, back = _without_nodes(cluster, client, port, settings.opensearch_index)
        say(f"all nodes down: 503 in {silent:.2f} s at most; back after {back:.1f} s\n")
        lost += _lost(port, writer.committed)
    finally:
        server.terminate()
        server.wait(40)
        log.close()
        lines = (folder / "server.log").read_text().splitlines()
        told = [line for line in lines if '"level":"error"' in line]
        say("".join(f"{line}\n" for line in told[-10:]))
    faults = (readers.errors, watcher.faults, writer.errors, lost, silent > _SOON)
    return 1 if any(faults) else 0


def _disturb(
    cluster: Cluster, client: OpenSearch, writer: Writer, quiet: float, stops: Iterable[Event]
) -> None:
    try:
        _kill_and_rebuild(cluster, client, writer, quiet)
    finally:
        for stop in stops:
            stop.set()


def _kill_and_rebuild(cluster: Cluster, client: OpenSearch, writer: Writer, quiet: float) -> None:
    say = sys.stdout.write
    time.sleep(quiet)
    manager = elected(client)
    for number in (manager, (manager + 1) % _NODES):
        cluster.kill(number)
        say(f"node{number} killed\n")
        time.sleep(quiet)
        cluster.start(number)
        cluster.wait()
        settle(client, writer.settings.opensearch_index)
        say(f"node{number} is back\n")
        time.sleep(quiet)
    writer.rebuild.set()
    writer.rebuilt.wait(300)
    say("a new generation answers\n")
    time.sleep(quiet)


def _lost(port: int, committed: int) -> list[int]:
    """Return the numbers of committed articles that cannot be found."""
    time.sleep(1)
    found = (
        (number, json.loads(get(port, f"/api/v1/search?q=n{number}e1")[1])["total"])
        for number in range(committed)
    )
    return [number for number, total in found if not total]


def _without_nodes(
    cluster: Cluster, client: OpenSearch, port: int, alias: str
) -> tuple[float, float]:
    """Return how long it takes to say that no node is there, and until answers come again."""
    for number in range(_NODES):
        cluster.kill(number)
    slowest = 0.0
    for address in ("/api/v1/search?q=a", "/search?q=a", "/organisations"):
        started = time.monotonic()
        status, _ = get(port, address)
        slowest = max(slowest, time.monotonic() - started)
        if status != 503:
            sys.stdout.write(f"{address} answers {status} while no node is there\n")
            slowest = float("inf")
    for number in range(_NODES):
        cluster.start(number)
    cluster.wait()
    settle(client, alias)
    started = time.monotonic()
    wait_for(port)
    return slowest, time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
