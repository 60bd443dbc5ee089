"""The writer's lock: who holds it is told, whoever was killed with it before."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from index.errors import StoreError, StoreLocked
from index.lock import _HOLDER as HOLDER
from index.lock import without_writer, writing

ROOT = Path(__file__).parents[2]
HOLDING = """
import sys, time
from pathlib import Path
from index.lock import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def waits_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.lock._SECONDS", 0.1)


def holder(folder: Path) -> subprocess.Popen[str]:
    """A process that has the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(folder), "to the end"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_writer_is_told_who_is_the_first(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(StoreLocked) as refused, writing(tmp_path):
            pass
        process.kill()
    said = str(refused.value)
    assert f"'to the end'` (process {process.pid} on " in said
    assert str(tmp_path) in said
    assert "since 20" in said
    assert "0.1 seconds" in said


def test_a_killed_writer_leaves_the_lock_free_and_is_not_named_for_another(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
    left = (tmp_path / HOLDER).read_text(encoding="utf-8")
    assert str(process.pid) in left
    with writing(tmp_path):
        # As if this one had not come to write its own name yet.
        (tmp_path / HOLDER).write_text(left, encoding="utf-8")
        with pytest.raises(StoreLocked, match="Another process is writing"), writing(tmp_path):
            pass
    assert not (tmp_path / HOLDER).exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"command": 1}), "\x00"])
def test_a_damaged_name_of_the_holder_stops_nobody(tmp_path: Path, content: str) -> None:
    with writing(tmp_path):
        (tmp_path / HOLDER).write_text(content, encoding="utf-8")
        with pytest.raises(StoreLocked, match="Another process is writing"), writing(tmp_path):
            pass


def test_whether_a_writer_is_at_work_is_found_out_without_writing(tmp_path: Path) -> None:
    with without_writer(tmp_path) as is_idle:
        assert is_idle
    assert not list(tmp_path.iterdir())
    with writing(tmp_path), without_writer(tmp_path) as is_idle:
        assert not is_idle
    with without_writer(tmp_path) as is_idle:
        assert is_idle
        with pytest.raises(StoreLocked), writing(tmp_path):
            pass
    with writing(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StoreError, match=r"file/data cannot be written.*--data"),
        writing(tmp_path / "file" / "data"),
    ):
        pass
