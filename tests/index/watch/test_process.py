"""`anwen watch` as a process: killed, ended, started anew, and read from meanwhile."""

import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest

from index.build import build, remove
from index.settings import Settings
from search import Searcher, SearchRequest, open_searcher
from tests.reliability.checking import Silent

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0  # seconds, on a machine that does much else

PAGE = """---
title: {title}
url: https://paper.example/news/{number}
source: 听潮网安
date: 2026-03-19
---

# {title}

2026-03-18 09:36:00

{body}

位于槐州的电机制造商在事发当晚切断了与供应商之间的远程连接，第二天上午开始逐台恢复主机。

厂商随后发布公告，建议客户在升级之前停用批量下发功能，并核对三月以来新增的巡检脚本。
"""


def text_of(number: int, body: str = "灰鹭团伙再次得手，索要的赎金又有提高。") -> str:
    return PAGE.format(title=f"第{number}号稿件", number=number, body=body)


class Watching:
    """A crawl folder, and the command that follows it."""

    def __init__(self, folder: Path) -> None:
        self.crawl, self.data = folder / "crawl", folder / "data"
        self.crawl.mkdir()
        self.printed = folder / "printed"
        self.settings = Settings(data=self.data)
        self.process: subprocess.Popen[bytes] | None = None
        self._searcher: Searcher | None = None
        self._starts = 0

    def start(self, *options: str) -> None:
        arguments = ["--data", str(self.data), "watch", str(self.crawl), "--json", "--jobs", "1"]
        with self.printed.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "web", *arguments, *options],
                stdout=out,
                cwd=ROOT,
                start_new_session=True,
            )
        self._starts += 1
        self.wait_until(self._follows)

    def _follows(self) -> bool:
        begun = [each for each in self.events if "Following" in each.get("message", "")]
        return len(begun) == self._starts

    def end(self, number: int) -> int:
        """Send a signal, SIGINT to all its processes as a terminal does; return the exit status."""
        assert self.process
        if number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def write(self, number: int, text: str = "") -> Path:
        path = self.crawl / f"{number}.md"
        path.write_text(text or text_of(number), encoding="utf-8")
        return path

    @property
    def events(self) -> list[dict[str, Any]]:
        lines = self.printed.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def pages(self) -> int:
        return sum(event["pages"] for event in self.events if event["event"] == "commit")

    def total(self, query: str) -> int:
        self._searcher = self._searcher or open_searcher(self.settings)
        return self._searcher.search(SearchRequest(query=query)).total

    def wait_until(self, is_so: Callable[[], bool]) -> float:
        """Wait, and return for how long in seconds."""
        began = monotonic()
        while not is_so():
            assert monotonic() - began < PATIENCE, self.events
            assert self.process is None or self.process.poll() is None, self.events
            sleep(0.05)
        return monotonic() - began

    def close(self) -> None:
        if self._searcher:
            self._searcher.close()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Watching]:
    watching = Watching(tmp_path)
    yield watching
    watching.close()


def children(pid: int) -> set[int]:
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.add(int(status.parent.name))
    return found


def test_pages_are_found_while_it_runs_and_after_it_was_killed(watching: Watching) -> None:
    watching.write(1)
    watching.start()
    watching.wait_until(lambda: watching.total("灰鹭团伙") == 1)
    watching.write(2)
    watching.wait_until(lambda: watching.total("灰鹭团伙") == 2)
    # An archive, and a changed page.
    with tarfile.open(watching.crawl / "more.tar.xz", "w:xz") as archive:
        archive.add(Path(watching.write(3)).rename(watching.crawl.parent / "3.md"), "3.md")
        archive.add(Path(watching.write(4)).rename(watching.crawl.parent / "4.md"), "4.md")
    watching.write(2, text_of(2, "夜梭公布了另一批科研数据，校方称未涉密。"))
    watching.wait_until(lambda: watching.total("夜梭") == 1)
    watching.wait_until(lambda: watching.total("灰鹭团伙") == 3)

    # Killed, it leaves no process behind, and the next takes up what came meanwhile and only that.
    assert watching.process
    workers = children(watching.process.pid)
    assert workers
    watching.wait_until(lambda: watching.pages() >= 5)
    assert watching.end(signal.SIGKILL) == -signal.SIGKILL
    watching.process = None
    watching.wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    before = watching.pages()
    watching.write(5)
    watching.start()
    watching.wait_until(lambda: watching.total("灰鹭团伙") == 4)
    watching.wait_until(lambda: watching.pages() == before + 1)

    # Told to end, it ends well; so does the next one, which has nothing to read.
    assert watching.end(signal.SIGTERM) == 0
    watching.start()
    (watching.crawl / "1.md").unlink()
    sleep(2)
    assert watching.end(signal.SIGINT) == 0
    assert watching.pages() == before + 1
    assert watching.total("灰鹭团伙") == 4


def test_other_commands_write_in_between(watching: Watching) -> None:
    watching.write(1)
    watching.start()
    watching.wait_until(lambda: watching.total("灰鹭团伙") == 1)
    remove(watching.settings, ["https://paper.example/news/1"])
    outside = watching.crawl.parent / "outside"
    outside.mkdir()
    watching.write(2).rename(outside / "2.md")
    build(watching.settings, [outside], jobs=1, progress=Silent())
    watching.write(3)
    watching.wait_until(lambda: watching.total("灰鹭团伙") == 2)
    assert watching.end(signal.SIGTERM) == 0


def test_readers_in_threads_see_each_commit_soon_and_no_request_fails(watching: Watching) -> None:
    watching.write(0)
    watching.start("--interval", "0.5")
    watching.wait_until(lambda: watching.total("灰鹭团伙") == 1)
    done = Event()
    totals: list[list[int]] = [[] for _ in range(4)]
    searcher = open_searcher(watching.settings)

    def read(number: int) -> None:
        while not done.is_set():
            totals[number].append(searcher.search(SearchRequest(query="灰鹭团伙")).total)

    def commits() -> int:
        return sum(event["event"] == "commit" for event in watching.events)

    lags = []
    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, number) for number in range(4)]
        try:
            for number in range(1, 9):
                before = commits()
                watching.write(number)
                watching.wait_until(lambda before=before: commits() > before)  # type: ignore[misc]
                wanted = number + 1
                lags.append(
                    watching.wait_until(
                        lambda wanted=wanted: all(seen[-1] == wanted for seen in totals)  # type: ignore[misc]
                    )
                )
        finally:
            done.set()
        for reader in readers:
            reader.result()
    searcher.close()
    assert max(lags) < 2
    for seen in totals:
        assert seen == sorted(seen)
    assert watching.end(signal.SIGTERM) == 0
