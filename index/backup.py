"""Backups of a data folder: all that cannot be made again, in one file, and back.

    manifest.json       versions, counts, settings; size and SHA-256 of each other member
    articles.sqlite3    the article store, of one moment
    tables/terms.txt    the operator's own tables that the settings name, likewise synonyms.txt,
                        entities.txt and denials.txt

The index is not in it: a restored store makes it anew.
"""

import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from index.archive import Archive, Member, write_archive
from index.database import Database
from index.document import BEIJING
from index.durable import make_folder, sync_folder, write_atomically
from index.elsewhere import INDEXER_FILE
from index.errors import AnwenError, BackupError, SettingsError, StoreError
from index.lock import writing
from index.settings import Settings, load_settings
from index.store import SCHEMA_ROWS, STORE_FILE, STORE_VERSION, store_schema
from index.summary import Progress

__all__ = ["Backup", "Restored", "backup", "restore"]

_FORMAT = 1
_MANIFEST = "manifest.json"
_SETTINGS = "anwen.toml"
_TABLES = ("terms", "synonyms", "entities", "denials")
_LARGEST_MANIFEST = 1 << 20  # bytes
_LARGEST_TABLE = 1 << 28
_CHUNK = 1 << 20
_STAGING = "restoring.new"
_SECRET = re.compile(
    r"secret|password|passwd|token|credential|_auth|(?:^|_)key(?:$|_)", re.IGNORECASE
)
_LOGIN = re.compile(r"(?<=://)[^/@\s]*@")  # a name and a password in an address


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds; `created` is in ISO 8601, sizes are in bytes."""

    created: str
    anwen: str
    store_version: int
    revision: int
    articles: int
    pages: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restoration has done besides bringing the backup's store."""

    backup: Backup
    replaced: Path | None
    """Where what was in the data folder before is now."""

    settings: Path | None
    """Where the backup's settings are: not in force where the data folder has its own."""

    left_out: tuple[str, ...]
    """Settings of the backup that this program does not know."""


def backup(settings: Settings, target: Path, *, force: bool, progress: Progress) -> Backup:
    """Write a copy of the data folder as it is at this moment, while others serve and write.

    Without `force` a file that is there already is not replaced. Raises StoreError where there is
    no store, BackupError where it is damaged or the copy cannot be written.
    """
    if target.exists() and not force:
        raise BackupError(f"{target} is there already. Name another file, or replace it: --force")
    if not target.parent.is_dir():
        raise BackupError(f"{target.parent} is no folder. Make it, or name a file elsewhere.")
    if target.exists() and not _is_backup(target):
        raise BackupError(f"{target} is there, and is no backup. Name another file.")
    store = Database(settings.data / STORE_FILE, read_only=True)
    with (
        closing(store),
        _write_errors(target),
        TemporaryDirectory(dir=target.parent, prefix=".anwen-backup-") as folder,
    ):
        scratch = Path(folder)
        progress.stage("copying the store", None)
        copy = scratch / STORE_FILE
        try:
            store.copy(copy, lambda share: progress.advance(0, share))
        except StoreError as error:  # of either file: SQLite does not say which
            raise BackupError(f"No backup was written. {error}") from error
        about = _about_store(copy)
        members = [(STORE_FILE, copy)]
        for name, path in _tables(settings):
            own = scratch / f"{name}.txt"
            _copy_table(name, path, own)
            members.append((f"tables/{name}.txt", own))
        manifest = about | {
            "format": _FORMAT,
            "anwen": version("anwen"),
            "created": datetime.now(BEIJING).isoformat(timespec="seconds"),
            "settings": _portable(settings),
            "members": [
                {"name": name, "size": path.stat().st_size, "sha256": _digest(path)}
                for name, path in members
            ],
        }
        listed = scratch / _MANIFEST
        listed.write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
        progress.stage("writing the backup", None)
        written = scratch / "backup"
        members = [(_MANIFEST, listed), *members]
        write_archive(written, members, lambda share: progress.advance(0, share))
        _put_in_place(written, target, force=force)
        sync_folder(target.parent)
        return _backup(manifest, target.stat().st_size)


def restore(settings: Settings, source: Path, *, force: bool) -> Restored:
    """Put a backup's store, tables and settings into the data folder; the index is to be rebuilt.

    What was there is set aside, a store only with `force`. Raises BackupError before anything is
    changed where the backup is damaged, cut short, of a newer version or no backup at all;
    StoreLocked where another process is writing.
    """
    archive = Archive(source)
    manifest, members = _manifest(archive)
    with writing(settings.data), _write_errors(settings.data):
        data = settings.data
        has_store = (data / STORE_FILE).exists()
        if has_store and not force:
            raise BackupError(
                f"{data} has an article store. Name another folder with --data, or set it aside: "
                "--force"
            )
        staging = data / _STAGING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            (staging / "tables").mkdir(parents=True)
            for member in members:
                archive.extract(member, staging / member.name, _sha256_of(manifest, member))
            _check_store(archive, staging / STORE_FILE, manifest["store_version"])
            left_out = _write_settings(archive, manifest, members, staging, data)
            is_own = (data / _SETTINGS).exists() and not has_store
            replaced = _set_aside(data, with_settings=has_store)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        kept: Path | None = None
        if (staging / _SETTINGS).exists():
            kept = data / (f"{_SETTINGS}.restored" if is_own else _SETTINGS)
            (staging / _SETTINGS).replace(kept)
        if any((staging / "tables").iterdir()):
            sync_folder(staging / "tables")
            (staging / "tables").replace(data / "tables")
        # Last, and after all names before it: a folder with a store is a restored one.
        sync_folder(data)
        (staging / STORE_FILE).replace(data / STORE_FILE)
        shutil.rmtree(staging, ignore_errors=True)
        sync_folder(data)
    return Restored(
        backup=_backup(manifest, source.stat().st_size),
        replaced=replaced,
        settings=kept,
        left_out=left_out,
    )


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupError(
            f"{error.filename or path} cannot be written: {error.strerror or error}. See whether "
            "the disk is full, and who may write there."
        ) from error


def _is_backup(path: Path) -> bool:
    """Say whether a file may be replaced by a backup: one before it, or nothing at all."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        begin = file.read(len(_MANIFEST) + 1)
    return begin in (b"", _MANIFEST.encode() + b"\0")


def _backup(manifest: dict[str, Any], size: int) -> Backup:
    names = ("created", "anwen", "store_version", "revision", "articles", "pages")
    return Backup(**{name: manifest[name] for name in names}, size=size)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


# Writing


def _about_store(copy: Path) -> dict[str, int]:
    """Return what a manifest says of a store, which must be sound."""
    with closing(Database(copy, read_only=True)) as database:
        store_version = database.count("PRAGMA user_version")
        if store_version not in range(1, STORE_VERSION + 1):
            raise BackupError(
                f"The article store has version {store_version}; this program knows versions up to "
                f"{STORE_VERSION}. Install the version of anwen that wrote it."
            )
        if faults := database.faults():
            raise BackupError(
                f"The article store is damaged, and no backup was written: {faults[0]}. Keep the "
                "backups that there are, and run: anwen verify"
            )
        return {
            "store_version": store_version,
            "revision": database.count("SELECT revision FROM counter"),
            "articles": database.count("SELECT count(*) FROM article WHERE document IS NOT NULL"),
            "pages": database.count("SELECT count(*) FROM page"),
        }


def _tables(settings: Settings) -> list[tuple[str, Path]]:
    named = ((name, getattr(settings, name)) for name in _TABLES)
    return [(name, path) for name, path in named if path is not None]


def _copy_table(name: str, path: Path, target: Path) -> None:
    try:
        size = path.stat().st_size
        if size > _LARGEST_TABLE:
            raise BackupError(f"The setting {name} names {path}, which has {size:,} bytes.")
        shutil.copyfile(path, target)
    except OSError as error:
        raise BackupError(
            f"The setting {name} names {path}, which cannot be read: {error.strerror or error}."
        ) from error


def _portable(settings: Settings) -> dict[str, object]:
    """Return the settings that are not as they are by default, without secrets and paths."""
    found: dict[str, object] = {}
    for each in fields(settings):
        value = getattr(settings, each.name)
        if _SECRET.search(each.name) or value in (None, each.default):
            continue
        if isinstance(value, str):
            found[each.name] = _LOGIN.sub("", value)
        elif isinstance(value, bool | int | float):
            found[each.name] = value
        elif isinstance(value, tuple):
            found[each.name] = [_LOGIN.sub("", str(part)) for part in value]
    return found


def _put_in_place(written: Path, target: Path, *, force: bool) -> None:
    """Give a file its name at once; without `force` only where nothing has it."""
    if not force:
        try:
            os.link(written, target)
        except FileExistsError as error:
            raise BackupError(
                f"{target} is there already. Name another file, or replace it: --force"
            ) from error
        except OSError:
            if target.exists():  # a file system without links
                raise
        else:
            return
    written.replace(target)


# Reading


def _manifest(archive: Archive) -> tuple[dict[str, Any], list[Member]]:
    """Return the manifest, and the members that it names, which are all that there are."""
    members = archive.members
    if not members or members[0].name != _MANIFEST or members[0].size > _LARGEST_MANIFEST:
        raise archive.refusal("it does not begin with a manifest")
    first, *members = members
    try:
        manifest = json.loads(archive.read(first))
        if manifest["format"] != _FORMAT or manifest["store_version"] > STORE_VERSION:
            raise archive.refusal(
                f"anwen {manifest['anwen']} has written it, and this is {version('anwen')}, which "
                "is older; install that version or a newer one"
            )
        listed = [(each["name"], each["size"]) for each in manifest["members"]]
        digests = [each["sha256"] for each in manifest["members"]]
        numbers = [manifest[each] for each in ("store_version", "revision", "articles", "pages")]
        is_whole = (
            all(type(number) is int and number >= 0 for number in numbers)
            and all(isinstance(text, str) for text in (manifest["created"], manifest["anwen"]))
            and isinstance(manifest["settings"], dict)
            and all(isinstance(digest, str) for digest in digests)
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise archive.refusal(f"its manifest cannot be read ({error})") from error
    if not is_whole:
        raise archive.refusal("its manifest cannot be read")
    allowed = [STORE_FILE, *(f"tables/{name}.txt" for name in _TABLES)]
    for member in members:
        if member.name not in allowed:
            raise archive.refusal(f"its member {member.name!r} is not part of a backup")
        if member.name != STORE_FILE and member.size > _LARGEST_TABLE:
            raise archive.refusal(f"its member {member.name!r} is too large")
    names = [member.name for member in members]
    if names != [each for each in allowed if each in names] or STORE_FILE not in names:
        raise archive.refusal("its members are not those of a backup")
    if [(member.name, member.size) for member in members] != listed:
        raise archive.refusal("its members are not those of its manifest")
    return manifest, members


def _sha256_of(manifest: dict[str, Any], member: Member) -> str:
    return str(next(e["sha256"] for e in manifest["members"] if e["name"] == member.name))


def _check_store(archive: Archive, path: Path, store_version: int) -> None:
    """Refuse what is no sound store, or has anything in it that a store has not."""
    try:
        with closing(Database(path)) as database:
            # Nothing that a statement of the file itself says may run meanwhile.
            database.run("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")
            found = database.count("PRAGMA user_version")
            if found != store_version or not found:
                raise archive.refusal(f"its store has version {found}, not {store_version}")
            if sorted(database.rows(SCHEMA_ROWS)) != store_schema(found):
                raise archive.refusal(f"its store has other tables than version {found}")
            if faults := database.faults():
                raise archive.refusal(f"its store is damaged: {faults[0]}")
    except BackupError:
        raise
    except AnwenError as error:
        raise archive.refusal(f"its store cannot be read: {error}") from error


def _write_settings(
    archive: Archive, manifest: dict[str, Any], members: list[Member], staging: Path, data: Path
) -> tuple[str, ...]:
    """Write the file of settings where there are any; return those that are not known here."""
    known = {each.name for each in fields(Settings)}
    values: dict[str, object] = {}
    left_out = []
    for name, value in manifest["settings"].items():
        if name not in known:
            left_out.append(name)
        elif not _SECRET.search(name) and name not in {"data", *_TABLES}:
            values[name] = value
    tables = [
        name for name in _TABLES if any(member.name == f"tables/{name}.txt" for member in members)
    ]
    if values or tables:
        try:
            # Tried where the tables are now, then written for where they will be.
            for folder in (staging, data):
                values |= {
                    name: str((folder / "tables" / f"{name}.txt").absolute()) for name in tables
                }
                text = "".join(f"{name} = {_toml(value)}\n" for name, value in values.items())
                write_atomically(staging / _SETTINGS, text)
                if folder is staging:
                    load_settings({}, data=staging)
        except (SettingsError, ValueError, TypeError) as error:
            raise archive.refusal(f"its settings are wrong: {error}") from error
    return tuple(left_out)


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_toml(part) for part in value)}]"
    if isinstance(value, str | bool | int | float):
        # Strings, numbers and truth are written as in JSON, but for one sign.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    raise TypeError(f"{value!r} is no value of a setting")


def _set_aside(data: Path, *, with_settings: bool) -> Path | None:
    """Move what a data folder holds into a folder beside it; return that, or None."""
    store = data / STORE_FILE
    if store.exists():
        # What stands in the file beside it is brought in, so that a kill here parts nothing.
        with suppress(sqlite3.Error), closing(sqlite3.connect(store)) as database:
            (is_busy, *_) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if is_busy:
                raise BackupError(
                    f"Another process is reading {store}, a backup or a verification perhaps. "
                    "Run this again when it has finished."
                )
    # The index first, and the name that one on a cluster knows the store by: neither must ever be
    # taken for that of another store.
    names = ["index", INDEXER_FILE, f"{STORE_FILE}-shm", f"{STORE_FILE}-wal", STORE_FILE, "tables"]
    found = [name for name in names if (data / name).exists()]
    if with_settings and (data / _SETTINGS).exists():
        found.append(_SETTINGS)
    if not found:
        return None
    moment = datetime.now(BEIJING).strftime("%Y%m%d-%H%M%S")
    replaced, number = data / f"replaced-{moment}", 1
    while replaced.exists():
        number += 1
        replaced = data / f"replaced-{moment}-{number}"
    make_folder(replaced)
    for name in found:
        (data / name).rename(replaced / name)
        sync_folder(replaced)
    return replaced
