"""SIGKILL at any moment of a command: nothing acknowledged is lost, and the next run repairs.

What a command has told in its summary is acknowledged. Here more is asked: what a command that was
killed had stored or indexed stays as well.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import NoReturn

import pytest

from index.analysis import Analyzer
from index.build import build
from index.database import Database
from index.errors import AnwenError
from index.identity import article_id, article_key
from index.settings import Settings
from tests.reliability.checking import Silent, indexed_titles, stored_articles
from tests.reliability.pages import page_url, write_pages

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("index", "CRAWL"),
    ("index", "CRAWL", "--jobs", "2"),
    ("index", "--rebuild"),
    ("index", "--rebuild", "CRAWL"),
    ("remove", "ARTICLE"),
    ("watch", "CRAWL"),
)
"""What is killed; those that end by themselves acknowledge what they were given."""

# System calls that change files, those of one line in their own order of frequency.
_CALLS = (("fsync,fdatasync,rename,unlink,mkdir,ftruncate", 40), ("write,pwrite64", 600))


def command_line(settings: Settings, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "web", "--data", str(settings.data), *arguments]


def processes_of(session: int) -> dict[int, str]:
    """Return the running processes of a session, with their command lines."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(state[3]) == session and state[0] not in "ZX":
                    found[int(folder.name)] = (folder / "cmdline").read_text()
            except OSError:
                continue  # it has ended meanwhile
    return found


class Killed:
    """One command that is killed at a moment, `longest` seconds on at most, or ends before it."""

    def __init__(self, command: Sequence[str], random: Random, longest: float) -> None:
        self._longest = longest
        ends = "watch" not in command
        ways = ["process", "everything", *(["worker", "call"] if ends else [])]
        self.way = random.choice(ways)
        before: list[str] = []
        if self.way == "call":
            calls, most = random.choice(_CALLS)
            when = random.randint(1, most)
            before = ["strace", "-f", "--seccomp-bpf", "-qqq", "-o", "/dev/null"]
            before += ["-e", f"trace={calls}", "-e", f"inject={calls}:signal=KILL:when={when}"]
            self.way += f" {when} of {calls}"
        process = subprocess.Popen(
            [*before, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            cwd=ROOT,
        )
        if not before:
            self._kill(process, random)
        self.output, self.problems = process.communicate()
        self.status = process.returncode
        self.left = self._wait(process.pid)

    def _kill(self, process: "subprocess.Popen[str]", random: Random) -> None:
        wait = random.uniform(0.2, self._longest)
        self.way += f" after {wait:.2f} s"
        ends = time.monotonic() + wait
        while time.monotonic() < ends and process.poll() is None:
            time.sleep(0.02)
        if process.poll() is not None:
            return
        match self.way.split()[0]:
            case "everything":
                os.killpg(process.pid, signal.SIGKILL)
            case "process":
                process.kill()
            case "worker":
                running = processes_of(process.pid)
                workers = [each for each, line in running.items() if "spawn_main" in line]
                if workers:
                    os.kill(random.choice(workers), signal.SIGKILL)

    def _wait(self, session: int) -> dict[int, str]:
        """Return what is still running ten seconds after the command has ended."""
        for _ in range(100):
            if not (left := processes_of(session)):
                return {}
            time.sleep(0.1)
        os.killpg(session, signal.SIGKILL)
        return left


class Archive:
    """A data folder that commands write to, killed again and again, and never put right."""

    def __init__(self, folder: Path, analyzer: Analyzer, random: Random) -> None:
        self.longest, self.most = 5.0, 60  # seconds until a kill; pages that come between two
        self._folder, self._analyzer, self._random = folder, analyzer, random
        self._settings = Settings(data=folder / "data")
        self._crawl = folder / "crawl"
        self._pages, self._edition = 0, 1
        self._removed: set[str] = set()
        self._promised = {"store": dict[str, str](), "index": dict[str, str]()}
        self.kills = 0

    def kill(self, command: Sequence[str]) -> None:
        """Run one command, kill it, and ask what is left; then let a copy be repaired."""
        self._grow()
        number = self._random.randrange(self._pages)
        given = [
            {"CRAWL": str(self._crawl), "ARTICLE": page_url(number)}.get(each, each)
            for each in command
        ]
        killed = Killed(command_line(self._settings, *given), self._random, self.longest)
        said = f"{' '.join(command)}, {killed.way}: {killed.status}, {killed.problems[-2000:]}"
        assert not killed.left, said
        assert "Traceback" not in killed.problems, said
        assert killed.status in (0, 1, 2, -signal.SIGKILL, 128 + signal.SIGKILL), said
        if killed.status == 1:
            # A worker was lost; or there was nothing yet that could be removed.
            assert killed.problems.strip().startswith("Error: ") or "没有这篇" in said, said
        else:
            self.kills += killed.status not in (0, 2)
        if command[0] == "remove":
            removed = article_id(article_key(page_url(number), ""))
            for promised in self._promised.values():
                promised.pop(removed, None)  # where it was killed both are right
            if killed.status == 0:
                self._removed.add(removed)
        try:
            self._check(ended=killed.status == 0 and "CRAWL" in command)
            self._repair()
        except (AssertionError, AnwenError) as error:
            error.add_note(said)
            raise

    def _grow(self) -> None:
        """Add pages to the crawl, and newer editions of some."""
        more = self._random.choice([1, 5, self.most])
        write_pages(self._crawl, range(self._pages, self._pages + more), length=20)
        self._pages += more
        self._edition += 1
        again = self._random.sample(range(self._pages), min(3, self._pages))
        write_pages(self._crawl, again, edition=self._edition, length=20)

    def _check(self, *, ended: bool) -> None:
        found: dict[str, dict[str, str]] = {"store": {}, "index": {}}
        try:
            kept = stored_articles(self._settings)
            found["store"] = {identifier: title for identifier, (_, title) in kept.items()}
        except AnwenError:
            assert not self._promised["store"]
        try:
            found["index"] = indexed_titles(self._settings, self._analyzer)
        except AnwenError:
            assert not self._promised["index"]
        for where, promised in self._promised.items():
            assert promised.keys() <= found[where].keys(), where
            for identifier, title in promised.items():
                assert _edition(found[where][identifier]) >= _edition(title), where
            assert not self._removed & found[where].keys(), where
        if ended:
            assert found["index"] == found["store"]
            assert len(found["store"]) + len(self._gone(self._settings)) == self._pages
        self._promised = found

    def _gone(self, settings: Settings) -> set[str]:
        database = Database(settings.data / "articles.sqlite3", read_only=True)
        rows = [row[0] for row in database.rows("SELECT id FROM article WHERE removed")]
        database.close()
        return set(rows)

    def _repair(self) -> None:
        """Let the next run of a copy of the folder end, and compare index, store and crawl."""
        copied = Settings(data=self._folder / "copy")
        if self._settings.data.exists():
            shutil.copytree(self._settings.data, copied.data)
        build(copied, [self._crawl], jobs=1, progress=Silent())
        kept = stored_articles(copied)
        titles = {identifier: title for identifier, (_, title) in kept.items()}
        assert indexed_titles(copied, self._analyzer) == titles
        assert len(titles) + len(self._gone(copied)) == self._pages
        # What killed processes left behind does not pile up.
        generations = [path for path in (copied.data / "index").iterdir() if path.is_dir()]
        assert len(generations) <= 3
        shutil.rmtree(copied.data)


def _edition(title: str) -> int:
    return int(title.partition("稿件第")[2].removesuffix("版"))


@pytest.fixture
def archive(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    analyzer: Analyzer,
    inline: None,  # noqa: ARG001  # repairs do their work in this process
    lacking: Callable[[str], NoReturn],
) -> Archive:
    if not shutil.which("strace"):
        lacking("strace")
    return Archive(tmp_path, analyzer, Random(request.node.name))


def test_kills_at_any_moment_lose_nothing_and_the_next_run_repairs(archive: Archive) -> None:
    archive.longest, archive.most = 3.0, 20
    for command in COMMANDS:
        archive.kill(command)
    assert archive.kills >= 2


@pytest.mark.soak
@pytest.mark.parametrize("part", range(4))
def test_fifty_kills_lose_nothing_and_the_next_run_repairs(archive: Archive, part: int) -> None:
    random = Random(part)
    runs = 0
    while archive.kills < 50:
        archive.kill(random.choice(COMMANDS))
        runs += 1
    print(f"{archive.kills} kills in {runs} runs: 0 lost, 0 unopenable, all repaired")  # noqa: T201


def test_what_a_lost_worker_was_to_do_is_done_again(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    write_pages(tmp_path / "crawl", range(30))
    process = subprocess.Popen(
        command_line(settings, "index", "--jobs", "1", str(tmp_path / "crawl")),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=ROOT,
    )
    workers: list[int] = []
    while not workers:
        assert process.poll() is None
        time.sleep(0.02)
        running = processes_of(process.pid).items()
        workers = [number for number, line in running if "spawn_main" in line]
    os.kill(workers[0], signal.SIGKILL)
    _, problems = process.communicate()
    assert process.returncode == 0, problems
    assert "Traceback" not in problems
    assert len(stored_articles(settings)) == 30
