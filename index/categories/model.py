"""The linear model that guesses a category: its weights, and what it says of an article."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from hashlib import blake2b
from importlib.resources import files
from io import BytesIO
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index.categories.features import WordCounter, normal_texts, shape, shape_pairs
from index.document import Article

__all__ = [
    "CategoryModel",
    "Guess",
    "best_guesses",
    "model_fingerprint",
    "shipped_weights",
    "with_category",
]

_SHARPNESS = 8.0  # of the scores, which lie between 0 and 1, before they become shares


@dataclass(frozen=True, slots=True)
class Guess:
    """The likeliest category, and its share of belief, from 0 to 1."""

    category: str
    confidence: float


@dataclass(frozen=True, kw_only=True)
class CategoryModel:
    """Weights over single words, by view, and over the shape of the text.

    `words` has the words in normal form, `idf` how rare each is, `weights` a number a view, word
    and target; `shape` and `bias` complete the score of a target. `targets` are categories: one
    of them may stand twice, where it holds things that have little in common. Below `threshold`
    the model is unsure.
    """

    targets: tuple[str, ...]
    words: tuple[str, ...]
    idf: NDArray[np.float32]
    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    shape: NDArray[np.float32]
    shape_mean: NDArray[np.float32]
    shape_spread: NDArray[np.float32]
    bias: NDArray[np.float32]
    threshold: float

    @cached_property
    def _counter(self) -> WordCounter:
        return WordCounter(self.words)

    def predict(self, article: Article) -> str | None:
        """Return the category of an article, or None where the model is unsure."""
        guess = self.guess(article)
        return guess.category if guess.confidence >= self.threshold else None

    def guess(self, article: Article) -> Guess:
        """Return the likeliest category of an article, however unlikely."""
        pairs = shape_pairs(shape(article), self.shape_mean, self.shape_spread)
        scores = self.bias + pairs @ self.shape
        for number, (words, counts) in enumerate(self._counter.count(*normal_texts(article))):
            values = (1 + np.log(counts)) * self.idf[words]
            if length := np.sqrt(values @ values):
                scores += (values / length) @ self.weights[number, words] * self.scale[number]
        return best_guesses(self.targets, scores[None])[0]

    def to_bytes(self) -> bytes:
        """Return the weights as a file of plain arrays, the same bytes for the same weights."""
        file = BytesIO()
        np.savez(
            file,
            targets=_bytes_of(self.targets),
            words=_bytes_of(self.words),
            idf=self.idf,
            weights=self.weights,
            scale=self.scale,
            shape=self.shape,
            shape_mean=self.shape_mean,
            shape_spread=self.shape_spread,
            bias=self.bias,
            threshold=np.float64(self.threshold),
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return the model that `to_bytes` wrote."""
        with np.load(BytesIO(content), allow_pickle=False) as file:
            arrays: Mapping[str, NDArray[np.generic]] = dict(file)
        return cls(
            targets=_texts_of(arrays["targets"]),
            words=_texts_of(arrays["words"]),
            idf=arrays["idf"].astype(np.float32),
            weights=arrays["weights"].astype(np.int8),
            scale=arrays["scale"].astype(np.float32),
            shape=arrays["shape"].astype(np.float32),
            shape_mean=arrays["shape_mean"].astype(np.float32),
            shape_spread=arrays["shape_spread"].astype(np.float32),
            bias=arrays["bias"].astype(np.float32),
            threshold=float(arrays["threshold"].astype(np.float64)),
        )

    @classmethod
    @cache
    def load(cls) -> "CategoryModel":
        """Return the model that comes with the program."""
        return cls.from_bytes(shipped_weights())


def with_category(article: Article, model: CategoryModel) -> Article:
    """Return the article with a predicted category where its page prints none that is known."""
    if article.category is not None:
        return article
    category = model.predict(article)
    return replace(article, category=category, category_predicted=category is not None)


def best_guesses(targets: Sequence[str], scores: NDArray[np.floating]) -> list[Guess]:
    """Return the likeliest category of each row of scores, which has one a target."""
    shares = np.exp(_SHARPNESS * (scores - scores.max(axis=1, keepdims=True)))
    shares /= shares.sum(axis=1, keepdims=True)
    best = shares.argmax(axis=1)
    return [
        Guess(targets[target], float(share))
        for target, share in zip(best, shares.max(axis=1), strict=True)
    ]


def shipped_weights() -> bytes:
    """Return the file of weights that comes with the program."""
    return (files("index.categories") / "weights.npz").read_bytes()


@cache
def model_fingerprint() -> str:
    """Return a short hash of all that decides what is predicted."""
    digest = blake2b(shipped_weights(), digest_size=8)
    for module in ("features.py", "model.py", "scheme.py"):
        digest.update((files("index.categories") / module).read_bytes())
    for module in ("charfilter.py", "trie.py"):
        digest.update((files("index.analysis") / module).read_bytes())
    return digest.hexdigest()


def _bytes_of(texts: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def _texts_of(stored: NDArray[np.generic]) -> tuple[str, ...]:
    return tuple(stored.tobytes().decode().split("\n"))
