"""The searches in tests/data/searches."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from index.document import Article
from search import Searcher, SearchRequest, SearchResults

FILES = sorted((Path(__file__).parents[1] / "data" / "searches").glob("*.toml"))
PARAMETERS = {field.name for field in fields(SearchRequest)}


def read(path: Path) -> dict[str, list[dict[str, Any]]]:
    with path.open("rb") as file:
        return tomllib.load(file)


@pytest.fixture(scope="module")
def searchers(
    article_maker: Callable[..., Article],
    tmp_path_factory: pytest.TempPathFactory,
    fill_folder: Callable[[Path, list[Article]], Searcher],
) -> Iterator[dict[str, Searcher]]:
    opened = {
        path.stem: fill_folder(
            tmp_path_factory.mktemp(path.stem),
            [article_maker(**values) for values in read(path)["article"]],
        )
        for path in FILES
    }
    yield opened
    for searcher in opened.values():
        searcher.close()


@pytest.mark.parametrize(
    ("name", "search"),
    [
        pytest.param(path.stem, search, id=f"{path.stem}-{number}-{search['query']}")
        for path in FILES
        for number, search in enumerate(read(path)["search"], 1)
    ],
)
def test_a_search_finds_what_it_must_and_nothing_else(
    searchers: dict[str, Searcher], name: str, search: dict[str, Any]
) -> None:
    given = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in search.items()
        if key in PARAMETERS
    }
    results = searchers[name].search(SearchRequest(**given, size=100))
    found = [hit.id for hit in results.hits]
    if search.get("ordered"):
        assert found == search["expect"], search["comment"]
    else:
        assert sorted(found) == sorted(search["expect"]), search["comment"]
    if "facet" in search:
        buckets = results.facets[search["facet"]["name"]]
        assert {b.value: b.count for b in buckets} == search["facet"]["counts"], search["comment"]
    if "highlights" in search:
        assert marked(results) == search["highlights"], search["comment"]


def marked(results: SearchResults) -> list[str]:
    hit = results.hits[0]
    return [hit.title[start:end] for start, end in hit.title_highlights] + [
        hit.snippet.text[start:end] for start, end in hit.snippet.highlights
    ]
