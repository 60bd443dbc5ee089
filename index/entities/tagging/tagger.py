"""The tagger: finds the spans of names in a text with the weights that training made.

Each unit of a text gets a tag, of the best sequence under a linear model whose weights were
learnt by an averaged structured perceptron (Collins 2002, "Discriminative Training Methods for
Hidden Markov Models"). Viterbi's algorithm runs only where a tag beats "outside" by itself, and one
unit beyond: that is a fifth of a text, and finds 96 of 100 of the names of the whole search.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from index.analysis.segmenter import Segmenter
from index.entities.tagging.features import Known, UnitReader, Units

__all__ = ["CLASSES", "TAGS", "Name", "Tagger", "Tagging", "Weights", "best_paths"]

CLASSES = ("company", "body", "media", "group", "none")
"""What a span is; "none" is a name of something else: a product, a malware, a person."""

TAGS = ("O", *(f"{part}-{name}" for name in CLASSES for part in "BI"))
"""Outside, and for each class the first unit of a name (B) and each other unit of it (I)."""

FORBIDDEN = -1e6
_OUTSIDE = 0
_BITS = 21


class Name(NamedTuple):
    """Characters `start` to `end` are a name of a class."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Weights:
    """A linear model: a row of weights, one a tag, for each known feature; and of tag after tag.

    `keys` are the hashes of the features, ascending; `emissions` has shape (features, tags);
    `transitions` has shape (tags, tags), the former tag first.
    """

    keys: NDArray[np.uint32]
    emissions: NDArray[np.float32]
    transitions: NDArray[np.float32]

    @classmethod
    def load(cls, path: Traversable | None = None) -> Self:
        """Return the weights of a file, by default those that come with the program."""
        path = path or files("index.entities") / "data" / "tagger.npz"
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            scale = np.float32(arrays["scale"])
            return cls(
                arrays["keys"],
                arrays["emissions"].astype(np.float32) * scale,
                arrays["transitions"].astype(np.float32) * scale,
            )


class Tagger:
    """Finds names by their context and form; the same text always gives the same names."""

    def __init__(self, weights: Weights, segmenter: Segmenter) -> None:
        """Arrange the weights for look-up."""
        self._reader = UnitReader(segmenter)
        self._transitions = weights.transitions
        # A row of zeros for what training never met stands first.
        self._rows = np.concatenate((np.zeros((1, len(TAGS)), np.float32), weights.emissions))
        self._keys = np.concatenate((np.zeros(1, np.uint32), weights.keys))
        self._slots = np.zeros(1 << _BITS, np.int32)
        self._slots[weights.keys >> np.uint32(32 - _BITS)] = np.arange(1, len(self._keys))

    @classmethod
    def load(cls, segmenter: Segmenter) -> Self:
        """Return the tagger with the weights that come with the program."""
        return cls(Weights.load(), segmenter)

    def tag(self, text: str, known: Iterable[Known] = ()) -> "Tagging":
        """Return what the model makes of `text`; `known` are the names that the table knows."""
        units = self._reader.read(text, known)
        slots = self._slots[units.features >> np.uint32(32 - _BITS)]
        slots[self._keys[slots] != units.features] = 0
        # Each unit adds up the rows of its features: a sparse matrix times the rows.
        met = slots > 0
        ends = np.concatenate(([0], met.sum(axis=1).cumsum()))
        ones = np.ones(ends[-1], np.float32)
        chosen = csr_array((ones, slots[met], ends), (len(slots), len(self._rows)))
        return Tagging(units, chosen @ self._rows, self._transitions)


class Tagging:
    """A text with the score of each tag at each of its units."""

    def __init__(
        self, units: Units, scores: NDArray[np.float32], transitions: NDArray[np.float32]
    ) -> None:
        self._units = units
        self._scores = scores
        self._transitions = transitions

    def names(self) -> Iterator[Name]:
        """Yield the names of the best sequence of tags."""
        starts, ends = self._units.starts, self._units.ends
        for first, tags in self._paths():
            path = [*tags, _OUTSIDE]
            begin = 0
            for place, (tag, following) in enumerate(pairwise(path)):
                if tag % 2:
                    begin = place
                if tag != _OUTSIDE and not _continues(tag, following):
                    yield Name(
                        int(starts[first + begin]),
                        int(ends[first + place]),
                        CLASSES[(tag - 1) // 2],
                    )

    def leads(self, start: int, end: int) -> dict[str, float] | None:
        """Return by how much each class leads over "outside", were characters a name of it.

        None where the characters are not whole units.
        """
        first = int(np.searchsorted(self._units.starts, start))
        last = int(np.searchsorted(self._units.ends, end)) + 1
        if not (
            first < last <= len(self._units.starts)
            and self._units.starts[first] == start
            and self._units.ends[last - 1] == end
        ):
            return None
        inside = last - first - 1
        steps = self._transitions
        scores = self._scores[first:last]
        outside = scores[:, _OUTSIDE].sum() + steps[_OUTSIDE, _OUTSIDE] * (inside + 2)
        leads = {}
        for number, class_ in enumerate(CLASSES):
            begin, more = 1 + 2 * number, 2 + 2 * number
            gain = scores[0, begin] + scores[1:, more].sum() + steps[_OUTSIDE, begin]
            if inside:
                gain += steps[begin, more] + steps[more, more] * (inside - 1)
            gain += steps[more if inside else begin, _OUTSIDE]
            leads[class_] = float(gain - outside)
        return leads

    def cuts_words(self, start: int, end: int) -> bool:
        """Say whether characters begin or end inside a word of the language."""
        units = self._units
        first = int(np.searchsorted(units.starts, start))
        after = int(np.searchsorted(units.starts, end))
        return not (
            bool(units.begins[first]) and (after == len(units.starts) or bool(units.begins[after]))
        )

    def _paths(self) -> Iterator[tuple[int, list[int]]]:
        """Yield the best tags where a name may stand, with the first unit of each stretch.

        A stretch is a run of units in which some tag beats "outside", with one unit more on either
        side; those of one length are decoded together.
        """
        lead = self._scores[:, 1:].max(axis=1, initial=FORBIDDEN) - self._scores[:, _OUTSIDE]
        open_ = np.concatenate(([False], lead > 0, [False]))
        edges = np.flatnonzero(np.diff(open_.astype(np.int8))).reshape(-1, 2)
        firsts = np.maximum(edges[:, 0] - 1, 0)
        lengths = np.minimum(edges[:, 1] + 1, len(lead)) - firsts
        paths: dict[int, list[int]] = {}
        for length in np.unique(lengths).tolist():
            begins = firsts[lengths == length]
            places = begins[:, None] + np.arange(length)
            best = best_paths(self._scores[places], self._transitions)
            paths |= zip(begins.tolist(), best.tolist(), strict=True)
        yield from sorted(paths.items())


def _continues(tag: int, following: int) -> bool:
    """Say whether a tag that is not "outside" goes on in the following one."""
    return following == tag + tag % 2


def best_paths(scores: NDArray[np.float32], transitions: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the tags of the best sequences, by Viterbi's algorithm; each stands in "outside".

    `scores` has shape (sequences, units, tags), the answer (sequences, units).
    """
    count, length, size = scores.shape
    best = scores[:, 0] + transitions[_OUTSIDE]
    pointers = np.empty((length, count, size), np.int64)
    for place in range(1, length):
        ways = best[:, :, None] + transitions
        pointers[place] = ways.argmax(axis=1)
        best = ways.max(axis=1) + scores[:, place]
    paths = np.empty((count, length), np.int64)
    paths[:, -1] = (best + transitions[:, _OUTSIDE]).argmax(axis=1)
    for place in range(length - 1, 0, -1):
        paths[:, place - 1] = pointers[place, np.arange(count), paths[:, place]]
    return paths
