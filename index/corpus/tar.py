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
from index.corpus.source import DAMAGE, TOO_LARGE, Expansion, Source

__all__ = ["read_tar"]

# Headers that extend the next one, by a long name for example; tarfile reads them at once.
_EXTENSIONS = (
    tarfile.GNUTYPE_LONGLINK,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.XHDTYPE,
)
_MAX_EXTENSION_BYTES = 2**16  # every member has a copy of what a global one says
_MOST_EXTENSIONS = 8  # a long name, a long link, and those of pax
_MAX_DICTIONARY = 100 * 2**20  # what `xz -9` makes takes 65 MiB
_STEP = io.DEFAULT_BUFFER_SIZE  # bytes that are taken in or given out at once


def read_tar(stream: io.BufferedReader, source: Source) -> Generator[Page | Unreadable, None, None]:
    """Give the pages of an archive in its own order, decompressing it once."""
    try:
        with _decompressed(stream) as decompressed:
            tar = _TarBytes(decompressed, Expansion(source))
            with tarfile.open(
                fileobj=tar,
                mode="r|",
                # One class for each archive, since it counts.
                tarinfo=type("_ArchiveHeader", (_Header,), {}),
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
        return _XzBytes(stream)
    if start.startswith(b"BZh"):
        return bz2.BZ2File(stream)
    return nullcontext(stream)


class _XzBytes(io.BufferedIOBase):
    """The bytes of an xz file of one or several parts, decompressed in bounded memory."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream, self._pending = stream, b""
        self._decoder = self._new_decoder()

    def read1(self, size: int = -1) -> bytes:
        size = min(size, _STEP) if size >= 0 else _STEP
        while True:
            if self._decoder.eof:
                # Zeros may stand between the parts.
                rest = self._decoder.unused_data.lstrip(b"\0")
                while not rest and (piece := self._stream.read(_STEP)):
                    rest = piece.lstrip(b"\0")
                if not rest:
                    return b""
                self._decoder, self._pending = self._new_decoder(), rest
            packed, self._pending = self._pending, b""
            if not packed and self._decoder.needs_input:
                packed = self._stream.read(_STEP)
                if not packed:
                    raise EOFError("it ends inside its compressed data")
            if piece := self._decoder.decompress(packed, size):
                return piece

    @staticmethod
    def _new_decoder() -> lzma.LZMADecompressor:
        # LZMAFile knows no limit, and a header may ask for a dictionary of gigabytes.
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_DICTIONARY)


class _TarBytes(io.BufferedIOBase):
    """The bytes of a tar archive, which must not run out before its end mark has been met.

    tarfile takes that for a good end, or goes on counting through what a false header promised.
    """

    def __init__(self, stream: io.BufferedIOBase, expansion: Expansion) -> None:
        self._stream, self._expansion = stream, expansion
        self.has_ended = False

    def read(self, size: int | None = -1) -> bytes:
        # One step of the decompressor: of several, those before a failing one would be lost.
        piece = self._stream.read1(-1 if size is None else size)
        if not piece and not self.has_ended:
            raise EOFError("it ends without an end mark")
        return self._expansion.count(piece)


class _Header(tarfile.TarInfo):
    """A header that raises ReadError if it is invalid: tarfile takes it for a good end.

    It raises it for a long row of headers that extend each other too: each is kept until the end.
    """

    _extensions = 0

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
        if header.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a sparse file")
        cls._extensions = cls._extensions + 1 if header.type in _EXTENSIONS else 0
        if cls._extensions > _MOST_EXTENSIONS:
            raise tarfile.ReadError(f"more than {_MOST_EXTENSIONS} headers for one member")
        return header

    def _proc_gnusparse_10(self, *_: object) -> None:
        # Its map is read number by number, for as long as the archive gives numbers.
        raise tarfile.ReadError("a sparse file")
