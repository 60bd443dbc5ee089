"""Relevance on the judged queries: what the figures of `make eval` must never fall below."""

import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parent))

import corrections
import duplicates
import organisations
import ranking
import related

pytestmark = pytest.mark.corpus

FLOORS = json.loads((Path(__file__).parent / "baseline.json").read_text(encoding="utf-8"))


def below(figures: dict[str, float]) -> dict[str, tuple[float, float]]:
    return {
        name: (value, FLOORS[name])
        for name, value in figures.items()
        if value < FLOORS.get(name, 0.0)
    }


def test_relevance_related_articles_and_corrections_keep_their_floors(
    corpus: Path, tmp_path: Path
) -> None:
    with ranking.opened("portals", corpus, tmp_path) as collection:
        figures = ranking.figures("portals", collection.run())
        # Corrections have their floor over twice as many articles; here they must not fall far.
        measured = corrections.measure(collection.settings, corpus)
        related_figures, short = related.measure(collection, corpus, Console(), baseline=False)
    assert below(figures | related_figures) == {}
    assert short == 0
    assert measured["corrections/repaired"] >= 0.8
    assert measured["corrections/left_alone"] >= 0.98


def test_organisations_keep_their_floors(corpus: Path) -> None:
    figures = organisations.measure(corpus)
    assert below(figures) == {}
    assert figures["organisations/alias_pairs"] >= 0.85


def test_near_duplicates_keep_their_floors(corpus: Path) -> None:
    assert below(duplicates.measure(corpus)) == {}


@pytest.mark.soak
@pytest.mark.parametrize("name", ["cve", "news"])
def test_relevance_keeps_its_floors_on_the_other_sets(
    corpus: Path, tmp_path: Path, name: str
) -> None:
    with ranking.opened(name, corpus, tmp_path) as collection:
        assert below(ranking.figures(name, collection.run())) == {}
