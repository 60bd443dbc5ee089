"""`make eval`: every figure on ../shared/corpus, beside its floor in baseline.json.

Exits with 1 where a figure is below its floor. With arguments, only the parts named: extraction,
organisations, categories, duplicates, ranking, related, corrections; or by hand the studies
ablation and weights. `--data DIR` keeps the indexes in a folder, for the next time.
"""

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))

import categories
import corrections
import duplicates
import extraction
import organisations
import ranking
import related
import studies

HERE = Path(__file__).parent
CORPUS = HERE.parents[2] / "shared" / "corpus"
PARTS = (
    "extraction",
    "organisations",
    "categories",
    "duplicates",
    "ranking",
    "related",
    "corrections",
)
STUDIES = ("ablation", "weights")


def measure_ranking(data: Path, console: Console) -> tuple[dict[str, float], int]:
    """Return the figures of all sets; print them beside the baselines', and count what is short."""
    figures: dict[str, float] = {}
    short = 0
    for name in ranking.SETS:
        with ranking.opened(name, CORPUS, data) as collection:
            run, baselines = collection.run(), ranking.run_baselines(collection)
        figures |= ranking.figures(name, run)
        table = Table(name, *run.measures, *(f"nDCG@10 {kind}" for kind in run.kinds))
        for engine, found in {"Anwen": run, **baselines}.items():
            row = [f"{found.measures.get(measure, float('nan')):.4f}" for measure in run.measures]
            row += [f"{found.kinds[kind]['nDCG@10']:.4f}" for kind in run.kinds]
            table.add_row(engine, *row)
        console.print(table)
        if run.missing:
            console.print(f"{len(run.missing)} judged articles are not in the archive.")
        for need in ranking.requirements(name, run, baselines):
            is_short = need.value < need.least
            short += is_short
            console.print(
                f"{need.text}: {need.value:.4f} of {need.least:.4f}",
                style="bold red" if is_short else "",
            )
    return figures, short


def study(parts: list[str], data: Path, console: Console) -> None:
    """Run the studies that are named."""
    with ExitStack() as stack:
        collections = {
            name: stack.enter_context(ranking.opened(name, CORPUS, data)) for name in ranking.SETS
        }
        if "ablation" in parts:
            studies.ablation(collections, console)
        if "weights" in parts:
            studies.weights(collections["portals"], console)


def main(arguments: list[str]) -> int:
    """Print the figures of the parts; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.relevance")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join((*PARTS, *STUDIES)))
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.parts) - {*PARTS, *STUDIES})
    if unknown:
        parser.error(f"unknown part {unknown[0]!r}")
    console = Console(width=max(160, Console().width))
    if not CORPUS.is_dir():
        console.print(f"There is no corpus at {CORPUS}.", style="bold")
        return 1
    parts = asked.parts or PARTS
    figures: dict[str, float] = {}
    short = 0
    with tempfile.TemporaryDirectory() as folder:
        data = asked.data or Path(folder)
        if set(parts) & set(STUDIES):
            study(parts, data, console)
        if "extraction" in parts:
            figures |= extraction.measure(CORPUS)
        if "organisations" in parts:
            figures |= organisations.measure(CORPUS)
        if "categories" in parts:
            found, short = categories.measure(CORPUS, console)
            figures |= found
        if "duplicates" in parts:
            figures |= duplicates.measure(CORPUS)
        if "ranking" in parts:
            found, short_of_ranking = measure_ranking(data, console)
            figures |= found
            short += short_of_ranking
        if "related" in parts:
            with ranking.opened("portals", CORPUS, data) as collection:
                found, short_of_related = related.measure(collection, CORPUS, console)
            figures |= found
            short += short_of_related
        if "corrections" in parts:
            with ranking.opened("cve", CORPUS, data) as collection:
                figures |= corrections.measure(collection.settings, CORPUS)
    return 1 if below(figures, console) or short else 0


def below(figures: dict[str, float], console: Console) -> int:
    """Print figures beside their floors, and count those that are below."""
    floors = json.loads((HERE / "baseline.json").read_text(encoding="utf-8"))
    table = Table("figure", "measured", "floor")
    count = 0
    for name, value in figures.items():
        floor = floors.get(name)
        is_below = floor is not None and value < floor
        count += is_below
        table.add_row(
            name,
            f"{value:.4f}",
            "" if floor is None else f"{floor:.4f}",
            style="bold red" if is_below else "",
        )
    if figures:
        console.print(table)
    if count:
        console.print(f"{count} figures are below their floor.", style="bold red")
    return count


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
