"""Finding and reading crawled pages: folders, single files, archives and JSON lines, as a stream.

Nothing is unpacked to disk and no archive is held in memory: a page is a name and its bytes, and
whatever cannot be read is given as such, with the reason, and never ends the run.
"""

import base64
import binascii
import gzip
import json
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal, cast

from index.errors import AnwenError

__all__ = ["MAX_PAGE_BYTES", "Page", "PageFormat", "Unreadable", "read_pages"]

PageFormat = Literal["md", "html"]

MAX_PAGE_BYTES = 8 * 2**20
_MAX_LINE_BYTES = 4 * MAX_PAGE_BYTES  # of JSON lines: Base64 and escapes make a page longer
_TOO_LARGE = "larger than 8 MiB"

_FORMATS: dict[str, PageFormat] = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html"}
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
_LINES = (".jsonl", ".jsonl.gz")
_ACCEPTED = "folders, .md .markdown .html .htm, .tar(.gz|.xz|.bz2) .zip of those, .jsonl(.gz)"

_LOOKS_LIKE_HTML = re.compile(
    r"\s*<(?:!doctype|html|head|body|main|article|div|meta|\?xml)\b", re.I
)
# What reading damaged archives raises, of many libraries' own kinds.
_DAMAGE = (
    EOFError,
    LZMAError,
    OSError,
    RuntimeError,
    TypeError,  # tarfile, for a header of garbage
    UnicodeError,
    ValueError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its POSIX path below what was named on the command line, and its bytes."""

    path: str
    raw: bytes
    format: PageFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A page, or a whole archive, that could not be read, and why."""

    path: str
    reason: str


_Entry = Page | Unreadable


def read_pages(
    paths: Iterable[Path], on_share: Callable[[float], None] | None = None
) -> Iterator[_Entry]:
    """Give the pages under `paths` one at a time, in a fixed order.

    `on_share` is told from time to time which share of the input's bytes has been read, from 0 to
    1. Raises AnwenError, before the first page, for a path that does not exist or is of no kind
    that can be read.
    """
    sources = [source for path in paths for source in _sources(Path(path))]
    total = sum(size for _, _, size in sources) or 1
    done = 0

    def report(read: int) -> None:
        if on_share:
            on_share(min(1.0, (done + read) / total))

    def entries() -> Iterator[_Entry]:
        nonlocal done
        for file, name, size in sources:
            yield from _read_source(file, name, report)
            done += size
            report(0)

    return entries()


def _sources(path: Path) -> list[tuple[Path, str, int]]:
    """Return the files of a path: each with its name for the reader, and its size in bytes."""
    if path.is_dir():
        found = []
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                file = Path(folder) / name
                if not name.startswith(".") and _kind(name):
                    found.append((file, file.relative_to(path).as_posix(), _size(file)))
        return found
    if not path.exists():
        raise AnwenError(f"{path} does not exist. Name {_ACCEPTED}.")
    if _kind(path.name) is None:
        raise AnwenError(f"{path} is of no kind that can be read. Name {_ACCEPTED}.")
    return [(path, path.name, _size(path))]


def _kind(name: str) -> str | None:
    lowered = name.lower()
    if lowered.endswith(_TARS):
        return "tar"
    if lowered.endswith(".zip"):
        return "zip"
    if lowered.endswith(_LINES):
        return "jsonl"
    return _FORMATS.get(PurePosixPath(lowered).suffix)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _read_source(file: Path, name: str, report: Callable[[int], None]) -> Iterator[_Entry]:
    kind = _kind(file.name)
    try:
        with file.open("rb") as stream:
            match kind:
                case "tar":
                    pages = _read_tar(stream, file)
                case "zip":
                    pages = _read_zip(stream, file)
                case "jsonl":
                    pages = _read_lines(stream, file, name)
                case _:
                    raw = stream.read(MAX_PAGE_BYTES + 1)
                    pages = iter([_page(name, raw, cast("PageFormat", kind))])
            for page in pages:
                yield page
                report(stream.tell())
    except OSError as error:
        yield Unreadable(path=_text(name), reason=f"cannot be read: {error.strerror or error}")


def _page(name: str, raw: bytes, form: PageFormat) -> _Entry:
    path = _text(name)
    if len(raw) > MAX_PAGE_BYTES:
        return Unreadable(path=path, reason=_TOO_LARGE)
    if not raw.strip():
        return Unreadable(path=path, reason="empty")
    return Page(path=path, raw=raw, format=form)


def _damaged(file: Path, error: Exception) -> Unreadable:
    return Unreadable(
        path=_text(str(file)), reason=f"damaged archive: {str(error) or type(error).__name__}"
    )


def _read_tar(stream: IO[bytes], file: Path) -> Iterator[_Entry]:
    try:
        # A stream is decompressed once, however large the archive is.
        with tarfile.open(fileobj=stream, mode="r|*", errors="surrogateescape") as archive:
            for member in archive:
                archive.members.clear()  # type: ignore[attr-defined]  # it keeps every header read
                form = _FORMATS.get(PurePosixPath(member.name.lower()).suffix)
                if form is None or not member.isfile() or _is_hidden(member.name):
                    continue
                if member.size > MAX_PAGE_BYTES:
                    yield Unreadable(path=_member(member.name), reason=_TOO_LARGE)
                    continue
                content = archive.extractfile(member)
                if content is not None:
                    with content:
                        yield _page(_member(member.name), content.read(), form)
    except _DAMAGE as error:
        yield _damaged(file, error)


def _read_zip(stream: IO[bytes], file: Path) -> Iterator[_Entry]:
    try:
        with zipfile.ZipFile(stream) as archive:
            for member in archive.infolist():
                name = _zip_name(member)
                form = _FORMATS.get(PurePosixPath(name.lower()).suffix)
                if form is None or member.is_dir() or _is_hidden(name):
                    continue
                if member.flag_bits & 0x1:
                    yield Unreadable(path=_member(name), reason="encrypted")
                    continue
                try:
                    with archive.open(member) as content:
                        # The header may lie about the size.
                        yield _page(_member(name), content.read(MAX_PAGE_BYTES + 1), form)
                except (*_DAMAGE, NotImplementedError) as error:
                    yield Unreadable(path=_member(name), reason=f"damaged: {error}")
    except _DAMAGE as error:
        yield _damaged(file, error)


def _zip_name(member: zipfile.ZipInfo) -> str:
    """Return a member's name; without the UTF-8 flag it is GBK more often than code page 437."""
    if member.flag_bits & 0x800:
        return member.filename
    raw = member.filename.encode("cp437", "surrogateescape")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _read_lines(stream: IO[bytes], file: Path, name: str) -> Iterator[_Entry]:
    lines = gzip.GzipFile(fileobj=stream) if file.name.lower().endswith(".gz") else stream
    number = 0
    try:
        with closing(lines):
            while line := lines.readline(_MAX_LINE_BYTES):
                number += 1
                place = f"{name}#{number}"
                if len(line) == _MAX_LINE_BYTES and not line.endswith(b"\n"):
                    while (rest := lines.readline(_MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                        pass
                    yield Unreadable(path=_text(place), reason=_TOO_LARGE)
                elif line.strip():
                    yield _read_line(line, place)
    except _DAMAGE as error:
        yield _damaged(file, error)


def _read_line(line: bytes, place: str) -> _Entry:
    try:
        entry: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Unreadable(path=_text(place), reason=f"no JSON: {error}")
    if not isinstance(entry, dict) or not isinstance(raw := entry.get("raw"), str):
        return Unreadable(path=_text(place), reason='no field "raw"')
    name = next(
        (n for key in ("path", "file") if isinstance(n := entry.get(key), str) and n), place
    )
    if entry.get("encoding") == "base64":
        try:
            content = base64.b64decode(raw, validate=True)
        except (binascii.Error, ValueError):
            return Unreadable(path=_text(name), reason="no Base64")
    else:
        content = raw.encode("utf-8", "surrogatepass")
    form: PageFormat
    if entry.get("format") in {"md", "html"}:
        form = entry["format"]
    else:
        start = content[:512].decode("utf-8", "replace")
        form = "html" if _LOOKS_LIKE_HTML.match(start) else "md"
    return _page(_member(name), content, form)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") and part not in {".", ".."} for part in name.split("/"))


def _member(name: str) -> str:
    """Return a member's path without what would lead out of its archive."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    return _text("/".join(parts))


def _text(name: str) -> str:
    """Return a name as text that can be stored: bytes that are no UTF-8 are read as GB 18030."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raw = name.encode("utf-8", "surrogateescape") if _escaped(name) else b""
        return raw.decode("gb18030", "replace") if raw else name.encode("utf-8", "replace").decode()
    return name


def _escaped(name: str) -> bool:
    return all(not "\ud800" <= char <= "\udfff" or "\udc80" <= char <= "\udcff" for char in name)
