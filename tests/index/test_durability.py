"""Processes killed while they build, commit and merge: nothing acknowledged is lost."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from typing import Any

import pytest
from whoosh import query

from index.analysis import Analyzer
from index.backends.vector_codec import ContainerReader, VectorWriter
from index.backends.whoosh import WhooshIndex
from index.errors import IndexDamaged, IndexUnavailable
from index.schema import SCHEMA_VERSION
from search.backends.whoosh.cache import ByteCache
from search.backends.whoosh.evaluator import Evaluator
from search.backends.whoosh.view import IndexView

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
                pytest.raises(IndexUnavailable, match=r"cannot be written: No space left.*disk"),
                index.writer(5, rebuild=rebuild) as writer,
            ):
                writer.update_documents(batch(0, 5, analyzer))
        assert set(documents_in(tmp_path)) == {f"{number:016x}" for number in range(3)}
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["000001"]
    with index.writer(5) as writer:
        writer.update_documents(batch(0, 5, analyzer))
    assert set(documents_in(tmp_path).values()) == {1}


@pytest.mark.parametrize("good", range(5))
def test_a_deletion_that_fails_while_a_file_is_closed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, analyzer: Analyzer, good: int
) -> None:
    index = WhooshIndex(tmp_path, "tests")
    with index.writer(3) as writer:
        writer.update_documents(batch(0, 3, analyzer))
    files = iter(range(good))
    sync = os.fsync

    def full(file: int) -> None:
        if next(files, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(file)

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with (
            pytest.raises(IndexUnavailable, match=r"cannot be written: No space left.*disk"),
            index.writer(5) as writer,
        ):
            writer.delete_document(f"{1:016x}")
    assert len(documents_in(tmp_path)) in (2, 3)
    with index.writer(5) as writer:
        writer.delete_document(f"{1:016x}")
    assert len(documents_in(tmp_path)) == 2


@pytest.fixture
def two_generations(tmp_path: Path, analyzer: Analyzer) -> WhooshIndex:
    """An index whose live generation, of three documents, follows one of two."""
    index = WhooshIndex(tmp_path, "tests")
    for count in (2, 3):
        with index.writer(count, rebuild=True) as writer:
            writer.update_documents(batch(0, count, analyzer))
    return index


def flip(path: Path, place: int = 40) -> None:
    changed = bytearray(path.read_bytes())
    changed[place] ^= 1
    path.write_bytes(changed)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def current(folder: Path) -> Path:
    return folder / "current"


def of_live(suffix: str) -> Callable[[Path], Path]:
    return lambda folder: next((folder / "000002").glob(f"*{suffix}"))


@pytest.mark.parametrize("damage", [flip, Path.unlink, empty])
@pytest.mark.parametrize(
    "find",
    [
        of_live(".json"),
        of_live(".toc"),
        of_live(".vdoc"),
        of_live(".vpst"),
        current,
    ],
)
def test_the_generation_before_answers_for_a_damaged_one_until_the_next_run_builds_it_anew(
    two_generations: WhooshIndex,
    tmp_path: Path,
    analyzer: Analyzer,
    caplog: pytest.LogCaptureFixture,
    find: Callable[[Path], Path],
    damage: Callable[[Path], None],
) -> None:
    path = find(tmp_path)
    if path.name == "current":
        path.write_text({flip: "9", empty: "", Path.unlink: "x"}[damage])
    elif path.suffix == ".vpst" and damage is flip:
        flip(path, len(path.read_bytes()) - 40)  # in the directory, which opening reads
    else:
        damage(path)
    before = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
    expected = 2
    if path.name == "current":
        expected = 3  # of all that is there, the newest
    reader = WhooshIndex(tmp_path, "tests")
    for _ in range(2):
        reader.open_segments({})
    assert len(documents_in(tmp_path)) == expected
    told = [each.message for each in caplog.records if each.name == reader.__module__]
    assert len(told) == 2  # one for each of the two who opened it
    named = {".toc": ".toc", "": "anwen.json" if damage is flip else "current"}
    assert named.get(path.suffix, path.name) in told[0]
    assert "anwen index --rebuild" in told[0]
    assert {each: each.read_bytes() for each in before} == before  # readers write nothing
    assert len(reader.damage()) == 1
    with two_generations.writer(3, rebuild=True, set_aside=True) as writer:
        writer.update_documents(batch(0, 3, analyzer))
    assert reader.damage() == []
    assert len(documents_in(tmp_path)) == 3
    set_aside = {each.name for each in tmp_path.glob("*.damaged")}
    assert set_aside == (set() if path.name == "current" else {"000002.damaged"})


def test_a_generation_that_was_filled_but_not_yet_named_answers_and_is_named_by_the_next_commit(
    two_generations: WhooshIndex, tmp_path: Path, analyzer: Analyzer
) -> None:
    (tmp_path / "current").unlink()
    assert len(documents_in(tmp_path)) == 3
    with two_generations.writer(4) as writer:
        writer.update_documents(batch(3, 1, analyzer))
    assert (tmp_path / "current").read_text() == "2"
    assert len(documents_in(tmp_path)) == 4


def test_one_damaged_generation_is_kept_to_be_looked_at_and_no_more(
    two_generations: WhooshIndex, tmp_path: Path, analyzer: Analyzer
) -> None:
    for _ in range(3):
        next((tmp_path / f"{two_generations.generation:06}").glob("*.vdoc")).unlink()
        with two_generations.writer(3, rebuild=True, set_aside=True) as writer:
            writer.update_documents(batch(0, 3, analyzer))
    folders = sorted(each.name for each in tmp_path.iterdir() if each.is_dir())
    assert folders == ["000001", "000004.damaged", "000005"]


def test_a_generation_before_that_does_not_fit_answers_nothing(
    tmp_path: Path, analyzer: Analyzer
) -> None:
    for fingerprint in ("another", "tests"):
        with WhooshIndex(tmp_path, fingerprint).writer(1, rebuild=True) as writer:
            writer.update_documents(batch(0, 1, analyzer))
    flip(of_live(".vdoc")(tmp_path))
    with pytest.raises(IndexDamaged, match=r"\.vdoc is damaged"):
        documents_in(tmp_path)


def test_a_block_that_is_damaged_while_it_is_searched_is_an_error_and_no_half_answer(
    tmp_path: Path, analyzer: Analyzer
) -> None:
    index = WhooshIndex(tmp_path, "tests")
    with index.writer(1) as writer:
        writer.update_documents(batch(0, 1500, analyzer))
    (path,) = (tmp_path / "000001").glob("*.vpst")
    sections = {
        section.name: section for section in ContainerReader(path).sections[::-1]
    }  # the first block of each field
    flip(path, sections["title"].offset + 8)
    view = IndexView(index, ByteCache(1 << 20))
    evaluator = Evaluator(view, 1 << 20)
    answered, refused, told = 0, 0, set[str]()
    for number in range(1500):
        try:
            hits = evaluator.evaluate(query.Term("title", f"n{number}")).documents.tolist()
        except IndexDamaged as error:
            told.add(str(error))
            refused += 1
        else:
            assert hits == [number]
            answered += 1
    assert answered
    assert refused
    (said,) = told
    assert f"{path.name} is damaged: section title" in said
    with pytest.raises(IndexDamaged):  # also where most of the query is sound
        evaluator.evaluate(query.Or([query.Term("title", f"n{each}") for each in range(1500)]))
    view.close()
    assert [path.name in each for each in index.damage()] == [True]


@pytest.mark.parametrize("step", [0, -3600 * 10**9])
def test_a_commit_is_noticed_whatever_the_clock_says(
    tmp_path: Path, analyzer: Analyzer, step: int
) -> None:
    index = WhooshIndex(tmp_path, "tests")
    about = tmp_path / "000001" / "anwen.json"
    seen, moment = set(), 0
    for count in range(1, 6):
        with index.writer(count) as writer:
            writer.update_documents(batch(count, 1, analyzer))
        moment = moment or about.stat().st_mtime_ns
        os.utime(about, ns=(moment, moment))
        moment += step
        seen.add(index.state)
    assert len(seen) == 5
    assert {generation for generation, _ in seen} == {1}


def test_an_index_whose_files_may_not_be_read_is_not_called_damaged(
    tmp_path: Path, analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = WhooshIndex(tmp_path, "tests")
    with index.writer(1) as writer:
        writer.update_documents(batch(0, 1, analyzer))
    opened = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == refused:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    (vdoc,) = (tmp_path / "000001").glob("*.vdoc")
    for refused in ("anwen.json", vdoc.name):
        for read in (index.damage, lambda: index.open_segments({})):
            with pytest.raises(IndexUnavailable, match="who may read") as error:
                read()
            assert not isinstance(error.value, IndexDamaged)
            assert refused in str(error.value)


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.slow
def test_kills_lose_no_acknowledged_commit(tmp_path: Path) -> None:
    kill(tmp_path, 6, 1)


@pytest.mark.soak
def test_a_hundred_kills_lose_no_acknowledged_commit(tmp_path: Path) -> None:
    kill(tmp_path, 100, 2)
