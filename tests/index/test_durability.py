"""Processes killed while they build, commit and merge: nothing acknowledged is lost."""

import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from whoosh import query

from index.backends.whoosh import WhooshIndex
from search.backends.cache import ByteCache
from search.backends.evaluator import Evaluator
from search.backends.view import IndexView

ROOT = Path(__file__).parents[2]
COMMITTING = Path(__file__).with_name("committing.py")


def commit_until_killed(folder: Path, kill_at: int, seed: int) -> list[int]:
    """Return how many documents there were after each commit that was acknowledged."""
    process = subprocess.run(
        [sys.executable, str(COMMITTING), str(folder), str(kill_at), str(seed)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        check=False,
    )
    assert process.returncode == -9, process.stderr
    return [int(line) for line in process.stdout.split()]


def documents_in(folder: Path) -> dict[str, int]:
    """Open the index; return how many live documents have each id, each found by its title too."""
    cache: ByteCache[Any] = ByteCache(1 << 20)
    view = IndexView(WhooshIndex(folder, "tests"), cache)
    evaluator = Evaluator(view, 1 << 20)
    found: dict[str, int] = {}
    for document in view.everything().documents.tolist():
        identifier = view.ids[document].decode()
        found[identifier] = found.get(identifier, 0) + 1
        title = query.Term("title", f"n{int(identifier, 16)}")
        assert document in evaluator.evaluate(title).where(view.live).documents
    view.close()
    return found


def kill(folder: Path, times: int, seed: int) -> None:
    """Kill one process after another, each of which goes on from what the one before left."""
    random = Random(seed)
    acknowledged = 0
    for number in range(times):
        # Early moments are those of opening and of the first commit.
        kill_at = random.choice([random.randint(1, 40), random.randint(1, 400)])
        acknowledged = max([acknowledged, *commit_until_killed(folder, kill_at, seed + number)])
        if not acknowledged:
            continue
        found = documents_in(folder)
        assert set(found.values()) == {1}
        assert {f"{each:016x}" for each in range(acknowledged)} <= found.keys()
    assert acknowledged
    # What killed processes left behind does not pile up.
    commit_until_killed(folder, 2000, seed)
    generations = [path for path in folder.iterdir() if path.is_dir()]
    assert len(generations) <= 3
    live = folder / f"{WhooshIndex(folder, 'tests').generation:06}"
    assert len(list(live.iterdir())) < 60


def test_kills_lose_no_acknowledged_commit(tmp_path: Path) -> None:
    kill(tmp_path, 10, 1)


@pytest.mark.soak
def test_a_hundred_kills_lose_no_acknowledged_commit(tmp_path: Path) -> None:
    kill(tmp_path, 100, 2)
