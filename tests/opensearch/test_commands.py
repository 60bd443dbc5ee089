"""The commands with an index on a cluster: what an operator does on the way there and back."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from opensearchpy import OpenSearch

from tests.reliability.hostile_pages import SAMPLE
from web.cli import main

pytestmark = pytest.mark.opensearch

Run = Callable[..., Any]


@pytest.fixture
def run(opensearch_url: str, tmp_path: Path) -> Iterator[Run]:
    """A function that runs a command over one data folder, by default with the cluster's index."""
    alias = f"commands-{uuid4().hex}"
    environment = {
        "ANWEN_BACKEND": "opensearch",
        "ANWEN_OPENSEARCH_URL": opensearch_url,
        "ANWEN_OPENSEARCH_INDEX": alias,
        "ANWEN_OPENSEARCH_REPLICAS": "0",
        "ANWEN_OPENSEARCH_AUTH": "someone:a-secret-word",
    }

    def command(*arguments: str, status: int = 0, **changed: str) -> Any:
        result = CliRunner().invoke(
            main, ["--data", str(tmp_path), *arguments], env=environment | changed
        )
        assert result.exit_code == status, result.output
        assert "a-secret-word" not in result.output
        return json.loads(result.stdout) if "--json" in arguments else result.output

    yield command
    with OpenSearch(opensearch_url) as client:
        client.indices.delete(index=f"{alias}-*", ignore_unavailable=True)


@pytest.mark.usefixtures("inline")
def test_an_index_is_filled_searched_checked_built_anew_and_taken_back(run: Run) -> None:
    assert "There is no index" in run("search", "漏洞", status=1)
    summary = run("index", str(SAMPLE), "--json")
    assert summary["generation"] == 1
    found = run("search", "勒索软件", "--json")
    assert found["total"] > 0
    assert run("verify", "--json")["sound"]
    told = run("info", "--json")
    assert told["settings"]["opensearch_auth"]["value"] == "a secret"
    assert (told["generation"], told["fault"], told["out_of_date"]) == (1, None, None)
    assert run("index", "--rebuild", "--json")["generation"] == 2
    assert run("rollback", "--json") == {"generation": 1}
    again = run("search", "勒索软件", "--json")
    assert [hit["id"] for hit in again["hits"]] == [hit["id"] for hit in found["hits"]]


@pytest.mark.usefixtures("inline")
def test_a_folder_moves_to_a_cluster_and_goes_on_from_there(run: Run) -> None:
    summary = run("index", str(SAMPLE), "--json", ANWEN_BACKEND="whoosh")
    before = run("search", "漏洞", "--json", ANWEN_BACKEND="whoosh")
    moved = run("migrate", "--json", ANWEN_BACKEND="whoosh")
    assert moved == {"articles": summary["added"], "generation": 1}
    after = run("search", "漏洞", "--json")
    assert [hit["id"] for hit in after["hits"]] == [hit["id"] for hit in before["hits"]]
    assert run("verify", "--json")["sound"]
    gone = run("remove", before["hits"][0]["id"])
    assert before["hits"][0]["id"] in gone
    assert run("search", "漏洞", "--json")["total"] == before["total"] - 1
    assert run("verify", "--json")["sound"]
