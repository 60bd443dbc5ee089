"""Articles as the index keeps them, alone and as hits of lists that no query has made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from index.document import Article
from index.errors import UnknownArticle
from index.identity import article_id, article_key
from index.record import read_article
from search.backends.opensearch.ask import ask, ask_on, listing
from search.backends.opensearch.compile import Clause
from search.backends.opensearch.listed import OF_COPIES, Cluster, Listed
from search.backends.opensearch.statistics import Statistics
from search.results import Copy, Hit
from search.snippet import make_hit

__all__ = ["BEHIND", "Articles"]

BEHIND = 20
"""Copies that a hit names."""


class Articles:
    """Reads the articles of one state."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics

    def article(self, identifier: str) -> Article:
        """Return one article with its evidence, or raise UnknownArticle."""
        found = self._records([identifier])
        if identifier not in found:
            raise UnknownArticle(identifier)
        return read_article(found[identifier])

    def by_url(self, url: str) -> Article:
        """Return the article of an address in whatever form, or raise UnknownArticle."""
        wanted = [url, article_id(article_key(url, url))]
        found = self._records(wanted)
        for each in wanted:
            if each in found:
                return read_article(found[each])
        raise UnknownArticle(url)

    def read(self, identifiers: Iterable[str]) -> dict[str, Article]:
        """Return those of some articles that are there, without evidence."""
        found = self._records(identifiers)
        return {each: read_article(record, evidence=False) for each, record in found.items()}

    def copies(self, identifier: str) -> tuple[Copy, ...]:
        """Return the other articles of an article's cluster; raises UnknownArticle."""
        own = self.listed({"terms": {"id": [identifier]}})
        if not own:
            raise UnknownArticle(identifier)
        clusters = self.clusters(own)
        if own[0].fold not in clusters:
            return ()
        cluster = clusters[own[0].fold]
        others = cluster.others(identifier)
        return cluster.copies(others)

    def shown(self, identifiers: Sequence[str]) -> dict[str, tuple[Article, Hit]]:
        """Return some articles with the hits that show them; those that are gone are left out."""
        articles = self.read(identifiers)
        own = self.listed({"terms": {"id": list(articles)}}) if articles else []
        clusters = self.clusters(own)
        behind = {
            each.id: clusters[each.fold].others(each.id) for each in own if each.fold in clusters
        }
        folds = {each.id: each.fold for each in own}
        shown: dict[str, tuple[Article, Hit]] = {}
        for identifier in identifiers:
            if identifier not in articles or identifier in shown:
                continue
            hit = make_hit(articles[identifier])
            if some := behind.get(identifier):
                told = clusters[folds[identifier]].copies(some[:BEHIND])
                hit = replace(hit, duplicate_count=len(some), copies=told)
            shown[identifier] = articles[identifier], hit
        return shown

    def clusters(self, listed: Iterable[Listed]) -> dict[str, Cluster]:
        """Return the clusters of some articles that have copies, by their label."""
        labels = sorted({each.fold for each in listed if "cluster" in each.columns})
        clusters: dict[str, Cluster] = {}
        if labels:
            for each in self.listed({"terms": {"cluster": labels}}):
                clusters.setdefault(each.fold, Cluster()).members.append(each)
        return {label: each for label, each in clusters.items() if len(each.members) > 1}

    def listed(self, query: Clause) -> list[Listed]:
        """Return every match of a query."""
        body = {
            **listing(*OF_COPIES),
            "query": query,
            "sort": [{"id": "asc"}],
        }
        hits = ask_on(self._statistics.index.client, self._statistics.name, body)
        return [Listed.of(hit) for hit in hits]

    def _records(self, identifiers: Iterable[str]) -> Mapping[str, str]:
        wanted = list(dict.fromkeys(identifiers))
        if not wanted:
            return {}
        query = {"bool": {"filter": [{"terms": {"id": wanted}}]}}
        hits = self._ask({"size": len(wanted), "_source": ["record"], "query": query})
        return {hit["_id"]: hit["_source"]["record"]["article"] for hit in hits}

    def _ask(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        answer = ask(self._statistics.index.client, self._statistics.name, body)
        return list(answer["hits"]["hits"])
