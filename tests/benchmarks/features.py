"""What ranking, corrections and snippets cost, beside the plain page query over the same index."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import numpy as np
from engine import BOOSTS, FACETS
from whoosh import query as whoosh
from whoosh.query import qcore

from index.settings import Settings
from search import SearchRequest, open_searcher
from search.backends.whoosh.ranking import ordered

__all__ = ["Features", "measure_features"]

_QUERIES = 200
_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Median milliseconds, and the 95th percentile of suggestions.

    `plain` finds any word, each field scored by itself, ten hits and three facets; `selection`
    finds the same page with everything on, `answer` adds the ten articles and their snippets.
    """

    plain: float
    selection: float
    answer: float
    suggestions: float


def measure_features(settings: Settings) -> Features:
    """Ask pairs of neighbouring words of headlines, warm, in turn."""
    searcher: Any = open_searcher(settings)
    try:
        searcher.suggest("a")
        state = searcher._current()
        queries = list(_pairs(searcher))

        def plain(text: str) -> None:
            compiled = _plain(searcher._analyzer.query_terms(text))
            matches = state.evaluator.evaluate(compiled).where(state.view.live)
            counts = state.view.facets.counts(matches.documents)
            for name in FACETS:
                column = state.view.keywords[name]
                totals = column.totals(counts[name])
                used = np.flatnonzero(totals)
                column.first(used, totals[used], 50)
            ordered(state.view, (matches,), "relevance", 10)

        def selection(text: str) -> None:
            request = SearchRequest(query=text)
            answer = state.answerer.answer(request, {})
            state.answerer._correction(request, answer, {})
            lists = (answer.selection.full, answer.selection.partial)
            ordered(state.view, lists, "relevance", 10)
            state.selector.facets(request, answer.selection.counted, {})

        times = _times(
            queries, [plain, selection, lambda text: searcher.search(SearchRequest(query=text))]
        )
        typed = [text[:size] for text in queries for size in (1, 2, 3, 4, len(text))]
        suggestions = []
        for text in dict.fromkeys(typed):  # each for the first time: answers are kept
            started = perf_counter()
            searcher.suggest(text)
            suggestions.append((perf_counter() - started) * 1000)
    finally:
        searcher.close()
    plain_time, selection_time, answer_time = map(median, times)
    return Features(
        plain=plain_time,
        selection=selection_time,
        answer=answer_time,
        suggestions=quantiles(suggestions, n=20)[-1],
    )


def _times(texts: list[str], steps: list[Callable[[str], object]]) -> list[list[float]]:
    """Return the milliseconds of each step for every text, the first round left out."""
    times: list[list[float]] = [[] for _ in steps]
    for round_ in range(_ROUNDS):
        for text in texts:
            for step, found in zip(steps, times, strict=True):
                started = perf_counter()
                step(text)
                if round_:
                    found.append((perf_counter() - started) * 1000)
    return times


def _pairs(searcher: Any) -> Iterator[str]:
    random = Random(1)
    headlines = searcher._aids.of(searcher._current().archive).vocabulary.headlines
    made = 0
    while made < _QUERIES:
        words = searcher._analyzer.query_terms(random.choice(headlines).normal)
        words = [word.text for word in words if len(word.text) > 1]
        if len(words) > 1:
            first = random.randrange(len(words) - 1)
            made += 1
            yield " ".join(words[first : first + 2])


def _plain(terms: list[Any]) -> qcore.Query:
    parts = []
    for term in terms:
        for name, boost in BOOSTS.items():
            texts = [term.text] if term.is_term else list(term.units)
            part = whoosh.Term(name, texts[0]) if len(texts) == 1 else whoosh.Phrase(name, texts)
            part.boost = boost
            parts.append(part)
    return whoosh.Or(parts)
