"""Processes killed while they build, commit and merge: nothing acknowledged is lost."""

import errno
import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from typing import Any

import pytest
from whoosh import query

from index.analysis import Analyzer
from index.backends.vector_codec import VectorWriter
from index.backends.whoosh import WhooshIndex
from index.errors import IndexUnavailable
from index.schema import SCHEMA_VERSION
from search.backends.cache import ByteCache
from search.backends.evaluator import Evaluator
from search.backends.view import IndexView

ROOT = Path(__file__).parents[2]
COMMITTING = Path(__file__).with_name("committing.py")

_specification = spec_from_file_location("committing", COMMITTING)
assert _specification is not None
assert _specification.loader is not None
_committing = module_from_spec(_specification)
_specification.loader.exec_module(_committing)
batch = _committing.batch


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


def refusal(folder: Path) -> str | None:
    """Return what is said of a damaged index, None where it opens and answers."""
    try:
        documents_in(folder)
    except IndexUnavailable as error:
        return str(error)
    return None


def test_every_damaged_file_of_an_index_is_refused_by_name(
    tmp_path: Path, analyzer: Analyzer
) -> None:
    index = WhooshIndex(tmp_path, "tests")
    for first in (0, 200, 203):
        with index.writer(first + 200) as writer:
            writer.update_documents(batch(first, 200 if not first else 3, analyzer))
    live = tmp_path / f"{index.generation:06}"
    random = Random(4)
    files = sorted(
        path for path in live.iterdir() if path.suffix in {".toc", ".vdoc", ".vpst", ".json"}
    )
    assert len(files) >= 4
    refused = 0
    for path in files:
        sound = path.read_bytes()
        for _ in range(30):
            place = random.randrange(len(sound))
            changed = bytearray(sound)
            changed[place] ^= 1 << random.randrange(8)
            path.write_bytes(random.choice([bytes(changed), sound[:place]]))
            if said := refusal(tmp_path):
                refused += 1
                assert path.name in said
                assert "anwen index --rebuild" in said
        path.write_bytes(sound)
    assert refusal(tmp_path) is None
    # Blocks are checked when they are read, and a view does not read them all.
    assert refused > 0.8 * 30 * len(files)


def test_no_flipped_bit_passes_for_another_version(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path, "tests")
    with index.writer(1):
        pass
    path = tmp_path / f"{index.generation:06}" / "anwen.json"
    sound = path.read_bytes()
    for bit in range(8 * len(sound)):
        changed = bytearray(sound)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(IndexUnavailable, match=r"anwen\.json.* anwen index --rebuild"):
            index.out_of_date()
    path.write_text(json.dumps({"schema": 1, "analyzer": "tests", "revision": 1}))
    assert index.out_of_date() == f"its schema is version 1, this program's {SCHEMA_VERSION}"


def test_a_commit_that_fails_leaves_nothing_behind_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, analyzer: Analyzer
) -> None:
    index = WhooshIndex(tmp_path, "tests")
    with index.writer(3) as writer:
        writer.update_documents(batch(0, 3, analyzer))
    for rebuild in (False, True):
        with monkeypatch.context() as patched:
            patched.setattr(VectorWriter, "_commit_toc", full_disk)
            with (
                pytest.raises(OSError, match="No space left"),
                index.writer(5, rebuild=rebuild) as writer,
            ):
                writer.update_documents(batch(0, 5, analyzer))
        assert set(documents_in(tmp_path)) == {f"{number:016x}" for number in range(3)}
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["000001"]
    with index.writer(5) as writer:
        writer.update_documents(batch(0, 5, analyzer))
    assert set(documents_in(tmp_path).values()) == {1}


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.slow
def test_kills_lose_no_acknowledged_commit(tmp_path: Path) -> None:
    kill(tmp_path, 10, 1)


@pytest.mark.soak
def test_a_hundred_kills_lose_no_acknowledged_commit(tmp_path: Path) -> None:
    kill(tmp_path, 100, 2)
