"""The batch writer: Whoosh's segment writer, fed with arrays instead of single documents.

What is Whoosh's stays: lock, table of contents, schema, deletion, `add_document`, the merge policy
as a callable. `_merge_segments` and `add_reader` are overridden, so that batches and merged
segments become one new segment by copying arrays.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.formats import Positions
from whoosh.index import FileIndex
from whoosh.reading import SegmentReader
from whoosh.writing import SegmentWriter

from index.analysis import FieldTokens
from index.backends.vector_codec.codec import VectorCodec, VectorSegment
from index.backends.vector_codec.documents import Documents, write_documents
from index.backends.vector_codec.inversion import MAX_DOCUMENTS, TokenBuffer
from index.backends.vector_codec.merging import Part, merge_fields

__all__ = ["VectorWriter", "merge_tiers"]

_TOKEN_BYTES = 50  # what a token takes while a batch is inverted
_LARGEST_MERGED = 25_000  # documents; merging more would hold a commit up for seconds


def merge_tiers(writer: "VectorWriter", segments: list[VectorSegment]) -> list[VectorSegment]:
    """Merge the smaller segments into the new one while they are at most twice as large as it is.

    So sizes grow geometrically, and a document is copied a logarithmic number of times. A segment
    of which most is deleted is merged too. Beyond 25,000 documents segments stay as they are, so
    that a commit of a few documents never waits for the copying of many; only a rebuild joins them.
    """
    total = writer.doc_count()
    kept = []
    for segment in sorted(segments, key=VectorSegment.doc_count):
        size = segment.doc_count()
        small = size <= 2 * total and total + size <= _LARGEST_MERGED
        sparse = 2 * size < segment.doc_count_all() and size <= _LARGEST_MERGED
        if not size:
            continue  # nothing in it is left
        if small or sparse:
            reader = SegmentReader(writer.storage, writer.schema, segment)
            writer.add_reader(reader)
            reader.close()
            total += size
        else:
            kept.append(segment)
    return kept


class VectorWriter(SegmentWriter):  # type: ignore[misc]
    """Writes batches of documents; `memory` bounds in bytes what is held before it is written."""

    def __init__(self, index: FileIndex, memory: int, **options: Any) -> None:
        """Lock the index; raises whoosh.index.LockError where another writer has it."""
        super().__init__(index, codec=VectorCodec(), compound=False, **options)
        self._tokens_in_memory = max(memory // _TOKEN_BYTES, 1)
        self._documents: list[Documents] = []
        self._buffers: dict[str, TokenBuffer] = {}
        self._size = 0
        self._parts: list[Part] = []
        self._runs: list[VectorSegment] = []

    def add_batch(self, documents: Documents, tokens: Mapping[str, FieldTokens]) -> None:
        """Add documents: their columns and lengths, and the tokens of their indexed fields.

        Neither field types nor their analyzers are asked; `documents.lengths` tells lengths.
        """
        self._check_state()
        if documents.size > MAX_DOCUMENTS:
            raise ValueError(f"A batch has at most {MAX_DOCUMENTS:,} documents.")
        has_room = self._size + documents.size <= MAX_DOCUMENTS and all(
            self._buffers[name].has_room(field)
            for name, field in tokens.items()
            if name in self._buffers
        )
        if not has_room:
            self._write_run()
        for name, field in tokens.items():
            self._buffers.setdefault(name, TokenBuffer()).add(field, self._size)
        self._documents.append(documents)
        self._size += documents.size
        if sum(buffer.size for buffer in self._buffers.values()) > self._tokens_in_memory:
            self._write_run()

    def add_reader(self, reader: SegmentReader) -> None:
        """Take a segment's arrays into the segment that is being written."""
        self._check_state()
        self._parts.append(self._part(reader.storage(), reader.segment()))

    def doc_count(self) -> int:
        """Return how many documents have been added."""
        runs = sum(run.size for run in self._runs)
        return int(super().doc_count()) + self._size + runs

    def cancel(self) -> None:
        """Forget all that was added; files that are left go with the next commit."""
        self._documents, self._buffers, self._parts = [], {}, []
        try:
            self._close_segment()
        finally:
            if not self.fieldwriter.is_closed:  # the file before it could not be closed
                self.fieldwriter.abandon()
            self._finish()

    def _commit_toc(self, segments: list[VectorSegment]) -> None:
        super()._commit_toc(segments)
        # Whoosh leaves the unfinished tables of contents of processes that were killed.
        unfinished = re.compile(rf"_{re.escape(self.indexname)}_\d+\.toc\..+")
        for name in self.storage.list():
            if unfinished.fullmatch(name):
                self.storage.delete_file(name)

    def _merge_segments(
        self, mergetype: Any, optimize: bool | None, merge: bool | None
    ) -> list[VectorSegment]:
        if not (optimize or self.optimize) and merge is not False and self.merge:
            mergetype = mergetype or self.mergetype or merge_tiers
        # A new list: the policy may leave out segments of which nothing is left.
        kept = list(super()._merge_segments(mergetype, optimize, merge))
        parts = self._parts
        if len(self._runs) == 1 and not self._size and not parts:
            return [*kept, *self._runs]
        parts += [self._part(self.storage, run) for run in self._runs]
        if self._size:
            parts.append(self._buffered())
        if parts:
            kept.append(self._write(parts))
        return kept

    def _write_run(self) -> None:
        """Write what is in memory as a segment that only this writer knows."""
        if self._size:
            self._runs.append(self._write([self._buffered()]))

    def _buffered(self) -> Part:
        """Return what is in memory, which is empty afterwards."""
        inverted = {
            name: buffer.invert(positions=isinstance(self.schema[name].format, Positions))
            for name, buffer in self._buffers.items()
        }
        everything = np.ones(self._size, np.bool_)
        documents = self._joined([(part, np.ones(part.size, np.bool_)) for part in self._documents])
        self._documents, self._buffers, self._size = [], {}, 0
        fields = {name: [postings] for name, postings in inverted.items() if postings}
        return Part(documents, everything, fields)

    def _joined(self, parts: Sequence[tuple[Documents, NDArray[np.bool_]]]) -> Documents:
        defaults = {
            name: field.column_type.default_value()
            for name, field in self.schema.items()
            if field.column_type
        }
        return Documents.concatenate(parts, defaults)

    def _part(self, storage: Any, segment: VectorSegment) -> Part:
        files = self.codec.open(storage, segment)
        kept = np.ones(files.documents.size, np.bool_)
        kept[list(segment.deleted)] = False
        fields = files.terms.fields
        return Part(files.documents, kept, {name: fields[name].unpack() for name in fields})

    def _write(self, parts: list[Part]) -> VectorSegment:
        segment: VectorSegment = self.codec.new_segment(self.storage, self.indexname)
        documents = self._joined([(part.documents, part.kept) for part in parts])
        write_documents(segment.path(self.storage, self.codec.DOCUMENTS_EXT), documents)
        writer = self.codec.field_writer(self.storage, segment)
        try:
            merge_fields(parts, self.schema, writer)
            writer.close()
        except BaseException:
            writer.abandon()
            raise
        segment.set_doc_count(documents.size)
        segment.field_lengths = {
            name: writer.occurrences.get(name, 0) for name in documents.lengths
        }
        return segment
