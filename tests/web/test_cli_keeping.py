"""The commands that keep a data folder: what they print, and how they end."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from index.settings import Settings
from search import SearchRequest, open_searcher
from web.cli import main

pytestmark = pytest.mark.slow


def anwen(data: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), *map(str, arguments)])


@pytest.fixture
def demo(demo_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo_folder, tmp_path / "data")


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


def test_a_restored_folder_answers_as_the_saved_one_did_and_is_sound(
    demo: Path, tmp_path: Path
) -> None:
    (demo / "anwen.toml").write_text('site_name = "某站"', encoding="utf-8")
    source = tmp_path / "backup.tar"
    saved = anwen(demo, "backup", source, "--json")
    assert saved.exit_code == 0, saved.output
    about = json.loads(saved.stdout)
    assert about["articles"] >= 60
    assert about["size"] == source.stat().st_size
    assert anwen(demo, "backup", source).exit_code == 1
    assert anwen(demo, "backup", source, "--force").exit_code == 0
    other = tmp_path / "other machine"
    result = anwen(other, "restore", source, "--jobs", 1)
    assert result.exit_code == 0, result.output
    assert f"{about['articles']} articles of" in result.stdout
    assert anwen(other, "verify").exit_code == 0
    query = ("search", "勒索软件", "--json")
    first, second = (json.loads(anwen(data, *query).stdout) for data in (demo, other))
    assert first["total"] == second["total"] > 0
    assert [hit["id"] for hit in first["hits"]] == [hit["id"] for hit in second["hits"]]
    assert (other / "anwen.toml").read_text(encoding="utf-8") == 'site_name = "某站"\n'


def test_a_running_searcher_follows_a_restoration(demo: Path, tmp_path: Path) -> None:
    source = tmp_path / "backup.tar"
    assert anwen(demo, "backup", source).exit_code == 0
    settings = Settings(data=demo)
    with closing(open_searcher(settings)) as searcher:
        request = SearchRequest(query="勒索软件", size=1)
        found = searcher.search(request)
        lost = found.hits[0].id
        version = searcher.version()
        assert anwen(demo, "remove", lost).exit_code == 0
        assert searcher.search(request).total == found.total - 1
        refused = anwen(demo, "restore", source)
        assert refused.exit_code == 1
        assert "--force" in refused.stderr
        result = anwen(demo, "restore", source, "--force", "--jobs", 1, "--json")
        assert result.exit_code == 0, result.output
        assert Path(json.loads(result.stdout)["replaced"]).is_dir()
        assert searcher.search(request).total == found.total
        assert searcher.article(lost).title == found.hits[0].title
        assert searcher.version() != version


def test_a_damaged_backup_is_refused_in_one_line(demo: Path, tmp_path: Path) -> None:
    source = tmp_path / "backup.tar"
    assert anwen(demo, "backup", source).exit_code == 0
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 1
    source.write_bytes(content)
    result = anwen(tmp_path / "other", "restore", source)
    assert result.exit_code == 1
    assert "backup.tar cannot be used: it does not match its checksum" in result.stderr
    assert not (tmp_path / "other").exists()
