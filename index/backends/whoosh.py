"""The Whoosh index on disk: numbered generations, one of them live.

    index/current          the number of the live generation
    index/000003/          a Whoosh index, its segments written by the vector codec
    index/000003/anwen.json    what it was built by, and how far

Only what search needs is in it: postings and columns. Texts stay in the article store.
"""

import json
import os
import pickle
import re
import shutil
import struct
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import whoosh.index
from whoosh import columns, fields, formats
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import StructFile
from whoosh.reading import EmptyReader, MultiReader, SegmentReader

from index.analysis import FieldTokens
from index.backends.vector_codec import (
    Documents,
    Keywords,
    OpenCodec,
    SegmentFiles,
    VectorCodec,
    VectorSegment,
    VectorWriter,
)
from index.errors import IndexOutOfDate, IndexUnavailable, StoreLocked
from index.schema import (
    SCHEMA_VERSION,
    TEXT_FIELDS,
    UNDATED,
    IndexBatch,
    encode_length,
)

__all__ = ["SEPARATOR", "WhooshIndex"]

SEPARATOR = "\n"
"""Between the values of one document in a column that holds several."""

_ABOUT = "anwen.json"
_MEGABYTE = 1 << 20
_TOC = ".toc"
_SEAL = struct.Struct("<I")

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
        super().rename_file(oldname, newname, safe)

    def open_file(self, name: str, **options: Any) -> StructFile:
        path = Path(self.folder) / name
        if not name.endswith(_TOC):
            return _File(path.open("rb"), name=str(path), **options)
        content = path.read_bytes()
        body, seal = content[: -_SEAL.size], content[-_SEAL.size :]
        if len(seal) < _SEAL.size or _SEAL.unpack(seal)[0] != zlib.crc32(body):
            raise IndexUnavailable(
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
            raise IndexUnavailable(
                f"The index file {self._name} is refused: {error}. Run: anwen index --rebuild"
            ) from error


class _SegmentsFile(_File):
    """A table of contents, of which segments are unpickled."""

    def read_pickle(self) -> Any:
        try:
            return [_segment(entry) for entry in super().read_pickle()]
        except (TypeError, ValueError) as error:
            raise IndexUnavailable(
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


class _Writer:
    """Adapts the batch writer to IndexWriter."""

    def __init__(self, writer: VectorWriter) -> None:
        self._writer = writer
        base, self._terms = 0, []
        for segment in writer.segments:
            self._terms.append((base, writer.codec.open(writer.storage, segment).terms))
            base += segment.doc_count_all()

    def update_documents(self, batch: IndexBatch) -> None:
        if not batch.documents:
            return
        for document in batch.documents:
            self.delete_document(document.id)
        ids = [document.id for document in batch.documents]
        numbers = np.arange(len(ids), dtype=np.uint32)
        tokens = {"id": FieldTokens(ids, numbers, numbers, np.zeros_like(numbers), numbers)}
        self._writer.add_batch(_columns(batch), tokens | batch.fields)

    def delete_document(self, identifier: str) -> None:
        # Whoosh's own way asks each time for the set of all that is deleted.
        for base, terms in self._terms:
            found = terms.fields["id"].find(identifier.encode()) if "id" in terms.fields else None
            if found:
                for number in found[0].postings(found[1])[0].tolist():
                    self._writer.delete_document(base + number)


def _columns(batch: IndexBatch) -> Documents:
    documents = batch.documents
    return Documents(
        len(documents),
        numbers={
            "published": np.array([document.published for document in documents], np.int64),
            "day_only": np.array([document.day_only for document in documents], np.uint8),
            "size": np.array([document.size for document in documents], np.uint32),
        },
        keywords={
            "key": Keywords.of([document.id.encode() for document in documents]),
            "headline": Keywords.of(
                [document.title.encode("utf-8", "replace") for document in documents]
            ),
            "category": Keywords.of([document.category.encode() for document in documents]),
            "source": Keywords.of([document.source.encode() for document in documents]),
            "author": Keywords.of([document.author.encode() for document in documents]),
            "organisations": Keywords.of(
                [
                    SEPARATOR.join(map(str, document.organisations)).encode()
                    for document in documents
                ]
            ),
            "identifiers": Keywords.of(
                [SEPARATOR.join(document.identifiers).encode() for document in documents]
            ),
            "cluster": Keywords.of([document.cluster.encode() for document in documents]),
        },
        lengths={
            name: np.array(
                [encode_length(length) for length in batch.fields[name].lengths.tolist()], np.uint8
            )
            for name in TEXT_FIELDS
        },
    )


class WhooshIndex:
    """The index of one data folder."""

    def __init__(self, folder: Path, analyzer_fingerprint: str, *, memory: int = 400) -> None:
        """Take the folder; `memory` is in MB, see `Settings.memory`."""
        self._folder = folder
        self._fingerprint = analyzer_fingerprint
        self._memory = memory * _MEGABYTE

    @property
    def generation(self) -> int:
        """The number of the live generation; 0 where there is none yet."""
        try:
            return int((self._folder / "current").read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            raise IndexUnavailable(
                f"{self._folder / 'current'} cannot be read: {error}. Run: anwen index --rebuild"
            ) from error

    @property
    def revision(self) -> int:
        """The store's revision that the live generation has reached."""
        return int(self._about()["revision"]) if self.generation else 0

    @property
    def state(self) -> tuple[int, int]:
        """Generation and commit of what is live; it differs after every change."""
        generation = self.generation
        if not generation:
            return 0, 0
        try:
            return generation, (self._path(generation) / _ABOUT).stat().st_mtime_ns
        except FileNotFoundError:
            return generation, 0

    @property
    def size(self) -> int:
        """The bytes of the live generation on disk."""
        folder, size = self._path(self.generation), 0
        for path in folder.iterdir() if folder.is_dir() else ():
            with suppress(FileNotFoundError):  # merged away a moment ago
                size += path.stat().st_size
        return size

    def out_of_date(self) -> str | None:
        """Say why the live generation does not fit the running code, None where it does."""
        about = self._about()
        if about["schema"] != SCHEMA_VERSION:
            return f"its schema is version {about['schema']}, this program's {SCHEMA_VERSION}"
        if about["analyzer"] != self._fingerprint:
            return "its terms were made by another version of the analyzer or another list of terms"
        return None

    def open_segments(
        self, known: Mapping[str, SegmentFiles]
    ) -> tuple[Any, list[tuple[VectorSegment, SegmentFiles]]]:
        """Open the live generation: a Whoosh reader of it, and its segments with their files.

        `known` are files that are open already, by the segment's id. Raises IndexUnavailable where
        there is no index or it is damaged, IndexOutOfDate where it does not fit.
        """
        if not self.generation:
            raise IndexUnavailable(f"There is no index in {self._folder}. Run: anwen index PATH")
        if reason := self.out_of_date():
            raise IndexOutOfDate(f"The index is out of date: {reason}. Run: anwen index --rebuild")
        failure: Exception | None = None
        for attempt in range(5):
            if attempt:
                # About one open in a hundred fails while another process commits: the list of
                # segments is read before the files, and a merge removes files in between.
                time.sleep(0.01 * 2**attempt)
            try:
                index = self._open(self._path(self.generation))
                state = index._read_toc()
                opened = [
                    (
                        segment,
                        known.get(segment.segment_id())
                        or VectorCodec().open(index.storage, segment),
                    )
                    for segment in state.segments
                ]
            except (OSError, whoosh.index.IndexError) as error:
                failure = error
            else:
                return _reader(index.storage, state.schema, opened), opened
        raise IndexUnavailable(
            f"The index in {self._folder} does not open: {failure}. Run: anwen index --rebuild"
        ) from failure

    @contextmanager
    def writer(self, revision: int, *, rebuild: bool = False) -> Iterator[_Writer]:
        """Open a writer whose commit brings the index to `revision`; see `Index.writer`."""
        live = self.generation
        fresh = rebuild or not live
        number = self._next_number() if fresh else live
        path = self._path(number)
        try:
            if fresh:
                path.mkdir(parents=True)
                index = _Storage(str(path)).create_index(_schema())
            else:
                index = self._open(path)
            writer = VectorWriter(index, self._memory)
            try:
                yield _Writer(writer)
                writer.commit()
            except BaseException:
                if not writer.is_closed:
                    with suppress(OSError):
                        writer.cancel()
                raise
        except BaseException as error:
            if fresh:
                shutil.rmtree(path, ignore_errors=True)
            if isinstance(error, whoosh.index.LockError):
                raise StoreLocked(f"Another process is writing to {path}.") from error
            if isinstance(error, whoosh.index.IndexError):
                raise IndexUnavailable(
                    f"The index in {path} does not open: {error}. Run: anwen index --rebuild"
                ) from error
            raise
        self._write_about(path, revision)
        if fresh:
            _write_atomically(self._folder / "current", str(number))
            self._drop_old(keep={number, live})

    def _open(self, path: Path) -> Any:
        # Giving the schema keeps Whoosh from unpickling the one in the index.
        try:
            return _Storage(str(path)).open_index(schema=_schema())
        except _MALFORMED as error:
            raise IndexUnavailable(
                f"The index files in {path} are refused: their table of contents is none "
                f"({type(error).__name__}). Run: anwen index --rebuild"
            ) from error

    def _path(self, generation: int) -> Path:
        return self._folder / f"{generation:06}"

    def _generations(self) -> list[int]:
        if not self._folder.is_dir():
            return []
        return [int(path.name) for path in self._folder.iterdir() if path.name.isdigit()]

    def _next_number(self) -> int:
        return max(self._generations(), default=0) + 1

    def _drop_old(self, keep: set[int]) -> None:
        """Delete generations that nobody can be reading: all but the live and the one before."""
        for number in self._generations():
            if number not in keep:
                shutil.rmtree(self._path(number), ignore_errors=True)

    def _write_about(self, path: Path, revision: int) -> None:
        about = {"schema": SCHEMA_VERSION, "analyzer": self._fingerprint, "revision": revision}
        _write_atomically(path / _ABOUT, json.dumps(about | {"checksum": _checksum(about)}))

    def _about(self) -> dict[str, Any]:
        path = self._path(self.generation) / _ABOUT
        try:
            about: dict[str, Any] = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise IndexUnavailable(
                f"{path} cannot be read: {error}. Run: anwen index --rebuild"
            ) from error
        # Files of the first schema have no checksum, and are read far enough to say so.
        is_first = about.keys() == {"schema", "analyzer", "revision"} and about["schema"] == 1
        if not is_first and about.pop("checksum", None) != _checksum(about):
            raise IndexUnavailable(
                f"The index file {path} is damaged: it does not match its checksum. "
                "Run: anwen index --rebuild"
            )
        return about


def _checksum(about: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(about, sort_keys=True).encode())


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


def _write_atomically(path: Path, text: str) -> None:
    """Replace a small file at once, and make the replacement durable."""
    scratch = path.with_name(f"{path.name}.new")
    with scratch.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
