"""Validators: 304 without a search where nothing has changed, and never where something has."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from index.analysis import Analyzer
from index.document import Article
from index.settings import Settings
from index.store import ArticleStore
from search import Searcher, open_searcher
from search.backends.whoosh.searcher import WhooshSearcher
from tests.conftest import fill
from web import create_app

ADDRESSES = [
    *("/", "/search?q=勒索软件", "/search", f"/article/{7:016x}", "/analyze?q=漏洞"),
    *("/organisation/灰鹭", "/organisations", "/identifier/CVE-2026-90001"),
    *("/api/v1/search?q=勒索软件", "/api/v1/suggest?q=勒", "/api/v1/facets/source"),
    *(f"/api/v1/articles/{7:016x}", f"/api/v1/articles/{7:016x}/related"),
    f"/api/v1/articles/{7:016x}/coverage",
]
UNMARKED = [
    *("/api/v1/search?format=csv", "/api/v1/search?format=jsonl", "/api/v1/search?page=0"),
    *("/api/v1/articles/nothing", "/search?page=0", "/article/nothing", "/draft"),
    *("/organisation/无此机构", "/identifier/CVE-1999-0001", "/export?id=" + "0" * 16),
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_answer_that_is_known_is_not_made_again(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    client.get("/api/v1/suggest?q=a")  # what helps with typing is made at the first need
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    tag = answer.headers["ETag"]
    assert tag.startswith('W/"')
    for name in ("search", "article", "suggest", "related", "coverage", "facet", "organisation"):
        monkeypatch.setattr(WhooshSearcher, name, None)
    for told in (tag, tag.removeprefix("W/"), f'"x", {tag}'):
        again = client.get(address, headers={"If-None-Match": told})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["Cache-Control"] == "no-cache"
    assert client.head(address, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("address", UNMARKED)
def test_errors_lists_and_drafts_have_no_validator(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert "ETag" not in answer.headers
    assert answer.headers.get("Cache-Control") != "no-cache"
    assert client.get(address, headers={"If-None-Match": "*"}).status_code == answer.status_code


def test_a_text_that_is_sent_has_no_validator(client: FlaskClient) -> None:
    answer = client.post("/api/v1/related", json={"text": "勒索软件"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers


def test_a_star_is_any_answer_there_is(client: FlaskClient) -> None:
    star = {"If-None-Match": "*"}
    assert client.get("/api/v1/search", headers=star).status_code == 304
    assert client.get("/api/v1/search?page=0", headers=star).status_code == 400


def test_no_address_has_the_validator_of_another(client: FlaskClient) -> None:
    tags = {client.get(address).headers["ETag"] for address in ADDRESSES}
    assert len(tags) == len(ADDRESSES)


def test_another_day_is_another_answer(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = client.get("/").headers["ETag"]
    monkeypatch.setattr("web.caching.today", lambda: date(2031, 1, 1))
    assert client.get("/", headers={"If-None-Match": tag}).status_code == 200


def test_another_setting_or_table_is_another_answer(
    site_searcher: Searcher, tmp_path: Path
) -> None:
    synonyms = tmp_path / "synonyms.txt"
    tags = []
    for settings, text in (
        (Settings(), ""),
        (Settings(site_name="某站"), ""),
        (Settings(synonyms=synonyms), "甲 = 乙"),
        (Settings(synonyms=synonyms), "甲 = 丙"),
    ):
        synonyms.write_text(text, encoding="utf-8")
        client = create_app(settings, site_searcher).test_client()
        tags.append(client.get("/").headers["ETag"])
    assert len(set(tags)) == 4


@pytest.fixture
def folder(
    tmp_path: Path,
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    settings_for: Callable[[Path], Settings],
) -> tuple[Settings, Searcher, Article]:
    article = article_maker(id="a" * 16, title="勒索软件", body="勒索软件的正文。")
    return settings_for(tmp_path), fill_folder(tmp_path, [article]), article


def test_a_commit_changes_every_validator_at_once(
    folder: tuple[Settings, Searcher, Article], analyzer: Analyzer
) -> None:
    settings, searcher, article = folder
    client = create_app(settings, searcher).test_client()
    addresses = ["/", "/api/v1/search?q=勒索软件", "/api/v1/articles/" + "a" * 16]
    tags = [client.get(address).headers["ETag"] for address in addresses]
    fill(settings, analyzer, [replace(article, title="勒索软件的新标题")])
    for address, tag in zip(addresses, tags, strict=True):
        answer = client.get(address, headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert "新标题" in answer.get_data(as_text=True).replace("<wbr>", "")
        assert answer.headers.get("ETag") != tag
    searcher.close()


@pytest.mark.parametrize("backend", ["whoosh"], indirect=True, scope="session")  # a store's
def test_a_change_of_the_store_that_the_index_has_not_seen_changes_them_too(
    folder: tuple[Settings, Searcher, Article],
) -> None:
    settings, searcher, article = folder
    client = create_app(settings, searcher).test_client()
    address = f"/api/v1/articles/{article.id}"
    tag = client.get(address).headers["ETag"]
    with ArticleStore(settings.data / "articles.sqlite3") as store:
        store.remove(article.id)
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 404
    searcher.close()


def test_while_suggestions_lag_behind_the_index_nothing_is_said_to_be_unchanged(
    folder: tuple[Settings, Searcher, Article], analyzer: Analyzer
) -> None:
    settings, searcher, article = folder
    client = create_app(settings, searcher).test_client()
    address = "/api/v1/suggest?q=勒索"
    assert "ETag" in client.get(address).headers
    fill(settings, analyzer, [replace(article, title="勒索病毒")])
    answer = client.get(address)
    assert answer.status_code == 200
    assert "ETag" not in answer.headers
    searcher.close()


def test_two_processes_over_one_folder_agree(folder: tuple[Settings, Searcher, Article]) -> None:
    settings, searcher, _ = folder
    other: Any = open_searcher(settings)
    tags = {
        create_app(settings, each).test_client().get("/search").headers["ETag"]
        for each in (searcher, other)
    }
    assert len(tags) == 1
    searcher.close()
    other.close()


def test_without_an_index_the_error_is_told(tmp_path: Path) -> None:
    client = create_app(Settings(data=tmp_path / "nothing")).test_client()
    answer = client.get("/api/v1/search", headers={"If-None-Match": '"x"'})
    assert answer.status_code == 503
