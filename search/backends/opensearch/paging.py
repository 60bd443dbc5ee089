"""Paging: from the ranked lists of a selection to the hits of one page, with copies behind them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from index.analysis import Analyzer
from index.document import Article
from index.record import read_article
from search.backends.opensearch.articles import BEHIND
from search.backends.opensearch.ask import AT_ONCE, ask, ask_all, ask_on, listing
from search.backends.opensearch.compile import Clause, Compiler
from search.backends.opensearch.explaining import explain_hits
from search.backends.opensearch.listed import COLUMNS, Cluster, Listed
from search.backends.opensearch.selecting import Found, Selection, narrowed
from search.backends.opensearch.statistics import Statistics
from search.request import SearchRequest
from search.results import Hit
from search.snippet import Highlighter, make_hit

if TYPE_CHECKING:
    from search.explanation import HitExplanation

__all__ = ["Pager", "ranked_for"]

_SPARE = 10  # hits beyond those wanted that are ranked, for some will be folded away
_ALONE = Cluster()

Page = Sequence[tuple[Listed, Cluster]]
"""Hits, each with the cluster that is folded behind it."""


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
            return [(each, _ALONE) for each in ranked[place]]
        if request.sort == "relevance" and any(each.score for each in ranked):
            shown = _firsts(ranked)[place]
            clusters = self._clusters(lists, shown)
            scored = {each.id: each for each in ranked}
            found = [(each, clusters.get(each.fold, _ALONE)) for each in shown]
            return [(cluster.shown_for(each, scored), cluster) for each, cluster in found]
        # By time a hit stands where the article stands that is shown.
        clusters = self._clusters(lists, ranked)
        kept: dict[str, tuple[Listed, Cluster]] = {}
        for each in ranked:
            cluster = clusters.get(each.fold, _ALONE)
            if cluster.shown_for(each, {}).id == each.id:
                kept.setdefault(each.fold, (each, cluster))
        return list(kept.values())[place]

    def _clusters(self, lists: Sequence[Found], hits: Iterable[Listed]) -> dict[str, Cluster]:
        """Return the clusters of hits: all of their articles, and those that match each list."""
        labels = sorted({each.fold for each in hits if "cluster" in each.columns})
        if not labels:
            return {}
        of_clusters = {"terms": {"cluster": labels}}
        clusters: dict[str, Cluster] = {label: Cluster() for label in labels}
        queries: list[Clause] = [{"constant_score": {"filter": of_clusters}}]
        queries += [narrowed(found.query, [of_clusters]) for found in lists if found.total]
        members, *matching = self._all_of(queries)
        for each in members:
            clusters[each.fold].members.append(each)
        for found_here in matching:
            parts: dict[str, dict[str, Listed]] = {}
            for each in found_here:
                parts.setdefault(each.fold, {})[each.id] = each
            for fold, part in parts.items():
                clusters[fold].matching.append(part)
        return clusters

    def _all_of(self, queries: Iterable[Clause]) -> list[list[Listed]]:
        """Return every match of each query, with its score."""
        bodies = [
            {
                **listing(*COLUMNS),
                "query": query,
                "sort": [{"id": "asc"}],
                "track_scores": True,
                "track_total_hits": False,
                "size": AT_ONCE,
            }
            for query in queries
        ]
        client, name = self._statistics.index.client, self._statistics.name
        found = []
        for body, answer in zip(bodies, ask_all(client, name, bodies), strict=True):
            hits = answer["hits"]["hits"]
            if len(hits) == AT_ONCE:
                hits += ask_on(client, name, {**body, "search_after": hits[-1]["sort"]})
            found.append([Listed.of(hit) for hit in hits])
        return found

    def hits(
        self, page: Page, selection: Selection, *, is_explained: bool = False
    ) -> tuple[Hit, ...]:
        """Return articles of a selection as they are shown, with what is folded behind them."""
        if not page:
            return ()
        behind = {hit.id: cluster.behind(hit) for hit, cluster in page}
        articles, held = self._read(
            [each.id for hit, _ in page for each in (hit, *behind[hit.id][:BEHIND])], selection
        )
        highlighter = Highlighter(selection.query, self._analyzer)
        explained: Mapping[str, HitExplanation] = {}
        if is_explained:
            listed_page = [hit for hit, _ in page]
            explained = explain_hits(self._statistics, self._compiler, selection, listed_page)
        names = [word.surface for word in selection.words]
        hits = []
        for listed, cluster in page:
            if listed.id not in articles:
                continue  # removed a moment ago
            missing = tuple(
                dict.fromkeys(
                    name for number, name in enumerate(names) if number not in held[listed.id]
                )
            )
            hit = make_hit(articles[listed.id], highlighter, listed.score, missing)
            if others := behind[listed.id]:
                copies = cluster.copies(others[:BEHIND], articles)
                hit = replace(hit, duplicate_count=len(others), copies=copies)
            hits.append(replace(hit, explanation=explained.get(listed.id)))
        return tuple(hits)

    def _read(
        self, identifiers: Sequence[str], selection: Selection
    ) -> tuple[dict[str, Article], dict[str, set[int]]]:
        """Return some articles, and the numbers of the words of the query that each holds."""
        query: dict[str, Any] = {"filter": [{"terms": {"id": list(identifiers)}}]}
        query["should"] = [
            {"bool": {"filter": [self._compiler.filter(word)], "_name": str(number)}}
            for number, word in enumerate(selection.words)
        ]
        answer = ask(
            self._statistics.index.client,
            self._statistics.name,
            {"size": len(identifiers), "query": {"bool": query}, "_source": ["record"]},
        )
        articles, held = {}, {}
        for hit in answer["hits"]["hits"]:
            record = hit["_source"]["record"]["article"]
            articles[hit["_id"]] = read_article(record, evidence=False)
            held[hit["_id"]] = set(map(int, hit.get("matched_queries", ())))
        return articles, held


def _firsts(ranked: Sequence[Listed]) -> list[Listed]:
    """Return the best ranked of each cluster."""
    firsts: dict[str, Listed] = {}
    for each in ranked:
        firsts.setdefault(each.fold, each)
    return list(firsts.values())
