"""`anwen evaluate`: relevance on judged queries, as tables or as JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from search.evaluation import Comparison, Run
from web.plain import visible

__all__ = ["print_run", "run_object"]


def run_object(run: Run, comparison: Comparison | None) -> dict[str, Any]:
    """Return what `anwen evaluate --json` prints."""
    return {
        "measures": dict(run.measures),
        "kinds": {kind: dict(measures) for kind, measures in run.kinds.items()},
        "queries": [
            {"id": query.id, "query": query.query, "kind": query.kind, **query.measures}
            for query in run.queries
        ],
        "unjudged": [
            [query.id, hit, title] for query in run.queries for hit, title in query.unjudged
        ],
        "missing": list(run.missing),
    } | ({"against": asdict(comparison)} if comparison else {})


def print_run(console: Console, run: Run, comparison: Comparison | None) -> None:
    """Print measures by kind and by query, what is unjudged, and the comparison."""
    table = Table("", *run.measures, "queries")
    for kind, measures in run.kinds.items():
        count = sum(query.kind == kind for query in run.queries)
        table.add_row(_text(kind), *_figures(run.measures, measures), str(count))
    table.add_section()
    table.add_row("all", *_figures(run.measures, run.measures), str(len(run.queries)))
    console.print(table)
    differences = dict(comparison.differences) if comparison else {}
    table = Table("query", "", "nDCG@10", *(["difference"] if comparison else []))
    for query in run.queries:
        row: list[RenderableType] = [
            _text(query.id),
            _text(query.query),
            f"{query.measures['nDCG@10']:.3f}",
        ]
        if comparison:
            row.append(f"{differences[query.id]:+.3f}" if query.id in differences else "")
        table.add_row(*row)
    console.print(table)
    unjudged = [(query.id, title) for query in run.queries for _, title in query.unjudged]
    if unjudged:
        table = Table("query", "unjudged among the first ten")
        for name, title in unjudged:
            table.add_row(_text(name), _text(title))
        console.print(table)
    if run.missing:
        console.print(f"{len(run.missing)} judged articles are not in the archive.")
    if comparison:
        console.print(
            f"nDCG@10 against the saved run: {comparison.mean_difference:+.4f}, "
            f"{comparison.wins} better, {comparison.losses} worse, {comparison.ties} equal, "
            f"p = {comparison.p_value:.4f} (paired randomisation test)"
        )


def _text(text: str) -> Text:
    """Return a text as it stands: rich reads [bold] in a string, and fails at [/bold]."""
    return Text(visible(text))


def _figures(names: Mapping[str, float], measures: Mapping[str, float]) -> list[str]:
    return [f"{measures[name]:.4f}" if name in measures else "" for name in names]
