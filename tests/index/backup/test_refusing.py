"""Backups are hostile until they are checked: damaged, forged, or with members of another kind."""

import hashlib
import io
import json
import random
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from index.archive import Archive, write_archive
from index.errors import BackupError
from index.settings import Settings, load_settings
from index.store import STORE_VERSION
from tests.index.backup.saving import restored


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
    (running("CREATE TRIGGER sqliteXt AFTER DELETE ON page BEGIN SELECT 1; END"), "other tables"),
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
