"""Every number that shapes ranking, and the formulas they enter; docs/relevance.md has the figures.

A word's score is BM25F in the form of Lucene's `CombinedFieldQuery` (Robertson, Zaragoza and
Taylor, Simple BM25 Extension to Multiple Weighted Fields, 2004), k1 being COMBINED_K1:

    idf · freq / (freq + k1 · (1 − b + b · length / average))
    idf = ln(1 + (N − n + 0.5) / (n + 0.5))

`freq` is the sum over fields and variants of boost · weight · occurrences, `length` the sum over
fields of boost · positions, as one byte keeps it. N counts the documents, n those that hold a
variant; `average` is the sum of boost · tokens over N. An article's score is the sum over words,
times the share of the words, weighted by idf, that it holds, to the power COVERAGE. The best
RESCORED of them gain by their evidence and by being new.

A term or phrase by itself has Lucene's BM25 (`BM25Similarity` since Lucene 8): boost times the
above, of one field. A phrase's idf is the sum of its units'; a loose one counts once in a field.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "COMBINED_K1",
    "COVERAGE",
    "FIELD_BOOSTS",
    "FRESHNESS",
    "FRESHNESS_HALF_LIFE",
    "K1",
    "NAME_WEIGHT",
    "ONE_WAY_WEIGHT",
    "PART_WEIGHT",
    "PROXIMITY_SPAN",
    "PROXIMITY_WEIGHT",
    "RESCORED",
    "SYNONYM_WEIGHT",
    "WIDEN_BELOW",
    "WIDEN_SHARE",
    "B",
    "freshness",
    "idf",
    "length_norms",
    "scores",
]

K1: Final = 1.2  # Lucene's default, for one field by itself
COMBINED_K1: Final = 2.0  # for fields counted together, where a title counts five times
B: Final = 0.75  # Lucene's default; 0.6 to 0.9 differ by less than 0.002 nDCG

FIELD_BOOSTS: Final = {
    "title": 5.0,  # a headline names the subject; 3 to 8 differ by less than 0.003
    "lead": 2.0,  # the editor's summary
    "body": 1.0,
}

SYNONYM_WEIGHT: Final = 0.9  # of one occurrence, beside the word that was typed
ONE_WAY_WEIGHT: Final = 0.6  # what is only near to it
NAME_WEIGHT: Final = 1.0  # another name of the same organisation or group

COVERAGE: Final = 2.0  # 0 takes any word for as good as all; 1 to 4 differ by less than 0.004

PART_WEIGHT: Final = 0.1  # words inside a word: 量子 and 密码 in 后量子密码
PROXIMITY_WEIGHT: Final = 0.1  # two words of the query that stand near each other
PROXIMITY_SPAN: Final = 5  # units from one to the other

FRESHNESS: Final = 0.01  # how much more the newest scores than an equal one that is old
FRESHNESS_HALF_LIFE: Final = 365.0  # days

RESCORED: Final = 200  # the best by words, which evidence may reorder

WIDEN_BELOW: Final = 50  # with fewer full matches, articles that lack a word follow
WIDEN_SHARE: Final = 0.5  # how much of the words, weighted by idf, such an article must hold

# Related articles: docs/relevance.md

RELATED_LEAD: Final = 800  # characters of a text that say what it is about
RELATED_TERMS: Final = 80  # the heaviest terms of a text that are looked up
COMMON: Final = 0.3  # of all articles; a word that more of them hold says nothing
NORM_EXPONENT: Final = 0.4  # of a text's length, for its norm; 0.35 and 0.45 lose 0.01 nDCG
TITLE_NEARNESS: Final = 0.3  # 0.2 to 0.35 differ by less than 0.01
SHARED_IDENTIFIERS: Final = 0.1  # their words are in the texts too
SHARED_ORGANISATIONS: Final = 0.03  # more draws in whatever else an organisation does
PASSING: Final = 0.5  # of an organisation that is only mentioned
SAME_TIME: Final = 0.2  # the gain of what appeared at the same moment; 0.1 to 0.3 are alike
SAME_TIME_HALF_LIFE: Final = 14.0  # days
TELLING: Final = 0.03  # of all articles; a word that no more of them hold is told as a reason
SAME_SOURCE: Final = 0.95  # an outlet's articles are alike in its own turns of phrase
RELATED_LEAST: Final = 0.06  # nearness below which nothing is related
EVENT_DAYS: Final = 14.0  # how far apart reports of one event may be
EVENT_NEARNESS: Final = 0.45  # read on a hundred groups: at 0.4 one in six had a stranger
EVENT_NEARNESS_UNNAMED: Final = 0.6  # where no organisation or identifier is shared
EVENT_NEARNESS_OF_SOURCE: Final = 0.85  # of one outlet, which writes alike of different things
EVENT_TEXT: Final = 0.15  # titles and names alone do not make an event
STORY_TITLES: Final = 0.5  # of the pairs of letters in the shorter title, the other has of a story

# The draft check, in units: Han characters, or Latin words whole: docs/editors.md

DRAFT_LEAST: Final = 20.0  # a paragraph of less cannot be told
COPIED_RUN: Final = 16.0  # so long a passage is nobody else's by chance
COPIED_SHARE: Final = 0.4  # of a paragraph, in shorter passages, where words were changed
COPIED_LEAST: Final = 12.0  # and these in all
COVERED_SHARE: Final = 0.165  # of a paragraph's words by idf, in a window of an article


def idf(documents: int, frequency: int) -> float:
    """Return the inverse document frequency of a term that `frequency` of `documents` hold."""
    return float(np.log1p((documents - frequency + 0.5) / (frequency + 0.5)))


def length_norms(lengths: NDArray[np.int64], average: float, k1: float = K1) -> NDArray[np.float32]:
    """Return k1 · (1 − b + b · length / average) for each length in positions."""
    relative = lengths / average if average else np.zeros(len(lengths))
    return (k1 * (1 - B + B * relative)).astype(np.float32)


def scores(
    frequencies: NDArray[np.float32], norms: NDArray[np.float32], weight: float
) -> NDArray[np.float32]:
    """Return weight · freq / (freq + norm); `weight` is boost · idf."""
    scores = frequencies / (frequencies + norms)
    scores *= np.float32(weight)
    return scores


def freshness(days: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the factor of an article so many days older than the newest one."""
    return (1 + FRESHNESS * np.exp2(-days / FRESHNESS_HALF_LIFE)).astype(np.float32)
