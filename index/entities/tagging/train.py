"""Training of the tagger: `python -m index.entities.tagging.train`; writes data/tagger.npz.

The averaged structured perceptron in whole numbers: the same texts give the same file, byte for
byte, on every machine. Part of the features is hidden from each reading of a line, so that no
single one is relied on (Sutton, Sindelar and McCallum 2006, "Reducing Weight Undertraining in
Structured Discriminative Learning").
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from index.analysis.segmenter import Segmenter, open_segmenter
from index.entities.tagging.features import Known, UnitReader, Units
from index.entities.tagging.tagger import FORBIDDEN, TAGS, Weights, best_paths
from index.entities.tagging.texts import Marked, Names, read_texts, varied

__all__ = ["train", "train_shipped", "write_weights"]

_SEED = 20261128
_VARIANTS = 4  # of each text with other names
_EPOCHS = 8
_LEAST = 2  # texts in which a feature must stand
_TOLD = 0.25  # of the organisations of a text, as if a table knew them
_HIDDEN_FEATURES = 0.4
_MARGIN = 20.0  # by which the right tag of a unit must lead
_SMALLEST = 0.02  # weight that is kept, as a share of the largest
_LEVELS = 127  # of a weight in one byte
_FILE = Path(__file__).parents[1] / "data" / "tagger.npz"

_CLASSES = {
    "company": "company",
    "government": "body",
    "institute": "body",
    "association": "body",
    "other": "body",
    "media": "media",
    "group": "group",
    "product": "none",
    "malware": "none",
    "person": "none",
    "place": "none",
    "event": "none",
}

_Line = tuple[NDArray[np.uint32], NDArray[np.int64]]
"""The features of the units of a line, and their tags."""


def train(texts: Iterable[Sequence[Marked]], segmenter: Segmenter) -> Weights:
    """Return the weights that tag the texts best; each text comes in all its variants."""
    random = Random(_SEED)
    reader = UnitReader(segmenter)
    lines: list[_Line] = []
    met: list[NDArray[np.uint32]] = []
    for variants in texts:
        features: list[NDArray[np.uint32]] = []
        for text, spans in variants:
            units = reader.read(text, _told(text, spans, random))
            features.append(units.features.ravel())
            lines += _lines(text, units, _tags(units, spans))
        met.append(np.unique(np.concatenate(features)))
    keys, counts = np.unique(np.concatenate(met), return_counts=True)
    keys = keys[(counts >= _LEAST) & (keys > 0)]
    return _perceptron(keys, lines, np.random.Generator(np.random.PCG64(_SEED)))


def _told(text: str, spans: Iterable[tuple[int, int, str]], random: Random) -> Iterator[Known]:
    """Yield the places of some of the organisations, all places of each."""
    told: dict[str, bool] = {}
    for start, end, type_ in spans:
        if _CLASSES[type_] != "none":
            name = text[start:end]
            if told.setdefault(name, random.random() < _TOLD):
                yield start, end, type_


def _tags(units: Units, spans: Iterable[tuple[int, int, str]]) -> NDArray[np.int64]:
    tags = np.zeros(len(units.starts), np.int64)
    for start, end, type_ in spans:
        first = TAGS.index(f"B-{_CLASSES[type_]}")
        places = np.flatnonzero((units.starts >= start) & (units.ends <= end))
        tags[places] = first + 1
        tags[places[:1]] = first
    return tags


def _lines(text: str, units: Units, tags: NDArray[np.int64]) -> Iterator[_Line]:
    ends = [place + 1 for place, start in enumerate(units.starts.tolist()) if text[start] == "\n"]
    for first, last in pairwise((0, *ends, len(tags))):
        if last > first:
            yield units.features[first:last], tags[first:last]


def _perceptron(
    keys: NDArray[np.uint32], lines: Sequence[_Line], random: np.random.Generator
) -> Weights:
    size = len(TAGS)
    nothing = len(keys)  # a row for what stands in one text only, which keeps its zeros
    examples = [(_rows(keys, features), tags) for features, tags in lines]
    weights = np.zeros((len(keys) + 1, size), np.float32)
    totals = np.zeros((len(keys) + 1, size), np.float64)
    steps = np.zeros((size, size), np.float32)
    step_totals = np.zeros((size, size), np.float64)
    forbidden = _forbidden()
    clock = 0
    for epoch in range(_EPOCHS):
        wrong = 0
        for number in random.permutation(len(examples)).tolist():
            clock += 1
            rows, tags = examples[number]
            hidden = random.integers(0, 1000, rows.shape, np.int16) < 1000 * _HIDDEN_FEATURES
            rows = np.where(hidden, nothing, rows)
            scores = weights[rows].sum(axis=1) + _MARGIN
            scores[np.arange(len(tags)), tags] -= _MARGIN
            path = best_paths(scores[None], steps + forbidden)[0]
            missed = np.flatnonzero(path != tags)
            wrong += len(missed)
            for chain, sign in ((tags, 1), (path, -1)) if len(missed) else ():
                at = (rows[missed], chain[missed, None])
                np.add.at(weights, at, sign)
                np.add.at(totals, at, sign * clock)
                pairs = (np.concatenate(([0], chain)), np.concatenate((chain, [0])))
                np.add.at(steps, pairs, sign)
                np.add.at(step_totals, pairs, sign * clock)
            weights[nothing] = totals[nothing] = 0
        print(f"epoch {epoch + 1}: {wrong} units wrong", file=sys.stderr)  # noqa: T201
    return Weights(
        keys,
        (weights - totals / (clock + 1))[:-1].astype(np.float32),
        np.where(forbidden < 0, FORBIDDEN, steps - step_totals / (clock + 1)).astype(np.float32),
    )


def _rows(keys: NDArray[np.uint32], features: NDArray[np.uint32]) -> NDArray[np.int32]:
    rows = np.searchsorted(keys, features)
    found = keys[np.minimum(rows, len(keys) - 1)] == features
    return np.where(found, rows, len(keys)).astype(np.int32)


def _forbidden() -> NDArray[np.float32]:
    """Return what keeps a tag that continues a name from following anything but that name."""
    table = np.zeros((len(TAGS), len(TAGS)), np.float32)
    for following in range(2, len(TAGS), 2):
        table[:, following] = FORBIDDEN
        table[following - 1 : following + 1, following] = 0
    return table


def write_weights(weights: Weights, path: Path) -> None:
    """Write the weights with one byte each; equal weights give equal bytes."""
    scale = np.abs(weights.emissions).max() / _LEVELS
    kept = np.abs(weights.emissions).max(axis=1) >= _SMALLEST * _LEVELS * scale
    np.savez(
        path,
        keys=weights.keys[kept],
        emissions=np.rint(weights.emissions[kept] / scale).astype(np.int8),
        transitions=np.rint(np.maximum(weights.transitions / scale, -30_000)).astype(np.int16),
        scale=np.float32(scale),
    )


def train_shipped(path: Path = _FILE) -> None:
    """Train on the texts of the package and write the weights to `path`."""
    random = Random(_SEED)
    articles = read_texts()
    names = Names(articles)
    texts = [
        [varied(article, random, names if variant else None) for variant in range(_VARIANTS + 1)]
        for article in articles
    ]
    write_weights(train(texts, open_segmenter(())), path)


if __name__ == "__main__":
    train_shipped()
