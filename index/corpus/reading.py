"""Finding the files that hold pages, and reading them one after the other.

Nothing is unpacked to disk and no archive is held in memory: a page is a path and its bytes, and
whatever cannot be read is given as such, with the reason, and never ends the run.
"""

import io
import os
import stat
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from index.corpus.jsonl import read_lines
from index.corpus.names import storable
from index.corpus.page import FORMATS, MAX_PAGE_BYTES, Page, Unreadable
from index.corpus.source import TOO_LARGE, Source, cannot_be_read
from index.corpus.tar import read_tar
from index.corpus.zip import read_zip
from index.errors import AnwenError

__all__ = ["find_at", "find_sources", "read_pages", "read_source"]

_ACCEPTED = "folders, .md .markdown .html .htm, .tar(.gz|.xz|.bz2) .zip of those, .jsonl(.gz)"

_REPORTS = 1000  # how often, at most, the share that is read is told

_Entries = Generator[Page | Unreadable, None, None]


def read_pages(paths: Iterable[Path], on_share: Callable[[float], None] | None = None) -> _Entries:
    """Give the pages under `paths` one at a time, in a fixed order.

    Hidden files and folders are passed over; so are links to folders, but not to files. `on_share`
    is told from time to time which share of the input's bytes has been read, from 0 to 1. Raises
    AnwenError, before the first page, for a path that does not exist or is of no kind that can be
    read.
    """
    sources = [source for path in paths for source in find_sources(path)]
    return _read_sources(sources, on_share or (lambda _: None))


def find_sources(path: Path) -> Iterator[Source | Unreadable]:
    """Give the files of a path that hold pages, and whatever cannot be opened there.

    Raises AnwenError where the path does not exist or is of no kind that can be read.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise AnwenError(f"{path} does not exist. Name {_ACCEPTED}.") from error
    except OSError as error:
        raise AnwenError(f"{path} {cannot_be_read(error)}. Name {_ACCEPTED}.") from error
    if stat.S_ISDIR(mode):
        yield from _folder_sources(path)
    elif stat.S_ISREG(mode) and (suffix := _suffix(path.name)):
        yield _source(path, path.name, "", suffix)
    else:
        raise AnwenError(f"{path} is of no kind that can be read. Name {_ACCEPTED}.")


def find_at(path: Path, changed: Path) -> Iterator[Source | Unreadable]:
    """Give what `find_sources` of a folder would give of one of its files or folders.

    Nothing where that is gone. Raises OSError where the system does not let it be seen.
    """
    if changed == path or not changed.is_relative_to(path):
        return
    parts = changed.relative_to(path).parts
    above = [path.joinpath(*parts[:depth]) for depth in range(1, len(parts))]
    if any(part.startswith(".") for part in parts) or any(folder.is_symlink() for folder in above):
        return
    if changed.is_dir():
        if not changed.is_symlink():
            yield from _folder_sources(path, changed)
    elif (suffix := _suffix(changed.name)) and os.path.lexists(changed):
        inner = changed.relative_to(path).as_posix()
        yield _source(changed, inner, f"{inner}/", suffix)


def _folder_sources(path: Path, start: Path | None = None) -> Iterator[Source | Unreadable]:
    closed: list[OSError] = []
    for folder, folders, files in os.walk(start or path, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(folder).relative_to(path)
        for name in sorted(files):
            if not name.startswith(".") and (suffix := _suffix(name)):
                inner = (below / name).as_posix()
                yield _source(Path(folder, name), inner, f"{inner}/", suffix)
    for error in closed:
        yield Unreadable(
            path=storable(str(error.filename)), reason=cannot_be_read(error), may_pass=True
        )


def _source(file: Path, path: str, inside: str, suffix: str) -> Source | Unreadable:
    try:
        status = file.stat()
    except OSError as error:
        return Unreadable(path=storable(str(file)), reason=cannot_be_read(error), may_pass=True)
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for someone to write to it
        return Unreadable(path=storable(str(file)), reason="cannot be read: not a regular file")
    return Source(
        file=file,
        path=path,
        inside=inside,
        suffix=suffix,
        size=status.st_size,
        modified=status.st_mtime_ns,
    )


def _read_sources(
    sources: list[Source | Unreadable], on_share: Callable[[float], None]
) -> _Entries:
    total = sum(source.size for source in sources if isinstance(source, Source))
    before, told = 0, 0.0
    for source in sources:
        if isinstance(source, Unreadable):
            yield source
            continue
        with closing(read_source(source)) as entries:
            for entry, position in entries:
                yield entry
                # A file that grows while it is read takes no more than its share.
                share = (before + min(position, source.size)) / max(total, 1)
                if share >= told + 1 / _REPORTS:
                    on_share(share)
                    told = share
        before += source.size
    on_share(1.0)


def read_source(source: Source) -> Generator[tuple[Page | Unreadable, int], None, None]:
    """Give each entry with the position in the file up to which it has been read."""
    try:
        with (
            source.file.open("rb") as stream,
            closing(_READERS[source.suffix](stream, source)) as entries,
        ):
            for entry in entries:
                yield entry, stream.tell()
    except OSError as error:
        yield source.problem("", cannot_be_read(error), may_pass=True), source.size


def _read_page(stream: io.BufferedReader, source: Source) -> _Entries:
    if source.size > MAX_PAGE_BYTES:
        yield source.problem("", TOO_LARGE)
        return
    yield source.page(source.path, "", stream.read(MAX_PAGE_BYTES + 1), FORMATS[source.suffix])


_READERS: dict[str, Callable[[io.BufferedReader, Source], _Entries]] = {
    **dict.fromkeys(FORMATS, _read_page),
    **dict.fromkeys((".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2"), read_tar),
    ".zip": read_zip,
    **dict.fromkeys((".jsonl", ".jsonl.gz"), read_lines),
}


def _suffix(name: str) -> str | None:
    """Return the suffix that tells how to read a file, None where there is no way."""
    lowered = name.lower()
    return next((suffix for suffix in _READERS if lowered.endswith(suffix)), None)
