"""Power cuts replayed: what a disk may hold at each moment of a run opens, answers and is mended.

An article is acknowledged when the store's commit that holds it has returned; to be found, when the
command has ended. What follows is the worst that a disk may do with what was not synced.
"""

import json
import shutil
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from typing import NoReturn

import pytest

from index.analysis import Analyzer
from index.build import build
from index.errors import AnwenError
from index.settings import Settings
from index.store import ArticleStore
from tests.reliability.checking import Articles, Silent, indexed_titles, stored_articles
from tests.reliability.pages import write_pages
from tests.reliability.power_loss import LOSSES, Disk, Event, Loss, record

pytestmark = pytest.mark.slow


class Acknowledged:
    """What was acknowledged before a moment, and what may stand there instead: what came next."""

    def __init__(self, events: list[Event]) -> None:
        self._marks = [json.loads(event.data) for event in events if event.kind == "mark"]
        self._passed = 0

    def pass_mark(self) -> None:
        self._passed += 1

    def states(self, kind: str) -> tuple[bool, list[Articles]]:
        """Say whether anything of this kind was acknowledged; return it and what followed it."""
        former = [articles for each, articles in self._marks[: self._passed] if each == kind]
        later = [articles for each, articles in self._marks[self._passed :] if each == kind]
        return bool(former), [former[-1] if former else {}, *later[:1]]


class Replay:
    """One recorded run, replayed again and again."""

    def __init__(self, folder: Path, analyzer: Analyzer, commands: list[list[str]]) -> None:
        self.folder, self._analyzer = folder, analyzer
        world = folder / "world"
        world.mkdir()
        (folder / "marks").touch()
        driver = [sys.executable, "-m", "tests.reliability.recorded"]
        given = [argument for command in commands for argument in ["--", *command]][1:]
        self.events = record(
            [*driver, str(world / "deep" / "data"), str(folder / "marks"), *given],
            *(world, folder / "marks", folder / "log"),
        )
        self._numbers = count()
        self.states = 0
        # What the next run of the operator's timer reads.
        self._crawls = sorted(path for path in folder.iterdir() if path.name.startswith("crawl"))

    def cut_power(
        self, choose: Callable[[int, Event], list[tuple[Loss, int]]], repair: Callable[[int], bool]
    ) -> None:
        """After each event check each of the chosen losses, and that the next run repairs it."""
        disk, acknowledged = Disk(), Acknowledged(self.events)
        for number, event in enumerate([*self.events, Event("mark")]):
            for loss, seed in choose(number, event):
                left = self.folder / f"state{next(self._numbers)}"
                left.mkdir()
                disk.survive(loss, Random(seed), left)
                where = (
                    f"before event {number} ({event.kind} {event.path}), {loss.name} lost, {seed}"
                )
                try:
                    self._check(Settings(data=left / "deep" / "data"), acknowledged, repair(number))
                except (AssertionError, AnwenError) as error:
                    error.add_note(where)
                    raise
                shutil.rmtree(left)
                self.states += 1
            disk.happen(event)
            if event.kind == "mark":
                acknowledged.pass_mark()

    def _check(self, settings: Settings, acknowledged: Acknowledged, repair: bool) -> None:
        was_stored, stored = acknowledged.states("commit")
        kept: Articles = {}
        try:
            kept = stored_articles(settings)
        except AnwenError:
            assert not was_stored
        assert kept in stored or not was_stored
        was_indexed, indexed = acknowledged.states("command")
        if was_indexed:
            titles = {key: value[1] for key, value in kept.items()}
            found = indexed_titles(settings, self._analyzer)
            expected = [{key: value[1] for key, value in each.items()} for each in indexed]
            assert found in [*expected, titles]
        if repair:
            summary = build(settings, self._crawls, jobs=1, progress=Silent())
            assert not summary.failed
            with ArticleStore(settings.data / "articles.sqlite3", read_only=True) as store:
                titles = {article.id: article.title for article in store.articles()}
            assert len(titles) + summary.removed == PAGES
            assert kept.keys() - titles.keys() == set()
            assert indexed_titles(settings, self._analyzer) == titles


PAGES = 24


@pytest.fixture
def replay(
    tmp_path: Path,
    analyzer: Analyzer,
    inline: None,  # noqa: ARG001  # repairs do their work in this process
    lacking: Callable[[str], NoReturn],
) -> Replay:
    if not shutil.which("strace"):
        lacking("strace")
    first, second, third = (tmp_path / f"crawl{number}" for number in range(3))
    write_pages(first, range(12))
    write_pages(second, range(8, 18), edition=2)  # four of them anew, in place of the former
    write_pages(third, range(18, PAGES))
    commands = [
        *(["index", "--jobs", "1", str(first)], ["index", "--jobs", "1", str(second)]),
        *(["remove", "https://paper.example/news/3"], ["index", "--rebuild", "--jobs", "1"]),
        *(["index", "--jobs", "1", str(third)],),
    ]
    return Replay(tmp_path, analyzer, commands)


def test_no_power_cut_loses_what_was_acknowledged(replay: Replay) -> None:
    random = Random(9)

    def choose(number: int, event: Event) -> list[tuple[Loss, int]]:
        # Before each sync most is unsynced; in between a few moments, each with one loss.
        if event.kind == "sync":
            return [(random.choice(LOSSES), number)]
        return [(random.choice(LOSSES), number)] if random.random() < 0.03 else []

    replay.cut_power(choose, lambda number: number % 3 == 0)
    assert replay.states >= 50


@pytest.mark.soak
@pytest.mark.parametrize("part", range(4))
def test_no_power_cut_between_any_two_calls_loses_what_was_acknowledged(
    replay: Replay, part: int
) -> None:
    def choose(number: int, _: Event) -> list[tuple[Loss, int]]:
        if number % 4 != part:
            return []
        return [
            *((loss, number) for loss in LOSSES),
            *((LOSSES[-1], -seed) for seed in range(1, 4)),
        ]

    replay.cut_power(choose, lambda number: number // 4 % 4 == 0)
    print(f"{replay.states:,} states after power cuts, 0 lost")  # noqa: T201
