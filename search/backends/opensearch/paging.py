"""Paging: from the ranked lists of a selection to the hits of one page, with copies behind them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from index.analysis import Analyzer
from index.document import Article
from index.record import read_article
from search.backends.opensearch.articles import BEHIND
from search.backends.opensearch.ask import AT_ONCE, ask, ask_all, ask_on, listing
from search.backends.opensearch.compile import Clause, Compiler
from search.backends.opensearch.explaining import explain_hits
from search.backends.opensearch.listed import OF_COPIES, Cluster, Listed
from search.backends.opensearch.selecting import Found, Selection, narrowed
from search.backends.opensearch.statistics import Statistics
from search.query import WordQuery
from search.request import SearchRequest
from search.results import Hit
from search.snippet import Highlighter, make_hit

if TYPE_CHECKING:
    from search.explanation import HitExplanation

__all__ = ["Page", "Pager", "ranked_for"]

_SPARE = 10  # hits beyond those wanted that are ranked, for some will be folded away
_ALONE = Cluster()

_Read = tuple[Article, frozenset[int]]
"""An article, and the numbers of the words of the query that it holds."""


@dataclass(frozen=True, slots=True)
class Page:
    """Hits, each with the cluster that is folded behind it, and articles that were read along."""

    hits: Sequence[tuple[Listed, Cluster]]
    read: Mapping[str, _Read] = field(default_factory=dict)


def ranked_for(end: int) -> int:
    """Return how many articles are ranked so that there are `end` hits of them, most likely."""
    return end + end // 4 + _SPARE


class Pager:
    """Makes pages in one state of the index; what is said of folding is in `folding.HitList`."""

    def __init__(self, statistics: Statistics, compiler: Compiler, analyzer: Analyzer) -> None:
        self._statistics, self._compiler, self._analyzer = statistics, compiler, analyzer

    def page(self, selection: Selection, request: SearchRequest, first: int) -> Page:
        """Return the hits from a place on, each with its cluster."""
        lists = (selection.full, selection.partial)
        ranked = [each for found in lists for each in found.ranked]
        place = slice(first, first + request.size)
        if request.duplicates == "show":
            return Page([(each, _ALONE) for each in ranked[place]])
        if request.sort == "relevance" and any(each.score for each in ranked):
            shown = _firsts(ranked)[place]
            clusters, read = self._clusters(lists, shown, selection.words)
            scored = {each.id: each for each in ranked}
            found = [(each, clusters.get(each.fold, _ALONE)) for each in shown]
            hits = [(cluster.shown_for(each, scored), cluster) for each, cluster in found]
            return Page(hits, read)
        # By time a hit stands where the article stands that is shown.
        clusters, _ = self._clusters(lists, ranked)
        kept: dict[str, tuple[Listed, Cluster]] = {}
        for each in ranked:
            cluster = clusters.get(each.fold, _ALONE)
            if cluster.shown_for(each, {}).id == each.id:
                kept.setdefault(each.fold, (each, cluster))
        return Page(list(kept.values())[place])

    def _clusters(
        self,
        lists: Sequence[Found],
        hits: Sequence[Listed],
        words: Sequence[WordQuery] | None = None,
    ) -> tuple[dict[str, Cluster], dict[str, _Read]]:
        """Return the clusters of hits: all of their articles, and those that match each list.

        With the words of the query the articles are read at once that may be shown for the hits:
        these themselves, and the canonical one of each cluster.
        """
        labels = sorted({each.fold for each in hits if "cluster" in each.columns})
        of_clusters = {"terms": {"cluster": labels}}
        bodies = []
        if labels:
            queries: list[Clause] = [{"constant_score": {"filter": of_clusters}}]
            queries += [narrowed(found.query, [of_clusters]) for found in lists if found.total]
            bodies += list(map(_all_of, queries))
        asked = len(bodies)
        if words is not None and hits:
            bodies.append(self._reading({"terms": {"id": [each.id for each in hits]}}, words))
            if labels:
                bodies.append(
                    {
                        **self._reading(of_clusters, words),
                        "collapse": {"field": "fold"},
                        "sort": [{"oldest_first": "asc"}, {"size": "desc"}, {"id": "asc"}],
                    }
                )
        answers = ask_all(self._statistics.index.client, self._statistics.name, bodies)
        listed = [
            self._rest(body, answer["hits"]["hits"])
            for body, answer in zip(bodies[:asked], answers, strict=False)
        ]
        clusters: dict[str, Cluster] = {label: Cluster() for label in labels}
        if listed:
            members, *matching = listed
            for each in members:
                clusters[each.fold].members.append(each)
            for found_here in matching:
                parts: dict[str, dict[str, Listed]] = {}
                for each in found_here:
                    parts.setdefault(each.fold, {})[each.id] = each
                for fold, part in parts.items():
                    clusters[fold].matching.append(part)
        return clusters, _read_of(answers[asked:])

    def _rest(self, body: dict[str, Any], hits: list[dict[str, Any]]) -> list[Listed]:
        """Return the hits of an answer and those that it had no room for."""
        if len(hits) == AT_ONCE:
            after = {**body, "search_after": hits[-1]["sort"]}
            hits += ask_on(self._statistics.index.client, self._statistics.name, after)
        return [Listed.of(hit) for hit in hits]

    def hits(
        self, page: Page, selection: Selection, *, is_explained: bool = False
    ) -> tuple[Hit, ...]:
        """Return articles of a selection as they are shown, with what is folded behind them."""
        read = self._read_along(page, selection.words)
        highlighter = Highlighter(selection.query, self._analyzer)
        explained: Mapping[str, HitExplanation] = {}
        if is_explained:
            listed_page = [hit for hit, _ in page.hits]
            explained = explain_hits(self._statistics, self._compiler, selection, listed_page)
        names = [word.surface for word in selection.words]
        hits = []
        for listed, cluster in page.hits:
            if listed.id not in read:
                continue  # removed a moment ago
            article, held = read[listed.id]
            missing = tuple(
                dict.fromkeys(name for number, name in enumerate(names) if number not in held)
            )
            hit = make_hit(article, highlighter, listed.score, missing)
            if others := cluster.behind(listed):
                copies = cluster.copies(others[:BEHIND])
                hit = replace(hit, duplicate_count=len(others), copies=copies)
            hits.append(replace(hit, explanation=explained.get(listed.id)))
        return tuple(hits)

    def _read_along(self, page: Page, words: Sequence[WordQuery]) -> Mapping[str, _Read]:
        """Return the articles of a page, asking for those that were not read along."""
        missing = [hit.id for hit, _ in page.hits if hit.id not in page.read]
        if not missing:
            return page.read
        body = self._reading({"terms": {"id": missing}}, words)
        answer = ask(self._statistics.index.client, self._statistics.name, body)
        return {**page.read, **_read_of([answer])}

    def _reading(self, which: Clause, words: Sequence[WordQuery]) -> dict[str, Any]:
        """Return a search for whole articles that tells which of some words each holds."""
        held = [
            {"bool": {"filter": [self._compiler.filter(word)], "_name": str(number)}}
            for number, word in enumerate(words)
        ]
        return {
            "size": len(next(iter(which["terms"].values()))),
            "query": {"bool": {"filter": [which], "should": held}},
            "_source": ["record"],
            "track_total_hits": False,
        }


def _all_of(query: Clause) -> dict[str, Any]:
    """Return a search for every match of a query, with its score."""
    return {
        **listing(*OF_COPIES),
        "query": query,
        "sort": [{"id": "asc"}],
        "track_scores": True,
        "track_total_hits": False,
        "size": AT_ONCE,
    }


def _read_of(answers: Iterable[Mapping[str, Any]]) -> dict[str, _Read]:
    """Return the articles of answers to `_reading`, by id."""
    read = {}
    for answer in answers:
        for hit in answer["hits"]["hits"]:
            if hit["_id"] not in read:
                article = read_article(hit["_source"]["record"]["article"], evidence=False)
                read[hit["_id"]] = article, frozenset(map(int, hit.get("matched_queries", ())))
    return read


def _firsts(ranked: Sequence[Listed]) -> list[Listed]:
    """Return the best ranked of each cluster."""
    firsts: dict[str, Listed] = {}
    for each in ranked:
        firsts.setdefault(each.fold, each)
    return list(firsts.values())
