"""What scores are made of, read again from one state of the Whoosh index."""

from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from search import similarity
from search.backends.explain import ExplainedWord, explain_places
from search.backends.whoosh.evaluator import Evaluator
from search.backends.whoosh.matches import Matches
from search.backends.whoosh.queries import Combined
from search.backends.whoosh.ranking import evidence, word_weight
from search.backends.whoosh.view import IndexView
from search.explanation import HitExplanation, Occurrences
from search.query import BooleanQuery, WordQuery

__all__ = ["explain_hits"]


def explain_hits(
    view: IndexView,
    evaluator: Evaluator,
    query: BooleanQuery,
    page: Matches,
    rescored: AbstractSet[int],
) -> dict[int, HitExplanation]:
    """Say by document what the score of each hit of a page is made of.

    `rescored` are the documents that were among the best by words, to which evidence and freshness
    were added.
    """
    order = np.argsort(page.documents)
    documents, totals = page.documents[order], page.scores[order].tolist()
    words = [
        _read(view, evaluator, part, documents)
        for part in query.must
        if isinstance(part, WordQuery)
    ]
    numbers = documents.tolist()
    told = explain_places(
        words,
        totals,
        evidence(evaluator, documents, query),
        similarity.freshness(view.age(documents)).tolist(),
        [document in rescored for document in numbers],
    )
    return dict(zip(numbers, told, strict=True))


def _read(
    view: IndexView, evaluator: Evaluator, word: WordQuery, documents: NDArray[np.int64]
) -> ExplainedWord:
    combined = Combined(word.fields, word.variants)
    return ExplainedWord(
        query=word,
        idf=evaluator.idf(combined),
        weight=word_weight(view, evaluator.evaluate(combined)) if word.optional else 0.0,
        norms=view.combined_norms(word.fields)[documents],
        counts=[
            (
                Occurrences(
                    text=variant.text,
                    field=field,
                    count=0,
                    weight=variant.weight * similarity.FIELD_BOOSTS[field],
                ),
                evaluator.occurrences(variant, field, documents),
            )
            for variant in word.variants
            for field in word.fields
        ],
    )
