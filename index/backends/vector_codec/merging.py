"""Merging of segments: arrays are copied in the order of the terms, never single postings.

Every part is read block by block, so that memory does not grow with the size of the segments.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from whoosh.fields import Schema

from index.backends.vector_codec.documents import Documents
from index.backends.vector_codec.postings import Postings, ranges, starts
from index.backends.vector_codec.terms import VectorFieldWriter

__all__ = ["Part", "merge_fields", "merge_postings"]


@dataclass(frozen=True, slots=True)
class Part:
    """What goes into a merge: documents, which of them stay, and postings in order of the terms."""

    documents: Documents
    kept: NDArray[np.bool_]
    fields: Mapping[str, Iterable[Postings]]


def merge_fields(parts: Sequence[Part], schema: Schema, writer: VectorFieldWriter) -> None:
    """Write the postings of all parts, documents numbered one part after another."""
    numbers, first = [], 0
    for part in parts:
        numbers.append(np.where(part.kept, first + np.cumsum(part.kept) - 1, -1))
        first += int(part.kept.sum())
    for name in sorted({name for part in parts for name in part.fields if name in schema}):
        writer.start_field(name, schema[name])
        streams = [
            _renumbered(part.fields[name], own)
            for part, own in zip(parts, numbers, strict=True)
            if name in part.fields
        ]
        for postings in merge_postings(streams):
            writer.put(postings)
        writer.finish_field()


def merge_postings(streams: Sequence[Iterator[Postings]]) -> Iterator[Postings]:
    """Merge streams of postings, each in order of its terms, into one such stream.

    For a term of several streams the documents of an earlier stream come first.
    """
    heads: list[Postings | None] = [next(stream, None) for stream in streams]
    while any(head is not None for head in heads):
        # Up to the first of the heads' last terms every stream has shown all that it holds.
        bound = min(head.terms[-1] for head in heads if head is not None)
        ready = []
        for number, head in enumerate(heads):
            if head is None:
                continue
            cut = bisect_right(head.terms, bound)
            if cut:
                ready.append(head.slice(0, cut))
            rest = head.slice(cut, len(head.terms)) if cut < len(head.terms) else None
            heads[number] = rest or next(streams[number], None)
        yield _interleaved(ready)


def _renumbered(stream: Iterable[Postings], numbers: NDArray[np.int64]) -> Iterator[Postings]:
    for postings in stream:
        kept = postings.renumbered(numbers)
        if kept is not None:
            yield kept


def _interleaved(parts: Sequence[Postings]) -> Postings:
    """Merge postings whose terms may be the same."""
    if len(parts) == 1:
        return parts[0]
    terms = sorted(set().union(*(part.terms for part in parts)))
    ranks = {term: number for number, term in enumerate(terms)}
    owners = np.array([ranks[term] for part in parts for term in part.terms])
    order = np.argsort(owners, kind="stable")
    counts = np.concatenate([part.counts for part in parts])
    taken = ranges(starts(counts)[order], counts[order])
    positions = None
    if parts[0].positions is not None:
        occurrences = np.concatenate([part.occurrences for part in parts])
        places = ranges(starts(occurrences)[order], occurrences[order])
        positions = _joined([part.positions for part in parts])[places]
    return Postings(
        terms,
        np.bincount(owners, weights=counts).astype(np.uint32),
        _joined([part.documents for part in parts])[taken],
        _joined([part.frequencies for part in parts])[taken],
        positions,
    )


def _joined(arrays: Sequence[NDArray[np.uint32] | None]) -> NDArray[np.uint32]:
    return np.concatenate([array for array in arrays if array is not None])
