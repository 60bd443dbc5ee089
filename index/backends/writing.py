"""How the documents of a batch are written to the Whoosh index: as columns and tokens."""

from collections.abc import Iterable

import numpy as np

from index.analysis import FieldTokens
from index.backends.vector_codec import Documents, Keywords, VectorWriter
from index.schema import TEXT_FIELDS, IndexBatch, encode_length

__all__ = ["SEPARATOR", "BatchWriter"]

SEPARATOR = "\n"
"""Between the values of one document in a column that holds several."""


class BatchWriter:
    """Adapts the batch writer of the codec to IndexWriter."""

    def __init__(self, writer: VectorWriter) -> None:
        """Open the segments that are there; raises FileNotFoundError, IndexDamaged."""
        self._writer = writer
        base, self._terms = 0, []
        for segment in writer.segments:
            self._terms.append((base, writer.codec.open(writer.storage, segment).terms))
            base += segment.doc_count_all()

    def update_documents(self, batch: IndexBatch) -> None:
        """Add documents; see `IndexWriter.update_documents`."""
        if not batch.documents:
            return
        for document in batch.documents:
            self.delete_document(document.id)
        ids = [document.id for document in batch.documents]
        numbers = np.arange(len(ids), dtype=np.uint32)
        tokens = {"id": FieldTokens(ids, numbers, numbers, np.zeros_like(numbers), numbers)}
        self._writer.add_batch(_columns(batch), tokens | batch.fields)

    def delete_document(self, identifier: str, *, removed: bool = False) -> None:  # noqa: ARG002
        """Delete a document; see `IndexWriter.delete_document`."""
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
            "category": Keywords.of([_joined((document.category,)) for document in documents]),
            "source": Keywords.of([_joined((document.source,)) for document in documents]),
            "author": Keywords.of([_joined((document.author,)) for document in documents]),
            "organisations": Keywords.of(
                [_joined(map(str, document.organisations)) for document in documents]
            ),
            "identifiers": Keywords.of([_joined(document.identifiers) for document in documents]),
            "cluster": Keywords.of([document.cluster.encode() for document in documents]),
        },
        lengths={
            name: np.array(
                [encode_length(length) for length in batch.fields[name].lengths.tolist()], np.uint8
            )
            for name in TEXT_FIELDS
        },
    )


def _joined(values: Iterable[str]) -> bytes:
    # A separator within a value would make two of it: two categories, or half a naming, which
    # cannot be read.
    return SEPARATOR.join(value.replace(SEPARATOR, " ") for value in values).encode()
