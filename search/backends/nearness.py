"""Nearness: how near each article of one state of the index is to another one or to a text.

It is the cosine of sublinear tf-idf vectors, of texts and of titles apart, plus what is shared of
identifiers and organisations, times nearness in time; `search.similarity` has the numbers. The
index keeps no vectors of documents: a document's length stands for the norm of its vector.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from index.analysis import Analyzer, FieldTokens
from index.backends.vector_codec import LENGTHS
from index.deadline import check_deadline
from index.document import Article
from index.schema import UNDATED
from search import similarity
from search.backends.cache import ByteCache
from search.backends.segments import OpenSegment
from search.backends.view import IndexView

__all__ = [
    "Impacts",
    "Nearness",
    "Relater",
    "Subject",
    "WordWeights",
    "Words",
    "combined",
    "counted_words",
]

_DAY = 86_400  # seconds
_COMMON_FROM = 20  # articles; in a smaller archive a word of the one subject is soon everywhere
_KNOWN = 200_000  # words whose frequency is remembered
_DENSE = 8  # a word that more than one in so many documents hold has a weight for every one
_TELLING = 40  # words of a subject of which it is kept who has them
_FACTORS = (np.maximum(LENGTHS, 1) ** -similarity.NORM_EXPONENT).astype(np.float32)

_Scores = NDArray[np.float32]
Words = Sequence[tuple[str, float]]
"""Words with their weights, the heaviest first."""


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
class Impacts:
    """What a word counts in the documents of a segment that hold it, without its idf.

    Of a common word there is a weight for every document, and `documents` is None.
    """

    documents: NDArray[np.int32] | None
    weights: _Scores

    @property
    def nbytes(self) -> int:
        """The size in bytes."""
        return self.weights.nbytes + (0 if self.documents is None else self.documents.nbytes)

    def holds(self, documents: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which of some documents hold the word."""
        if self.documents is None:
            found: NDArray[np.bool_] = self.weights[documents] > 0
            return found
        places = np.searchsorted(self.documents, documents.astype(np.int32))
        np.minimum(places, len(self.documents) - 1, out=places)
        holds: NDArray[np.bool_] = self.documents[places] == documents
        return holds


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near each document is to a subject.

    `text` is the cosine of the texts alone, `total` what documents are ranked by; both are 0 for
    deleted ones. `words` are the subject's heaviest, `days` how far apart in time.
    """

    text: _Scores
    total: _Scores
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


class Relater(WordWeights):
    """Measures nearness in one state; `cache` keeps what belongs to its segments."""

    def __init__(self, view: IndexView, analyzer: Analyzer, cache: ByteCache[Impacts]) -> None:
        super().__init__(analyzer, view.article_count)
        self.view = view
        self._cache = cache
        self._frequencies: dict[tuple[str, str], tuple[int, float]] = {}
        self._columns: dict[str, tuple[_Scores, _Scores]] = {}

    def nearness(self, subject: Subject) -> Nearness:
        """Return how near each document is to a subject."""
        (titles, of_title), (words, of_text) = self.words_of(subject)
        text = self.cosine("body", words, of_text)
        title = self.cosine("title", titles, of_title)
        identifiers = self._shared("identifier", dict.fromkeys(subject.identifiers, 1.0))
        organisations = self._shared("organisation", subject.organisations)
        days = self._days(subject.published)
        sources = self.view.keywords["source"]
        number = sources.number(subject.source)
        is_own_source = sources.sets == (-1 if number is None else number + 1)
        total = combined(text, title, identifiers, organisations, days, is_own_source)
        if self.view.live is not None:
            text, total = text * self.view.live, total * self.view.live
        shares_names = (identifiers > 0) | (organisations > 0)
        return Nearness(text, total, days, shares_names, is_own_source, words[:_TELLING])

    def _known(self, field: str, word: str) -> tuple[int, float]:
        key = field, word
        known = self._frequencies.get(key)
        if known is None:
            frequency = self.view.document_frequency(field, word.encode())
            known = frequency, similarity.idf(self.view.article_count, frequency)
            if frequency:  # of a draft nothing is kept that is not in the archive
                if len(self._frequencies) >= _KNOWN:
                    self._frequencies.clear()
                self._frequencies[key] = known
        return known

    def cosine(self, field: str, words: Words, length: int) -> _Scores:
        """Return each document's cosine with weighted words of a text of so many units.

        With |d| ∝ length(d) ** NORM_EXPONENT the norm of a document follows from the text's:
        |d| = |q| · (length(d) / length(q)) ** NORM_EXPONENT. Of the words RELATED_TERMS are used.
        """
        view = self.view
        scores = np.zeros(view.size, np.float32)
        square = sum(weight * weight for _, weight in words)
        if not square:
            return scores
        used = [
            (word, weight * self.idf(field, word))
            for word, weight in words[: similarity.RELATED_TERMS]
        ]
        for base, segment in zip(view.bases, view.segments, strict=True):
            found = [(self.impacts(segment, field, word), weight) for word, weight in used]
            some = [(impacts, weight) for impacts, weight in found if impacts is not None]
            if not some:
                continue
            size = segment.documents.size
            own = scores[base : base + size]
            documents, weights = [], []
            for impacts, weight in some:
                if impacts.documents is None:
                    own += impacts.weights * np.float32(weight)
                else:
                    documents.append(impacts.documents)
                    weights.append(impacts.weights * np.float32(weight))
            if documents:
                own += np.bincount(np.concatenate(documents), np.concatenate(weights), size)
        return scores * np.float32(max(length, 1) ** similarity.NORM_EXPONENT / square)

    def impacts(self, segment: OpenSegment, field: str, word: str) -> Impacts | None:
        """Return the documents of a word in a segment, None where there are none."""
        key = segment.name, field, word
        kept = self._cache.get(key)
        if kept is None:
            postings = segment.postings(field, word.encode())
            if postings is None:
                return None
            documents = postings.documents
            weights = (1 + np.log(postings.frequencies)) * _FACTORS[postings.codes]
            size = segment.documents.size
            if len(documents) * _DENSE > size:
                every = np.zeros(size, np.float32)
                every[documents] = weights
                kept = Impacts(None, every)
            else:
                kept = Impacts(documents, weights)
            self._cache.put(key, kept)
        return kept

    def likely(
        self, texts: Sequence[str], weights: Sequence[Mapping[str, float]], count: int
    ) -> list[list[int]]:
        """Return for each text, of words that weigh something, the articles nearest to it.

        At most `count` of them, each of which has as many of the words as cover it.
        """
        return [self._likely(*each, count) for each in zip(texts, weights, strict=True)]

    def _likely(self, text: str, weights: Mapping[str, float], count: int) -> list[int]:
        check_deadline()
        words = self.weighted("body", dict.fromkeys(weights, 1))
        scores = self.cosine("body", words, len(text))
        if self.view.live is not None:
            scores *= self.view.live
        some = min(2 * count, len(scores))
        best = np.sort(np.argpartition(-scores, some - 1)[:some]) if some else np.arange(0)
        # A window of an article has no more of the words than the whole of it.
        held = np.zeros(len(best))
        for word, weight in weights.items():
            held += weight * self.holders(word, best)
        best = best[held >= similarity.COVERED_SHARE * sum(weights.values())]
        best = best[np.argsort(-scores[best], kind="stable")][:count]
        return [document for document in best.tolist() if scores[document]]

    def holders(self, word: str, documents: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which of some documents, in ascending order, hold a word in their text."""
        found = np.zeros(len(documents), np.bool_)
        for base, segment in zip(self.view.bases, self.view.segments, strict=True):
            first, last = np.searchsorted(documents, [base, base + segment.documents.size])
            impacts = self.impacts(segment, "body", word) if first < last else None
            if impacts is not None:
                found[first:last] = impacts.holds(documents[first:last] - base)
        return found

    def _shared(self, name: str, wanted: Mapping[str, float]) -> _Scores:
        """Return each document's cosine with weighted values of a column, by idf."""
        column = self.view.keywords[name]
        size = len(column.values)
        known = {column.number(value): weight for value, weight in wanted.items()}
        known.pop(None, None)
        if not known:
            return np.zeros(self.view.size, np.float32)
        if name not in self._columns:
            counts = column.totals(column.counts(np.arange(self.view.size)))
            idfs = np.log1p((self.view.size - counts + 0.5) / (counts + 0.5)).astype(np.float32)
            if column.size > size:  # a value that is marked acts
                idfs = np.concatenate([idfs * np.float32(similarity.PASSING), idfs])
            norms = np.sqrt(column.sums(idfs**2))
            self._columns[name] = idfs, np.maximum(norms, np.float32(1e-6))
        idfs, norms = self._columns[name]
        numbers = np.array(list(known), np.int64)
        vector = np.array(list(known.values()), np.float32) * idfs[numbers + column.size - size]
        weights = np.zeros(column.size, np.float32)
        for first in range(0, column.size, size):
            weights[numbers + first] = vector * idfs[numbers + first]
        return column.sums(weights) / (norms * np.float32(np.sqrt(vector @ vector)))

    def _days(self, published: int) -> NDArray[np.float64]:
        if published == UNDATED:
            return np.full(self.view.size, np.inf)
        days: NDArray[np.float64] = np.abs(self.view.published - published) / _DAY
        return days


def combined(
    text: _Scores,
    title: _Scores,
    identifiers: _Scores,
    organisations: _Scores,
    days: NDArray[np.float64],
    is_own_source: NDArray[np.bool_],
) -> _Scores:
    """Return what documents are ranked by, from the parts of their nearness."""
    total: _Scores = (
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
