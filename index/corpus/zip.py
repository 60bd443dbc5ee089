"""Pages of zip archives."""

import bz2
import io
import stat
import zipfile
import zlib
from collections.abc import Generator
from contextlib import suppress
from copy import copy
from typing import IO

from index.corpus.names import is_utf8, member_path
from index.corpus.page import MAX_PAGE_BYTES, Page, PageFormat, Unreadable, page_format
from index.corpus.source import (
    DAMAGE,
    TOO_LARGE,
    ExpandsTooMuch,
    Expansion,
    Source,
    cannot_be_read,
    passing_fault,
)

__all__ = ["read_zip"]

# zipfile keeps an object of each: a million took 595 MB.
_MAX_MEMBERS = 200_000
_MAX_DIRECTORY_BYTES = 32 * 2**20


def read_zip(stream: io.BufferedReader, source: Source) -> Generator[Page | Unreadable, None, None]:
    """Give the pages of an archive in the order of its directory; one that is damaged alone."""
    expansion = Expansion(source)
    try:
        with zipfile.ZipFile(_BoundedDirectory(stream)) as archive:
            for member in archive.infolist():
                path = member_path(_name(member))
                form = page_format(path)
                if form is None or member.is_dir() or _is_special(member):
                    continue
                # Only for the share that has been read: the directory was read first, at the end.
                stream.seek(member.header_offset)
                yield _entry(archive, member, source, path, form, expansion)
    except _TooManyMembers as error:
        yield source.problem("", f"too many members: {error}")
    except DAMAGE as error:
        yield source.damage(error)


def _is_special(member: zipfile.ZipInfo) -> bool:
    """Say whether a member is a link, a device or the like, where Unix has packed it."""
    return stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG)


class _TooManyMembers(ValueError):
    """A directory that would fill the memory."""


class _BoundedDirectory(io.BufferedIOBase):
    """The file, of which zipfile reads the directory at once, however large it is."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int | None = -1) -> bytes:
        size = -1 if size is None else size
        if size > _MAX_DIRECTORY_BYTES:
            raise _TooManyMembers(f"a directory of {size:,} bytes")
        data = self._stream.read(size)
        if len(data) > _MAX_MEMBERS and data.count(b"PK\1\2") > _MAX_MEMBERS:
            raise _TooManyMembers(f"more than {_MAX_MEMBERS:,}; several archives can hold them")
        return data


def _entry(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    source: Source,
    path: str,
    form: PageFormat,
    expansion: Expansion,
) -> Page | Unreadable:
    place = f"/{path}"
    if member.flag_bits & 0x1:
        return source.problem(place, "encrypted")
    if member.file_size > MAX_PAGE_BYTES:
        return source.problem(place, TOO_LARGE)
    try:
        raw = _content(archive, member, expansion)
    except ExpandsTooMuch:  # members may share their bytes: the archive does, not this one
        raise
    except NotImplementedError as error:  # how zipfile tells of a compression it cannot undo
        return source.problem(place, f"cannot be read: {error}")
    except DAMAGE as error:
        if fault := passing_fault(error):
            return source.problem(place, cannot_be_read(fault), may_pass=True)
        return source.problem(place, f"damaged: {str(error) or type(error).__name__}")
    return source.page(source.inside + path, place, raw, form)


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, expansion: Expansion) -> bytes:
    if member.compress_type != zipfile.ZIP_BZIP2:
        with archive.open(member) as content:
            return _read_bounded(content, expansion)
    # zipfile expands at once all that it takes in, which of bzip2 may be gigabytes in a kilobyte.
    packed = copy(member)
    packed.compress_type, packed.file_size = zipfile.ZIP_STORED, member.compress_size
    del packed.CRC  # that of the page
    with archive.open(packed) as stored, bz2.BZ2File(stored) as content:
        raw = _read_bounded(content, expansion)
    if len(raw) <= MAX_PAGE_BYTES and zlib.crc32(raw) != member.CRC:
        raise zipfile.BadZipFile("Bad CRC-32")
    return raw


def _read_bounded(content: IO[bytes] | io.BufferedIOBase, expansion: Expansion) -> bytes:
    """Return what is there, but little more than a page may hold: headers lie about sizes."""
    pieces, size = [], 0
    # In small steps, because zipfile expands at once all that it takes in of LZMA.
    while size <= MAX_PAGE_BYTES and (piece := content.read(4096)):
        pieces.append(expansion.count(piece))
        size += len(piece)
    return b"".join(pieces)


def _name(member: zipfile.ZipInfo) -> str:
    """Return a member's name; without the UTF-8 flag it is GBK more often than code page 437."""
    name = member.filename
    if not member.flag_bits & 0x800:
        # What fits neither stays: real code page 437, or a name from the Unicode extension.
        with suppress(UnicodeError):
            raw = name.encode("cp437")
            name = raw.decode("utf-8" if is_utf8(raw) else "gb18030")
    return name.replace("\\", "/")
