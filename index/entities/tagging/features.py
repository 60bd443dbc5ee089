"""Features of a text for the sequence model: what stands at each unit and beside it, as hashes.

A unit is one Han character, one run of Latin letters or digits, or one other character, a new
line among them; other white space is no unit. A feature is a 32-bit hash of its number and of what
it looks at.
"""

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.analysis.segmenter import Segmenter
from index.entities.words import HAN

__all__ = ["NOTHING", "Known", "UnitReader", "Units"]

Hashes = NDArray[np.uint32]
Known = tuple[int, int, str]
"""Start, end and type of an organisation that is known."""

NOTHING = 0
"""The hash of a feature that does not apply."""

_PIECE = re.compile(rf"[{HAN}]+|[A-Za-z\u00c0-\u024f]+[0-9]*|[0-9]+|\n|[^\s{HAN}]")
_HAN_CHAR = re.compile(f"[{HAN}]")
_JOINS_LATIN = frozenset("-.&'’+")
_TYPES = {
    "company": 1,
    "government": 2,
    "institute": 2,
    "association": 2,
    "other": 2,
    "media": 3,
    "group": 4,
}
_HAN, _LATIN, _DIGITS, _MARK = range(4)
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Units:
    """Where the units of a text stand, and the features of each, one row a unit.

    `begins` says of each unit whether a word begins with it.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    begins: NDArray[np.bool_]
    features: Hashes


class _Word(NamedTuple):
    hash: int
    shape: int
    ending: int
    kind: int


class _Columns(NamedTuple):
    """The fields of the words of a text."""

    hash: NDArray[np.uint64]
    shape: NDArray[np.uint64]
    ending: NDArray[np.uint64]
    kind: NDArray[np.uint64]


class UnitReader:
    """Reads the units of texts with the words of a segmenter, and remembers words it has met."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._word = lru_cache(maxsize=1 << 16)(self._read_word)

    def read(self, text: str, known: Iterable[Known] = ()) -> Units:
        """Return the units of `text`, with what they look like and what stands beside them.

        `known` are the names in it that the table knows.
        """
        words: list[_Word] = []
        offsets: list[int] = []
        lengths: list[int] = []
        for piece in _PIECE.finditer(text):
            offset = piece.start()
            run = piece[0]
            is_han = len(run) > 1 and _HAN_CHAR.match(run)
            for part in self._segmenter.cut(run) if is_han else (run,):
                words.append(self._word(part))
                offsets.append(offset)
                lengths.append(len(part))
                offset += len(part)
        if not words:
            empty = np.zeros(0, np.int64)
            return Units(empty, empty, empty.astype(bool), np.zeros((0, 0), np.uint32))
        fields = np.fromiter(chain.from_iterable(words), np.uint64, 4 * len(words))
        word = _Columns(*fields.reshape(-1, 4).T.copy())
        start, length = np.array(offsets, np.int64), np.array(lengths, np.int64)
        # A word of Han characters has as many units; any other has one.
        count = np.where(word.kind == _HAN, length, 1)
        of_word = np.repeat(np.arange(len(words)), count)
        place = np.arange(len(of_word)) - np.repeat(np.cumsum(count) - count, count)
        starts = start[of_word] + place
        is_han = word.kind[of_word] == _HAN
        ends = np.where(is_han, starts + 1, start[of_word] + length[of_word])
        features = _features(text, word, of_word, place, count, starts, ends, known)
        return Units(starts, ends, place == 0, features)

    def _read_word(self, text: str) -> _Word:
        word = _word(text)
        if word.kind == _HAN and len(text) > 1:
            return word._replace(shape=32 if self._segmenter.is_known(text) else 33)
        return word


def _word(text: str) -> _Word:
    first = text[0]
    if _HAN_CHAR.match(first):
        return _Word(_hash(text), 1, NOTHING, _HAN)
    if first.isalpha():
        low = text.lower()
        return _Word(_hash(low), 2 + _latin_shape(text), _hash("…" + low[-3:]), _LATIN)
    if first.isdigit():
        return _Word(_hash(f"#{min(len(text), 5)}"), 30, NOTHING, _DIGITS)
    return _Word(_hash(text), 31, NOTHING, _MARK)


def _latin_shape(text: str) -> int:
    letters = text.rstrip("0123456789")
    if letters.islower():
        shape = 0
    elif letters.isupper():
        shape = 1 if len(letters) > 1 else 2
    elif letters[1:].islower():
        shape = 3
    else:
        shape = 4 if letters[0].isupper() else 5
    return shape + (6 if len(letters) < len(text) else 0) + (12 if len(letters) < 4 else 0)


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) | 1


def _features(
    text: str,
    word: _Columns,
    of_word: NDArray[np.int64],
    place: NDArray[np.int64],
    count: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    known: Iterable[Known],
) -> Hashes:
    is_han = word.kind[of_word] == _HAN
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    unit = np.where(is_han, codes[starts].astype(np.uint64), word.hash[of_word])
    shape = word.shape[of_word]
    flags = _known_flags(len(unit), starts, ends, known)
    # Where a unit stands in its word: alone, first, inside, last.
    last = count[of_word] - 1
    cut = np.where(last == 0, 1, np.where(place == 0, 2, np.where(place == last, 4, 3)))
    cut = cut.astype(np.uint64) + 8 * np.minimum(count[of_word], 5).astype(np.uint64)

    def at(step: int, values: NDArray[np.uint64] = unit) -> NDArray[np.uint64]:
        return _shifted(values, step)

    def words_at(step: int) -> NDArray[np.uint64]:
        return _shifted(word.hash, step)[of_word]

    before, after = _beside_runs(text, word, starts, of_word, place)
    is_latin = (word.kind[of_word] == _LATIN).astype(np.uint64)
    # What stands beside a run of Latin words is told to each of them.
    run = [is_latin * values for values in (*before, *after)]
    spelled = shape * np.uint64(7919)
    kinds: list[tuple[NDArray[np.uint64], ...]] = [
        (unit,), (at(-1),), (at(1),), (at(-2),), (at(2),), (at(-3),), (at(3),),
        (at(-1), unit), (unit, at(1)), (at(-2), at(-1)), (at(1), at(2)), (at(-1), at(1)),
        (at(-3), at(-2)), (at(2), at(3)),
        (at(-2), at(-1), unit), (unit, at(1), at(2)), (at(-1), unit, at(1)),
        (at(-3), at(-2), at(-1)), (at(1), at(2), at(3)),
        (shape,), (at(-1, shape), spelled, at(1, shape)),
        (at(-2, shape), at(-1, shape), spelled, at(1, shape), at(2, shape)),
        (word.ending[of_word],),
        (flags,), (at(-1, flags), flags, at(1, flags)),
        (at(-2, flags), at(-1)), (at(2, flags), at(1)),
        (cut, shape), (words_at(0), cut), (words_at(-1), cut), (words_at(1), cut),
        (words_at(-1), words_at(1), cut), (words_at(-2), words_at(-1), cut),
        (words_at(1), words_at(2), cut),
        (run[1],), (run[2],), (run[2], run[3]), (run[0], run[1]), (run[1], run[2]),
        (run[1], spelled), (run[2], spelled),
    ]  # fmt: skip
    latin_only = len(kinds) - 7
    hashes = np.empty((len(unit), len(kinds)), np.uint32)
    for number, parts in enumerate(kinds):
        hashes[:, number] = _mixed(number, parts)
    hashes[is_latin == 0, latin_only:] = NOTHING
    hashes[word.ending[of_word] == NOTHING, 22] = NOTHING
    hashes[flags == 0, 23] = NOTHING
    return hashes


def _mixed(number: int, parts: Sequence[NDArray[np.uint64]]) -> Hashes:
    mixed = np.full(len(parts[0]), (number + 1) * 0x632BE5AB, np.uint64)
    for part in parts:
        mixed = (mixed ^ part) * _MIX
        mixed ^= mixed >> np.uint64(29)
    return (mixed >> np.uint64(32)).astype(np.uint32) | np.uint32(1)


def _shifted(values: NDArray[np.uint64], step: int) -> NDArray[np.uint64]:
    """Return the value `step` places further on at each place, 0 past the ends."""
    moved = np.zeros_like(values)
    if step < 0:
        moved[-step:] = values[:step]
    elif step:
        moved[:-step] = values[step:]
    else:
        moved[:] = values
    return moved


def _known_flags(
    length: int, starts: NDArray[np.int64], ends: NDArray[np.int64], known: Iterable[Known]
) -> NDArray[np.uint64]:
    flags = np.zeros(length, np.uint64)
    for start, end, type_ in known:
        first = int(np.searchsorted(ends, start, "right"))
        last = int(np.searchsorted(starts, end, "left"))
        flags[first:last] = _TYPES[type_] * 2
        flags[first : first + 1] += np.uint64(1)
    return flags


def _beside_runs(
    text: str,
    word: _Columns,
    starts: NDArray[np.int64],
    of_word: NDArray[np.int64],
    place: NDArray[np.int64],
) -> tuple[list[NDArray[np.uint64]], list[NDArray[np.uint64]]]:
    """Return the two words before and the two after the run of Latin words at each unit."""
    kind = word.kind
    first_unit = starts[place == 0]
    joins = np.array([text[start] in _JOINS_LATIN for start in first_unit.tolist()])
    inside = (kind == _LATIN) | (kind == _DIGITS) | joins
    number = np.arange(len(kind))
    # The last word before the run, and the first after it.
    left = np.maximum.accumulate(np.where(inside, -1, number))
    right = np.minimum.accumulate(np.where(inside, len(kind), number)[::-1])[::-1]
    padded = np.concatenate(([0, 0], word.hash, [0, 0])).astype(np.uint64)
    before = [padded[left + 1][of_word], padded[left + 2][of_word]]
    after = [padded[right + 2][of_word], padded[np.minimum(right + 3, len(kind) + 3)][of_word]]
    return before, after
