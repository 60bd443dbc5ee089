"""Selecting: what a request finds on the cluster with its facets, one question for each list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from search import similarity
from search.backends.opensearch.ask import AT_ONCE, ask, ask_all, ask_on, listing
from search.backends.opensearch.compile import (
    NOTHING,
    Clause,
    Compiler,
    any_of,
    between,
    words_in,
)
from search.backends.opensearch.facets import facet_requests
from search.backends.opensearch.listed import COLUMNS, Listed
from search.backends.opensearch.statistics import Statistics
from search.query import BooleanQuery, WordQuery
from search.request import FACETS, SearchRequest

__all__ = ["Found", "Selection", "Selector", "narrowed"]

_DAY = 86_400  # seconds
_EVIDENCE = 20  # pieces of evidence in one question: each pair of words has twenty clauses
_ALONG = 5  # pieces asked for with the list itself, which has clauses of its own
_EXACT_GROUPS = 40_000  # clusters in an answer that are counted one by one
# A `cardinality` of 40,000 was wrong by one among 10,150 hits, which must be exact.
_DISTINCT = {
    "scripted_metric": {
        "params": {"most": _EXACT_GROUPS},
        "init_script": "state.seen = new HashSet();",
        "map_script": "if (state.seen.size() <= params.most) state.seen.add(doc['cluster'].value);",
        "combine_script": "return new ArrayList(state.seen);",
        "reduce_script": "Set all = new HashSet();"
        " for (part in states) { if (part != null) all.addAll(part); } return all.size();",
    }
}
_ABOUT = {"cardinality": {"field": "cluster", "precision_threshold": _EXACT_GROUPS}}
_CLUSTERED = {
    "clustered": {
        "filter": {"exists": {"field": "cluster"}},
        "aggs": {"distinct": _DISTINCT, "about": _ABOUT},
    }
}


@dataclass(frozen=True, slots=True)
class Found:
    """One of the two lists: its query, how many articles match, how many hits those make.

    Of very many hits `is_exact` says that they were counted and not estimated.

    `ranked` are the first of them in their order, by evidence and freshness too where it
    `is_rescored`; `is_cut` where there are others. `told` is what the cluster has counted.
    """

    query: Clause
    unnarrowed: Clause
    total: int = 0
    groups: int = 0
    is_exact: bool = True
    told: Mapping[str, Any] = field(default_factory=dict)
    ranked: Sequence[Listed] = ()
    is_rescored: bool = False
    is_cut: bool = False


NO_LIST = Found(NOTHING, NOTHING)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a request selects: `full` holds every word, `partial` lacks some of them.

    `chosen` are the filters of the facets that have a selection, which do not narrow their own.
    """

    query: BooleanQuery
    words: Sequence[WordQuery]
    chosen: Mapping[str, Clause]
    full: Found
    partial: Found

    @property
    def full_count(self) -> int:
        """How many articles hold every word."""
        return self.full.total

    @property
    def partial_count(self) -> int:
        """How many lack some and are listed."""
        return self.partial.total

    @property
    def counted(self) -> Found:
        """The list that total and facets count."""
        return self.partial if self.partial.total and not self.full.total else self.full

    def may_have_more(self, found: int) -> bool:
        """Say whether there are more hits than were found, in matches not ranked yet."""
        is_cut = any(each.is_cut for each in (self.full, self.partial))
        return is_cut and found < self.full.groups + self.partial.groups

    def without_own(self, name: str) -> Clause:
        """Return what a facet is counted over: its own selection does not narrow."""
        others = [clause for other, clause in self.chosen.items() if other != name]
        return narrowed(self.counted.unnarrowed, others)


class Selector:
    """Selects in one state of the index."""

    def __init__(self, statistics: Statistics, compiler: Compiler) -> None:
        self._statistics, self._compiler = statistics, compiler

    def select(self, request: SearchRequest, count: int, query: BooleanQuery) -> Selection:
        """Return what a rewritten query finds, at least `count` of each list ranked."""
        self._statistics.learn(words_in(query))
        words = [part for part in query.must if isinstance(part, WordQuery) and part.optional]
        chosen = {
            name: {"terms": {"month": list(values)}}
            if name == "month"
            else self._compiler.keyword(name, values)
            for name in FACETS
            if (values := getattr(request, name))
        }
        selected = {
            name: tuple(map(self._compiler.canonical, values)) if name == "organisation" else values
            for name in FACETS
            if (values := getattr(request, name))
        }
        question = _Question(self._compiler, request, query, words, chosen, selected)
        full = self._find(question, question.full(), query, count)
        partial = NO_LIST
        may_widen = request.match == "auto" and request.sort == "relevance" and len(words) > 1
        if may_widen and full.total < similarity.WIDEN_BELOW:
            # Of two words of what lacks one there is no nearness.
            near = query if len(words) > 2 else replace(query, pairs=())
            lacking = question.partial(full.unnarrowed)
            partial = self._find(question, lacking, near, count, before=full)
        return Selection(query, words, chosen, full, partial)

    def _find(
        self,
        question: "_Question",
        query: Clause,
        evidence: BooleanQuery,
        count: int,
        before: Found | None = None,
    ) -> Found:
        """Ask for one list; what is folded behind a hit of the one before it is no hit of it."""
        request, chosen = question.request, list(question.chosen.values())
        folds = request.duplicates == "fold"
        seen = {each.fold for each in before.ranked} if before and folds else set()
        body: dict[str, Any] = {
            **listing(*COLUMNS),
            "track_total_hits": True,
            "query": query,
            "aggs": facet_requests(question.chosen, question.selected, self._statistics.shards),
        }
        if chosen:
            body["post_filter"] = {"bool": {"filter": chosen}}
        if folds:
            new = {"bool": {"must_not": [{"terms": {"fold": sorted(seen)}}]}}
            body["aggs"]["groups"] = {
                "filter": {"bool": {"filter": [*chosen, new] if seen else chosen}},
                "aggs": _CLUSTERED,
            }
        if question.is_ranked:
            body["sort"] = [{"_score": "desc"}, {"newest_first": "asc"}, {"id": "asc"}]
            count = max(count, similarity.RESCORED)
        else:
            order = "oldest_first" if request.sort == "oldest" else "newest_first"
            body["sort"] = [{order: "asc"}, {"id": "asc"}]
        body["size"] = min(count, AT_ONCE)
        body["track_scores"] = question.is_scored
        client, name = self._statistics.index.client, self._statistics.name
        pieces = list(self._compiler.evidence(evidence).values()) if question.is_ranked else []
        is_along = 0 < len(pieces) <= _ALONG and count == similarity.RESCORED
        asked = {**body, "query": _telling(query, pieces)} if is_along else body
        answer = ask(client, name, asked, _TELLING if is_along else {})
        told, total = answer["aggregations"], int(answer["hits"]["total"]["value"])
        hits = answer["hits"]["hits"]
        if count > len(hits) == AT_ONCE:
            after = {"search_after": hits[-1]["sort"], "track_total_hits": False}
            rest = {key: value for key, value in body.items() if key != "aggs"} | after
            hits += ask_on(client, name, rest, count - len(hits))
        ranked = [Listed.of(hit) for hit in hits]
        if question.is_ranked:
            best = [each.id for each in ranked[: similarity.RESCORED]]
            gained = _told(hits) if is_along else self._gained(best, pieces)
            ranked = self._rescored(ranked, gained)
        groups, is_exact = _groups(told["groups"]) if folds else (total, True)
        return Found(
            query=narrowed(query, chosen),
            unnarrowed=query,
            total=total,
            groups=groups,
            is_exact=is_exact,
            told=told,
            ranked=[each for each in ranked if each.fold not in seen],
            is_rescored=question.is_ranked,
            is_cut=len(hits) < total,
        )

    def _rescored(self, ranked: list[Listed], gained: Mapping[str, float]) -> list[Listed]:
        """Return matches with the best of them scored by evidence and freshness as well.

        Both only add, so the best stay before the rest.
        """
        best, rest = ranked[: similarity.RESCORED], ranked[similarity.RESCORED :]
        newest = self._statistics.counts.newest
        seconds = [max(0, int(each.columns.get("published", 0))) for each in best]
        fresh = similarity.freshness((newest - np.array(seconds, np.float64)) / _DAY)
        scores = np.array([each.score + gained.get(each.id, 0.0) for each in best], np.float32)
        again = [
            replace(each, score=score)
            for each, score in zip(best, (scores * fresh).tolist(), strict=True)
        ]
        return [*sorted(again, key=lambda each: each.by_score), *rest]

    def _gained(self, ids: Sequence[str], pieces: Sequence[Clause]) -> dict[str, float]:
        """Return what evidence adds to the scores of some articles."""
        gained: dict[str, float] = {}
        if not ids:
            return gained
        bodies = [
            {
                "size": len(ids),
                **listing(),
                "query": {
                    "bool": {
                        "filter": [{"terms": {"id": list(ids)}}],
                        "should": pieces[first : first + _EVIDENCE],
                    }
                },
            }
            for first in range(0, len(pieces), _EVIDENCE)
        ]
        for answer in ask_all(self._statistics.index.client, self._statistics.name, bodies):
            for hit in answer["hits"]["hits"]:
                gained[hit["_id"]] = gained.get(hit["_id"], 0.0) + float(hit["_score"])
        return gained


@dataclass(frozen=True, slots=True)
class _Question:
    """A request with its query, in parts that are put together for each list."""

    compiler: Compiler
    request: SearchRequest
    query: BooleanQuery
    words: Sequence[WordQuery]
    chosen: Mapping[str, Clause]
    selected: Mapping[str, Sequence[str]]

    @property
    def is_scored(self) -> bool:
        return bool(self.query.must or self.query.should)

    @property
    def is_ranked(self) -> bool:
        return self.request.sort == "relevance" and self.is_scored

    def full(self) -> Clause:
        """Return the query for what holds every word."""
        return self._with([self.compiler.scored(part) for part in self.query.must])

    def partial(self, full: Clause) -> Clause:
        """Return the query for what lacks some words, and is none of the full matches."""
        required = [part for part in self.query.must if part not in self.words]
        must = [self.compiler.scored(part) for part in required]
        return self._with([*must, self.compiler.holding_enough(self.words)], without=full)

    def _with(self, must: list[Clause], without: Clause | None = None) -> Clause:
        if self.query.should:
            must = [*must, any_of(self.compiler.scored(part) for part in self.query.should)]
        none = {"constant_score": {"filter": {"match_all": {}}, "boost": 0.0}}
        clause: dict[str, Any] = {"must": must or [none], "filter": list(self._filters())}
        if without:
            clause["must_not"] = [without]
        return {"bool": clause}

    def _filters(self) -> Iterable[Clause]:
        """Give what narrows the hits and every facet alike."""
        request, compiler = self.request, self.compiler
        if request.first or request.last:
            yield between(request.first, request.last)
        yield from map(compiler.filter, self.query.filter)
        excluded = [compiler.filter(part) for part in self.query.must_not]
        excluded += [
            compiler.keyword(name, values)
            for name, values in (
                ("category", request.exclude_category),
                ("organisation", request.exclude_organisation),
                ("source", request.exclude_source),
            )
            if values
        ]
        if excluded:
            yield {"bool": {"must_not": excluded}}


def narrowed(query: Clause, filters: Sequence[Clause]) -> Clause:
    """Return a query whose matches some filters allow."""
    return {"bool": {"must": [query], "filter": list(filters)}} if filters else query


_TELLING = {"include_named_queries_score": "true"}


def _telling(query: Clause, pieces: Sequence[Clause]) -> Clause:
    """Return a query that scores as another, and tells of each hit what some clauses score.

    They stand where nothing is scored and nothing depends on them: Lucene leaves them out of the
    search, and only of the hits that are listed they are asked.
    """
    named = [{"bool": {"must": [each], "_name": str(number)}} for number, each in enumerate(pieces)]
    aside = {"bool": {"filter": [{"match_all": {}}], "should": named}}
    return {"bool": {"must": [query], "filter": [aside]}}


def _told(hits: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    return {hit["_id"]: sum(hit.get("matched_queries", {}).values()) for hit in hits}


def _groups(told: Mapping[str, Any]) -> tuple[int, bool]:
    """Return how many hits matches make, those of one cluster being one; and whether exactly."""
    clustered = told["clustered"]
    distinct = int(clustered["distinct"]["value"])
    is_exact = distinct <= _EXACT_GROUPS
    if not is_exact:
        distinct = int(clustered["about"]["value"])
    return int(told["doc_count"]) - int(clustered["doc_count"]) + distinct, is_exact
