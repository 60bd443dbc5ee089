"""Ranking: which of the matches go on the list, in which order, by what besides their words."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search import similarity
from search.backends.whoosh.evaluator import Evaluator
from search.backends.whoosh.matches import NOTHING, Matches, SortKey, best
from search.backends.whoosh.queries import Combined
from search.backends.whoosh.segments import nearness
from search.backends.whoosh.view import IndexView
from search.query import BooleanQuery, WordQuery
from search.request import Sort

__all__ = ["holding_enough", "ordered", "rescored"]


def holding_enough(view: IndexView, words: Sequence[Matches]) -> Matches:
    """Return the documents that hold enough of the words, weighted by idf.

    Their scores are lowered by what they lack. A word that no article holds tells none from another
    and has no weight.
    """
    weights = [word_weight(view, matches) for matches in words]
    held = view.accumulator.any_of(
        [
            Matches(matches.documents, np.full(len(matches), weight, np.float32))
            for matches, weight in zip(words, weights, strict=True)
        ]
    )
    if not len(held):
        return NOTHING
    share = held.scores / np.float32(sum(weights))
    # Float32 sums may fall short of an exact half by a rounding.
    enough = share >= similarity.WIDEN_SHARE * (1 - 1e-6)
    scored = view.accumulator.any_of(words)
    scores = scored.scores * share**similarity.COVERAGE
    return Matches(scored.documents[enough], scores[enough])


def word_weight(view: IndexView, matches: Matches) -> float:
    """Return the idf of a word by the articles that hold it, 0 where none does."""
    frequency = len(matches.where(view.live))
    return similarity.idf(view.article_count, frequency) if frequency else 0.0


def rescored(
    view: IndexView, evaluator: Evaluator, matches: Matches, query: BooleanQuery
) -> Matches:
    """Return the matches with the best of them scored by evidence and freshness as well.

    Both only add, so the best stay before the rest.
    """
    if not len(matches):
        return matches
    order = _keys(view, matches, "relevance")
    places = np.sort(best(similarity.RESCORED, len(matches), order))
    documents = matches.documents[places]
    gained = sum(evidence(evaluator, documents, query).values(), np.float32(0))
    scores = matches.scores.copy()
    scores[places] = (scores[places] + gained) * similarity.freshness(view.age(documents))
    return Matches(matches.documents, scores)


def evidence(
    evaluator: Evaluator, documents: NDArray[np.int64], query: BooleanQuery
) -> dict[str, NDArray[np.float32]]:
    """Return by name what each piece of a query's evidence adds to the score of some documents.

    The nearness of two words is that of Rasolofo and Savoy, Term Proximity Scoring for
    Keyword-Based Retrieval Systems (2003): the sum of 1 / d² over their pairs.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for word, weight in query.evidence:
        matches = evaluator.evaluate(Combined(word.fields, word.variants))
        places, holds = matches.places(documents)
        if holds.any():
            scores = np.where(holds, matches.scores[places], np.float32(0))
            found[word.surface] = scores * np.float32(weight)
    starts: dict[WordQuery, dict[tuple[int, str], NDArray[np.int64]]] = {}
    for pair in query.pairs:
        words = [Combined(word.fields, word.variants) for word in pair]
        for word, combined in zip(pair, words, strict=True):
            if word not in starts:
                starts[word] = evaluator.starts(combined, documents)
        sizes = tuple(len(word.variants[0].units) for word in pair)
        near = np.zeros(len(documents), np.float32)
        one, other = (starts[word] for word in pair)
        for place in one.keys() & other.keys():
            boost = np.float32(similarity.FIELD_BOOSTS[place[1]])
            near += boost * nearness(
                one[place], other[place], (sizes[0], sizes[1]), similarity.PROXIMITY_SPAN, documents
            )
        if near.any():
            idf = min(map(evaluator.idf, words))
            most = np.float32(similarity.PROXIMITY_WEIGHT * idf)
            found[" ".join(word.surface for word in pair)] = most * near / (near + similarity.K1)
    return found


def ordered(view: IndexView, lists: Sequence[Matches], sort: Sort, end: int) -> Matches:
    """Return the first `end` of some lists of hits, one list after another, each in its order."""
    found = []
    for matches in lists:
        places = best(end, len(matches), _keys(view, matches, sort))
        found.append(Matches(matches.documents[places], matches.scores[places]))
        end -= len(places)
        if end <= 0:
            break
    return Matches(
        np.concatenate([matches.documents for matches in found]),
        np.concatenate([matches.scores for matches in found]),
    )


def _keys(view: IndexView, matches: Matches, sort: Sort) -> list[SortKey]:
    """Return what orders hits: equal scores newest first, then by id."""
    by_time = view.oldest_first if sort == "oldest" else view.newest_first
    keys: list[SortKey] = [
        partial(_picked, by_time, matches.documents),
        partial(_picked, view.ids, matches.documents),
    ]
    if sort == "relevance":
        keys.insert(0, partial(_negative, matches.scores))
    return keys


def _picked(
    values: NDArray[Any], documents: NDArray[np.int64], places: NDArray[np.int64] | slice
) -> NDArray[Any]:
    return values[documents[places]]


def _negative(
    scores: NDArray[np.float32], places: NDArray[np.int64] | slice
) -> NDArray[np.float32]:
    return -scores[places]
