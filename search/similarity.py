"""Every number that shapes ranking, and the formula they enter.

The score is Lucene's BM25 (`BM25Similarity` since Lucene 8, without the factor k1 + 1):

    boost · idf · freq / (freq + k1 · (1 − b + b · length / average))
    idf = ln(1 + (N − n + 0.5) / (n + 0.5))

N counts the documents that have the field, n those that hold the term, `length` is the field's
number of positions as one byte keeps it, `average` the number of its tokens over N. An article's
score is the sum over terms and fields. A phrase's idf is the sum of its units'.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIELD_BOOSTS", "K1", "WIDEN_BELOW", "WIDEN_SHARE", "B", "idf", "length_norms", "scores"]

K1: Final = 1.2  # Lucene's default
B: Final = 0.75  # Lucene's default

FIELD_BOOSTS: Final = {
    "title": 3.0,  # a headline names the subject
    "lead": 1.5,  # the editor's summary
    "body": 1.0,
}

WIDEN_BELOW: Final = 50  # with fewer full matches, articles that lack a word follow
WIDEN_SHARE: Final = 0.5  # how much of the words, weighted by idf, such an article must hold


def idf(documents: int, frequency: int) -> float:
    """Return the inverse document frequency of a term that `frequency` of `documents` hold."""
    return float(np.log1p((documents - frequency + 0.5) / (frequency + 0.5)))


def length_norms(lengths: NDArray[np.int64], average: float) -> NDArray[np.float32]:
    """Return k1 · (1 − b + b · length / average) for each length in positions."""
    relative = lengths / average if average else np.zeros(len(lengths))
    return (K1 * (1 - B + B * relative)).astype(np.float32)


def scores(
    frequencies: NDArray[np.float32], norms: NDArray[np.float32], weight: float
) -> NDArray[np.float32]:
    """Return weight · freq / (freq + norm); `weight` is boost · idf."""
    scores = frequencies / (frequencies + norms)
    scores *= np.float32(weight)
    return scores
