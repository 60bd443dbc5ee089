"""Restoring: what is there is set aside whole, or nothing is done."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from index.document import Article
from index.errors import BackupError, StoreLocked
from index.lock import writing
from index.settings import Settings, load_settings
from index.store import ArticleStore
from tests.index.backup.saving import restored, rows, saved

ROOT = Path(__file__).parents[3]


def test_a_store_that_is_being_read_is_not_parted_from_what_was_committed_last(
    archive: Path, settings: Settings, article_maker: Callable[..., Article]
) -> None:
    store_file = settings.data / "articles.sqlite3"
    with ArticleStore(store_file) as store, closing(sqlite3.connect(store_file)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM article").fetchone()
        article = article_maker(id="f" * 16)
        store.put_article(b"1", "x.md", "md", b"x", "1", article)
        store.commit()
        with pytest.raises(BackupError, match="Another process is reading"):
            restored(settings, archive, force=True)
        assert reader.execute("SELECT count(*) FROM article").fetchone() == before
    assert not (settings.data / "restoring.new").exists()
    with ArticleStore(store_file) as store:
        assert store.article("f" * 16)


@pytest.mark.parametrize("backend", ["whoosh"], indirect=True, scope="session")  # its folder
def test_a_folder_with_a_store_is_set_aside_by_force_only_and_whole(
    archive: Path, settings: Settings, article_maker: Callable[..., Article]
) -> None:
    toml = settings.data / "anwen.toml"
    toml.write_text('site_name = "旧站"', encoding="utf-8")
    with ArticleStore(settings.data / "articles.sqlite3") as store:
        article = article_maker(id="f" * 16)
        store.put_article(b"1", "x.md", "md", b"x", "1", article)
        store.commit()
        # While it is open, what was committed last stands in the file beside it.
        assert (settings.data / "articles.sqlite3-wal").stat().st_size
        before = rows(settings.data)
        with pytest.raises(BackupError, match="--force"):
            restored(settings, archive)
        assert rows(settings.data) == before
        about = restored(settings, archive, force=True)
    assert about.replaced is not None
    assert rows(about.replaced) == before
    assert {"index", "anwen.toml"} <= {path.name for path in about.replaced.iterdir()}
    assert len(rows(settings.data)["article"]) == 5
    assert not (settings.data / "index").exists()
    assert not toml.exists()


def test_settings_that_a_folder_without_a_store_has_stay_in_force(
    settings: Settings, other: Settings, tmp_path: Path
) -> None:
    source = saved(replace(settings, site_name="备份"), tmp_path / "backup.tar")
    other.data.mkdir(parents=True)
    (other.data / "anwen.toml").write_text('site_name = "本站"', encoding="utf-8")
    about = restored(other, source)
    assert load_settings({}, data=other.data).site_name == "本站"
    assert about.settings == other.data / "anwen.toml.restored"
    assert about.settings.read_text(encoding="utf-8") == 'site_name = "备份"\n'


def test_a_writer_at_work_keeps_a_backup_from_being_restored(
    archive: Path, other: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.lock._SECONDS", 0.1)
    with writing(other.data), pytest.raises(StoreLocked):
        restored(other, archive)


RESTORING = """
import os, signal, sys
from pathlib import Path
from index.backup import restore
from index.settings import Settings

left = int(sys.argv[3])

def hook(event, arguments):
    global left
    if event in {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "open"} and (
        sys.argv[1] in str(arguments[0])
    ):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
restore(Settings(data=Path(sys.argv[1])), Path(sys.argv[2]), force=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("step", [15, pytest.param(1, marks=pytest.mark.soak)])
def test_a_kill_in_a_restoration_loses_neither_the_old_store_nor_the_new(
    archive: Path,
    settings: Settings,
    tmp_path: Path,
    article_maker: Callable[..., Article],
    step: int,
) -> None:
    with ArticleStore(settings.data / "articles.sqlite3") as store:
        store.put_article(b"1", "x.md", "md", b"x", "1", article_maker(id="f" * 16))
    former = settings.data
    whole, moment = rows(former), 0
    saved_rows = None
    while True:
        moment += step
        data = tmp_path / f"killed{moment}"
        shutil.copytree(former, data)
        process = subprocess.run(
            [sys.executable, "-c", RESTORING, str(data), str(archive), str(moment)],
            capture_output=True, text=True, cwd=ROOT, check=False,
        )  # fmt: skip
        if process.returncode == 0:
            break
        assert process.returncode == -9, process.stderr
        restored(Settings(data=data), archive, force=True)
        kept = [each for each in data.glob("replaced-*") if (each / "articles.sqlite3").exists()]
        assert whole in [rows(each) for each in kept]
        saved_rows = saved_rows or rows(data)
        assert rows(data) == saved_rows
        shutil.rmtree(data)
    assert moment > 15
