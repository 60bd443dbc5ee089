"""Two studies by hand: what each part of the ranking is worth, and whether its numbers hold."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from statistics import mean
from typing import Any

from ranking import Collection
from rich.console import Console
from rich.table import Table

from index.entities import OrganisationTable
from search import SearchRequest, open_searcher, similarity
from search.evaluation import Run, evaluate
from search.rewrite import Rewriter
from search.synonyms import Synonyms

__all__ = ["ablation", "weights"]

_FOLDS = 5
_PLAIN = {"title": 1.0, "lead": 1.0, "body": 1.0}

_PARTS: dict[str, dict[str, Any]] = {
    "everything": {},
    "without synonyms": {"synonyms": False},
    "without other names": {"names": False},
    "without stop words": {"stop_words": False},
    "without periods in words": {"request": SearchRequest(reads_periods=False)},
    "without widening": {"request": SearchRequest(match="all")},
    "without coverage": {"COVERAGE": 0.0},
    "without boosts of fields": {"FIELD_BOOSTS": _PLAIN},
    "without words inside words": {"PART_WEIGHT": 0.0},
    "without nearness": {"PROXIMITY_WEIGHT": 0.0},
    "without freshness": {"FRESHNESS": 0.0},
}

_GRID: dict[str, tuple[Any, ...]] = {
    "FIELD_BOOSTS": tuple({"title": title, "lead": 2.0, "body": 1.0} for title in (3.0, 5.0, 8.0)),
    "COMBINED_K1": (1.2, 2.0, 3.0),
    "B": (0.6, 0.75, 0.9),
    "SYNONYM_WEIGHT": (0.7, 0.9, 1.0),
    "PART_WEIGHT": (0.0, 0.1, 0.2),
    "PROXIMITY_WEIGHT": (0.0, 0.1, 0.2),
    "COVERAGE": (1.0, 2.0, 3.0),
    "FRESHNESS": (0.0, 0.01, 0.05),
}


@contextmanager
def _set(values: dict[str, Any]) -> Iterator[None]:
    """Give numbers of the similarity other values for a time."""
    former = {name: getattr(similarity, name) for name in values}
    for name, value in values.items():
        setattr(similarity, name, value)
    try:
        yield
    finally:
        for name, value in former.items():
            setattr(similarity, name, value)


def _run(collection: Collection, change: dict[str, Any]) -> Run:
    """Run a set with a part of the ranking changed."""
    numbers = {name: value for name, value in change.items() if name.isupper()}
    with _set(numbers):
        searcher: Any = open_searcher(collection.settings)
        try:
            table = OrganisationTable.load()
            rewriter = searcher._reader.rewriter
            if "synonyms" in change:
                searcher._reader.rewriter = Rewriter(rewriter._analyzer, Synonyms((), table))
            if "names" in change:
                synonyms = Synonyms.load(OrganisationTable(()))
                searcher._reader.rewriter = Rewriter(rewriter._analyzer, synonyms)
            if "stop_words" in change:
                rewriter.stop_words = frozenset()
            return evaluate(searcher, collection.judgements, request=change.get("request"))
        finally:
            searcher.close()


def ablation(collections: dict[str, Collection], console: Console) -> None:
    """Print the figures with each part of the ranking switched off."""
    shown = {"portals": ("nDCG@10",), "cve": ("Recall@50", "MRR@10"), "news": ("nDCG@10",)}
    table = Table("", *(f"{name} {each}" for name, measures in shown.items() for each in measures))
    for part, change in _PARTS.items():
        row = []
        for name, measures in shown.items():
            run = _run(collections[name], change)
            row += [f"{run.measures[measure]:.4f}" for measure in measures]
        table.add_row(part, *row)
    console.print(table)


def weights(collection: Collection, console: Console) -> None:
    """Choose each number on four fifths of the queries, and measure on the fifth that is left."""
    present = {name: getattr(similarity, name) for name in _GRID}
    settings: list[dict[str, Any]] = [present]
    settings += [
        present | {name: value}
        for name, values in _GRID.items()
        for value in values
        if value != present[name]
    ]
    scores = [
        {query.id: query.measures["nDCG@10"] for query in _run(collection, setting).queries}
        for setting in settings
    ]
    queries = sorted(scores[0])
    Random(0).shuffle(queries)
    held_out: list[float] = []
    chosen: Counter[str] = Counter()
    for fold in range(_FOLDS):
        test = queries[fold::_FOLDS]
        train = [query for query in queries if query not in test]
        best = max(range(len(settings)), key=lambda at: mean(scores[at][query] for query in train))
        chosen[_difference(present, settings[best])] += 1
        held_out += [scores[best][query] for query in test]
    table = Table("setting", "nDCG@10 of all queries")
    for setting, score in zip(settings, scores, strict=True):
        table.add_row(_difference(present, setting), f"{mean(score.values()):.4f}")
    console.print(table)
    console.print(f"held-out folds {mean(held_out):.4f}; chosen: {dict(chosen)}")


def _difference(present: dict[str, Any], setting: dict[str, Any]) -> str:
    changed = [f"{name} {value}" for name, value in setting.items() if value != present[name]]
    return ", ".join(changed) or "as it is"
