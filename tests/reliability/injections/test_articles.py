"""Hostile texts in every field of articles, out of every format.

The checks are those of harmless.py: 0 payloads that became structure, 0 raw. Short form: some of
the payloads where each is asked for by itself; the long one, `--soak`, all. That nothing runs in
Chromium is test_browser.py.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from index.document import Article
from index.settings import Settings
from search import open_searcher
from tests.reliability.injections.harmless import BASE, STEERING, check, check_json, check_terminal
from tests.reliability.injections.injecting import (
    ADDRESSES,
    PAYLOADS,
    Payload,
    hostile_articles,
    hostile_pages,
    some,
)
from web import create_app
from web.cite import references, today
from web.cli import main
from web.plain import plain

pytestmark = pytest.mark.slow

LISTS = [
    *("/", "/search?size=100&duplicates=show", "/search?size=100&q=漏洞&duplicates=show"),
    *("/search?size=100&page=2&duplicates=show", "/search?size=100&page=3&duplicates=show"),
    *("/search?q=漏洞", "/organisations", "/organisations?page=2", "/organisation/衡岳智联"),
    *(
        "/organisation/衡岳智联?latest=all",
        "/identifier/CVE-2026-31337",
        "/trends",
        "/trends?q=漏洞",
    ),
    *("/analyze?q=漏洞", "/feed.atom?size=100", "/feed.atom?q=漏洞&size=100", "/sitemap.xml"),
    *("/sitemap/1.xml", "/api/v1/search?size=100", "/api/v1/search?q=漏洞&size=100&explain=1"),
    *(f"/api/v1/facets/{name}?limit=100" for name in ("category", "organisation", "source")),
    *("/api/v1/facets/identifier?limit=100", "/api/v1/facets/day?limit=100"),
    *(f"/api/v1/search?format={form}&duplicates=show" for form in ("csv", "jsonl", "md")),
    *(f"/api/v1/search?format={form}&q=漏洞" for form in ("csv", "jsonl", "md")),
    *("/suggest.json?q=a", "/api/v1/suggest?q=a", "/api/v1/suggest?q=x", "/api/v1/suggest?q=s"),
]


def test_the_payloads_are_a_hundred_or_more_and_all_different() -> None:
    assert len({payload.text for payload in PAYLOADS}) == len(PAYLOADS) >= 100


def test_no_endpoint_of_the_site_is_left_out(site: Flask) -> None:
    assert {rule.endpoint for rule in site.url_map.iter_rules()} == set(ADDRESSES)


@pytest.mark.parametrize("address", LISTS)
def test_lists_of_hostile_articles_are_lists(client: FlaskClient, address: str) -> None:
    assert check(client, address) == 200


def test_the_lists_have_every_payload(client: FlaskClient) -> None:
    """Or the checks would pass over articles that nobody sees."""
    titles: list[str] = []
    for page in (1, 2, 3):
        found = client.get(f"/api/v1/search?size=100&page={page}&duplicates=show").get_json()
        titles += [hit["title"] for hit in found["hits"]]
    stored = {p.text.encode("utf-8", "replace").decode() for p in PAYLOADS}
    assert set(titles) == stored


@pytest.mark.parametrize(
    "payloads", [some(7), pytest.param(PAYLOADS, marks=pytest.mark.soak)], ids=["some", "all"]
)
def test_the_page_of_a_hostile_article_shows_its_text(
    client: FlaskClient, payloads: tuple[Payload, ...]
) -> None:
    for payload in payloads:
        assert check(client, f"/article/{payload.article_id}") == 200
        page = client.get(f"/article/{payload.article_id}").get_data(as_text=True)
        heading = html.document_fromstring(page).find(".//h1")
        shown = plain(payload.text.encode("utf-8", "replace").decode()).split()
        assert heading.text_content().split() == shown
        for path in ("", "/related", "/coverage"):
            assert check(client, f"/api/v1/articles/{payload.article_id}{path}") == 200
        for form in ("csv", "jsonl", "md"):
            assert check(client, f"/export?id={payload.article_id}&format={form}") == 200


def test_an_indicator_is_never_written_so_that_it_could_be_followed(client: FlaskClient) -> None:
    for payload in some():
        page = client.get(f"/article/{payload.article_id}").get_data(as_text=True)
        shown = html.document_fromstring(page).find_class("indicators")[0]
        assert list(shown.iterlinks()) == []
        text = shown.text_content()
        for value in ("http://huilu.example", "c2.huilu.example", "203.0.113.7"):
            assert value not in text
        for value in ("hxxp://huilu[.]example/", "c2[.]huilu[.]example", "203[.]0[.]113[.]7"):
            assert value in text


def test_no_html_of_a_crawled_page_is_served(client: FlaskClient) -> None:
    """No path gives the bytes of a page, or any file of the data folder."""
    for name in ("articles.sqlite3", "index/current", "0000000000000001.md"):
        for address in (f"/{name}", f"/static/../{name}", f"/static/%2e%2e/{name}"):
            assert check(client, address) == 404
    # The pages stored by `fill` are the ids of the articles; none is an answer to anything.
    for template in ("/article/{}.md", "/article/{}/raw", "/api/v1/articles/{}/page"):
        assert check(client, template.format(PAYLOADS[1].article_id)) == 404


@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.soak)], ids=["some", "all"])
def test_pages_that_were_crawled_with_payloads_are_indexed_and_shown_as_text(
    tmp_path: Path, every: int
) -> None:
    crawl = tmp_path / "crawl"
    crawl.mkdir()
    pages = hostile_pages(crawl, every)
    report = tmp_path / "report.tsv"
    arguments = ["--data", str(tmp_path / "data"), "index", str(crawl), "--report", str(report)]
    run = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert run.exit_code == 0, run.output
    check_terminal(run.output)
    assert not STEERING.search(report.read_text(encoding="utf-8"))
    settings = Settings(data=tmp_path / "data", base_url=BASE)
    searcher = open_searcher(settings)
    client = create_app(settings, searcher).test_client()
    try:
        found = client.get("/api/v1/search?size=100&duplicates=show").get_json()
        assert found["total"] > pages / 3  # some payloads make a page that holds no article
        for address in LISTS:
            check(client, address)
        for hit in found["hits"]:
            assert check(client, f"/article/{hit['id']}") == 200
            assert check(client, f"/api/v1/articles/{hit['id']}") == 200
    finally:
        searcher.close()


def test_references_are_one_entry_and_one_line(article_maker: Callable[..., Article]) -> None:
    for article in hostile_articles(article_maker):
        found = references(article, today())
        check_json(json.dumps({"bibtex": found.bibtex, "plain": found.plain}))
        for line in (found.gb_t_7714, found.plain):
            assert len(line.splitlines()) == 1
            assert not STEERING.search(line)
