"""Pages of tar archives, plain and compressed."""

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from typing import Self

from index.corpus.names import member_path
from index.corpus.page import MAX_PAGE_BYTES, Page, Unreadable, page_format
from index.corpus.source import DAMAGE, TOO_LARGE, Source

__all__ = ["read_tar"]

# Headers that extend the next one, by a long name for example; tarfile reads them at once.
_EXTENSIONS = (
    tarfile.GNUTYPE_LONGLINK,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.XHDTYPE,
)
_MAX_EXTENSION_BYTES = 2**20


def read_tar(stream: io.BufferedReader, source: Source) -> Generator[Page | Unreadable, None, None]:
    """Give the pages of an archive in its own order, decompressing it once."""
    try:
        with _decompressed(stream) as decompressed:
            tar = _TarBytes(decompressed)
            with tarfile.open(
                fileobj=tar,
                mode="r|",
                tarinfo=_Header,
                encoding="utf-8",
                errors="surrogateescape",
            ) as archive:
                for member in archive:
                    archive.members.clear()  # type: ignore[attr-defined]  # it keeps every header
                    path = member_path(member.name)
                    form = page_format(path)
                    # Links repeat a page or lead out of the archive.
                    if form is None or not member.isfile():
                        continue
                    if member.size > MAX_PAGE_BYTES:
                        yield source.problem(f"/{path}", TOO_LARGE)
                    elif content := archive.extractfile(member):
                        with content:
                            raw = content.read()
                        yield source.page(source.inside + path, f"/{path}", raw, form)
                tar.has_ended = True
                while piece := archive.fileobj.read(2**16):
                    if piece.strip(b"\0"):
                        raise tarfile.ReadError("more follows its end mark")
    except DAMAGE as error:
        yield source.damage(error)


def _decompressed(stream: io.BufferedReader) -> AbstractContextManager[io.BufferedIOBase]:
    # tarfile's own streams read only the first of several compressed parts, which `cat` and
    # parallel compressors make, and compare no checksums.
    start = stream.peek(6)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=stream)
    if start.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMAFile(stream)
    if start.startswith(b"BZh"):
        return bz2.BZ2File(stream)
    return nullcontext(stream)


class _TarBytes(io.BufferedIOBase):
    """The bytes of a tar archive, which must not run out before its end mark has been met.

    tarfile takes that for a good end, or goes on counting through what a false header promised.
    """

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self.has_ended = False

    def read(self, size: int | None = -1) -> bytes:
        # One step of the decompressor: of several, those before a failing one would be lost.
        piece = self._stream.read1(-1 if size is None else size)
        if not piece and not self.has_ended:
            raise EOFError("it ends without an end mark")
        return piece


class _Header(tarfile.TarInfo):
    """A header that raises ReadError if it is invalid: tarfile takes it for a good end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error
        if header.size < 0 or (header.type in _EXTENSIONS and header.size > _MAX_EXTENSION_BYTES):
            raise tarfile.ReadError(f"a header of {header.size} bytes")
        return header
