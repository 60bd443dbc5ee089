"""What readers and programs wait for at the front: requests a second, and a key until it is seen.

A part of `make bench`, and by hand over any data folder: `python -m tests.benchmarks.front FOLDER`.
Needs wrk and Chromium. Every query is asked once, so that no cache of answers helps.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from socket import socket
from statistics import median, quantiles
from time import monotonic, sleep
from urllib.parse import quote
from urllib.request import urlopen

import click
from playwright.sync_api import sync_playwright

from index.analysis import Analyzer
from index.store import ArticleStore

__all__ = ["Front", "Load", "measure_front", "measure_keys", "measure_load"]

_CONNECTIONS = 32
_SECONDS = 12
_KEYS = 100
_REST = 200  # ms, a reader's pause: nothing is under way any more
_PATIENCE = 60  # seconds until the server answers

_SCRIPT = """
local paths, at = {}, tonumber(os.getenv("FIRST"))
for line in io.lines(os.getenv("PATHS")) do paths[#paths + 1] = line end
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
done = function(summary, latency)
  io.write(string.format("requests %d\\n", summary.requests))
  io.write(string.format("microseconds %d\\n", summary.duration))
  io.write(string.format("errors %d\\n", summary.errors.status + summary.errors.connect
    + summary.errors.read + summary.errors.write + summary.errors.timeout))
  io.write(string.format("p50 %d\\n", latency:percentile(50)))
  io.write(string.format("p99 %d\\n", latency:percentile(99)))
end
"""

# The time from the key to the frame after the one in which its results stand.
_WATCH = """
() => {
  window.waits = [];
  let pressed = 0;
  document.getElementById("q").addEventListener("input", () => { pressed = performance.now(); });
  document.addEventListener("anwen:swapped", () => {
    const began = pressed;
    requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - began)));
  });
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Requests a second, and milliseconds; `errors` are answers other than 2xx and 3xx."""

    path: str
    per_second: float
    p50: float
    p99: float
    errors: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Requests to pages and to the interface, and milliseconds from a key to its results seen."""

    loads: tuple[Load, ...]
    key: float
    key_p95: float


def measure_load(address: str, path: str, queries: Sequence[str], first: int) -> Load:
    """Ask queries at 32 connections, beginning with one of them; raises where wrk fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "script.lua").write_text(_SCRIPT)
        lines = "".join(f"{path}?q={quote(query)}\n" for query in queries)
        (folder / "paths").write_text(lines)
        environment = os.environ | {"PATHS": str(folder / "paths"), "FIRST": str(first)}
        command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", "--latency"]
        done = subprocess.run(
            [*command, "-s", str(folder / "script.lua"), address],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    told = {key: int(value) for key, value in re.findall(r"(?m)^(\w+) (\d+)$", done.stdout)}
    return Load(
        path=path,
        per_second=told["requests"] / told["microseconds"] * 1e6,
        p50=told["p50"] / 1000,
        p99=told["p99"] / 1000,
        errors=told["errors"],
        requests=told["requests"],
    )


def measure_keys(address: str, queries: Sequence[str]) -> list[float]:
    """Return milliseconds from a key to its results on the screen, for a hundred keys."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/search?q=漏洞")
        page.evaluate(_WATCH)
        field = page.locator("#q")
        waits: list[float] = []
        for query in queries:
            field.fill("")
            page.wait_for_timeout(_REST)
            for key in query.replace(" ", ""):  # a space at the end asks for nothing new
                before = page.evaluate("() => window.waits.length")
                field.press_sequentially(key)
                page.wait_for_function("(before) => window.waits.length > before", arg=before)
                page.wait_for_timeout(_REST)
                waits.append(page.evaluate("(at) => window.waits[at]", before))
            if len(waits) >= _KEYS:
                break
        browser.close()
    return waits[:_KEYS]


def _chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def _queries(data: Path) -> list[str]:
    """Return one or two words that follow each other in a headline, each text once."""
    analyzer = Analyzer()
    found: dict[str, None] = {}
    with ArticleStore(data / "articles.sqlite3", read_only=True) as store:
        for article in store.articles():
            bounds = [0, *analyzer.word_boundaries(article.title), len(article.title)]
            words = [article.title[at:end] for at, end in pairwise(bounds)]
            words = [word for word in words if len(word) > 1 and word.isalnum()]
            found |= dict.fromkeys(words)
            found |= dict.fromkeys(map(" ".join, pairwise(words)))
    queries = list(found)
    Random(8).shuffle(queries)
    return queries


@contextmanager
def _served(data: Path) -> Iterator[str]:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "web", "--data", str(data), "serve", "--port", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        until = monotonic() + _PATIENCE
        while True:
            try:
                with urlopen(f"{address}/healthz"):
                    break
            except OSError:
                if monotonic() > until or server.poll() is not None:
                    raise
                sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()


def measure_front(data: Path) -> Front | None:
    """Serve a data folder with two processes, load it and type into it; None without the tools."""
    if not shutil.which("wrk") or not _chromium():
        return None
    queries = _queries(data)
    paths = ("/search", "/api/v1/search")
    with _served(data) as address:
        at = 0
        for path in paths:  # both processes warm: they open the index
            at += measure_load(address, path, queries, at).requests
        loads = []
        for path in paths:
            loads.append(measure_load(address, path, queries, at))
            at += loads[-1].requests
        waits = measure_keys(address, queries)
    return Front(loads=tuple(loads), key=median(waits), key_p95=quantiles(waits, n=20)[-1])


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
def main(data: Path) -> None:
    """Print the figures of one data folder."""
    figures = measure_front(data)
    if figures is None:
        raise click.ClickException("wrk and Chromium are needed. Install both and run it again.")
    click.echo(json.dumps(asdict(figures), indent=1))


if __name__ == "__main__":
    main()
