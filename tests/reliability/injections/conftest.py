"""A site whose every article is hostile, made once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from index.document import Article
from index.settings import Settings
from search import Searcher, open_searcher
from tests.reliability.injections.harmless import BASE
from tests.reliability.injections.injecting import hostile_articles
from web import create_app


@pytest.fixture(scope="session")
def folder(
    tmp_path_factory: pytest.TempPathFactory,
    fill_folder: Callable[..., Searcher],
    article_maker: Callable[..., Article],
) -> Path:
    """A data folder of articles each of whose fields carries a payload; pairs are near-copies."""
    found = tmp_path_factory.mktemp("hostile")
    articles = hostile_articles(article_maker)
    pairs = {article.id: f"{number // 2:016x}" for number, article in enumerate(articles)}
    fill_folder(found, articles, pairs).close()
    return found


@pytest.fixture(scope="session")
def searcher(folder: Path, settings_for: Callable[[Path], Settings]) -> Iterator[Searcher]:
    with_hostile = open_searcher(settings_for(folder))
    yield with_hostile
    with_hostile.close()


@pytest.fixture(scope="session")
def site(folder: Path, searcher: Searcher, settings_for: Callable[[Path], Settings]) -> Flask:
    settings = replace(
        settings_for(folder), base_url=BASE, allowed_origins=("https://portal.example",)
    )
    return create_app(settings, searcher)


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    return site.test_client()
