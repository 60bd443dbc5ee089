"""Two indexers at once, killed and restarted: do they make the index that one alone would make?

    python -m tests.opensearch.indexers PATH... --url URL [--kills 6] [--seed N]

Each gets six tenths of the pages, of which two are in both. Killed is the whole process group, at
random moments. In the end each runs twice more, as it does anyway where `anwen watch` runs: pages
are read again that were named by a name that is learnt no longer.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from opensearchpy import OpenSearch
from opensearchpy.helpers import scan

from index.corpus import Page, read_pages

__all__ = ["contents", "run_killed", "split"]

_COLUMNS = ("organisation", "acting", "identifier", "category", "source", "cluster", "published")


def split(pages: Iterable[Page], folder: Path) -> tuple[Path, Path, Path]:
    """Write pages into three folders: all of them, and two shares that overlap."""
    places = folder / "all", folder / "one", folder / "other"
    for page in pages:
        share = zlib.crc32(page.path.encode()) % 10
        for place, is_wanted in zip(places, (True, share < 6, share >= 4), strict=True):
            if is_wanted:
                path = place / page.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(page.raw)
    return places


def contents(client: OpenSearch, alias: str) -> dict[str, Any]:
    """Return all that an index holds, by article."""
    client.indices.refresh(index=alias)
    found = {}
    query = {"query": {"match_all": {}}, "docvalue_fields": list(_COLUMNS)}
    for hit in scan(client, index=alias, query=query, size=500):
        found[hit["_id"]] = (hit["_source"]["record"], hit.get("fields", {}))
    return found


def command(data: Path, *paths: Path) -> list[str]:
    return [sys.executable, "-m", "web", "--data", str(data), "index", *map(str, paths)]


def run_killed(
    commands: Sequence[Sequence[str]],
    environment: Mapping[str, str],
    random: Random,
    kills: int,
    longest: float,
) -> int:
    """Run commands at once, each killed so often and begun again; return how many were killed.

    Raises CalledProcessError where one ends with an error of its own.
    """
    left = [kills] * len(commands)
    running: dict[int, tuple[subprocess.Popen[str], float]] = {}
    killed = 0

    def begin(number: int) -> None:
        process = subprocess.Popen(
            commands[number],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        wait = random.uniform(0.5, longest) if left[number] else float("inf")
        running[number] = process, time.monotonic() + wait

    for number in range(len(commands)):
        begin(number)
    while running:
        time.sleep(0.05)
        for number, (process, end) in list(running.items()):
            if process.poll() is not None:
                told = process.communicate()[0]
                del running[number]
                if process.returncode:
                    sys.stderr.write(told)
                    raise subprocess.CalledProcessError(process.returncode, process.args, told)
            elif time.monotonic() > end:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                left[number] -= 1
                killed += 1
                begin(number)
    return killed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("paths", type=Path, nargs="+")
    options.add_argument("--url", required=True)
    options.add_argument("--kills", type=int, default=6, help="of each indexer")
    options.add_argument("--longest", type=float, default=60.0, help="seconds until a kill")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()

    def environment(alias: str) -> dict[str, str]:
        return {
            "ANWEN_BACKEND": "opensearch",
            "ANWEN_OPENSEARCH_URL": given.url,
            "ANWEN_OPENSEARCH_INDEX": alias,
            "ANWEN_OPENSEARCH_REPLICAS": "0",
        }

    name = f"indexers-{uuid4().hex}"
    together, alone = f"{name}-together", f"{name}-alone"
    say = sys.stdout.write
    with tempfile.TemporaryDirectory() as scratch, OpenSearch(given.url, timeout=60) as client:
        folder = Path(scratch)
        pages = (each for each in read_pages(given.paths) if isinstance(each, Page))
        everything, *shares = split(pages, folder)
        try:
            runs = [command(folder / f"data{n}", share) for n, share in enumerate(shares)]
            started = time.monotonic()
            killed = run_killed(
                runs, environment(together), Random(given.seed), given.kills, given.longest
            )
            say(f"{killed} killed, {time.monotonic() - started:.0f} s\n")
            for _ in range(2):
                for run in runs:
                    run_killed([run], environment(together), Random(0), 0, 0)
            started = time.monotonic()
            run_killed([command(folder / "alone", everything)], environment(alone), Random(0), 0, 0)
            say(f"one alone: {time.monotonic() - started:.0f} s\n")
            found, wanted = contents(client, together), contents(client, alone)
        finally:
            client.indices.delete(index=f"{name}-*", ignore_unavailable=True)
    differing = [each for each in wanted if each in found and found[each] != wanted[each]]
    say(
        f"{len(wanted)} articles; {len(wanted.keys() - found.keys())} missing, "
        f"{len(found.keys() - wanted.keys())} too many, {len(differing)} differ\n"
    )
    for each in differing[:5]:
        say(f"{each}: {found[each][1]} instead of {wanted[each][1]}\n")
    sys.exit(found != wanted)


if __name__ == "__main__":
    main()
