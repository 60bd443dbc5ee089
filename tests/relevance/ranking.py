"""Relevance of the ranking, on queries judged by reading: nDCG@10, MRR@10, Recall@50, Judged@10."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import ir_measures
from ir_measures import RR, Judged, Qrel, R, ScoredDoc, nDCG

from index.identity import article_id, article_key
from search import Searcher, SearchRequest

__all__ = ["measure"]

MEASURES = {
    "ndcg@10": nDCG @ 10,
    "mrr@10": RR(rel=2) @ 10,
    "recall@50": R(rel=2) @ 50,
    "judged@10": Judged @ 10,
}


def measure(searcher: Searcher, corpus: Path) -> dict[str, float]:
    """Return each measure over all queries, and nDCG@10 of each kind of query."""
    folder = corpus / "judgements" / "relevance"
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    queries = {query["id"]: query for query in map(json.loads, lines)}
    qrels = list(_judgements(folder / "qrels.tsv"))
    run = [
        ScoredDoc(number, hit.id, -rank)
        for number, query in queries.items()
        for rank, hit in enumerate(
            searcher.search(SearchRequest(query=query["query"], size=50)).hits
        )
    ]
    figures = {
        f"ranking/{name}": round(float(value), 4)
        for measure, value in ir_measures.calc_aggregate(MEASURES.values(), qrels, run).items()
        for name, wanted in MEASURES.items()
        if wanted == measure
    }
    by_kind: dict[str, list[float]] = defaultdict(list)
    for metric in ir_measures.iter_calc([nDCG @ 10], qrels, run):
        by_kind[queries[metric.query_id]["kind"]].append(float(metric.value))
    return figures | {
        f"ranking/ndcg@10/{kind}": round(sum(values) / len(values), 4)
        for kind, values in sorted(by_kind.items())
    }


def _judgements(path: Path) -> Iterator[Qrel]:
    for line in path.read_text(encoding="utf-8").splitlines():
        number, url, grade = line.split("\t")
        yield Qrel(number, article_id(article_key(url, "")), int(grade))
