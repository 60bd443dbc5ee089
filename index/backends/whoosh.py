"""The Whoosh index on disk: each generation is one, its segments written by the vector codec.

Only what search needs is in it: postings and columns. Texts stay in the article store.
"""

import errno
import logging
import os
import pickle
import re
import shutil
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import whoosh.index
from whoosh import columns, fields, formats
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import StructFile
from whoosh.reading import EmptyReader, MultiReader, SegmentReader

from index.backends.base import OthersChange
from index.backends.generations import Generations, unreadable
from index.backends.vector_codec import (
    ContainerReader,
    OpenCodec,
    SegmentFiles,
    VectorCodec,
    VectorSegment,
    VectorWriter,
)
from index.backends.writing import SEPARATOR, BatchWriter
from index.durable import sync_folder
from index.errors import IndexDamaged, IndexOutOfDate, IndexUnavailable, StoreLocked
from index.schema import (
    SCHEMA_VERSION,
    TEXT_FIELDS,
    UNDATED,
)

__all__ = ["SEPARATOR", "WhooshIndex"]

_MEGABYTE = 1 << 20
_TOC = ".toc"
_SEAL = struct.Struct("<I")
_ATTEMPTS = 5
_SEGMENT_FILES = (VectorCodec.DOCUMENTS_EXT, VectorCodec.POSTINGS_EXT)

T = TypeVar("T")

_log = logging.getLogger(__name__)

# What Whoosh lets through where a sealed table of contents is not what it writes.
_MALFORMED = (
    ArithmeticError,
    AssertionError,
    EOFError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    struct.error,
)


class _TermsField(fields.FieldType):  # type: ignore[misc]
    """A field whose tokens come ready from the analyzer, in batches."""

    def __init__(self) -> None:
        super().__init__(formats.Positions(), analyzer=None, scorable=True)


def _schema() -> fields.Schema:
    schema = fields.Schema(
        id=fields.ID(unique=True),
        key=fields.COLUMN(columns.VarBytesColumn()),
        headline=fields.COLUMN(columns.VarBytesColumn()),
        published=fields.COLUMN(columns.NumericColumn("q", default=UNDATED)),
        day_only=fields.COLUMN(columns.NumericColumn("B")),
        category=fields.COLUMN(columns.VarBytesColumn()),
        source=fields.COLUMN(columns.VarBytesColumn()),
        author=fields.COLUMN(columns.VarBytesColumn()),
        organisations=fields.COLUMN(columns.VarBytesColumn()),
        identifiers=fields.COLUMN(columns.VarBytesColumn()),
        cluster=fields.COLUMN(columns.VarBytesColumn()),
        size=fields.COLUMN(columns.NumericColumn("I")),
    )
    for name in TEXT_FIELDS:
        schema.add(name, _TermsField())
    return schema


class _Storage(FileStorage):  # type: ignore[misc]
    """A folder whose tables of contents are sealed, and can make Whoosh run no code.

    Whoosh's table of contents is a pickle without a checksum. A CRC-32 is put at its end, where
    Whoosh does not look. No file of the folder is unpickled but by `_File`.
    """

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        if newname.endswith(_TOC):
            with (Path(self.folder) / oldname).open("r+b") as file:
                checksum = zlib.crc32(file.read())
                file.write(_SEAL.pack(checksum))
                file.flush()
                os.fsync(file.fileno())
        # The files that the new table names must be there before it, and the new table before
        # Whoosh deletes the files of the former one.
        sync_folder(Path(self.folder))
        super().rename_file(oldname, newname, safe)
        sync_folder(Path(self.folder))

    def open_file(self, name: str, **options: Any) -> StructFile:
        path = Path(self.folder) / name
        if not name.endswith(_TOC):
            return _File(path.open("rb"), name=str(path), **options)
        content = path.read_bytes()
        body, seal = content[: -_SEAL.size], content[-_SEAL.size :]
        if len(seal) < _SEAL.size or _SEAL.unpack(seal)[0] != zlib.crc32(body):
            raise IndexDamaged(
                f"The index file {path} is damaged: it does not match its checksum. "
                "Run: anwen index --rebuild"
            )
        return _SegmentsFile(BytesIO(body), name=str(path), **options)


class _File(StructFile):  # type: ignore[misc]
    """A file of which plain values are unpickled, and nothing that could run code."""

    def read_pickle(self) -> Any:
        try:
            return _Unpickler(self.file).load()
        except Exception as error:  # a made-up pickle can raise whatever it likes
            self.close()
            raise IndexDamaged(
                f"The index file {self._name} is refused: {error}. Run: anwen index --rebuild"
            ) from error


class _SegmentsFile(_File):
    """A table of contents, of which segments are unpickled."""

    def read_pickle(self) -> Any:
        try:
            return [_segment(entry) for entry in super().read_pickle()]
        except (TypeError, ValueError) as error:
            raise IndexDamaged(
                f"The index file {self._name} is refused: {error}. Run: anwen index --rebuild"
            ) from error


class _Unpickler(pickle.Unpickler):
    """Knows sets and segments; these become objects of a class of their own that can do nothing.

    A pickle may set attributes of a class that it has, which is why it never has the real one.
    """

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self._segment = type("PickledSegment", (), {})

    def find_class(self, module: str, name: str) -> Any:
        if name == VectorSegment.__name__ and module == VectorSegment.__module__:
            return self._segment
        if (module, name) in {("builtins", "set"), ("__builtin__", "set")}:
            return set
        raise pickle.UnpicklingError(f"it names {module}.{name}, which no index holds")


_SEGMENT_NAME = re.compile(r"\w+")


def _segment(pickled: object) -> VectorSegment:
    """Return a segment made of what was pickled; raises ValueError where that can be none."""
    match getattr(pickled, "__dict__", None):
        case {
            "indexname": str(index),
            "segid": str(name),
            "compound": False,
            "size": int(size),
            "deleted": set(deleted),
            "field_lengths": dict(lengths),
            **others,
        } if (
            not others
            # Its files bear its name: one with "../" in it would lead out of the folder.
            and _SEGMENT_NAME.fullmatch(index)
            and _SEGMENT_NAME.fullmatch(name)
            and all(type(number) is int and 0 <= number < size for number in deleted)
            and all(type(field) is str and type(n) is int for field, n in lengths.items())
        ):
            segment = VectorSegment(index)
            segment.segid, segment.size = name, size
            segment.deleted, segment.field_lengths = deleted, lengths
            return segment
    raise ValueError("it lists what is no segment of this index")


class WhooshIndex:
    """The index of one data folder."""

    def __init__(self, folder: Path, analyzer_fingerprint: str, *, memory: int = 400) -> None:
        """Take the folder; `memory` is in MB, see `Settings.memory`."""
        self._generations = Generations(folder)
        self._fingerprint = analyzer_fingerprint
        self._memory = memory * _MEGABYTE
        self._told: str | None = None

    @property
    def generation(self) -> int:
        """The number of the live generation; 0 where there is none yet.

        Raises IndexDamaged where that cannot be said.
        """
        return self._generations.live

    @property
    def revision(self) -> int:
        """The store's revision that the live generation has reached; raises IndexDamaged."""
        live = self._generations.live
        return int(self._generations.about(live)["revision"]) if live else 0

    @property
    def is_shared(self) -> bool:
        """False: the folder's lock lets no other machine write it."""
        return False

    def turn(self, stages: str = "") -> AbstractContextManager[None]:  # noqa: ARG002
        """Wait for nobody; see `Index.turn`."""
        return nullcontext()

    def changes_of_others(self, *, everything: bool = False) -> Iterator[OthersChange]:  # noqa: ARG002
        """Give nothing; see `Index.changes_of_others`."""
        return iter(())

    def unknown(self) -> set[str]:
        """Return nothing; see `Index.unknown`."""
        return set()

    @property
    def state(self) -> tuple[int, int]:
        """Generation and commit of what is live; it differs after every change, never fails."""
        return self._generations.state

    @property
    def committed(self) -> datetime | None:
        """When the live generation was last committed to; None where that cannot be said."""
        return self._generations.committed

    @property
    def size(self) -> int:
        """The bytes of the live generation on disk."""
        return self._generations.size(self.state[0])

    def out_of_date(self) -> str | None:
        """Say why the live generation does not fit the running code, None where it does.

        Raises IndexDamaged.
        """
        return self._misfit(self._generations.live)

    def _misfit(self, number: int) -> str | None:
        about = self._generations.about(number)
        if about["schema"] != SCHEMA_VERSION:
            return f"its schema is version {about['schema']}, this program's {SCHEMA_VERSION}"
        if about["analyzer"] != self._fingerprint:
            return "its terms were made by another version of the analyzer or another list of terms"
        return None

    def open_segments(
        self, known: Mapping[str, SegmentFiles]
    ) -> tuple[Any, list[tuple[VectorSegment, SegmentFiles]]]:
        """Open the live generation: a Whoosh reader of it, and its segments with their files.

        Where it is damaged or may not be read, and the one before it is sound and fits, that one
        is opened, and the damage logged. `known` are files that are open already, by the segment's
        id. Raises IndexUnavailable where there is no index, IndexDamaged where no generation
        opens, IndexOutOfDate where the live one does not fit.
        """
        try:
            return self._open_segments(None, known)
        except IndexUnavailable as error:
            may_not = isinstance(error.__cause__, PermissionError)
            if not may_not and not isinstance(error, IndexDamaged):
                raise
            for number in self._generations.former():
                try:
                    opened = self._open_segments(number, known)
                except IndexUnavailable:
                    continue
                self._tell(f"{error} Until then generation {number}, from before, answers.")
                return opened
            raise

    def _tell(self, warning: str) -> None:
        if warning != self._told:  # once, not with every commit
            _log.warning(warning)
            self._told = warning

    def _open_segments(
        self, number: int | None, known: Mapping[str, SegmentFiles]
    ) -> tuple[Any, list[tuple[VectorSegment, SegmentFiles]]]:
        """Open a generation, the live one where no number is given."""

        def opened(storage: _Storage, segment: VectorSegment) -> SegmentFiles:
            return known.get(segment.segment_id()) or VectorCodec().open(storage, segment)

        storage, segments = self._read_segments(number, opened)
        return _reader(storage, _schema(), segments), segments

    def fault(self) -> str | None:
        """Say why the live generation does not open, None where it does or where there is none."""
        try:
            if self._generations.live:
                self._open_segments(None, {})
        except IndexOutOfDate:
            pass  # told by `out_of_date`
        except IndexUnavailable as error:
            return str(error)
        return None

    def damage(self, step: Callable[[], None] = lambda: None) -> list[str]:
        """Read all of the live generation; return what is missing or does not match its checksum.

        Each with its repair; nothing where there is no generation, or one that does not fit.
        `step` is called after each section. Raises IndexUnavailable where a file may not be read.
        """

        def containers(storage: _Storage, segment: VectorSegment) -> list[ContainerReader | str]:
            return list(_containers(storage, segment))

        try:
            if not self._generations.live or self.out_of_date():
                return []
            _, segments = self._read_segments(None, containers)
        except IndexDamaged as error:
            return [str(error)]
        found = []
        for _, files in segments:
            for file in files:
                if isinstance(file, str):
                    found.append(file)
                    continue
                for number in range(len(file.sections)):
                    try:
                        file.bytes(number)
                    except IndexDamaged as error:
                        found.append(str(error))
                    step()
        return found

    def ids(self) -> list[str]:
        """Return the id of each document of the live generation; raises IndexUnavailable."""
        _, opened = self.open_segments({})
        found = []
        for segment, files in opened:
            keys = files.documents.keywords["key"]
            found += [
                keys[number].decode()
                for number in range(files.documents.size)
                if not segment.is_deleted(number)
            ]
        return found

    def strays(self) -> list[Path]:
        """Return the files and folders that nothing of the index names, where no writer is at work.

        Raises IndexDamaged where that cannot be said.
        """
        live = self._generations.live
        strays = self._generations.strays()
        if live and not self.out_of_date():
            _, segments = self._read_segments(None, lambda *_: None)
            names = {segment.segment_id() for segment, _ in segments}
            for path in sorted(self._generations.path(live).iterdir()):
                if path.suffix in _SEGMENT_FILES and path.stem not in names:
                    strays.append(path)
        return strays

    def _read_segments(
        self, number: int | None, read: Callable[["_Storage", VectorSegment], T]
    ) -> tuple["_Storage", list[tuple[VectorSegment, T]]]:
        """Read the list of segments of a generation and each of them, all of one commit."""
        failure = OSError()
        for attempt in range(_ATTEMPTS):
            if attempt:
                # About one open in a hundred fails while another process commits: the list of
                # segments is read before the files, and a merge removes files in between.
                time.sleep(0.01 * 2**attempt)
            live = number or self._generations.live
            path = self._generations.path(live)
            if not live:
                raise IndexUnavailable(
                    f"There is no index in {self._generations.folder}. Run: anwen index PATH"
                )
            if reason := self._misfit(live):
                raise IndexOutOfDate(
                    f"The index is out of date: {reason}. Run: anwen index --rebuild"
                )
            try:
                index = self._open(path)
                segments = index._read_toc().segments
                return index.storage, [(each, read(index.storage, each)) for each in segments]
            except whoosh.index.EmptyIndexError:
                failure = FileNotFoundError(errno.ENOENT, "missing", str(path / f"*{_TOC}"))
            except whoosh.index.IndexError as error:
                raise IndexDamaged(
                    f"The index in {path} does not open: {error}. Run: anwen index --rebuild"
                ) from error
            except OSError as error:
                failure = error
        raise unreadable(Path(failure.filename or path), failure) from failure

    @contextmanager
    def writer(
        self, revision: int, *, rebuild: bool = False, set_aside: bool = False
    ) -> Iterator[BatchWriter]:
        """Open a writer whose commit brings the index to `revision`; see `Index.writer`."""
        generations = self._generations
        fresh = rebuild or not generations.live
        generations.drop_unfinished()
        try:
            number = generations.begin() if fresh else generations.live
            path = generations.path(number)
            try:
                index = _Storage(str(path)).create_index(_schema()) if fresh else self._open(path)
                writer = VectorWriter(index, self._memory)
                try:
                    yield BatchWriter(writer)
                    writer.commit()
                except BaseException:
                    if not writer.is_closed:
                        with suppress(OSError):
                            writer.cancel()
                    raise
                generations.complete(number, self._fingerprint, revision)
            except BaseException:
                if fresh:
                    shutil.rmtree(path, ignore_errors=True)
                raise
            if fresh or not generations.is_named:
                generations.go_live(number, damaged=set_aside)
        except whoosh.index.LockError as error:
            raise StoreLocked(f"Another process is writing to {path}.") from error
        except whoosh.index.IndexError as error:
            raise IndexDamaged(
                f"The index in {path} does not open: {error}. Run: anwen index --rebuild"
            ) from error
        except FileNotFoundError as error:
            raise unreadable(Path(error.filename or path), error) from error
        except OSError as error:
            raise IndexUnavailable(
                f"The index in {generations.folder} cannot be written: {error.strerror or error}. "
                "See whether the disk is full, and who may write there. The articles are kept; "
                "the next anwen index PATH goes on from here."
            ) from error

    def _open(self, path: Path) -> Any:
        # Giving the schema keeps Whoosh from unpickling the one in the index.
        try:
            return _Storage(str(path)).open_index(schema=_schema())
        except _MALFORMED as error:
            raise IndexDamaged(
                f"The index files in {path} are refused: their table of contents is none "
                f"({type(error).__name__}). Run: anwen index --rebuild"
            ) from error


def _containers(storage: _Storage, segment: VectorSegment) -> Iterator[ContainerReader | str]:
    """Open a segment's files; of a damaged one give what is said of it."""
    for extension in (VectorCodec.DOCUMENTS_EXT, VectorCodec.POSTINGS_EXT):
        try:
            yield ContainerReader(segment.path(storage, extension))
        except IndexDamaged as error:
            yield str(error)


def _reader(
    storage: _Storage, schema: fields.Schema, opened: list[tuple[VectorSegment, SegmentFiles]]
) -> Any:
    """Return a Whoosh reader over files that are open."""
    readers = [
        SegmentReader(storage, schema, segment, codec=OpenCodec(files)) for segment, files in opened
    ]
    if not readers:
        return EmptyReader(schema)
    return readers[0] if len(readers) == 1 else MultiReader(readers)
