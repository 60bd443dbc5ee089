"""The numbered generations of an index on disk: which is live, what each was built by.

index/current              the number of the live generation
index/000003/              a generation
index/000003/anwen.json    what it was built by, and how far
index/000002.damaged/      one that was found damaged and is kept to be looked at
"""

import errno
import json
import secrets
import shutil
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from index.document import BEIJING
from index.durable import make_folder, write_atomically
from index.errors import IndexDamaged, IndexUnavailable
from index.schema import SCHEMA_VERSION

__all__ = ["ABOUT", "DAMAGED", "Generations", "unreadable"]

ABOUT = "anwen.json"
DAMAGED = ".damaged"

_CURRENT = "current"
_REPAIR = "Run: anwen index --rebuild"
_BROKEN = (errno.EIO, errno.EISDIR, errno.ENOTDIR)  # what is there is no file that can be read


class Generations:
    """The generations of one index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def live(self) -> int:
        """The number of the live generation; 0 where there is none yet.

        Where nothing names one it is the newest that was filled to its end: the first, whose
        writer was killed at that moment. Raises IndexDamaged where the name cannot be read.
        """
        path = self.folder / _CURRENT
        try:
            number = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return max(filter(self.is_complete, self.numbers()), default=0)
        except UnicodeDecodeError:
            number = ""
        except OSError as error:
            raise unreadable(path, error) from error
        if not number.isdigit() or not int(number):
            raise IndexDamaged(f"The index file {path} is damaged: it holds no number. {_REPAIR}")
        return int(number)

    @property
    def state(self) -> tuple[int, int]:
        """What is live, and a number of its commit: it differs after every change.

        Never fails: what cannot be read has a state too, and another once it is mended.
        """
        try:
            live = self.live
        except IndexUnavailable:
            return -1, 0
        if not live:
            return 0, 0
        path = self.path(live) / ABOUT
        try:
            commit = json.loads(path.read_bytes())["commit"]
            if isinstance(commit, int):
                return live, commit
        except (OSError, ValueError, TypeError, KeyError):
            pass  # of an earlier program, damaged or gone
        try:
            return live, path.stat().st_mtime_ns
        except OSError:
            return live, 0

    @property
    def committed(self) -> datetime | None:
        """When the live generation was last committed to; None where that cannot be said."""
        try:
            moment = (self.path(self.live) / ABOUT).stat().st_mtime
        except (OSError, IndexUnavailable):
            return None
        return datetime.fromtimestamp(moment, BEIJING)

    @property
    def is_named(self) -> bool:
        """Say whether there is a file that names the live generation."""
        return (self.folder / _CURRENT).is_file()

    def path(self, number: int) -> Path:
        """Return the folder of a generation."""
        return self.folder / f"{number:06}"

    def numbers(self) -> list[int]:
        """Return the generations that are there, unfinished ones too, the newest first.

        Raises IndexUnavailable where they may not be listed.
        """
        try:
            found = [path.name for path in self.folder.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise unreadable(self.folder, error) from error
        return sorted((int(name) for name in found if name.isdigit()), reverse=True)

    def is_complete(self, number: int) -> bool:
        """Say whether a generation was filled to its end."""
        return (self.path(number) / ABOUT).is_file()

    def former(self) -> list[int]:
        """Return what may answer in place of a damaged live generation, the newest first."""
        try:
            live = self.live
        except IndexUnavailable:
            live = 0
        return [each for each in self.numbers() if each != live and self.is_complete(each)]

    def about(self, number: int) -> dict[str, Any]:
        """Return what a generation was built by; raises IndexDamaged where that is not sound."""
        path = self.path(number) / ABOUT
        try:
            about: dict[str, Any] = dict(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise IndexDamaged(f"The index file {path} is damaged: {error}. {_REPAIR}") from error
        except OSError as error:
            raise unreadable(path, error) from error
        # Files of the first schema have no checksum, and are read far enough to say so.
        is_first = about.keys() == {"schema", "analyzer", "revision"} and about["schema"] == 1
        if not is_first and about.pop("checksum", None) != _checksum(about):
            raise IndexDamaged(
                f"The index file {path} is damaged: it does not match its checksum. {_REPAIR}"
            )
        return about

    def begin(self) -> int:
        """Make the folder of a further generation, and return its number."""
        # The live one may be named and gone: its number stays its own.
        live = 0
        with suppress(IndexDamaged):
            live = self.live
        number = max([live, *self.numbers()]) + 1
        make_folder(self.path(number))
        return number

    def complete(self, number: int, analyzer: str, revision: int) -> None:
        """Say on the disk by what a generation was built, and how far it goes."""
        about = {
            "schema": SCHEMA_VERSION,
            "analyzer": analyzer,
            "revision": revision,
            # Readers notice a commit by it. Times would do, if clocks were never set back.
            "commit": secrets.randbits(48),
        }
        path = self.path(number) / ABOUT
        write_atomically(path, json.dumps(about | {"checksum": _checksum(about)}))

    def go_live(self, number: int, *, damaged: bool) -> None:
        """Make a complete generation the live one, and delete those that nobody can be reading.

        The one before stays for its readers. Where it is `damaged` it is set aside instead, in
        place of one that was set aside earlier, and the one before it stays for theirs.
        """
        former = [each for each in self.former() if each != number]
        try:
            live = self.live
        except IndexDamaged:
            live = 0
            self._make_way()
        write_atomically(self.folder / _CURRENT, str(number))
        kept = {number, *former[:1]} if damaged or not live else {number, live}
        if damaged and live and self.path(live).is_dir():
            for path in self.folder.glob(f"*{DAMAGED}"):
                shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):
                self.path(live).rename(self.path(live).with_suffix(DAMAGED))
        for each in self.numbers():
            if each not in kept:
                shutil.rmtree(self.path(each), ignore_errors=True)

    def _make_way(self) -> None:
        """Set aside what stands in place of the file that names the live generation."""
        path = self.folder / _CURRENT
        if path.is_dir():
            target = path.with_suffix(DAMAGED)
            shutil.rmtree(target, ignore_errors=True)
            path.rename(target)

    def drop_unfinished(self) -> None:
        """Delete what killed writers have left; for the one writer that there is."""
        for path in self._unfinished():
            shutil.rmtree(path, ignore_errors=True)

    def strays(self) -> list[Path]:
        """Return what nothing names, where no writer is at work; raises IndexDamaged."""
        live = self.live
        newer = (
            self.path(each) for each in self.numbers() if each > live and self.is_complete(each)
        )
        return [*self._unfinished(), *newer]

    def _unfinished(self) -> list[Path]:
        try:
            live = self.live
        except IndexUnavailable:
            return []
        numbers = self.numbers()
        return [self.path(each) for each in numbers if each != live and not self.is_complete(each)]

    def size(self, number: int) -> int:
        """Return the bytes of a generation on disk."""
        size = 0
        with suppress(OSError):
            for path in self.path(number).iterdir():
                with suppress(OSError):  # merged away a moment ago
                    size += path.stat().st_size
        return size


def unreadable(path: Path, error: OSError) -> IndexUnavailable:
    """Return the error of a file that cannot be read: missing and broken ones are damage."""
    if isinstance(error, FileNotFoundError):
        return IndexDamaged(f"The index file {path} is missing. {_REPAIR}")
    if error.errno in _BROKEN:
        return IndexDamaged(f"The index file {path} is damaged: {error.strerror}. {_REPAIR}")
    return IndexUnavailable(
        f"The index file {path} cannot be read: {error.strerror or error}. See who may read the "
        "data folder, and whether its disk is sound."
    )


def _checksum(about: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(about, sort_keys=True).encode())
