"""Measuring how near each article of one state of the Whoosh index is to a subject."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.analysis import Analyzer
from index.backends.vector_codec import LENGTHS
from index.deadline import check_deadline
from index.schema import UNDATED
from search import similarity
from search.backends.nearness import (
    DAY,
    TELLING,
    Nearness,
    Scores,
    Subject,
    Words,
    WordWeights,
    combined,
)
from search.backends.whoosh.cache import ByteCache
from search.backends.whoosh.segments import OpenSegment
from search.backends.whoosh.view import IndexView

__all__ = ["Impacts", "Relater"]

_KNOWN = 200_000  # words whose frequency is remembered
_DENSE = 8  # a word that more than one in so many documents hold has a weight for every one
_FACTORS = (np.maximum(LENGTHS, 1) ** -similarity.NORM_EXPONENT).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Impacts:
    """What a word counts in the documents of a segment that hold it, without its idf.

    Of a common word there is a weight for every document, and `documents` is None.
    """

    documents: NDArray[np.int32] | None
    weights: Scores

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


class Relater(WordWeights):
    """Measures nearness in one state; `cache` keeps what belongs to its segments."""

    def __init__(self, view: IndexView, analyzer: Analyzer, cache: ByteCache[Impacts]) -> None:
        super().__init__(analyzer, view.article_count)
        self.view = view
        self._cache = cache
        self._frequencies: dict[tuple[str, str], tuple[int, float]] = {}
        self._columns: dict[str, tuple[Scores, Scores]] = {}

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
        return Nearness(text, total, days, shares_names, is_own_source, words[:TELLING])

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

    def cosine(self, field: str, words: Words, length: int) -> Scores:
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

    def _shared(self, name: str, wanted: Mapping[str, float]) -> Scores:
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
        days: NDArray[np.float64] = np.abs(self.view.published - published) / DAY
        return days
