"""A codec for Whoosh whose segments are flat arrays, and the writer that fills it in batches."""

from index.backends.vector_codec.codec import OpenCodec, SegmentFiles, VectorCodec, VectorSegment
from index.backends.vector_codec.container import ContainerReader
from index.backends.vector_codec.documents import LENGTHS, Documents, Keywords
from index.backends.vector_codec.postings import POSITION_BITS, Block, ranges, starts
from index.backends.vector_codec.terms import VectorTermsReader
from index.backends.vector_codec.writer import VectorWriter, merge_tiers

__all__ = [
    "LENGTHS",
    "POSITION_BITS",
    "Block",
    "ContainerReader",
    "Documents",
    "Keywords",
    "OpenCodec",
    "SegmentFiles",
    "VectorCodec",
    "VectorSegment",
    "VectorTermsReader",
    "VectorWriter",
    "merge_tiers",
    "ranges",
    "starts",
]
