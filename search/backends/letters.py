"""Letters: texts without their signs, and the passages that stand in two of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from index.analysis import normalise, normalise_batch

__all__ = ["CommonRun", "Letters", "common_runs"]

_SEED = 6  # letters in a row that must agree
_LEAST = 6.0  # units of a run that says something
_LATIN = re.compile(r"[a-z0-9]+")
_LETTER = re.compile(r"[^\W_]")
_SIGN = re.compile(r"[\W_]+")
_BORDER = "\0"
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: spreads what it multiplies

_Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class CommonRun:
    """Letters `start` to `end` of a text that stand in another one, and their weight in units."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters and digits of a text in normal form, where each stood, and what each weighs.

    A Han character weighs 1, a Latin word or number 1 in all, what stands in a name nothing.
    """

    text: str
    offsets: tuple[int, ...]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, original: str, names: Sequence[tuple[int, int]] = ()) -> "Letters":
        """Return the letters of a text, in which `names` stand at some characters."""
        normal = normalise(original)
        offsets = [match.start() for match in _LETTER.finditer(normal.text)]
        weights = np.ones(len(normal.text) + 1)
        for match in _LATIN.finditer(normal.text):
            weights[match.start() : match.end()] = 1 / (match.end() - match.start())
        places = np.array(offsets if normal.starts is None else [normal.starts[o] for o in offsets])
        places = places.astype(np.int64)
        found = weights[offsets]
        for start, end in names:
            found[(places >= start) & (places < end)] = 0
        return cls(
            "".join(normal.text[offset] for offset in offsets), tuple(places.tolist()), found
        )

    @property
    def weight(self) -> float:
        """The weight of all letters."""
        return float(self.weights.sum())

    def span(self, original: str, run: CommonRun) -> tuple[int, int]:
        """Return where a run stands in the text that the letters are of."""
        last = self.offsets[run.end - 1]
        following = self.offsets[run.end] if run.end < len(self.offsets) else len(original)
        end = last + 1
        # What normal form joins or splits belongs to the run, signs after it do not.
        while end < following and original[end : end + 1].isalnum():
            end += 1
        return self.offsets[run.start], end


def common_runs(own: Sequence[Letters], others: Sequence[str]) -> list[list[tuple[CommonRun, ...]]]:
    """Return for each of some other texts what it has in common with each of some letters."""
    joined = _BORDER.join(letters.text for letters in own)
    begins = np.cumsum([0, *(len(letters.text) + 1 for letters in own)])
    seeds = _seeds(joined)
    # A run never passes a border: no text has one.
    return [_runs(own, seeds, begins, other) for other in _normal_letters(others)]


def _normal_letters(texts: Sequence[str]) -> list[str]:
    batch = normalise_batch(texts)
    joined = batch.codes.tobytes().decode("utf-32-le", "surrogatepass")
    return [_SIGN.sub("", joined[start:end]) for start, end in pairwise(batch.bounds.tolist())]


def _seeds(text: str) -> _Hashes:
    """Return a hash of each _SEED letters in a row."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    count = max(0, len(codes) - _SEED + 1)
    hashes = np.zeros(count, np.uint64)
    for place in range(_SEED):
        hashes = (hashes + codes[place : place + count]) * _FACTOR
        hashes ^= hashes >> np.uint64(29)
    return hashes


def _runs(
    own: Sequence[Letters], seeds: _Hashes, begins: NDArray[np.int64], text: str
) -> list[tuple[CommonRun, ...]]:
    found: list[list[CommonRun]] = [[] for _ in own]
    theirs = np.sort(_seeds(text))
    if len(seeds) and len(theirs):
        places = np.minimum(np.searchsorted(theirs, seeds), len(theirs) - 1)
        agrees = np.concatenate([[False], theirs[places] == seeds, [False]])
        edges = np.flatnonzero(agrees[1:] != agrees[:-1]).reshape(-1, 2)
        owners = np.searchsorted(begins, edges[:, 0], side="right") - 1
        for owner, (start, end) in zip(owners.tolist(), edges.tolist(), strict=True):
            first = int(begins[owner])
            found[owner] += _exact(own[owner], start - first, end + _SEED - 1 - first, text)
    return [tuple(runs) for runs in found]


def _exact(letters: Letters, start: int, end: int, text: str) -> list[CommonRun]:
    """Return the parts of a stretch that stand in a text as they are: seeds agree one by one."""
    found = []
    while end - start >= _SEED:
        size = end - start
        if letters.text[start:end] not in text:
            low, high = _SEED, size
            while low < high - 1:  # the longest beginning that stands there
                middle = (low + high) // 2
                if letters.text[start : start + middle] in text:
                    low = middle
                else:
                    high = middle
            size = low
        weight = float(letters.weights[start : start + size].sum())
        if weight >= _LEAST:
            found.append(CommonRun(start, start + size, weight))
        start += size
    return found
