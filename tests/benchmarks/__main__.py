"""`make bench`: this index beside tantivy, SQLite FTS5 and stock Whoosh, in one run.

All are given the same documents and the same tokens, must give the same totals and facet counts,
and answer blocks of queries in turn, so that what disturbs the machine disturbs all of them.
Machines are noisy: the ratios are the figures to read.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import click
from rich.console import Console

# So that `python tests/benchmarks` and `python -m tests.benchmarks` find the same modules.
sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from collection import CORPUS, prepare_articles
from end_to_end import measure_end_to_end
from engine import ENGINES
from machine import describe_machine
from measure import Inputs, ScaleFigures, measure_scale
from queries import draw_queries
from report import Report
from tokens import Tokens, documents_of, prepare_tokens

SCALES = (10_000, 133_554, 1_000_000)
QUICK_SCALES = (2_000,)
STOCK_UP_TO = 20_000  # documents; it indexes two hundred a second
UPDATES_FROM = 100_000


@click.command()
@click.option("--scale", "scales", type=int, multiple=True, help="Documents; may be repeated.")
@click.option("--engine", "engines", type=click.Choice(ENGINES), multiple=True, help="Only these.")
@click.option("--quick", is_flag=True, help="A small collection, for a minute or two.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the tables.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    default=Path(tempfile.gettempdir()) / "anwen-benchmarks",
    show_default=True,
    help="Where articles and tokens are kept between runs.",
)
def main(
    scales: tuple[int, ...],
    engines: tuple[str, ...],
    quick: bool,
    json_file: Path | None,
    markdown: Path | None,
    cache: Path,
) -> None:
    """Measure, and print tables; where engines disagree, they say on which queries."""
    progress = Console(stderr=True)
    started = perf_counter()

    def log(line: str) -> None:
        progress.print(f"[{perf_counter() - started:6.0f} s] {line}", highlight=False, markup=False)

    machine = describe_machine()
    jobs = os.cpu_count() or 1
    log("articles")
    articles = prepare_articles(cache, jobs=jobs)
    log("tokens")
    folder = prepare_tokens(articles, jobs=jobs)
    records, tokens = documents_of(articles), Tokens.load(folder)
    scales = tuple(sorted(scales or (QUICK_SCALES if quick else SCALES)))
    inputs = Inputs(
        articles=articles,
        tokens=folder,
        folder=cache,
        queries=draw_queries(records, tokens, min(scales)),
        log=log,
    )
    measured: list[ScaleFigures] = []
    for count in scales:
        chosen = [name for name in engines or ENGINES if _is_asked(name, count, len(records))]
        updates: tuple[str, ...] = ()
        if quick:
            updates = ("ours",)
        elif UPDATES_FROM <= count <= 2 * UPDATES_FROM:
            updates = ("ours", "tantivy")
        measured.append(measure_scale(inputs, count, chosen, updates=updates))
    whole = None
    if not engines or "ours" in engines:
        log("from articles and from pages")
        whole = measure_end_to_end(articles, cache, pages=not quick)
    report = Report(
        machine=machine,
        collection="../shared/corpus" if CORPUS.is_dir() else "generated from the bundled sample",
        scales=measured,
        end_to_end=whole,
    )
    Console(width=None if sys.stdout.isatty() else 200).print(*report.rich_tables())
    if json_file:
        text = json.dumps(report.to_json(), ensure_ascii=False, indent=1)
        json_file.write_text(text + "\n", encoding="utf-8")
    if markdown:
        markdown.write_text(report.to_markdown(), encoding="utf-8")
    log("done")


def _is_asked(engine: str, count: int, distinct: int) -> bool:
    """Say whether an engine is measured: all at 10,000, only ours where articles are repeated."""
    if engine == "stock":
        return count <= STOCK_UP_TO
    return engine == "ours" or count <= distinct * 1.1


if __name__ == "__main__":
    main()
