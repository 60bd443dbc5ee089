"""`make eval`: every figure on ../shared/corpus, beside its floor in baseline.json.

Exits with 1 where a figure is below its floor. With an argument, only the parts named:
extraction, organisations, ranking.
"""

import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))

import extraction
import organisations
import ranking

from index.build import build
from index.settings import Settings
from search import open_searcher
from web.progress import progress_on

HERE = Path(__file__).parent
CORPUS = HERE.parents[2] / "shared" / "corpus"
PARTS = ("extraction", "organisations", "ranking")


def measure_ranking() -> dict[str, float]:
    """Index the portals and ask the judged queries."""
    with tempfile.TemporaryDirectory() as folder, progress_on(sys.stderr) as progress:
        settings = Settings(data=Path(folder))
        build(settings, [CORPUS / "portals.tar.xz"], progress=progress)
        searcher = open_searcher(settings)
        try:
            return ranking.measure(searcher, CORPUS)
        finally:
            searcher.close()


def main(parts: list[str]) -> int:
    """Print the figures of the parts; return the exit status."""
    console = Console()
    if not CORPUS.is_dir():
        console.print(f"There is no corpus at {CORPUS}.", style="bold")
        return 1
    figures: dict[str, float] = {}
    for part in parts or PARTS:
        match part:
            case "extraction":
                figures |= extraction.measure(CORPUS)
            case "organisations":
                figures |= organisations.measure(CORPUS)
            case "ranking":
                figures |= measure_ranking()
            case _:
                console.print(f"Unknown part {part!r}. Parts: {', '.join(PARTS)}.")
                return 2
    floors = json.loads((HERE / "baseline.json").read_text(encoding="utf-8"))
    table = Table("figure", "measured", "floor")
    below = 0
    for name, value in figures.items():
        floor = floors.get(name)
        is_below = floor is not None and value < floor
        below += is_below
        table.add_row(
            name,
            f"{value:.4f}",
            "" if floor is None else f"{floor:.4f}",
            style="bold red" if is_below else "",
        )
    console.print(table)
    if below:
        console.print(f"{below} figures are below their floor.", style="bold red")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
