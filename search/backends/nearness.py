"""Nearness: how near each article of one state of the index is to another one or to a text.

It is the cosine of sublinear tf-idf vectors, of texts and of titles apart, plus what is shared of
identifiers and organisations, times nearness in time; `search.similarity` has the numbers. The
index keeps no vectors of documents: a document's length stands for the norm of its vector. Here is
what measuring has in common on whatever index.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from index.analysis import Analyzer, FieldTokens
from index.document import Article
from index.schema import UNDATED
from search import similarity

__all__ = [
    "DAY",
    "TELLING",
    "Nearness",
    "Scores",
    "Subject",
    "WordWeights",
    "Words",
    "combined",
    "counted_words",
]

DAY = 86_400
"""Seconds."""

TELLING = 40
"""Words of a subject of which it is kept who has them."""

Scores = NDArray[np.float32]
"""One for each document."""

Words = Sequence[tuple[str, float]]
"""Words with their weights, the heaviest first."""

_COMMON_FROM = 20  # articles; in a smaller archive a word of the one subject is soon everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What related articles are wanted of.

    `published` is in seconds, UNDATED where unknown; `source` is empty for a draft;
    `organisations` has a weight for each; `document` is its number where it stands in the index.
    """

    title: str
    text: str
    published: int
    source: str
    organisations: Mapping[str, float]
    identifiers: tuple[str, ...]
    document: int | None = None

    @classmethod
    def of(cls, article: Article, document: int | None = None) -> "Subject":
        """Return an article as a subject."""
        lead = "" if article.lead_is_repeated else f"{article.lead}\n"
        return cls(
            title=article.title,
            text=lead + article.body,
            published=int(article.published.timestamp()) if article.published else UNDATED,
            source=article.source,
            organisations={
                mention.name: 1.0 if mention.salient else similarity.PASSING
                for mention in article.mentions
            },
            identifiers=article.identifiers,
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near each document is to a subject.

    `text` is the cosine of the texts alone, `total` what documents are ranked by; both are 0 for
    deleted ones. `words` are the subject's heaviest, `days` how far apart in time.
    """

    text: Scores
    total: Scores
    days: NDArray[np.float64]
    shares_names: NDArray[np.bool_]
    is_own_source: NDArray[np.bool_]
    words: Words


class WordWeights(ABC):
    """What words of a subject weigh in an archive of so many articles."""

    def __init__(self, analyzer: Analyzer, article_count: int) -> None:
        self.analyzer, self._article_count = analyzer, article_count

    @abstractmethod
    def _known(self, field: str, word: str) -> tuple[int, float]:
        """Return how many documents hold a word in a field, and its idf."""

    def learn(self, field: str, words: Iterable[str]) -> None:  # noqa: B027  # one that need not
        """Hear of words that will be asked about; to ask for each by itself may cost more."""

    def words_of(self, subject: Subject) -> tuple[tuple[Words, int], tuple[Words, int]]:
        """Return the weighted words of a subject's title, and of its text, with their lengths."""
        texts = [subject.title, subject.text[: similarity.RELATED_LEAD]]
        tokens = self.analyzer.field_tokens(texts)
        titles, bodies = (counted_words(tokens, number) for number in range(2))
        # Of the words that are visible in a text those that were meant say what it is about.
        probable = self.analyzer.probable_words(texts[1])
        meant = {w: count for w, count in bodies.items() if w.isascii() or w in probable}
        of_title, of_text = map(int, tokens.lengths[:2])
        return (self.weighted("title", titles), of_title), (self.weighted("body", meant), of_text)

    def weighted(self, field: str, counts: Mapping[str, int]) -> Words:
        """Return counted words with their tf-idf, without those that are unknown or everywhere."""
        self.learn(field, counts)
        most = max(similarity.COMMON * self._article_count, _COMMON_FROM)
        found = []
        for word, count in counts.items():
            frequency, idf = self._known(field, word)
            if 0 < frequency <= most:
                found.append((word, (1 + log(count)) * idf))
        return sorted(found, key=lambda each: -each[1])

    def frequency(self, field: str, word: str) -> int:
        """Return how many documents hold a word in a field."""
        return self._known(field, word)[0]

    def idf(self, field: str, word: str) -> float:
        """Return the inverse document frequency of a word in a field."""
        return self._known(field, word)[1]


def combined(
    text: Scores,
    title: Scores,
    identifiers: Scores,
    organisations: Scores,
    days: NDArray[np.float64],
    is_own_source: NDArray[np.bool_],
) -> Scores:
    """Return what documents are ranked by, from the parts of their nearness."""
    total: Scores = (
        text
        + np.float32(similarity.TITLE_NEARNESS) * title
        + np.float32(similarity.SHARED_IDENTIFIERS) * identifiers
        + np.float32(similarity.SHARED_ORGANISATIONS) * organisations
    )
    closeness = np.exp2(-days / similarity.SAME_TIME_HALF_LIFE).astype(np.float32)
    total = total * (1 + np.float32(similarity.SAME_TIME) * closeness)
    total[is_own_source] *= np.float32(similarity.SAME_SOURCE)
    return total


def counted_words(tokens: FieldTokens, number: int) -> dict[str, int]:
    """Return the words of one of some analysed texts, with how often each occurs."""
    terms = tokens.terms[tokens.documents == number]
    found, counts = np.unique(terms, return_counts=True)
    words = zip(map(tokens.vocabulary.__getitem__, found.tolist()), counts.tolist(), strict=True)
    return {word: count for word, count in words if len(word) > 1}
