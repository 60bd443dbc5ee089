"""Pages of zip archives."""

import io
import zipfile
from collections.abc import Generator
from contextlib import suppress
from typing import IO

from index.corpus.names import is_utf8, member_path
from index.corpus.page import MAX_PAGE_BYTES, Page, PageFormat, Unreadable, page_format
from index.corpus.source import DAMAGE, TOO_LARGE, Source

__all__ = ["read_zip"]


def read_zip(stream: io.BufferedReader, source: Source) -> Generator[Page | Unreadable, None, None]:
    """Give the pages of an archive in the order of its directory; one that is damaged alone."""
    try:
        with zipfile.ZipFile(stream) as archive:
            for member in archive.infolist():
                path = member_path(_name(member))
                form = page_format(path)
                if form is None or member.is_dir():
                    continue
                # Only for the share that has been read: the directory was read first, at the end.
                stream.seek(member.header_offset)
                yield _entry(archive, member, source, path, form)
    except DAMAGE as error:
        yield source.damage(error)


def _entry(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: Source, path: str, form: PageFormat
) -> Page | Unreadable:
    place = f"/{path}"
    if member.flag_bits & 0x1:
        return source.problem(place, "encrypted")
    if member.file_size > MAX_PAGE_BYTES:
        return source.problem(place, TOO_LARGE)
    try:
        with archive.open(member) as content:
            raw = _read_bounded(content)
    except NotImplementedError as error:  # how zipfile tells of a compression it cannot undo
        return source.problem(place, f"cannot be read: {error}")
    except DAMAGE as error:
        return source.problem(place, f"damaged: {str(error) or type(error).__name__}")
    return source.page(source.inside + path, place, raw, form)


def _read_bounded(content: IO[bytes]) -> bytes:
    """Return what is there, but little more than a page may hold: headers lie about sizes."""
    pieces, size = [], 0
    # In small steps, because zipfile expands at once all that it takes in of bzip2 and LZMA.
    while size <= MAX_PAGE_BYTES and (piece := content.read(4096)):
        pieces.append(piece)
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
