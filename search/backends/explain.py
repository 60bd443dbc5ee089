"""What queries and hits of the Whoosh searcher are made of, put into words on demand."""

from dataclasses import replace

import numpy as np

from search import similarity
from search.backends.evaluator import Evaluator
from search.backends.queries import Combined
from search.backends.ranking import evidence, word_weight
from search.backends.view import IndexView
from search.explanation import HitExplanation, Occurrences, WordScore
from search.query import BooleanQuery, WordQuery

__all__ = ["explain_hit"]


def explain_hit(
    view: IndexView,
    evaluator: Evaluator,
    query: BooleanQuery,
    document: int,
    score: float,
    *,
    rescored: bool,
) -> HitExplanation:
    """Say what the score of one document is made of.

    `rescored`: it was among the best by words, to which evidence and freshness were added.
    """
    words = [part for part in query.must if isinstance(part, WordQuery)]
    scores = [_word_score(view, evaluator, word, document) for word in words]
    optional = [
        (word_weight(view, evaluator.evaluate(Combined(word.fields, word.variants))), told)
        for word, told in zip(words, scores, strict=True)
        if word.optional
    ]
    wanted = sum(weight for weight, _ in optional)
    held = sum(weight for weight, told in optional if told.occurrences)
    share = held / wanted if wanted and held < wanted else 1.0
    coverage = share**similarity.COVERAGE
    scores = [
        replace(told, score=told.score * coverage) if word.optional else told
        for word, told in zip(words, scores, strict=True)
    ]
    documents = np.array([document])
    found = evidence(evaluator, documents, query) if rescored else {}
    added = [(name, float(values[0])) for name, values in found.items() if values[0]]
    freshness = float(similarity.freshness(view.age(documents))[0]) if rescored else 1.0
    by_words = sum(told.score for told in scores)
    rest = score / freshness - sum(value for _, value in added) - by_words
    return HitExplanation(
        words=tuple(scores),
        coverage=coverage,
        evidence=tuple(added),
        freshness=freshness,
        rest=round(rest, 4) if abs(rest) > 0.001 else 0.0,
    )


def _word_score(view: IndexView, evaluator: Evaluator, word: WordQuery, document: int) -> WordScore:
    combined = Combined(word.fields, word.variants)
    found = [
        Occurrences(
            text=variant.text,
            field=field,
            count=count,
            weight=variant.weight * similarity.FIELD_BOOSTS[field],
        )
        for variant in word.variants
        for field in word.fields
        if (count := evaluator.occurrences(variant, field, document))
    ]
    frequency = sum(each.count * each.weight for each in found)
    norm = float(view.combined_norms(word.fields)[document])
    idf = evaluator.idf(combined) if found else 0.0
    return WordScore(
        word=word.surface,
        score=idf * frequency / (frequency + norm),
        idf=idf,
        frequency=frequency,
        norm=norm,
        occurrences=tuple(found),
    )
