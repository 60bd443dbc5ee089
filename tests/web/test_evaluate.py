"""`anwen evaluate` as a whole: tables, JSON, a saved run, and what it says of a mistake."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from web.cli import main


def anwen(*arguments: object, data: Path) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), *map(str, arguments)])


@pytest.fixture(scope="module")
def demo(demo_folder: Path) -> Path:
    return demo_folder


@pytest.fixture(scope="module")
def found(demo: Path) -> list[str]:
    """The ids of what one query finds, best first."""
    hits = json.loads(anwen("search", "勒索软件", "--json", data=demo).stdout)["hits"]
    return [hit["id"] for hit in hits]


@pytest.fixture
def folder(tmp_path: Path, found: list[str]) -> Path:
    """Judgements that name an article by id, one by its page, and one that is not there."""
    folder = tmp_path / "judgements"
    folder.mkdir()
    queries = [
        {"id": "q1", "query": "勒索软件", "kind": "topic"},
        {"id": "q2", "query": "qqqqzzzz"},
    ]
    lines = "".join(json.dumps(query) + "\n" for query in queries)
    (folder / "queries.jsonl").write_text(lines, encoding="utf-8")
    grades = f"q1\t{found[0]}\t3\nq1\t{found[1]}\t0\nq2\thttps://news.example/gone\t1\n"
    (folder / "qrels.tsv").write_text(grades, encoding="utf-8")
    return folder


def test_json_holds_measures_and_what_is_unjudged_and_missing(
    demo: Path, folder: Path, found: list[str]
) -> None:
    answer = json.loads(anwen("evaluate", folder, "--json", data=demo).stdout)
    assert list(answer) == ["measures", "kinds", "queries", "unjudged", "missing"]
    assert answer["kinds"]["topic"]["nDCG@10"] == 1.0
    assert answer["measures"]["nDCG@10"] == 0.5
    assert [(query["id"], query["MRR@10"]) for query in answer["queries"]] == [("q1", 1), ("q2", 0)]
    assert [unjudged[:2] for unjudged in answer["unjudged"]] == [["q1", hit] for hit in found[2:10]]
    assert all(title for _, _, title in answer["unjudged"])
    assert answer["missing"] == ["https://news.example/gone"]


def test_tables_hold_the_same_figures(demo: Path, folder: Path) -> None:
    result = anwen("evaluate", folder, data=demo)
    assert result.exit_code == 0, result.output
    for expected in ("nDCG@10", "topic", "0.5000", "1 judged articles are not in the archive"):
        assert expected in result.output


def test_a_run_is_compared_with_a_saved_one(demo: Path, folder: Path, tmp_path: Path) -> None:
    saved = tmp_path / "run.json"
    assert anwen("evaluate", folder, "--save", saved, data=demo).exit_code == 0
    answer = json.loads(anwen("evaluate", folder, "--against", saved, "--json", data=demo).stdout)
    assert answer["against"] == {
        "mean_difference": 0.0,
        "p_value": 1.0,
        "wins": 0,
        "losses": 0,
        "ties": 2,
        "differences": [["q1", 0.0], ["q2", 0.0]],
    }
    assert "p = 1.0000" in anwen("evaluate", folder, "--against", saved, data=demo).output


def test_a_mistake_in_the_judgements_is_wrong_usage(demo: Path, folder: Path) -> None:
    (folder / "qrels.tsv").write_text("q1\ta\thigh\n", encoding="utf-8")
    result = anwen("evaluate", folder, data=demo)
    assert result.exit_code == 2
    assert "qrels.tsv, line 1" in result.output
    assert anwen("evaluate", folder / "none", data=demo).exit_code == 2


def test_without_an_archive_the_command_says_what_to_run(folder: Path, tmp_path: Path) -> None:
    result = anwen("evaluate", folder, data=tmp_path / "empty")
    assert result.exit_code == 1
    assert "anwen index PATH" in result.output


def test_a_run_that_cannot_be_saved_costs_no_figures(
    demo: Path, folder: Path, tmp_path: Path
) -> None:
    result = anwen("evaluate", folder, "--json", "--save", tmp_path / "none" / "x", data=demo)
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert json.loads(result.stdout)["measures"]["nDCG@10"] == 0.5
