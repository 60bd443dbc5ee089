"""The archive of a backup: a tar file of plain members of which every byte is checked.

Tar itself protects little: a seal, the last member, is the SHA-256 of all bytes before it. The
header of each member must be the one that this module writes for its name and size, so that there
are no links, no owners, no paths but plain names and nothing between the members.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tarfile import BLOCKSIZE, GNU_FORMAT, HeaderError, TarInfo
from typing import BinaryIO

from index.errors import BackupError

__all__ = ["Archive", "Member", "write_archive"]

_SEAL = "sha256"
_SEAL_SIZE = 65  # hexadecimal digits, and an end of line
_END = bytes(2 * BLOCKSIZE)
_CHUNK = 1 << 20
_MOST_MEMBERS = 16  # a backup has six, with the seal seven


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an archive; `offset` is where its bytes begin."""

    name: str
    size: int
    offset: int


def write_archive(
    path: Path, members: list[tuple[str, Path]], step: Callable[[float], None]
) -> None:
    """Write files under the names they are to have; the archive is on the disk afterwards.

    `step` is called with the share that is done. Raises OSError.
    """
    total = sum(source.stat().st_size for _, source in members) or 1
    digest, done = hashlib.sha256(), 0
    with path.open("xb") as file:

        def write(data: bytes) -> None:
            digest.update(data)
            file.write(data)

        for name, source in members:
            size = source.stat().st_size
            write(_header(name, size))
            with source.open("rb") as content:
                while chunk := content.read(_CHUNK):
                    write(chunk)
                    done += len(chunk)
                    step(done / total)
            write(bytes(_padding(size)))
        file.write(_header(_SEAL, _SEAL_SIZE))
        file.write(f"{digest.hexdigest()}\n".encode())
        file.write(bytes(_padding(_SEAL_SIZE)) + _END)
        file.flush()
        os.fsync(file.fileno())


class Archive:
    """An archive to be read, whoever has made it."""

    def __init__(self, path: Path) -> None:
        """Open an archive and check all of it; raises BackupError where anything is wrong."""
        self._path = path
        try:
            with path.open("rb") as file:
                self.members = list(self._checked(file, path.stat().st_size))
        except OSError as error:
            raise self.refusal(error.strerror or str(error)) from error

    def refusal(self, reason: str) -> BackupError:
        """Return the error of an archive that must not be used."""
        return BackupError(
            f"The backup {self._path} cannot be used: {reason}. Nothing was changed; "
            "name another backup."
        )

    def extract(self, member: Member, target: Path, digest: str) -> None:
        """Write a member to a new file; raises BackupError where its SHA-256 is another."""
        found = hashlib.sha256()
        with target.open("xb") as file:
            for chunk in self._chunks(member):
                found.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if found.hexdigest() != digest:
            raise self.refusal(f"{member.name} does not match its checksum")

    def read(self, member: Member) -> bytes:
        """Return a small member."""
        return b"".join(self._chunks(member))

    def _chunks(self, member: Member) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            file.seek(member.offset)
            left = member.size
            while left:
                chunk = file.read(min(left, _CHUNK))
                if not chunk:
                    raise self.refusal("it is cut short")
                left -= len(chunk)
                yield chunk

    def _checked(self, file: BinaryIO, length: int) -> Iterator[Member]:
        digest = hashlib.sha256()
        for _ in range(_MOST_MEMBERS):
            header = file.read(BLOCKSIZE)
            name, size = self._named(header)
            begin = file.tell()
            if begin + size + _padding(size) + len(_END) > length:
                raise self.refusal("it is cut short")
            if name == _SEAL:
                self._check_end(file, digest.hexdigest())
                return
            digest.update(header)
            left = size + _padding(size)
            while left:
                chunk = file.read(min(left, _CHUNK))
                if not chunk:
                    raise self.refusal("it is cut short")
                digest.update(chunk)
                left -= len(chunk)
            yield Member(name, size, begin)
        raise self.refusal("it has more members than a backup")

    def _check_end(self, file: BinaryIO, digest: str) -> None:
        seal = f"{digest}\n".encode()
        rest = seal + bytes(_padding(len(seal))) + _END
        if file.read(len(rest) + 1) != rest:
            raise self.refusal("it does not match its checksum")

    def _named(self, header: bytes) -> tuple[str, int]:
        """Return name and size of the member that a header announces."""
        if len(header) < BLOCKSIZE:
            raise self.refusal("it is cut short")
        try:
            info = TarInfo.frombuf(header, "ascii", "strict")
            plain = info.size >= 0 and _header(info.name, info.size) == header
        except (HeaderError, ValueError) as error:
            raise self.refusal(f"it is no archive of anwen backup, or damaged ({error})") from error
        if not plain:
            raise self.refusal(f"its member {info.name!r} is no plain file as a backup has them")
        if info.name == _SEAL and info.size != _SEAL_SIZE:
            raise self.refusal("its seal is damaged")
        return info.name, info.size


def _header(name: str, size: int) -> bytes:
    info = TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(GNU_FORMAT, "ascii", "strict")


def _padding(size: int) -> int:
    return -size % BLOCKSIZE
