"""Backups: consistent while others write, whole or refused, and hostile until they are checked."""

import errno
import hashlib
import io
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from index.archive import Archive, write_archive
from index.backup import Restored, backup, restore
from index.document import Article
from index.errors import BackupError, StoreError, StoreLocked
from index.lock import writing
from index.settings import Settings, load_settings
from index.store import STORE_VERSION, ArticleStore, page_digest
from index.verify import verify

ROOT = Path(__file__).parents[2]


class Silent:
    def stage(self, name: str, total: int | None) -> None: ...
    def advance(self, steps: int = 1, share: float | None = None) -> None: ...


def saved(settings: Settings, target: Path, *, force: bool = False) -> Path:
    backup(settings, target, force=force, progress=Silent())
    return target


def restored(settings: Settings, source: Path, *, force: bool = False) -> Restored:
    return restore(settings, source, force=force)


def rows(data: Path) -> dict[str, list[Any]]:
    """All that a store holds."""
    with closing(sqlite3.connect(data / "articles.sqlite3")) as database:
        names = [
            name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE rootpage")
            if not name.startswith(("sqlite_", "article_", "page_", "cluster_"))
        ]  # fmt: skip
        return {name: sorted(database.execute(f"SELECT * FROM {name}")) for name in names}


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory,
    fill_folder: Callable[..., Any],
    article_maker: Callable[..., Article],
) -> Path:
    """A data folder, and its backup beside it."""
    folder = tmp_path_factory.mktemp("filled")
    articles = [article_maker(id=f"{number:016x}", body=f"正文 n{number}") for number in range(5)]
    fill_folder(folder / "data", articles).close()
    saved(Settings(data=folder / "data"), folder / "backup.tar")
    return folder


@pytest.fixture
def settings(filled: Path, tmp_path: Path) -> Settings:
    return Settings(data=shutil.copytree(filled / "data", tmp_path / "data"))


@pytest.fixture
def archive(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled / "backup.tar", tmp_path))


@pytest.fixture
def other(tmp_path: Path) -> Settings:
    """The settings of a folder that is not there yet, as on another machine."""
    return Settings(data=tmp_path / "elsewhere" / "data")


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
    """A thread that stores articles as fast as it can; the count of its commits."""
    stop, commits = Event(), [0]

    def write() -> None:
        with ArticleStore(settings.data / "articles.sqlite3") as store:
            number = 1000
            while not stop.is_set():
                for _ in range(3):  # of one transaction
                    number += 1
                    raw = random.Random(number).randbytes(3000)
                    article = article_maker(id=f"{number:016x}")
                    store.put_article(page_digest(raw), f"{number}.md", "md", raw, "1", article)
                store.commit()
                commits[0] += 1

    thread = Thread(target=write)
    thread.start()
    yield commits
    stop.set()
    thread.join()


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


def refused(settings: Settings, source: Path, match: str = "") -> str:
    """Return why a backup is refused; nothing is written then, wherever it may be."""
    before = sorted(source.parent.rglob("*"))
    with pytest.raises(BackupError, match=match) as error:
        restored(settings, source)
    after = [path for path in source.parent.rglob("*") if path.name != "writer.lock"]
    assert sorted(after) in (before, sorted({*before, settings.data, settings.data.parent}))
    return str(error.value)


def test_any_flipped_bit_is_refused(archive: Path, tmp_path: Path) -> None:
    sound = archive.read_bytes()
    chance = random.Random(7)
    edges = [*range(2048), *range(len(sound) - 4096, len(sound))]
    damaged = tmp_path / "damaged.tar"
    for place in [*chance.sample(edges, 500), *chance.choices(range(len(sound)), k=200)]:
        changed = bytearray(sound)
        changed[place] ^= 1 << chance.randrange(8)
        damaged.write_bytes(changed)
        with pytest.raises(BackupError, match=r"damaged\.tar cannot be used"):
            Archive(damaged)
    damaged.write_bytes(sound)
    Archive(damaged)


def test_what_is_cut_short_or_goes_on_is_refused(
    archive: Path, tmp_path: Path, other: Settings
) -> None:
    sound = archive.read_bytes()
    changed = tmp_path / "changed.tar"
    for length in [0, 1, 511, 512, *range(1000, len(sound), 997), len(sound) - 1]:
        changed.write_bytes(sound[:length])
        with pytest.raises(BackupError, match=r"cut short|no archive"):
            Archive(changed)
    changed.write_bytes(sound + b"\0")
    refused(other, changed, "checksum")
    changed.write_bytes(bytes(5000))
    refused(other, changed, "no archive")
    changed.unlink()
    refused(other, changed, "No such file")


def forge(path: Path, sound: Path, change: Callable[[dict[str, Any], Path], object]) -> Path:
    """Write an archive, its checksums right, whose manifest and store are changed."""
    with tarfile.open(sound) as members:
        read = {each.name: members.extractfile(each).read() for each in members}  # type: ignore[union-attr]
    folder = path.with_suffix(".forged")
    folder.mkdir()
    store, listed = folder / "store", folder / "manifest"
    store.write_bytes(read["articles.sqlite3"])
    manifest = json.loads(read["manifest.json"])
    change(manifest, store)
    for each in manifest["members"] or ():
        if each["name"] == "articles.sqlite3":
            each["size"] = each.get("said", store.stat().st_size)
            each["sha256"] = hashlib.sha256(store.read_bytes()).hexdigest()
    listed.write_text(json.dumps(manifest), encoding="utf-8")
    members = [("manifest.json", listed), ("articles.sqlite3", store)]
    write_archive(path, members, lambda _: None)  # type: ignore[arg-type]
    shutil.rmtree(folder)
    return path


def changing(**values: object) -> Callable[[dict[str, Any], Path], object]:
    return lambda manifest, _: manifest.update(values)


def running(*statements: str) -> Callable[[dict[str, Any], Path], object]:
    def change(_: dict[str, Any], store: Path) -> None:
        with closing(sqlite3.connect(store)) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    return change


FORGED = [
    (changing(format=2), "is older; install that version or a newer one"),
    (changing(store_version=STORE_VERSION + 1, anwen="9.9"), r"anwen 9\.9 has written it"),
    (changing(store_version=STORE_VERSION - 1), f"has version {STORE_VERSION}"),
    (changing(store_version="3"), "manifest cannot be read"),
    (changing(store_version=True), "manifest cannot be read"),
    (changing(articles=-1), "manifest cannot be read"),
    (changing(members=None), "manifest cannot be read"),
    (changing(members=[]), "not those of its manifest"),
    (changing(settings=[]), "manifest cannot be read"),
    (changing(settings={"memory": "much"}), "settings are wrong"),
    (changing(settings={"memory": {"a": 1}}), "settings are wrong"),
    (changing(settings={"site_name": float("inf")}), "settings are wrong"),
    (running("CREATE TRIGGER t AFTER DELETE ON page BEGIN DELETE FROM article; END"), "other tab"),
    (running("CREATE VIEW v AS SELECT 1"), "other tables"),
    (running("DROP TABLE page"), "other tables"),
    (running(f"PRAGMA user_version = {STORE_VERSION + 1}"), "has version"),
    (running("PRAGMA user_version = 0"), "has version|no article store"),
    (lambda _, store: store.write_bytes(b"x" * 5000), "store cannot be read"),
    (lambda _, store: store.write_bytes(b""), "has version 0"),
    (
        lambda _, store: store.write_bytes(store.read_bytes()[:8192] + b"\xaa" * 200_000),
        "store (is damaged|cannot be read)",
    ),
]


@pytest.mark.parametrize(("change", "said"), FORGED)
def test_a_backup_that_is_not_what_it_says_is_refused(
    archive: Path,
    tmp_path: Path,
    other: Settings,
    change: Callable[[dict[str, Any], Path], object],
    said: str,
) -> None:
    told = refused(other, forge(tmp_path / "forged.tar", archive, change), said)
    assert "Nothing was changed" in told
    assert not (other.data / "articles.sqlite3").exists()
    assert not (other.data / "restoring.new").exists()


def test_a_wrong_checksum_in_the_manifest_is_refused(
    archive: Path, tmp_path: Path, other: Settings
) -> None:
    def rename(manifest: dict[str, Any], _: Path) -> None:
        (only,) = manifest["members"]
        manifest["members"] = [only | {"name": "articles.sqlite3 ", "sha256": "0" * 64}]

    refused(other, forge(tmp_path / "1.tar", archive, rename), "not those of its manifest")


def hostile(archive: Path, target: Path, *extra: tarfile.TarInfo, form: int) -> Path:
    """Write a backup with further members, sealed as it must be."""
    stream = io.BytesIO()
    with tarfile.open(archive) as sound, tarfile.open(None, "w", stream, format=form) as members:
        for each in sound.getmembers()[:-1]:
            members.addfile(each, sound.extractfile(each))
        for each in extra:
            members.addfile(each, io.BytesIO(bytes(each.size)))
        end = members.offset
    content = stream.getvalue()[:end]
    seal = f"{hashlib.sha256(content).hexdigest()}\n".encode()
    info = tarfile.TarInfo("sha256")
    info.size, info.mode = len(seal), 0o600
    block = info.tobuf(tarfile.GNU_FORMAT) + seal + bytes(-len(seal) % 512) + bytes(1024)
    target.write_bytes(content + block)
    return target


def member(name: str, **values: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode = 0o600
    for key, value in values.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (member("../escaped"), r"'\.\./escaped' is not part"),
        (member("/tmp/escaped"), "'/tmp/escaped' is not part"),
        (member("tables/../../escaped"), "escaped' is not part"),
        (member("tables/terms.txt", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "no plain file"),
        (member("tables/terms.txt", type=tarfile.LNKTYPE, linkname="manifest.json"), "no plain"),
        (member("tables/terms.txt", type=tarfile.CHRTYPE), "no plain file"),
        (member("tables/terms.txt", type=tarfile.FIFOTYPE), "no plain file"),
        (member("tables", type=tarfile.DIRTYPE), "no plain file"),
        (member("tables/terms.txt", mode=0o4755), "no plain file"),
        (member("tables/terms.txt", size=10), "not those of its manifest"),
        (member("articles.sqlite3", size=10), "not those of a backup"),
        (member("manifest.json"), "is not part"),
        (member("index/current"), "is not part"),
        (member("tables/" + "x" * 200), "no plain file|is not part"),
        (member("tables/关.txt"), "no plain file|is not part|no archive"),
    ],
)
def test_a_member_that_no_backup_has_is_refused_by_name(
    archive: Path,
    tmp_path: Path,
    other: Settings,
    extra: tarfile.TarInfo,
    said: str,
    form: int,
) -> None:
    if form == tarfile.USTAR_FORMAT and (len(extra.name) > 100 or not extra.name.isascii()):
        extra.name = "tables/x"
    if form != tarfile.GNU_FORMAT:
        said = "no plain file"  # nor would it be with plain members only
    refused(other, hostile(archive, tmp_path / "hostile.tar", extra, form=form), said)
    assert not list(tmp_path.rglob("escaped"))


def test_an_archive_of_many_members_or_of_more_than_it_has_is_refused(
    archive: Path, tmp_path: Path, other: Settings
) -> None:
    many = [member(f"tables/{number}") for number in range(100)]
    source = hostile(archive, tmp_path / "many.tar", *many, form=tarfile.GNU_FORMAT)
    refused(other, source, "more members than a backup")
    huge = member("tables/terms.txt", size=1 << 60).tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "huge.tar").write_bytes(huge + bytes(4096))
    refused(other, tmp_path / "huge.tar", "cut short")
    less = member("tables/terms.txt", size=-512).tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "less.tar").write_bytes(less + bytes(4096))
    refused(other, tmp_path / "less.tar", "no plain file")


def test_settings_of_a_backup_name_no_file_and_no_secret(
    archive: Path, tmp_path: Path, other: Settings
) -> None:
    given = {"terms": "/etc/passwd", "data": "/tmp/x", "sorce": 1, "site_name": "站"}
    source = forge(tmp_path / "forged.tar", archive, changing(settings=given))
    about = restored(other, source)
    assert about.left_out == ("sorce",)
    assert load_settings({}, data=other.data) == Settings(data=other.data, site_name="站")


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


def test_a_file_that_is_there_is_replaced_by_force_only(settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "backup.tar"
    target.write_text("former", encoding="utf-8")
    with pytest.raises(BackupError, match="--force"):
        saved(settings, target)
    assert target.read_text(encoding="utf-8") == "former"
    saved(settings, target, force=True)
    Archive(target)


def test_a_backup_that_fails_leaves_the_former_one_and_nothing_else(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "backups" / "backup.tar"
    with pytest.raises(BackupError, match="No such file"):
        saved(settings, target)
    target.parent.mkdir()
    target.write_text("former", encoding="utf-8")

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
        assert target.read_text(encoding="utf-8") == "former"
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
