"""Evaluation: how well a searcher answers judged queries, and whether another run did better.

A folder of judgements holds `queries.jsonl`, one object a line with `id`, `query` and perhaps
`kind`, and `qrels.tsv`: query, article and grade in three columns separated by tabs. An article is
named by its address, its id, or the path of its page.

Near-duplicates are one thing to be found, as they are one hit: it has the best grade of any of
them, and whichever is shown stands for it. So an engine that folds loses nothing by that, and one
that does not gains nothing by showing a text twice.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

from index.errors import JudgementsError, QueryError, UnknownArticle
from search.backends.base import Searcher
from search.request import SearchRequest

__all__ = [
    "DEPTH",
    "Comparison",
    "JudgedQuery",
    "Judgements",
    "QueryRun",
    "Run",
    "compare",
    "evaluate",
    "measure",
    "one_of_copies",
    "read_judgements",
    "read_run",
    "write_run",
]

DEPTH = 50  # hits a query
_MAX_GRADE = 100  # trec_eval, below ir-measures, keeps a counter for each grade up to the highest
_EXACT_UP_TO = 15  # differences, whose signs are all tried; beyond, 100,000 draws
_DRAWS = 100_000
_BATCH = 5_000  # draws held at once
_ALL_JUDGED = 0.95  # below this share of judged hits the measure over judged hits is told too


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedQuery:
    """A query of a set, and what kind of query it is."""

    id: str
    query: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgements:
    """Queries, and for each the grade of each judged article, 0 for one that is not relevant.

    `missing` are judged articles that the archive does not hold; they count as never found.
    """

    queries: tuple[JudgedQuery, ...]
    grades: Mapping[str, Mapping[str, int]]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRun:
    """What was found for a query, best first, how good that is, and who of the ten is unjudged."""

    id: str
    query: str
    kind: str
    hits: tuple[str, ...]
    measures: Mapping[str, float]
    unjudged: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The measures over all queries and by kind, and each query's own."""

    measures: Mapping[str, float]
    kinds: Mapping[str, Mapping[str, float]]
    queries: tuple[QueryRun, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """nDCG@10 of this run less that of another, by query, the greatest differences first.

    `p_value` is that of a two-sided paired randomisation test: how often random signs give a mean
    at least as far from 0 (Smucker, Allan and Carterette, A Comparison of Statistical Significance
    Tests for Information Retrieval Evaluation, 2007).
    """

    mean_difference: float
    p_value: float
    wins: int
    losses: int
    ties: int
    differences: tuple[tuple[str, float], ...]


def read_judgements(folder: Path, resolve: Callable[[str], str | None]) -> Judgements:
    """Read a folder; `resolve` gives the id of an article however it is named, None for none.

    Raises JudgementsError, which names file, line and repair.
    """
    queries = tuple(_queries(folder / "queries.jsonl"))
    known = {query.id for query in queries}
    grades: dict[str, dict[str, int]] = {query.id: {} for query in queries}
    missing: dict[str, None] = {}
    path = folder / "qrels.tsv"
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 3:
            raise JudgementsError(path, number, "expected query, article and grade between tabs")
        query, name, grade = (column.strip() for column in columns)
        if query not in known:
            raise JudgementsError(path, number, f"{query!r} is no query of queries.jsonl")
        if not (grade.isdecimal() and len(grade) <= 3 and int(grade) <= _MAX_GRADE):
            reason = f"the grade {grade!r} is no whole number from 0 to {_MAX_GRADE}"
            raise JudgementsError(path, number, reason)
        article = resolve(name)
        if article is None:
            missing[name] = None
        grades[query][article or f"missing {name}"] = int(grade)
    if not any(grades.values()):
        raise JudgementsError(path, 0, "there is no judgement in it")
    return Judgements(queries=queries, grades=grades, missing=tuple(missing))


def evaluate(
    searcher: Searcher,
    judgements: Judgements,
    *,
    request: SearchRequest | None = None,
) -> Run:
    """Ask every query; `request` has how it is asked. Raises QueryError, which names the query."""
    hits: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    asked = request or SearchRequest()
    for query in judgements.queries:
        try:
            found = searcher.search(replace(asked, query=query.query, size=DEPTH)).hits
        except QueryError as error:
            raise QueryError(f"{query.id}: {error}") from error
        hits[query.id] = [hit.id for hit in found]
        titles |= {hit.id: hit.title for hit in found[:10]}
    return measure(judgements, hits, titles, one_of_copies(searcher))


def one_of_copies(searcher: Searcher) -> Callable[[str], str]:
    """Return a function that gives one id for all articles of a cluster of near-duplicates."""
    known: dict[str, str] = {}

    def one(article: str) -> str:
        if article not in known:
            try:
                members = [article, *(copy.id for copy in searcher.copies(article))]
            except UnknownArticle:
                members = [article]
            known.update(dict.fromkeys(members, min(members)))
        return known[article]

    return one


def measure(
    judgements: Judgements,
    hits: Mapping[str, Sequence[str]],
    titles: Mapping[str, str],
    one: Callable[[str], str] = str,
) -> Run:
    """Return the measures of what some engine has found for each query, best first.

    `one` gives the id that stands for an article and its near-duplicates.
    """
    of_one: dict[str, dict[str, int]] = {}
    for query_id, grades in judgements.grades.items():
        best = of_one.setdefault(query_id, {})
        for article, grade in grades.items():
            best[one(article)] = max(grade, best.get(one(article), 0))
    judgements = replace(judgements, grades=of_one)
    shown = {query: _firsts(found, one) for query, found in hits.items()}
    hits = {query: [one(hit) for hit in found] for query, found in shown.items()}
    by_query = _measures(judgements, hits)
    runs = [
        QueryRun(
            id=query.id,
            query=query.query,
            kind=query.kind,
            hits=tuple(shown.get(query.id, ())),
            measures=by_query[query.id],
            unjudged=tuple(
                (hit, titles.get(hit, ""))
                for hit in shown.get(query.id, ())[:10]
                if one(hit) not in judgements.grades[query.id]
            ),
        )
        for query in judgements.queries
    ]
    kinds: dict[str, list[QueryRun]] = defaultdict(list)
    for run in runs:
        kinds[run.kind].append(run)
    overall = _mean(runs)
    if overall["Judged@10"] < _ALL_JUDGED:
        judged = {
            query: [hit for hit in found if hit in judgements.grades.get(query, ())]
            for query, found in hits.items()
        }
        values = _measures(judgements, judged).values()
        overall["nDCG@10 of judged hits"] = mean(value["nDCG@10"] for value in values)
    return Run(
        measures=overall,
        kinds={kind: _mean(members) for kind, members in sorted(kinds.items()) if kind},
        queries=tuple(runs),
        missing=judgements.missing,
    )


def compare(run: Run, other: Run) -> Comparison:
    """Compare with another run, over the queries that both have."""
    former = {query.id: query.measures["nDCG@10"] for query in other.queries}
    differences = [
        (query.id, query.measures["nDCG@10"] - former[query.id])
        for query in run.queries
        if query.id in former
    ]
    values = [value for _, value in differences]
    wins, losses = sum(value > 1e-9 for value in values), sum(value < -1e-9 for value in values)
    return Comparison(
        mean_difference=mean(values) if values else 0.0,
        p_value=_p_value([value for value in values if abs(value) > 1e-9]),
        wins=wins,
        losses=losses,
        ties=len(values) - wins - losses,
        differences=tuple(sorted(differences, key=lambda pair: (-abs(pair[1]), pair[0]))),
    )


def write_run(run: Run, path: Path) -> None:
    """Write a run as JSON, for a later comparison; raises JudgementsError where that fails."""
    text = json.dumps(asdict(run), ensure_ascii=False, indent=1) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise JudgementsError(path, 0, f"it cannot be written ({error})") from error


def read_run(path: Path) -> Run:
    """Read what `write_run` wrote; raises JudgementsError where it is something else."""
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        queries = tuple(
            QueryRun(
                id=query["id"],
                query=query["query"],
                kind=query["kind"],
                hits=tuple(query["hits"]),
                measures={"nDCG@10": float(query["measures"]["nDCG@10"])} | query["measures"],
                unjudged=(),
            )
            for query in value["queries"]
        )
        return Run(
            measures=dict(value["measures"]),
            kinds=dict(value["kinds"]),
            queries=queries,
            missing=(),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JudgementsError(path, 0, "it is no run saved with --save") from error


def _measures(
    judgements: Judgements, hits: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    import ir_measures
    from ir_measures import RR, Judged, Qrel, R, ScoredDoc, nDCG

    measures = {
        "nDCG@10": nDCG @ 10,
        "MRR@10": RR @ 10,
        "Recall@50": R @ 50,
        "Judged@10": Judged @ 10,
    }
    qrels = [
        Qrel(query, article, grade)
        for query, grades in judgements.grades.items()
        for article, grade in grades.items()
    ]
    run = [
        ScoredDoc(query, hit, -float(rank))
        for query, found in hits.items()
        for rank, hit in enumerate(found[:DEPTH])
    ]
    # A query that finds nothing is measured too: 0, where ir-measures leaves it out.
    by_query = {query.id: dict.fromkeys(measures, 0.0) for query in judgements.queries}
    names = {str(found): name for name, found in measures.items()}
    for metric in ir_measures.iter_calc(list(measures.values()), qrels, run):
        by_query[metric.query_id][names[str(metric.measure)]] = float(metric.value)
    return by_query


def _firsts(hits: Iterable[str], one: Callable[[str], str]) -> list[str]:
    """Return the hits of which no near-duplicate stands before them."""
    firsts: dict[str, str] = {}
    for hit in hits:
        firsts.setdefault(one(hit), hit)
    return list(firsts.values())


def _mean(runs: Iterable[QueryRun]) -> dict[str, float]:
    values = [run.measures for run in runs]
    return {name: mean(value[name] for value in values) for name in values[0]}


def _p_value(differences: Sequence[float]) -> float:
    if len(differences) < 2:
        return 1.0
    import numpy as np
    from scipy.stats import permutation_test

    result = permutation_test(
        (np.array(differences),),
        np.mean,  # of a whole batch at once: one sample at a time takes fifty times as long
        permutation_type="samples",
        n_resamples=2 ** len(differences) if len(differences) <= _EXACT_UP_TO else _DRAWS,
        batch=_BATCH,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def _queries(path: Path) -> Iterator[JudgedQuery]:
    known: set[str] = set()
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            query = JudgedQuery(
                id=str(value["id"]), query=str(value["query"]), kind=str(value.get("kind") or "")
            )
            # JSON can hold half of a character, which nothing could print.
            f"{query.id}{query.query}{query.kind}".encode()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise JudgementsError(
                path, number, "expected an object with id and query in UTF-8"
            ) from error
        if query.id in known:
            raise JudgementsError(path, number, f"the id {query.id!r} is there already")
        known.add(query.id)
        yield query
    if not known:
        raise JudgementsError(path, 0, "there is no query in it")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise JudgementsError(path, 0, f"it cannot be read ({error})") from error
