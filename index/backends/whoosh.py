"""The Whoosh index on disk: numbered generations, one of them live.

    index/current          the number of the live generation
    index/000003/          a Whoosh index, its segments written by the vector codec
    index/000003/anwen.json    what it was built by, and how far

Only what search needs is in it: postings and columns. Texts stay in the article store.
"""

import json
import os
import pickle
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import whoosh.index
from whoosh import columns, fields, formats
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import StructFile

from index.analysis import FieldTokens
from index.backends.vector_codec import Documents, Keywords, VectorSegment, VectorWriter
from index.errors import IndexOutOfDate, IndexUnavailable
from index.schema import (
    SCHEMA_VERSION,
    TEXT_FIELDS,
    UNDATED,
    IndexBatch,
    encode_length,
)

__all__ = ["SEPARATOR", "WhooshIndex"]

SEPARATOR = "\n"
"""Between the names of one document in the organisation column."""

_ABOUT = "anwen.json"
_MEGABYTE = 1 << 20

T = TypeVar("T")


class _TermsField(fields.FieldType):  # type: ignore[misc]
    """A field whose tokens come ready from the analyzer, in batches."""

    def __init__(self) -> None:
        super().__init__(formats.Positions(), analyzer=None, scorable=True)


def _schema() -> fields.Schema:
    schema = fields.Schema(
        id=fields.ID(unique=True),
        key=fields.COLUMN(columns.VarBytesColumn()),
        published=fields.COLUMN(columns.NumericColumn("q", default=UNDATED)),
        day_only=fields.COLUMN(columns.NumericColumn("B")),
        category=fields.COLUMN(columns.VarBytesColumn()),
        source=fields.COLUMN(columns.VarBytesColumn()),
        organisations=fields.COLUMN(columns.VarBytesColumn()),
    )
    for name in TEXT_FIELDS:
        schema.add(name, _TermsField())
    return schema


class _Storage(FileStorage):  # type: ignore[misc]
    """A folder of which no file can make Whoosh run code: only segments are unpickled."""

    def open_file(self, name: str, **options: Any) -> StructFile:
        return _File((Path(self.folder) / name).open("rb"), name=name, **options)


class _File(StructFile):  # type: ignore[misc]
    def read_pickle(self) -> Any:
        return _SegmentsUnpickler(self.file).load()


class _SegmentsUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name == VectorSegment.__name__ and module == VectorSegment.__module__:
            return VectorSegment
        if (module, name) in {("builtins", "set"), ("__builtin__", "set")}:
            return set
        raise pickle.UnpicklingError(f"{module}.{name} is not part of a list of segments")


class _Writer:
    """Adapts the batch writer to IndexWriter."""

    def __init__(self, writer: VectorWriter, reader: Any) -> None:
        self._writer = writer
        self._reader = reader

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
        # Whoosh's own delete_by_term opens a searcher for every call.
        if ("id", identifier) in self._reader:
            for number in self._reader.postings("id", identifier).all_ids():
                self._writer.delete_document(number)


def _columns(batch: IndexBatch) -> Documents:
    documents = batch.documents
    return Documents(
        len(documents),
        numbers={
            "published": np.array([document.published for document in documents], np.int64),
            "day_only": np.array([document.day_only for document in documents], np.uint8),
        },
        keywords={
            "key": Keywords.of([document.id.encode() for document in documents]),
            "category": Keywords.of([document.category.encode() for document in documents]),
            "source": Keywords.of([document.source.encode() for document in documents]),
            "organisations": Keywords.of(
                [SEPARATOR.join(document.organisations).encode() for document in documents]
            ),
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

    def out_of_date(self) -> str | None:
        """Say why the live generation does not fit the running code, None where it does."""
        about = self._about()
        if about["schema"] != SCHEMA_VERSION:
            return f"its schema is version {about['schema']}, this program's {SCHEMA_VERSION}"
        if about["analyzer"] != self._fingerprint:
            return "its terms were made by another version of the analyzer or another list of terms"
        return None

    def open_segments(
        self, open_one: Callable[[Any, VectorSegment], T]
    ) -> tuple[Any, list[tuple[VectorSegment, T]]]:
        """Open the live generation: a Whoosh reader of it, and each segment as `open_one` opens it.

        `open_one` is given Whoosh's storage and segment. Raises IndexUnavailable where there is
        no index or it is damaged, IndexOutOfDate where it does not fit.
        """
        if not self.generation:
            raise IndexUnavailable(f"There is no index in {self._folder}. Run: anwen index PATH")
        if reason := self.out_of_date():
            raise IndexOutOfDate(f"The index is out of date: {reason}. Run: anwen index --rebuild")
        for attempt in range(5):
            try:
                index = self._open(self._path(self.generation))
                state = index._read_toc()
                opened = [(segment, open_one(index.storage, segment)) for segment in state.segments]
                reader = index._reader(
                    index.storage, state.schema, state.segments, state.generation
                )
            except (OSError, EOFError, whoosh.index.IndexError, pickle.UnpicklingError) as error:
                # About one open in a hundred fails while another process commits: the list of
                # segments is read before the files, and a merge removes files in between.
                failure = error
                time.sleep(0.02 * 2**attempt)
            else:
                return reader, opened
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
        if fresh:
            path.mkdir(parents=True)
            index = _Storage(str(path)).create_index(_schema())
        else:
            index = self._open(path)
        writer = VectorWriter(index, self._memory)
        try:
            with writer.reader() as reader:
                yield _Writer(writer, reader)
        except BaseException:
            writer.cancel()
            if fresh:
                shutil.rmtree(path)
            raise
        writer.commit()
        about = {"schema": SCHEMA_VERSION, "analyzer": self._fingerprint, "revision": revision}
        _write_atomically(path / _ABOUT, json.dumps(about))
        if fresh:
            _write_atomically(self._folder / "current", str(number))
            self._drop_old(keep={number, live})

    def _open(self, path: Path) -> Any:
        # Giving the schema keeps Whoosh from unpickling the one in the index.
        return _Storage(str(path)).open_index(schema=_schema())

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

    def _about(self) -> dict[str, Any]:
        path = self._path(self.generation) / _ABOUT
        try:
            about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise IndexUnavailable(
                f"{path} cannot be read: {error}. Run: anwen index --rebuild"
            ) from error
        return about


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
