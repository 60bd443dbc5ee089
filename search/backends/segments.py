"""One segment of the vector codec, held open: its columns and the postings of its terms.

A segment never changes, so what is kept of it here outlives the commits that add others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.backends.vector_codec import (
    Documents,
    Keywords,
    VectorCodec,
    VectorSegment,
    VectorTermsReader,
    ranges,
    read_documents,
)
from search.backends.cache import ByteCache

__all__ = ["OpenSegment", "TermPostings", "Values"]

POSITION_BITS = 22  # as many as the index keeps


@dataclass(frozen=True, slots=True)
class TermPostings:
    """The documents of a term, how often each holds it, and the code of each one's length."""

    documents: NDArray[np.int32]
    frequencies: NDArray[np.float32]
    codes: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """The size in bytes."""
        return self.documents.nbytes + self.frequencies.nbytes + self.codes.nbytes


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a keyword field: names, and the numbers of each document's, one after another.

    `counts` tells how many a document has.
    """

    names: list[str]
    counts: NDArray[np.int64]
    numbers: NDArray[np.int64]


class OpenSegment:
    """A segment with its files mapped; `cache` is shared by all of them."""

    def __init__(self, storage: Any, segment: VectorSegment, cache: ByteCache[Any]) -> None:
        """Open the files; raises FileNotFoundError, or IndexUnavailable where one is damaged."""
        self.name: str = segment.segment_id()
        self.documents: Documents = read_documents(segment.path(storage, VectorCodec.DOCUMENTS_EXT))
        self._terms = VectorTermsReader(segment.path(storage, VectorCodec.POSTINGS_EXT), {})
        self._cache = cache
        self._values: dict[tuple[str, str], Values] = {}

    def count(self, field: str, text: bytes) -> int:
        """Return how many documents hold a term, deleted ones too."""
        return int(self._terms.doc_frequency(field, text))

    def postings(self, field: str, text: bytes) -> TermPostings | None:
        """Return the postings of a term, None where there is none."""
        key = (self.name, field, text)
        kept = self._cache.get(key)
        if kept is not None:
            return kept  # type: ignore[no-any-return]
        terms = self._terms.fields.get(field)
        found = terms.find(text) if terms else None
        if found is None:
            return None
        block, number = found
        documents, frequencies = block.postings(number)
        postings = TermPostings(
            documents.astype(np.int32),
            frequencies.astype(np.float32),
            self._codes(field)[documents],
        )
        self._cache.put(key, postings)
        return postings

    def places(self, field: str, text: bytes) -> NDArray[np.int64] | None:
        """Return every place of a term: document and position in one number, ascending.

        The position takes the lower POSITION_BITS. None where there is no such term.
        """
        key = (self.name, field, text, "places")
        kept = self._cache.get(key)
        if kept is not None:
            return kept  # type: ignore[no-any-return]
        terms = self._terms.fields.get(field)
        found = terms.find(text) if terms else None
        if found is None:
            return None
        block, number = found
        documents, frequencies = block.postings(number)
        places: NDArray[np.int64] = np.repeat(documents << POSITION_BITS, frequencies)
        places += block.positions(number)
        self._cache.put(key, places)
        return places

    def codes(self, field: str, documents: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Return the codes of some documents' lengths in a field."""
        codes: NDArray[np.uint8] = self._codes(field)[documents]
        return codes

    def expand(self, field: str, prefix: bytes) -> Iterator[tuple[bytes, NDArray[np.int64]]]:
        """Give the terms that begin with `prefix`, in order, and the documents of each."""
        terms = self._terms.fields.get(field)
        if terms is None:
            return
        for block, number in terms.walk(prefix):
            text = block.term(number)
            if not text.startswith(prefix):
                return
            yield text, block.postings(number)[0]

    def values(self, field: str, separator: str) -> Values:
        """Return the values of a keyword column, whose byte strings hold them separated."""
        kept = self._values.get((field, separator))
        if kept is None:
            column = self.documents.keywords.get(field)
            kept = _split(column or Keywords([b""], self._zeros), separator)
            self._values[field, separator] = kept
        return kept

    @cached_property
    def _zeros(self) -> NDArray[np.uint32]:
        return np.zeros(self.documents.size, np.uint32)

    def _codes(self, field: str) -> NDArray[np.uint8]:
        codes = self.documents.lengths.get(field)
        return self._zeros.astype(np.uint8) if codes is None else codes


def _split(column: Keywords, separator: str) -> Values:
    numbers: dict[str, int] = {}
    of_value = [
        [numbers.setdefault(name, len(numbers)) for name in text.decode().split(separator) if name]
        for text in column.values
    ]
    sizes = np.array([len(names) for names in of_value], np.int64)
    flat = np.array([number for names in of_value for number in names], np.int64)
    ends = np.cumsum(sizes)
    counts = sizes[column.ordinals]
    begins = (ends - sizes)[column.ordinals]
    return Values(list(numbers), counts, flat[ranges(begins, counts)])
