"""Inversion of a batch: tokens as they stand in the texts, sorted into postings at once.

Each token is one 64-bit number (term, document, position, from the high bits down); sorting these
numbers is the inversion.
"""

import numpy as np
from numpy.typing import NDArray

from index.analysis import FieldTokens
from index.backends.vector_codec.postings import POSITION_BITS, Postings

__all__ = ["MAX_DOCUMENTS", "TokenBuffer"]

Keys = NDArray[np.uint64]

_DOCUMENT_BITS = 18

MAX_DOCUMENTS = 1 << _DOCUMENT_BITS
"""How many documents one buffer can tell apart."""

_MAX_TERMS = 1 << (64 - _DOCUMENT_BITS - POSITION_BITS)

_TERM_SHIFT = np.uint64(_DOCUMENT_BITS + POSITION_BITS)
_POSITION_MASK = np.uint64((1 << POSITION_BITS) - 1)


class TokenBuffer:
    """The tokens of one field, collected until they are inverted."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._keys: list[Keys] = []
        self.size = 0

    def has_room(self, tokens: FieldTokens) -> bool:
        """Say whether the buffer can tell the terms of further documents apart."""
        return len(self._numbers) + len(tokens.vocabulary) <= _MAX_TERMS

    def add(self, tokens: FieldTokens, first: int) -> None:
        """Take the tokens of further documents; `first` is the number of the first of them."""
        if not len(tokens.terms):
            return
        numbers = self._numbers
        table = np.array(
            [numbers.setdefault(term, len(numbers)) for term in tokens.vocabulary], np.uint64
        )
        keys = table[tokens.terms] << _TERM_SHIFT
        keys |= (tokens.documents + np.uint64(first)) << np.uint64(POSITION_BITS)
        keys |= np.minimum(tokens.positions, _POSITION_MASK).astype(np.uint64)
        self._keys.append(keys)
        self.size += len(keys)

    def invert(self, *, positions: bool) -> Postings | None:
        """Return the postings, None where there is no token; the buffer is used up."""
        if not self._keys:
            return None
        keys = np.concatenate(self._keys)
        texts = [text.encode() for text in self._numbers]
        self._keys = []  # as large as what has just been made of them
        order = sorted(range(len(texts)), key=texts.__getitem__)
        ranks = np.empty(len(texts), np.uint64)
        ranks[order] = np.arange(len(texts), dtype=np.uint64)
        rest = np.uint64((1 << int(_TERM_SHIFT)) - 1)
        keys = ranks[keys >> _TERM_SHIFT] << _TERM_SHIFT | keys & rest
        keys.sort()
        heads = keys >> np.uint64(POSITION_BITS)
        first = np.flatnonzero(np.concatenate([[True], heads[1:] != heads[:-1]]))
        heads = heads[first]
        return Postings(
            [texts[number] for number in order],
            np.bincount((heads >> np.uint64(_DOCUMENT_BITS)).astype(np.int64)).astype(np.uint32),
            (heads & np.uint64(MAX_DOCUMENTS - 1)).astype(np.uint32),
            np.diff(first, append=len(keys)).astype(np.uint32),
            (keys & _POSITION_MASK).astype(np.uint32) if positions else None,
        )
