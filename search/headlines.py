"""Where short strings stand in headlines, and what stands between two of them.

The places of all pairs of neighbouring characters are kept in the order of the pairs, as a suffix
array cut off after two characters: a string is looked up by bisection, not by reading everything.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["HeadlineText"]

_MOST_PLACES = 500  # that are looked at for what stands between
_HAN = (0x4E00, 0x9FFF)

_Places = NDArray[np.int64]


class HeadlineText:
    """The headlines of an archive as one text, for counting strings of Chinese in it."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Take the headlines in normal form; no string reaches from one into the next."""
        self._text = "\n".join(lines) + "\n"
        codes = np.frombuffer(self._text.encode("utf-32-le", "surrogatepass"), "<u4")
        pairs = codes.astype(np.uint64) << np.uint64(32)
        pairs[:-1] |= codes[1:]
        self._order = np.argsort(pairs, kind="stable").astype(np.int32)
        self._pairs = pairs[self._order]
        self._codes = np.append(codes, np.uint32(0))  # what every place beyond the end has

    def count(self, text: str) -> int:
        """Return at how many places a text (not empty) stands."""
        return len(self._standing(text, self._places(text[:2]), 2))

    def between(self, left: str, right: str, size: int) -> Counter[str]:
        """Count the strings of so many Chinese characters that stand between two texts.

        One of the texts may be empty. No more than the first 500 places are counted.
        """
        if len(left) >= len(right):
            places = self._standing(left, self._places(left[:2]), 2) + len(left)
        else:
            places = self._standing(right, self._places(right[:2]), 2) - size
            places = self._standing(left, places[places >= len(left)] - len(left)) + len(left)
        for at in range(size):
            codes = self._at(places + at)
            places = places[(codes >= _HAN[0]) & (codes <= _HAN[1])]
        places = np.sort(self._standing(right, places + size) - size)
        return Counter(self._text[at : at + size] for at in places[:_MOST_PLACES].tolist())

    def _places(self, pair: str) -> _Places:
        """Return the places of one or two characters."""
        low = ord(pair[0]) << 32
        high = low + (1 << 32)
        if len(pair) > 1:
            low += ord(pair[1])
            high = low + 1
        first, last = np.searchsorted(self._pairs, np.array([low, high], np.uint64))
        return self._order[first:last].astype(np.int64)

    def _standing(self, text: str, places: _Places, known: int = 0) -> _Places:
        """Return those places at which a text stands, of which the beginning is known to."""
        for at in range(known, len(text)):
            places = places[self._at(places + at) == ord(text[at])]
        return places

    def _at(self, places: _Places) -> NDArray[np.uint32]:
        return self._codes.take(places, mode="clip")
