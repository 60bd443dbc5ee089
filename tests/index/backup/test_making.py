"""Making backups: all that was stored, of one moment, without secrets."""

import errno
import random
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from ipaddress import ip_network
from itertools import count
from pathlib import Path

import pytest

from index.archive import Archive
from index.document import Article
from index.errors import BackupError, StoreError
from index.settings import Settings, load_settings
from index.store import ArticleStore, page_digest
from index.verify import verify
from tests.index.backup.saving import restored, rows, saved
from tests.index.meanwhile import meanwhile
from tests.reliability.checking import Silent


def test_what_is_restored_is_what_was_saved(
    settings: Settings, other: Settings, tmp_path: Path
) -> None:
    tables = {}
    for name in ("terms", "synonyms", "entities", "denials"):
        tables[name] = tmp_path / f"my {name}"
        tables[name].write_text(f"# {name} 表\n", encoding="utf-8")
    chosen = replace(
        settings,
        **tables,  # type: ignore[arg-type]
        site_name='某"某\\安全',
        base_url="https://operator:hunter2@news.example/安",
        allowed_origins=("https://a.example", "https://b.example"),
        trusted_proxies=(ip_network("10.0.0.0/8"),),
        log_queries=True,
        memory=100,
    )
    source = saved(chosen, tmp_path / "backup.tar")
    assert b"hunter2" not in source.read_bytes()
    before = rows(settings.data)
    about = restored(other, source)
    assert rows(other.data) == before
    assert (about.backup.articles, about.backup.pages) == (5, 5)
    assert (about.replaced, about.left_out) == (None, ())
    again = load_settings({}, data=other.data)
    assert again == replace(
        chosen,
        data=other.data,
        base_url="https://news.example/安",
        **{name: other.data / "tables" / f"{name}.txt" for name in tables},  # type: ignore[arg-type]
    )
    for name in tables:
        table = getattr(again, name)
        assert table.read_text(encoding="utf-8") == f"# {name} 表\n"
    names = {path.name for path in other.data.iterdir()}
    assert names == {"articles.sqlite3", "tables", "anwen.toml", "writer.lock"}


def test_a_secret_is_no_part_of_a_backup(settings: Settings, tmp_path: Path) -> None:
    from index.backup import _SECRET

    for name in ("api_key", "key", "admin_password", "redis_token", "client_secret"):
        assert _SECRET.search(name), name
    for name in ("site_name", "keywords", "monkey_business"):
        assert not _SECRET.search(name), name
    (settings.data / "anwen.toml").write_text('# hunter2\nsite_name = "x"', encoding="utf-8")
    source = saved(load_settings({}, data=settings.data), tmp_path / "backup.tar")
    assert b"hunter2" not in source.read_bytes()


@pytest.fixture
def writer(settings: Settings, article_maker: Callable[..., Article]) -> Iterator[list[int]]:
    """Stores articles in a thread; the count of its commits."""

    def write() -> Generator[None, None, None]:
        with ArticleStore(settings.data / "articles.sqlite3") as store:
            for first in count(1000, 3):
                for number in range(first, first + 3):  # of one transaction
                    raw = random.Random(number).randbytes(3000)
                    article = article_maker(id=f"{number:016x}")
                    store.put_article(page_digest(raw), f"{number}.md", "md", raw, "1", article)
                store.commit()
                yield

    with meanwhile(write()) as commits:
        yield commits


def test_a_backup_is_of_one_moment_while_others_write(
    settings: Settings, tmp_path: Path, writer: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.database._COPIED", 1)  # as slow as it can be
    seen = []
    for number in range(8):
        acknowledged = writer[0]
        folder = Settings(data=tmp_path / f"restored{number}")
        about = restored(folder, saved(settings, tmp_path / f"{number}.tar"))
        assert (about.backup.articles - 5) % 3 == 0
        assert about.backup.articles >= 5 + 3 * acknowledged
        differences = verify(folder, Silent()).differences
        assert [each.what for each in differences] == ["there is no index"]
        seen.append(about.backup.articles)
    assert seen == sorted(seen)
    assert len(set(seen)) > 4


def test_a_file_that_is_there_is_replaced_by_force_only(settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "backup.tar"
    saved(settings, target)
    former = target.read_bytes()
    with pytest.raises(BackupError, match="--force"):
        saved(settings, target)
    assert target.read_bytes() == former
    target.write_bytes(former[:1000])
    saved(settings, target, force=True)
    Archive(target)


def test_what_is_no_backup_is_replaced_by_none(settings: Settings, tmp_path: Path) -> None:
    store = settings.data / "articles.sqlite3"
    before = store.read_bytes()
    with pytest.raises(BackupError, match="is there, and is no backup"):
        saved(settings, store, force=True)
    assert store.read_bytes() == before
    empty = tmp_path / "backup.tar"
    empty.touch()
    saved(settings, empty, force=True)
    Archive(empty)


def test_a_backup_that_fails_leaves_the_former_one_and_nothing_else(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "backups" / "backup.tar"
    with pytest.raises(BackupError, match="is no folder"):
        saved(settings, target)
    target.parent.mkdir()
    saved(settings, target)
    former = target.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("index.backup.write_archive", "shutil.copyfile", "index.backup._put_in_place"):
        terms = tmp_path / "terms.txt"
        terms.touch()
        with monkeypatch.context() as patched:
            patched.setattr(name, full)
            with pytest.raises(BackupError, match="No space left"):
                saved(replace(settings, terms=terms), target, force=True)
        assert [path.name for path in target.parent.iterdir()] == ["backup.tar"]
        assert target.read_bytes() == former
    with pytest.raises(BackupError, match="setting terms names"):
        saved(replace(settings, terms=tmp_path / "nowhere"), target, force=True)
    with pytest.raises(StoreError, match="no article store"):
        saved(Settings(data=tmp_path / "nowhere"), target, force=True)


def test_no_backup_is_made_of_a_damaged_store(settings: Settings, tmp_path: Path) -> None:
    path = settings.data / "articles.sqlite3"
    sound = path.read_bytes()
    path.write_bytes(sound[:8192] + b"\xaa" * 4096 + sound[12288:])
    with pytest.raises((BackupError, StoreError), match=r"damaged|malformed"):
        saved(settings, tmp_path / "backup.tar")
    assert not (tmp_path / "backup.tar").exists()
