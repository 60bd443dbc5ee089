"""The tokens of many texts at once, as arrays: what the index stores of a field."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.analysis.charfilter import normalise_batch
from index.analysis.trie import WordTrie
from index.analysis.units import CHARACTER, LETTER, UnitSplitter

__all__ = ["FieldTokenizer", "FieldTokens"]

_Numbers = NDArray[np.int64]

_CODES = 0x40000  # characters that are a unit each lie below


@dataclass(frozen=True, slots=True)
class FieldTokens:
    """The tokens of one field over a batch of texts, as parallel arrays.

    `terms`, `documents` and `positions` have one entry a token: a number into `vocabulary`, the
    number of the text, which never goes down, and the unit at which the token begins. `lengths`
    says how many units each text has. The vocabulary has the terms that occur, each once.
    """

    vocabulary: list[str]
    terms: NDArray[np.uint32]
    documents: NDArray[np.uint32]
    positions: NDArray[np.uint32]
    lengths: NDArray[np.uint32]


class FieldTokenizer:
    """Gives the same tokens as a walk through each text, without a step of Python for each."""

    def __init__(self, splitter: UnitSplitter, words: WordTrie) -> None:
        self._splitter = splitter
        self._words = words
        self._is_character = _members(f"[{CHARACTER}]")
        self._is_latin = _members(LETTER)
        self._is_latin[[ord(sign) for sign in splitter.signs]] = True

    def tokens(self, texts: Sequence[str]) -> FieldTokens:
        """Return the tokens of all texts."""
        batch = normalise_batch(texts)
        codes = batch.codes
        is_unit = self._is_character[codes]
        characters = np.flatnonzero(is_unit)
        words, lengths, word_numbers = self._words.find(codes)
        latin, latin_terms, latin_vocabulary = self._latin(codes)
        is_unit[latin] = True
        units = np.zeros(codes.size + 1, np.int32)  # before each place
        np.cumsum(is_unit, out=units[1:])

        # Characters and words share one range of numbers, of which only those in use are kept.
        places = np.concatenate((characters, words))
        numbers = np.concatenate((codes[characters].astype(np.int64), word_numbers + _CODES))
        sizes = np.concatenate((np.ones_like(characters), lengths))
        used = np.zeros(_CODES + self._words.size, bool)
        used[numbers] = True
        in_use = np.flatnonzero(used)
        renumbered = np.empty(used.size, np.int64)
        renumbered[in_use] = np.arange(in_use.size)
        terms = renumbered[numbers]
        example = np.empty(in_use.size, np.int64)
        example[terms] = np.arange(terms.size)
        vocabulary = _slices(codes, places[example], sizes[example])

        terms = np.concatenate((terms, latin_terms + len(vocabulary)))
        places = np.concatenate((places, latin))
        # In the smallest type: numpy sorts 16 bits by radix.
        numbering = np.arange(len(texts), dtype=np.min_scalar_type(len(texts)))
        documents = np.repeat(numbering, np.diff(batch.bounds))[places]
        order = np.argsort(documents, kind="stable")
        documents, places, terms = documents[order], places[order], terms[order]
        before = units[batch.bounds]
        return FieldTokens(
            vocabulary=vocabulary + latin_vocabulary,
            terms=terms.astype(np.uint32),
            documents=documents.astype(np.uint32),
            positions=(units[places] - before[documents]).astype(np.uint32),
            lengths=np.diff(before).astype(np.uint32),
        )

    def _latin(self, codes: NDArray[np.uint32]) -> tuple[_Numbers, _Numbers, list[str]]:
        """Return the tokens that are no characters: the places of their units, and their terms.

        No unit of them, nor what its pattern looks at, crosses the border of a stretch of letters
        and signs. So each stretch that occurs is split once, however often it does.
        """
        inside = self._is_latin[codes]
        starts = np.flatnonzero(inside & ~np.concatenate(([False], inside[:-1])))
        follows = np.concatenate(([False], inside[:-1])) & ~inside
        kept = np.where(follows, ord("\n"), codes)[inside | follows]
        stretches = kept.astype("<u4").tobytes().decode("utf-32-le").split("\n")[:-1]
        known = _Stretches(self._splitter)
        numbers = np.fromiter(map(known.__getitem__, stretches), np.int64, len(stretches))
        counts = np.array(known.counts, np.int64)
        repeated = counts[numbers]
        # Where the tokens of each stretch begin, less where they come to stand.
        shift = (np.cumsum(counts) - counts)[numbers] - (np.cumsum(repeated) - repeated)
        tokens = np.arange(repeated.sum()) + np.repeat(shift, repeated)
        places = np.repeat(starts, repeated) + np.array(known.offsets, np.int64)[tokens]
        return places, np.array(known.tokens, np.int64)[tokens], list(known.terms)


class _Stretches(dict[str, int]):
    """Numbers the stretches it is asked for, and keeps the tokens of each, one after another.

    `counts` has one entry a stretch, `offsets` (of the unit) and `tokens` one a token.
    """

    def __init__(self, splitter: UnitSplitter) -> None:
        super().__init__()
        self._splitter = splitter
        self.terms: dict[str, int] = {}
        self.counts: list[int] = []
        self.offsets: list[int] = []
        self.tokens: list[int] = []

    def __missing__(self, stretch: str) -> int:
        number = self[stretch] = len(self)
        before = len(self.tokens)
        if word := self._splitter.lone_word(stretch):
            self._add(word, stretch.index(word))
        else:
            for unit in self._splitter.split(stretch):
                self._add(unit.text, unit.start)
                for part, _ in unit.parts():
                    self._add(part, unit.start)
        self.counts.append(len(self.tokens) - before)
        return number

    def _add(self, term: str, offset: int) -> None:
        self.offsets.append(offset)
        self.tokens.append(self.terms.setdefault(term, len(self.terms)))


def _members(pattern: str) -> NDArray[np.bool_]:
    """Return for every code point whether it matches."""
    points = np.arange(0x110000, dtype="<u4")
    everything = points.tobytes().decode("utf-32-le", "surrogatepass")
    members = np.zeros(points.size, bool)
    for run in re.finditer(f"(?:{pattern})+", everything):
        members[run.start() : run.end()] = True
    return members


def _slices(codes: NDArray[np.uint32], places: _Numbers, sizes: _Numbers) -> list[str]:
    """Return slices of a text, none of which has a NUL in it."""
    if not places.size:
        return []
    columns = np.arange(sizes.max())
    inside = columns < sizes[:, None]
    padded = np.where(inside, codes[np.where(inside, places[:, None] + columns, 0)], 0)
    words: list[str] = padded.astype("<u4").view(f"<U{columns.size}").ravel().tolist()
    return words
