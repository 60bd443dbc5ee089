"""One file to read from, and how the pages and problems found in it are named."""

import errno
import lzma
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from index.corpus.names import storable
from index.corpus.page import MAX_PAGE_BYTES, Page, PageFormat, Unreadable

__all__ = [
    "DAMAGE",
    "TOO_LARGE",
    "ExpandsTooMuch",
    "Expansion",
    "FileState",
    "Source",
    "cannot_be_read",
    "passing_fault",
]

FileState = tuple[int, int]
"""Size in bytes, and time of the last change in nanoseconds."""

TOO_LARGE = "larger than 8 MiB"

# Far more than text becomes smaller by; gzip alone can make zeros a thousand times as small.
_MOST_TIMES = 200
_ALWAYS_FREE = 64 * 2**20  # bytes that even the smallest file may become

# What the libraries raise where an archive is not what they expect: each has kinds of its own, and
# lets those of its tools through.
DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that holds pages.

    `path` is its path below what was named on the command line, `inside` what the paths of an
    archive's members begin with, `suffix` what tells how to read it. `modified` is in nanoseconds.
    """

    file: Path
    path: str
    inside: str
    suffix: str
    size: int
    modified: int

    @property
    def state(self) -> FileState:
        """What is different once the file has been written to."""
        return self.size, self.modified

    def page(self, path: str, place: str, raw: bytes, form: PageFormat) -> Page | Unreadable:
        """Return a page, or the problem with it; `place` is where in the file it stands."""
        if len(raw) > MAX_PAGE_BYTES:
            return self.problem(place, TOO_LARGE)
        if not raw.strip():
            return self.problem(place, "empty")
        return Page(path=storable(path), raw=raw, format=form)

    def problem(self, place: str, reason: str, *, may_pass: bool = False) -> Unreadable:
        """Return a problem at a place in the file, or with the file if the place is empty."""
        path = storable(f"{self.file}{place}")
        return Unreadable(path=path, reason=reason, may_pass=may_pass)

    def damage(self, error: Exception) -> Unreadable:
        """Return the problem that ends the reading of an archive."""
        if isinstance(error, ExpandsTooMuch):
            return self.problem("", f"expands too much: {error}")
        if fault := passing_fault(error):
            return self.problem("", cannot_be_read(fault), may_pass=True)
        return self.problem("", f"damaged archive: {str(error) or type(error).__name__}")


def passing_fault(error: Exception) -> Exception | None:
    """Return the fault of the machine that an error tells of; None where the bytes are to blame."""
    # zipfile takes a file whose end it cannot read for no archive.
    told = error.__context__ if isinstance(error, zipfile.BadZipFile) else error
    if isinstance(told, OSError):
        # Libraries give no number; a place before the start of a file is a damaged archive's.
        return told if told.errno not in (None, errno.EINVAL) else None
    return told if isinstance(told, MemoryError) else None


def cannot_be_read(error: Exception) -> str:
    """Return the reason of a problem that the system tells of."""
    said = error.strerror if isinstance(error, OSError) else None
    return f"cannot be read: {said or str(error) or type(error).__name__}"


class ExpandsTooMuch(ValueError):
    """A file becomes so much larger when it is decompressed that it is no crawl."""


class Expansion:
    """Counts what comes out of a compressed file, whether or not it is kept."""

    def __init__(self, source: Source) -> None:
        self._left = _ALWAYS_FREE + _MOST_TIMES * source.size

    def count(self, piece: bytes) -> bytes:
        """Return the piece; raises ExpandsTooMuch where the file has given more than it may."""
        self._left -= len(piece)
        if self._left < 0:
            raise ExpandsTooMuch(f"what is in it is more than {_MOST_TIMES} times its size")
        return piece
