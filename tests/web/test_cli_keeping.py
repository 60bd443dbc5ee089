"""The commands that keep a data folder: what they print, and how they end."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from web.cli import main

pytestmark = pytest.mark.slow


def anwen(data: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), *map(str, arguments)])


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("demo")
    result = anwen(data, "demo", "--no-serve")
    assert result.exit_code == 0, result.output
    return data / "demo"


@pytest.fixture
def demo(indexed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(indexed, tmp_path / "data")


def test_verify_ends_with_zero_for_a_sound_folder_and_names_each_difference_otherwise(
    demo: Path,
) -> None:
    sound = anwen(demo, "verify")
    assert sound.exit_code == 0, sound.output
    assert sound.stdout.endswith("of the index read: no differences\n")
    assert "reading pages" in sound.stderr
    with closing(sqlite3.connect(demo / "articles.sqlite3")) as database:
        (identifier,) = database.execute("SELECT min(id) FROM article").fetchone()
        database.execute("DELETE FROM article WHERE id = ?", (identifier,))
        database.commit()
    told = anwen(demo, "verify")
    assert told.exit_code == 1
    assert f"index: article {identifier} is indexed, not stored\n  Run: anwen index" in told.stdout
    answer = anwen(demo, "verify", "--json")
    assert answer.exit_code == 1
    verdict = json.loads(answer.stdout)
    assert verdict["sound"] is False
    assert {"where", "what", "repair"} == set(verdict["differences"][0])


def test_verify_without_a_store_is_told_in_one_line(tmp_path: Path) -> None:
    result = anwen(tmp_path, "verify")
    assert result.exit_code == 1
    assert "anwen index PATH" in result.stderr
