"""The container that each file of a segment is: named sections, each with its checksum.

    "ANWENVEC" · version (u32) · zero (u32)
    sections, each beginning on a multiple of 8 bytes
    directory: JSON, a list of [name, offset, bytes, crc32, note]
    offset (u64), bytes (u32) and crc32 (u32) of the directory · "ANWENEND"

Every number is little-endian. The directory is checked when a file is opened, a section when it is
read first, so that opening a file does not read all of it and no damaged byte is ever searched.
"""

import errno
import json
import mmap
import os
import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamaged, IndexUnavailable

__all__ = ["ContainerReader", "ContainerWriter", "Section"]

VERSION = 1

_MAGIC = b"ANWENVEC"
_END = b"ANWENEND"
_HEADER = struct.Struct("<8sII")
_FOOTER = struct.Struct("<QII8s")
_ALIGNMENT = 8


class Section(NamedTuple):
    """One entry of the directory; `note` is what the writer said about it, as JSON has it."""

    name: str
    offset: int
    size: int
    checksum: int
    note: Any


class ContainerWriter:
    """Writes a container section by section; it is complete after `close`."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(_HEADER.pack(_MAGIC, VERSION, 0))
        self._offset = _HEADER.size
        self._sections: list[Section] = []

    def add(self, name: str, arrays: Sequence[NDArray[Any]], note: Any = None) -> None:
        """Append a section made of arrays, each padded to a multiple of 8 bytes."""
        start, checksum = self._offset, 0
        for array in arrays:
            piece = np.ascontiguousarray(array).tobytes()
            piece += bytes(-len(piece) % _ALIGNMENT)
            checksum = zlib.crc32(piece, checksum)
            self._file.write(piece)
            self._offset += len(piece)
        self._sections.append(Section(name, start, self._offset - start, checksum, note))

    def close(self) -> None:
        """Write the directory."""
        directory = json.dumps(self._sections, separators=(",", ":")).encode()
        checksum = zlib.crc32(directory)
        footer = _FOOTER.pack(self._offset, len(directory), checksum, _END)
        try:
            self._file.write(directory + footer)
            self._file.flush()
            os.fsync(self._file.fileno())  # before anything names the file
        except BaseException:
            self.abandon()
            raise
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it is; nobody will read it."""
        with suppress(OSError):  # of what is still to be written, on a full disk
            self._file.close()


class ContainerReader:
    """A container mapped into memory; the arrays that it gives out keep the mapping alive."""

    def __init__(self, path: Path) -> None:
        """Open a file; raises IndexDamaged, with the repair, where it is no sound container.

        Raises FileNotFoundError where there is none, IndexUnavailable where it may not be read.
        """
        self._path = path
        self._checked: set[int] = set()
        try:
            with path.open("rb") as file:
                self._buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise  # another process may have merged it away: the caller looks for the newer state
        except ValueError as error:  # of an empty file
            raise self._damaged(str(error)) from error
        except OSError as error:
            if error.errno in (errno.EIO, errno.EISDIR, errno.ENODEV):  # the latter of a folder
                raise self._damaged(str(error.strerror)) from error
            raise IndexUnavailable(
                f"The index file {path} cannot be read: {error.strerror or error}. See who may "
                "read the data folder."
            ) from error
        if len(self._buffer) < _HEADER.size + _FOOTER.size:
            raise self._damaged("it is cut short")
        magic, version, _ = _HEADER.unpack_from(self._buffer)
        if magic != _MAGIC:
            raise self._damaged("it is no file of this index")
        if version != VERSION:
            raise self._damaged(f"it has version {version}, this program reads {VERSION}")
        offset, size, checksum, end = _FOOTER.unpack_from(
            self._buffer, len(self._buffer) - _FOOTER.size
        )
        if end != _END or offset + size + _FOOTER.size != len(self._buffer):
            raise self._damaged("it is cut short")
        directory = self._buffer[offset : offset + size]
        if zlib.crc32(directory) != checksum:
            raise self._damaged("its directory does not match its checksum")
        self.sections = [Section(*entry) for entry in json.loads(directory)]

    def bytes(self, number: int) -> memoryview:
        """Return a section by its place in `sections`; raises IndexDamaged if damaged."""
        section = self.sections[number]
        data = memoryview(self._buffer)[section.offset : section.offset + section.size]
        if number not in self._checked:
            if zlib.crc32(data) != section.checksum:
                raise self._damaged(f"section {section.name} does not match its checksum")
            self._checked.add(number)
        return data

    def _damaged(self, reason: str) -> IndexDamaged:
        return IndexDamaged(
            f"The index file {self._path} is damaged: {reason}. Run: anwen index --rebuild"
        )
