"""Both backends asked the same: what differs between their answers.

    python -m tests.opensearch.agreement DATA --url http://127.0.0.1:9211 [--queries N] [--fill]

DATA is a data folder; its articles are put on the cluster with `--fill`. Prints one line for each
question whose answers differ, and the counts: totals, facets, first ten hits, scores.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from index.analysis import Analyzer
from index.build import migrate
from index.document import BEIJING, Article
from index.errors import QueryError
from index.settings import Settings
from index.store import STORE_FILE, ArticleStore
from index.summary import Quiet
from search import Searcher, SearchRequest, SearchResults, open_searcher

__all__ = ["Agreement", "compare", "on_cluster", "questions"]

_EXACT = (
    *("total", "groups", "widened", "pageable", "nothing_full", "relaxed", "understood"),
    *("notices", "did_you_mean"),
)
_CLOSE = 1e-4  # relative


@dataclass(slots=True)
class Agreement:
    """How many answers were compared, and in what they differ."""

    asked: int = 0
    refused: int = 0
    differing: Counter[str] = field(default_factory=Counter)

    def add(self, one: SearchResults, other: SearchResults) -> list[str]:
        """Compare two answers; return the names of what differs."""
        self.asked += 1
        found = [name for name in _EXACT if getattr(one, name) != getattr(other, name)]
        found += [f"facet {name}" for name in one.facets if one.facets[name] != other.facets[name]]
        ours, theirs = one.hits[:10], other.hits[:10]
        if [hit.id for hit in ours] != [hit.id for hit in theirs]:
            found.append("hits")
        else:
            for hit, its in zip(ours, theirs, strict=True):
                if abs(hit.score - its.score) > max(_CLOSE * hit.score, 1e-4):
                    found.append("scores")
                    break
            for hit, its in zip(ours, theirs, strict=True):
                if replace(hit, score=0.0) != replace(its, score=0.0):
                    found.append("shown")
                    break
        self.differing.update(found)
        return found


def questions(
    articles: Sequence[Article], analyzer: Analyzer, seed: int = 10
) -> Iterator[SearchRequest]:
    """Give requests of all kinds without end, about what some articles say; the same for a seed."""
    random = Random(seed)
    while True:
        article = random.choice(articles)
        terms = analyzer.query_terms(article.title)
        words = [article.title[term.start : term.end] for term in terms]
        words = [word for word in words if len(word) > 1] or ["漏洞"]
        some = random.sample(words, min(len(words), random.choice((1, 1, 2, 2, 3, 4))))
        names = [*article.organisations, "微软"]
        query = random.choice(
            (
                *[" ".join(some)] * 6,
                article.title,
                f'"{article.title[:6]}"',
                f'"{" ".join(some[:2])}"~{random.choice((0, 3, 9))}',
                f"title:{some[0]}",
                f"{some[0][:2]}*",
                f"{some[0]} -{words[-1]}",
                f"{some[0]} OR {words[-1]}",
                f"({' OR '.join(some)}) {words[0]}",
                f"org:{random.choice(names)}",
                f"主角:{random.choice(names)} {some[0]}",
                f"+{' +'.join(some)}",
                f"source:{article.source} {some[0]}",
                " ".join(article.identifiers[:1]) or "CVE-2021-44228",
                "最近一年 " + some[0],
                "",
            )
        )
        chosen: dict[str, Any] = {}
        if random.random() < 0.3:
            chosen["category"] = (article.category or "漏洞",)
        if random.random() < 0.15:
            chosen["organisation"] = (random.choice(names),)
        if random.random() < 0.15:
            chosen["source"] = (article.source,)
        if random.random() < 0.1:
            chosen["exclude_category"] = ("新闻",)
        if article.published and random.random() < 0.2:
            chosen["first"] = article.published.date() - timedelta(days=200)
        if article.published and random.random() < 0.1:
            chosen["month"] = (article.published.astimezone(BEIJING).strftime("%Y-%m"),)
        yield SearchRequest(
            query=query,
            sort=random.choice(("relevance", "relevance", "newest", "oldest")),
            match=random.choice(("auto", "auto", "all")),
            duplicates=random.choice(("fold", "fold", "show")),
            page=random.choice((1, 1, 1, 2, 5)),
            **chosen,
        )


def compare(one: Searcher, other: Searcher, requests: Iterable[SearchRequest]) -> Agreement:
    """Ask both, and tell on stdout what differs."""
    agreement = Agreement()
    for request in requests:
        try:
            ours = one.search(request)
        except QueryError:  # a prefix of too many words, which costs a cluster less
            agreement.refused += 1
            continue
        found = agreement.add(ours, other.search(request))
        if found:
            sys.stdout.write(f"{request}: {', '.join(found)}\n")
    return agreement


def on_cluster(settings: Settings, url: str, alias: str) -> Settings:
    """Return settings of the same articles on a cluster."""
    return replace(
        settings,
        backend="opensearch",
        opensearch_url=(url,),
        opensearch_index=alias,
        opensearch_shards=3,
        opensearch_replicas=0,
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("data", type=Path)
    options.add_argument("--url", required=True)
    options.add_argument("--index", default="agreement")
    options.add_argument("--queries", type=int, default=500)
    options.add_argument("--seed", type=int, default=10)
    options.add_argument("--fill", action="store_true")
    given = options.parse_args()
    settings = Settings(data=given.data)
    cluster = on_cluster(settings, given.url, given.index)
    if given.fill:
        migrate(cluster, progress=Quiet())
    with ArticleStore(settings.data / STORE_FILE, read_only=True) as store:
        articles = list(store.articles())
    asked = islice(questions(articles, Analyzer(), given.seed), given.queries)
    with closing(open_searcher(settings)) as one, closing(open_searcher(cluster)) as other:
        agreement = compare(one, other, asked)
    told = {
        "asked": agreement.asked,
        "refused": agreement.refused,
        "differing": dict(agreement.differing.most_common()),
    }
    sys.stdout.write(f"{json.dumps(told, ensure_ascii=False)}\n")


if __name__ == "__main__":
    main()
