"""What the scores of hits are made of, put into words on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search import similarity
from search.explanation import HitExplanation, Occurrences, WordScore
from search.query import WordQuery

__all__ = ["ExplainedWord", "explain_places"]


@dataclass(frozen=True, slots=True)
class ExplainedWord:
    """A word of a query, and what is known of it for all documents at once."""

    query: WordQuery
    idf: float
    weight: float
    norms: NDArray[np.float32]
    counts: list[tuple[Occurrences, NDArray[np.int64]]]
    """How often each variant stands in each field; of 0 times, and in each of the documents."""

    def score(self, place: int) -> WordScore:
        """Return what the word adds to the score of one of the documents."""
        found = tuple(
            replace(where, count=int(counts[place]))
            for where, counts in self.counts
            if counts[place]
        )
        frequency = sum(each.count * each.weight for each in found)
        norm = float(self.norms[place])
        idf = self.idf if found else 0.0
        return WordScore(
            word=self.query.surface,
            score=idf * frequency / (frequency + norm),
            idf=idf,
            frequency=frequency,
            norm=norm,
            occurrences=found,
        )


def explain_places(
    words: Sequence[ExplainedWord],
    totals: Sequence[float],
    found: Mapping[str, NDArray[np.float32]],
    fresh: Sequence[float],
    is_rescored: Sequence[bool],
) -> list[HitExplanation]:
    """Say of each hit of a page what its score is made of; `found` is evidence by name."""
    return [
        _explained(
            words,
            place,
            total,
            [(name, float(values[place])) for name, values in found.items() if values[place]]
            if is_rescored[place]
            else [],
            fresh[place] if is_rescored[place] else 1.0,
        )
        for place, total in enumerate(totals)
    ]


def _explained(
    words: Sequence[ExplainedWord],
    place: int,
    total: float,
    added: list[tuple[str, float]],
    freshness: float,
) -> HitExplanation:
    scores = [word.score(place) for word in words]
    optional = [
        (word.weight, told) for word, told in zip(words, scores, strict=True) if word.query.optional
    ]
    wanted = sum(weight for weight, _ in optional)
    held = sum(weight for weight, told in optional if told.occurrences)
    share = held / wanted if wanted and held < wanted else 1.0
    coverage = share**similarity.COVERAGE
    scores = [
        replace(told, score=told.score * coverage) if word.query.optional else told
        for word, told in zip(words, scores, strict=True)
    ]
    by_words = sum(told.score for told in scores)
    rest = total / freshness - sum(value for _, value in added) - by_words
    return HitExplanation(
        words=tuple(scores),
        coverage=coverage,
        evidence=tuple(added),
        freshness=freshness,
        rest=round(rest, 4) if abs(rest) > 0.001 else 0.0,
    )
