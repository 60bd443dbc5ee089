"""Selecting: what a request finds in one committed state, and how its facets count it.

Text is matched by the evaluator, everything else on arrays: filters and facets are one pass over
columns. So a facet's own selection need not shrink its siblings' counts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search import similarity
from search.backends.whoosh.counting import Counted
from search.backends.whoosh.evaluator import Evaluator
from search.backends.whoosh.matches import NOTHING, DenseMatches, Mask, Matches
from search.backends.whoosh.queries import ColumnRange, ColumnValues, compile_query
from search.backends.whoosh.ranking import holding_enough, rescored
from search.backends.whoosh.view import IndexView
from search.query import BooleanQuery, Query, WordQuery
from search.request import FACET_SIZE, FACETS, SearchRequest
from search.results import FacetBucket

__all__ = ["Selection", "Selector"]


@dataclass(frozen=True, slots=True)
class Selection:
    """What a request selects before its order and page.

    `counted` are the documents that total and facets count, without the facets' own filters;
    `full` and `partial` are the hits, those that hold every word and those that lack some.
    """

    counted: NDArray[np.int64]
    full: Matches
    partial: Matches
    words: tuple[tuple[str, Matches | DenseMatches], ...]

    @property
    def full_count(self) -> int:
        """How many articles hold every word."""
        return len(self.full)

    @property
    def partial_count(self) -> int:
        """How many lack some and are listed."""
        return len(self.partial)


class Selector:
    """Selects in one state; `canonical` gives the name an organisation is kept under."""

    def __init__(
        self, view: IndexView, evaluator: Evaluator, canonical: Callable[[str], str]
    ) -> None:
        self._view, self._evaluator, self._canonical = view, evaluator, canonical

    def compile(self, query: Query) -> Any:
        """Return a query as the evaluator takes it."""
        return compile_query(query, self._canonical)

    def facet_filters(self, request: SearchRequest) -> dict[str, Mask]:
        """Return the mask of each facet that has a selection."""
        chosen = {name: getattr(request, name) for name in FACETS}
        return {name: self._keyword(name, values) for name, values in chosen.items() if values}

    def select(
        self, request: SearchRequest, filters: dict[str, Mask], query: BooleanQuery
    ) -> Selection:
        """Return what a rewritten query finds; `filters` are those of `facet_filters`."""
        allowed = self._allowed(request, query)
        required: list[Matches | DenseMatches] = []
        words: list[tuple[str, Matches | DenseMatches]] = []
        for part in query.must:
            matches = self._evaluator.operand(self.compile(part))
            if isinstance(part, WordQuery) and part.optional:
                words.append((part.surface, matches))
            else:
                required.append(matches)
        if query.should:
            required.append(
                self._evaluator.operand(self.compile(BooleanQuery(should=query.should)))
            )
        every = [*required, *(matches for _, matches in words)]
        if every:
            holds_all = _where(self._view.accumulator.all_of(every), allowed)
        else:
            holds_all = _where(self._view.everything(), allowed)
        full = _where(holds_all, filters.values())
        lacking = shown = NOTHING
        is_ranked = request.sort == "relevance"
        may_widen = request.match == "auto" and is_ranked and len(words) > 1
        if may_widen and len(full) < similarity.WIDEN_BELOW:
            listed = [matches.listed() for _, matches in words]
            lacking = _where(holding_enough(self._view, listed), allowed)
            if required:
                lacking = self._view.accumulator.all_of([*required, lacking])
            lacking = lacking.taken(~holds_all.holds(lacking.documents))
            shown = _where(lacking, filters.values())
        # Where the chosen values leave nothing at all, the others must still be seen.
        counted = lacking if len(shown) and not len(full) else holds_all
        if is_ranked and every:
            full = rescored(self._view, self._evaluator, full, query)
            # Of two words of what lacks one there is no nearness.
            near = query if len(words) > 2 else replace(query, pairs=())
            shown = rescored(self._view, self._evaluator, shown, near)
        return Selection(counted.documents, full, shown, tuple(words))

    def facets(
        self,
        request: SearchRequest,
        counted: NDArray[np.int64],
        filters: dict[str, Mask],
    ) -> dict[str, tuple[FacetBucket, ...]]:
        """Count each facet over the documents that the other facets' filters leave."""
        allowed = counted
        for mask in filters.values():
            allowed = allowed[mask[allowed]]
        counts = self._view.facets.counts(allowed)
        for name in filters:
            others = self.without_own(name, counted, filters)
            counts[name] = self._view.keywords[name].counts(others)
        return {
            name: self._buckets(name, request, Counted.of(self._view.keywords[name], counts[name]))
            for name in FACETS
        }

    def without_own(
        self, name: str, counted: NDArray[np.int64], filters: dict[str, Mask]
    ) -> NDArray[np.int64]:
        """Return the documents that a facet is counted over: its own selection does not narrow."""
        for other, mask in filters.items():
            if other != name:
                counted = counted[mask[counted]]
        return counted

    def chosen(self, name: str, request: SearchRequest) -> tuple[str, ...]:
        """Return the values that a request selects, as the facet lists them."""
        values = getattr(request, name, ())
        if name == "organisation":
            values = tuple(self._canonical(value) for value in values)
        column = self._view.keywords[name]
        return tuple(dict.fromkeys(column.value(value) or value for value in values))

    def _allowed(self, request: SearchRequest, query: BooleanQuery) -> list[Mask]:
        """Return what narrows the hits and every facet alike."""
        masks = [] if self._view.live is None else [self._view.live]
        if request.first or request.last:
            masks.append(self._evaluator.mask(ColumnRange(request.first, request.last)))
        for name, excluded in (
            ("category", request.exclude_category),
            ("organisation", request.exclude_organisation),
            ("source", request.exclude_source),
        ):
            if excluded:
                masks.append(~self._keyword(name, excluded))
        masks += [self._evaluator.mask(self.compile(part)) for part in query.filter]
        masks += [~self._evaluator.mask(self.compile(part)) for part in query.must_not]
        return masks

    def _keyword(self, name: str, values: tuple[str, ...]) -> Mask:
        if name == "organisation":
            values = tuple(self._canonical(value) for value in values)
        return self._evaluator.mask(ColumnValues(name, values))

    def _buckets(
        self, name: str, request: SearchRequest, counted: Counted
    ) -> tuple[FacetBucket, ...]:
        column, selected = counted.column, self.chosen(name, request)
        if name == "month":
            listed = sorted(counted.ranked(), key=column.values.__getitem__)
        else:
            listed = counted.ranked(FACET_SIZE)
        numbers = {value: column.number(value) for value in selected}
        known = (number for number in numbers.values() if number is not None)
        return (
            *counted.buckets([*dict.fromkeys((*listed, *known))], selected),
            *(
                FacetBucket(
                    value=value,
                    count=0,
                    salient=None if counted.salient is None else 0,
                    selected=True,
                )
                for value, number in numbers.items()
                if number is None
            ),
        )


def _where(matches: Matches, masks: Iterable[Mask]) -> Matches:
    for mask in masks:
        matches = matches.where(mask)
    return matches
