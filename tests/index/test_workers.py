"""Workers that die or take too long: the page is named and the run goes on."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import active_children
from pathlib import Path

import pytest

from index import build as building
from index import stages
from index.ahead import AHEAD_SIZE, CHUNK_SIZE, ahead
from index.corpus import Page, Unreadable
from index.errors import WorkerLost
from index.settings import Settings
from index.workers import Workers


class Killing:
    """A progress that kills all worker processes, once in each stage that does something."""

    def __init__(self) -> None:
        self.killed: list[str] = []
        self.name = ""

    def stage(self, name: str, total: int | None) -> None:  # noqa: ARG002
        self.name = name

    def advance(self, steps: int = 1, share: float | None = None) -> None:  # noqa: ARG002
        if steps and self.name not in self.killed:
            self.killed.append(self.name)
            for process in active_children():
                if process.pid:
                    os.kill(process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_run_goes_on_when_its_workers_are_killed(tmp_path: Path) -> None:
    for number in range(80):
        text = f"第{number}次通报说，某设备的漏洞{number}已经修复，补丁已发布。" * 5
        (tmp_path / f"{number}.md").write_text(f"# 漏洞通报{number}\n\n{text}\n", encoding="utf-8")
    progress = Killing()
    summary = building.build(
        Settings(data=tmp_path / "data"), [tmp_path], jobs=1, progress=progress
    )
    assert progress.killed[0] == "reading"
    assert len(progress.killed) > 1
    assert (summary.added, summary.failed.total()) == (80, 0)


def test_large_pages_are_few_at_once() -> None:
    pages = [Page(path=f"{n}.md", raw=b"a" * size, format="md") for n, size in enumerate(SIZES)]
    submitted: list[int] = []
    used = most = 0

    def submit(chunk: list[Page | Unreadable]) -> int:
        submitted.append(sum(map(building._size_of_page, chunk)))
        return len(submitted)

    for chunk, number in ahead(pages, submit, 100, building._size_of_page, 32):
        most = max(most, sum(submitted[number - 1 :]))
        used += len(chunk)
    assert used == len(pages)
    assert sum(submitted) == sum(SIZES)
    assert most <= AHEAD_SIZE + CHUNK_SIZE + max(SIZES)
    assert len(submitted) < len(pages)  # small ones are still many at once


SIZES = [*[2**23] * 20, *[1000] * 300, *[2**22] * 9]


def instead(part: int) -> str:
    return f"{part} died"


@pytest.mark.slow
def test_what_ends_a_worker_again_when_it_is_alone_gets_another_result() -> None:
    with Workers(1, int, ()) as workers:
        task = workers.submit(exit_at_three, [1, 2, 3, 4])
        other = workers.submit(exit_at_three, [5])
        assert workers.results(task, instead) == ["1", "2", "3 died", "4"]
        assert workers.results(other, instead) == ["5"]
        assert workers.result(workers.submit(abs, -1)) == 1


def exit_at_three(parts: list[int]) -> list[str]:
    if 3 in parts:
        os._exit(9)
    return [str(part) for part in parts]


@pytest.mark.slow
def test_nothing_is_blamed_where_no_worker_can_run() -> None:
    with Workers(1, os._exit, (9,)) as workers:
        task = workers.submit(exit_at_three, [1, 2])
        with pytest.raises(WorkerLost, match="before they do anything"):
            workers.results(task, instead)


def test_a_task_that_ends_its_worker_twice_is_told() -> None:
    with Workers(1, int, ()) as workers:
        with pytest.raises(WorkerLost, match="--jobs"):
            workers.result(workers.submit(os._exit, 9))
        assert workers.result(workers.submit(abs, -1)) == 1


def spin() -> None:
    """Go on whatever comes, as libraries do that catch every exception."""
    while True:
        with suppress(Exception):
            sum(range(1000))


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What `start_worker` makes of a process, without its signals of a terminal."""
    monkeypatch.setattr(stages, "_worker", stages._Worker(Settings(data=tmp_path)), raising=False)
    former = signal.signal(signal.SIGVTALRM, stages._give_up)
    yield
    signal.signal(signal.SIGVTALRM, former)


@pytest.mark.usefixtures("worker")
def test_a_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(path="a.md", raw="# 标题\n\n正文".encode(), format="md")
    (before,) = stages.extract_pages([page])
    extract = stages.extract
    monkeypatch.setattr(stages, "extract", lambda p: spin() if p.path == "b.md" else extract(p))
    slow = Page(path="b.md", raw=b"", format="md")
    monkeypatch.setattr(stages, "_PAGE_SECONDS", 0.3)
    first, second, third = stages.extract_pages([page, slow, page])
    assert first == third == before
    assert isinstance(second, stages.Failure)
    assert (second.kind, second.message) == ("took too long", "took too long: more than 0.3 s")


@pytest.mark.slow
def test_a_page_in_a_library_that_hears_no_signal_ends_its_worker() -> None:
    with Workers(1, signal.setitimer, (signal.ITIMER_PROF, 0.3)) as workers:
        task = workers.submit(pow, 3, 30_000_000)  # seconds inside one call in C
        with pytest.raises(WorkerLost):
            workers.result(task)
