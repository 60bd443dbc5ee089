"""The sitemap: every page that only this site has, whole addresses, in parts."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from index.document import BEIJING, Article, Mention
from index.settings import Settings
from search import Searcher
from tests.web.html import Page
from web import create_app, sitemap

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def read(client: FlaskClient, url: str, root: str) -> list[tuple[str, str | None]]:
    """The addresses and days of a sitemap or of the list of its parts."""
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer.mimetype == "application/xml"
    tree = ElementTree.fromstring(answer.data)
    assert tree.tag == SITEMAP + root
    return [
        (row.findtext(f"{SITEMAP}loc") or "", row.findtext(f"{SITEMAP}lastmod")) for row in tree
    ]


def listed(client: FlaskClient, mount: str = "http://localhost") -> dict[str, str | None]:
    """The path of every listed page with its day, from all parts."""
    found: list[tuple[str, str | None]] = []
    for part, _ in read(client, "/sitemap.xml", "sitemapindex"):
        found += read(client, part.removeprefix(mount), "urlset")
    assert len(found) == len(dict(found))
    assert all(url.startswith(mount + "/") for url, _ in found)
    return {unquote(url.removeprefix(mount)): day for url, day in found}


def test_every_listed_page_exists_and_may_be_listed(
    client: FlaskClient, visit: Callable[..., Page]
) -> None:
    rules = client.get("/robots.txt").get_data(as_text=True).splitlines()
    barred = [rule.removeprefix("Disallow: ") for rule in rules if rule.startswith("Disallow")]
    found = listed(client)
    assert len(found) > 30
    for path in found:
        assert not path.startswith(tuple(barred))
        page = visit(path)
        names = [e.attributes.get("name") for e in page.find("meta")]
        assert "robots" not in names, path
        assert not [e for e in page.find("link") if e.attributes["rel"] == "canonical"]


def test_it_lists_what_acts_and_identifiers_and_no_article(
    article_maker: Callable[..., Article],
    searcher_over: Callable[[Iterable[Article]], Searcher],
) -> None:
    def mention(name: str, *, salient: bool) -> Mention:
        return Mention(name=name, type="company", salient=salient, surfaces=(name,), evidence=())

    article = article_maker(
        id="a" * 16,
        published=datetime(2024, 2, 3, 0, 5, tzinfo=BEIJING),
        mentions=(
            mention("甲 & <乙>'公司'", salient=True),
            mention("只是路过", salient=False),
        ),
        identifiers=("CVE-2024-1",),
    )
    settings = Settings(base_url="https://news.example/")
    client = create_app(settings, searcher_over([article])).test_client()
    assert listed(client, "https://news.example") == {
        "/": "2024-02-03",
        "/organisations": None,
        "/draft": None,
        "/help/query": None,
        "/organisation/甲 & <乙>'公司'": "2024-02-03",
        "/identifier/CVE-2024-1": "2024-02-03",
    }
    robots = client.get("/robots.txt").get_data(as_text=True)
    assert "\nSitemap: https://news.example/sitemap.xml\n" in robots


@pytest.mark.parametrize("number", [0, 2, 10**9])
def test_a_part_that_is_none_is_404(client: FlaskClient, number: int) -> None:
    assert client.get(f"/sitemap/{number}.xml").status_code == 404


def test_parts_hold_no_more_than_they_may_and_together_everything(
    site_searcher: Searcher, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = listed(client)

    def registered(pages: Blueprint, settings: Settings, searcher: Searcher, **_: Any) -> None:
        register(pages, settings, searcher, 7)

    register = sitemap.register
    monkeypatch.setattr(sitemap, "register", registered)
    site: Flask = create_app(Settings(), site_searcher)
    parts = read(site.test_client(), "/sitemap.xml", "sitemapindex")
    assert len(parts) == -(-len(whole) // 7)
    for part, _ in parts:
        path = part.removeprefix("http://localhost")
        assert 1 <= len(read(site.test_client(), path, "urlset")) <= 7
    assert listed(site.test_client()) == whole


def test_a_site_without_articles_has_a_sitemap(
    searcher_over: Callable[[Iterable[Article]], Searcher],
) -> None:
    client = create_app(Settings(), searcher_over([])).test_client()
    assert set(listed(client)) == {"/", "/organisations", "/draft", "/help/query"}
