"""Every dictionary word in a text: a trie that walks from all places of the text at once."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WordTrie"]

# What jieba's dictionary covers; its words with other characters never stand in a run of these.
_FIRST, _SIZE = 0x4E00, 0x9FD5 - 0x4E00 + 1

_LINE_FEED = (ord("\n") - _FIRST) % 2**32

_EMPTY = np.uint64(2**64 - 1)
_BITS = np.uint64(15)  # hold a character
_ROOTS = 1 << 15  # nodes below are first characters; the others are slots of the table after them
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class WordTrie:
    """Finds the words of two Han characters or more that it was built from: jieba's full mode.

    The edges are in one hash table with linear probing. Its key is the parent node and the
    character; the slot where the key stands names the child, so that a look-up reads one array.
    """

    def __init__(self, words: Iterable[str]) -> None:
        """Build the table, level by level; single characters and words not all Han are left out."""
        text = "\n".join(words) + "\n"
        characters = np.frombuffer(text.encode("utf-32-le"), "<u4") - np.uint32(_FIRST)
        ends = np.flatnonzero(characters == _LINE_FEED)
        starts = np.concatenate(([0], ends[:-1] + 1))
        # The line feed behind each word is its one character that is not Han.
        fit = (np.add.reduceat(characters >= _SIZE, starts) == 1) & (ends - starts > 1)
        starts, ends = starts[fit], ends[fit]
        # More than twice as many slots as edges: jieba's dictionary fills a quarter of 2**21.
        bits = int((ends - starts - 1).sum()).bit_length() + 1
        self._shift = np.uint64(64 - bits)
        self._keys = np.full(1 << bits, _EMPTY)
        self._numbers = np.zeros(1 << bits, np.uint32)  # of words, from 1
        self.size = 0
        nodes = characters[starts]
        places = starts + 1
        while places.size:
            keys, edges = np.unique(self._key(nodes, characters[places]), return_inverse=True)
            slots = self._insert(keys)[edges]
            places += 1
            whole = np.unique(slots[places == ends])
            self._numbers[whole] = np.arange(self.size, self.size + whole.size) + 1
            self.size += whole.size
            longer = places < ends
            nodes, places, ends = slots[longer] + _ROOTS, places[longer], ends[longer]

    def find(
        self, codes: NDArray[np.uint32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return each word that is visible: where it starts, how long it is, and its number.

        `codes` are the text's code points, the last of them not a Han character. Numbers go up to
        the `size` of the trie.
        """
        characters = codes - np.uint32(_FIRST)
        han = characters < _SIZE
        starts = np.flatnonzero(han[:-1] & han[1:])
        nodes: NDArray[Any] = characters[starts]
        length = 1
        found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
        while starts.size:
            slots = self._look_up(self._key(nodes, characters[starts + length]))
            length += 1
            known = slots >= 0
            starts, slots = starts[known], slots[known]
            numbers = self._numbers[slots].astype(np.int64)
            whole = numbers > 0
            words = starts[whole]
            found.append((words, np.full(words.size, length), numbers[whole] - 1))
            goes_on = han[starts + length]
            starts, nodes = starts[goes_on], slots[goes_on] + _ROOTS
        if not found:
            nothing = np.zeros(0, np.int64)
            return nothing, nothing, nothing
        places, lengths, numbers = map(np.concatenate, zip(*found, strict=True))
        return places, lengths, numbers

    @staticmethod
    def _key(nodes: NDArray[Any], characters: NDArray[np.uint32]) -> NDArray[np.uint64]:
        return nodes.astype(np.uint64) << _BITS | characters

    def _slot(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        return (keys * _GOLDEN >> self._shift).astype(np.int64)

    def _insert(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Give each key, all of them new, a slot of its own."""
        slots = self._slot(keys)
        waiting = np.arange(keys.size)
        while waiting.size:
            wanted = slots[waiting]
            free = self._keys[wanted] == _EMPTY
            self._keys[wanted[free]] = keys[waiting[free]]
            # Of those that wanted the same slot the last one has it.
            waiting = waiting[self._keys[wanted] != keys[waiting]]
            slots[waiting] = (slots[waiting] + 1) & (self._keys.size - 1)
        return slots

    def _look_up(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the slot of each key, -1 for one that is not there."""
        slots = self._slot(keys)
        stored = self._keys[slots]
        empty = stored == _EMPTY
        waiting = np.flatnonzero((stored != keys) & ~empty)
        slots[empty] = -1
        keys = keys[waiting]
        while waiting.size:
            nexts = (slots[waiting] + 1) & (self._keys.size - 1)
            stored = self._keys[nexts]
            empty = stored == _EMPTY
            slots[waiting] = np.where(empty, -1, nexts)
            on = (stored != keys) & ~empty
            waiting, keys = waiting[on], keys[on]
        return slots
