"""The codec and the segment that names it in Whoosh's table of contents."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whoosh.codec import base

from index.backends.vector_codec.documents import (
    Documents,
    VectorPerDocumentReader,
    VectorPerDocumentWriter,
    read_documents,
)
from index.backends.vector_codec.terms import VectorFieldWriter, VectorTermsReader

__all__ = ["OpenCodec", "SegmentFiles", "VectorCodec", "VectorSegment"]


class VectorSegment(base.Segment):  # type: ignore[misc]
    """A segment of flat arrays: its size, its deleted documents, the occurrences in each field."""

    def __init__(self, indexname: str) -> None:
        super().__init__(indexname)
        self.size = 0
        self.deleted: set[int] = set()
        self.field_lengths: dict[str, int] = {}

    def codec(self) -> "VectorCodec":
        return VectorCodec()

    def path(self, storage: Any, extension: str) -> Path:
        """Return the path of one of the segment's files."""
        return Path(storage.folder, self.make_filename(extension))

    def should_assemble(self) -> bool:
        return False  # a file inside another could not be mapped by itself

    def set_doc_count(self, doccount: int) -> None:
        self.size = doccount

    def doc_count_all(self) -> int:
        return self.size

    def deleted_count(self) -> int:
        return len(self.deleted)

    def deleted_docs(self) -> Iterator[int]:
        return iter(self.deleted)

    def is_deleted(self, docnum: int) -> bool:
        return docnum in self.deleted

    def delete_document(self, docnum: int, delete: bool = True) -> None:
        if delete:
            self.deleted.add(docnum)
        else:
            self.deleted.discard(docnum)


class VectorCodec(base.Codec):  # type: ignore[misc]
    """Keeps a segment as arrays in two files: documents (.vdoc) and postings (.vpst)."""

    DOCUMENTS_EXT = ".vdoc"
    POSTINGS_EXT = ".vpst"

    def per_document_writer(self, storage: Any, segment: VectorSegment) -> VectorPerDocumentWriter:
        return VectorPerDocumentWriter(segment.path(storage, self.DOCUMENTS_EXT), segment)

    def field_writer(self, storage: Any, segment: VectorSegment) -> VectorFieldWriter:
        return VectorFieldWriter(segment.path(storage, self.POSTINGS_EXT))

    def per_document_reader(self, storage: Any, segment: VectorSegment) -> VectorPerDocumentReader:
        # A writer asks for it before there are postings.
        documents = read_documents(segment.path(storage, self.DOCUMENTS_EXT))
        return VectorPerDocumentReader(documents, segment)

    def terms_reader(self, storage: Any, segment: VectorSegment) -> VectorTermsReader:
        return self.open(storage, segment).terms

    def open(self, storage: Any, segment: VectorSegment) -> "SegmentFiles":
        """Open the two files; raises FileNotFoundError, or IndexDamaged for a damaged one."""
        documents = read_documents(segment.path(storage, self.DOCUMENTS_EXT))
        path = segment.path(storage, self.POSTINGS_EXT)
        return SegmentFiles(documents, VectorTermsReader(path, documents.lengths))

    def new_segment(self, storage: Any, indexname: str) -> VectorSegment:  # noqa: ARG002
        return VectorSegment(indexname)


@dataclass(frozen=True, slots=True)
class SegmentFiles:
    """A segment's two files, open."""

    documents: Documents
    terms: VectorTermsReader


class OpenCodec(VectorCodec):
    """Gives Whoosh's readers files that are open already."""

    def __init__(self, files: SegmentFiles) -> None:
        self._files = files

    def per_document_reader(self, storage: Any, segment: VectorSegment) -> VectorPerDocumentReader:  # noqa: ARG002
        return VectorPerDocumentReader(self._files.documents, segment)

    def terms_reader(self, storage: Any, segment: VectorSegment) -> VectorTermsReader:  # noqa: ARG002
        return self._files.terms
