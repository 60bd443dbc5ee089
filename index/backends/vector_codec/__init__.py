"""A codec for Whoosh whose segments are flat arrays, and the writer that fills it in batches."""

from index.backends.vector_codec.codec import VectorCodec, VectorSegment
from index.backends.vector_codec.documents import LENGTHS, Documents, Keywords, read_documents
from index.backends.vector_codec.postings import Block, ranges, starts
from index.backends.vector_codec.terms import FieldTerms, VectorTermsReader
from index.backends.vector_codec.writer import VectorWriter, merge_tiers

__all__ = [
    "LENGTHS",
    "Block",
    "Documents",
    "FieldTerms",
    "Keywords",
    "VectorCodec",
    "VectorSegment",
    "VectorTermsReader",
    "VectorWriter",
    "merge_tiers",
    "ranges",
    "read_documents",
    "starts",
]
