"""Atom feeds: valid, the newest first, and nothing sent twice."""

from collections.abc import Callable, Iterable
from datetime import datetime
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from index.document import BEIJING, Article
from index.settings import Settings
from search import Searcher
from tests.web.html import Page
from web import create_app

ATOM = "{http://www.w3.org/2005/Atom}"


def read(client: FlaskClient, url: str) -> ElementTree.Element:
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer.mimetype == "application/atom+xml"
    return ElementTree.fromstring(answer.data)


def texts(feed: ElementTree.Element, path: str) -> list[str]:
    return [each.text or "" for each in feed.findall(path.replace("/", f"/{ATOM}"))]


@pytest.mark.parametrize(
    "url", ["/feed.atom", "/feed.atom?q=勒索软件&organisation=青梧机电&size=5"]
)
def test_a_feed_has_what_the_standard_asks_for(client: FlaskClient, url: str) -> None:
    feed = read(client, url)
    assert feed.tag == f"{ATOM}feed"
    for name in ("title", "id", "updated"):
        assert len(feed.findall(f"{ATOM}{name}")) == 1
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert set(links) == {"self", "alternate", "search"}
    entries = feed.findall(f"{ATOM}entry")
    assert entries
    for entry in entries:
        for name in ("title", "id", "updated", "summary"):
            assert len(entry.findall(f"{ATOM}{name}")) == 1
        assert entry.findall(f"{ATOM}author/{ATOM}name")
        assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated") or "").tzinfo
    ids = texts(feed, "./entry/id")
    assert len(ids) == len(set(ids))
    updated = texts(feed, "./entry/updated")
    assert max(updated) == feed.findtext(f"{ATOM}updated")


def test_a_feed_holds_what_the_search_finds_the_newest_first(client: FlaskClient) -> None:
    asked = "q=勒索软件&organisation=青梧机电"
    hits = client.get(f"/api/v1/search?{asked}&sort=newest&size=30").get_json()["hits"]
    feed = read(client, f"/feed.atom?{asked}&sort=oldest&page=3&size=30")
    found = [each.rpartition("/")[2] for each in texts(feed, "./entry/id")]
    assert found == [hit["id"] for hit in hits]


def test_an_entry_tells_its_category_organisations_and_identifiers(client: FlaskClient) -> None:
    asked = "q=编号:CVE-2026-90007"
    (hit,) = client.get(f"/api/v1/search?{asked}").get_json()["hits"]
    (entry,) = read(client, f"/feed.atom?{asked}").findall(f"{ATOM}entry")
    found: dict[str | None, list[str | None]] = {}
    for each in entry.findall(f"{ATOM}category"):
        found.setdefault(each.get("scheme"), []).append(each.get("term"))
    assert found == {
        None: [hit["category"]],
        "http://localhost/organisations": hit["organisations"],
        "http://localhost/identifier/": hit["identifiers"],
    }


def test_what_has_not_changed_is_not_sent_again(client: FlaskClient) -> None:
    answer = client.get("/feed.atom?q=勒索软件")
    told = {"If-None-Match": answer.headers["ETag"]}
    again = client.get("/feed.atom?q=勒索软件", headers=told)
    assert (again.status_code, again.data) == (304, b"")
    # Another feed stands for one that has changed since.
    other = client.get("/feed.atom?q=漏洞", headers=told)
    assert (other.status_code, other.data != b"") == (200, True)


def test_a_feed_names_itself_with_its_number_of_entries(client: FlaskClient) -> None:
    feed = read(client, "/feed.atom?q=勒索软件&size=50")
    links = {link.get("rel"): link.get("href", "") for link in feed.findall(f"{ATOM}link")}
    assert links["self"].endswith("&size=50")


@pytest.mark.parametrize(
    "url", ["/", "/search?q=漏洞", "/organisation/青梧机电", "/identifier/T1486"]
)
def test_a_page_tells_of_its_feed(
    client: FlaskClient, visit: Callable[..., Page], url: str
) -> None:
    (link,) = [e for e in visit(url).find("link") if e.attributes["rel"] == "alternate"]
    assert link.attributes["type"] == "application/atom+xml"
    assert read(client, link.href).findall(f"{ATOM}entry")


def test_a_mistake_is_a_400(client: FlaskClient) -> None:
    assert client.get("/feed.atom?from=yesterday").status_code == 400


def test_odd_characters_and_addresses_leave_the_feed_well_formed(
    article_maker: Callable[..., Article],
    searcher_over: Callable[[Iterable[Article]], Searcher],
) -> None:
    articles = [
        article_maker(
            id="a" * 16,
            url="javascript:alert(1)",
            title="甲\x00\x0b<b>&乙",
            published=datetime(2024, 2, 3, 4, 5, tzinfo=BEIJING),
        ),
        article_maker(id="b" * 16, title="没有日期"),
    ]
    settings = Settings(base_url="https://news.example/", site_name="某检索")
    client = create_app(settings, searcher_over(articles)).test_client()
    feed = read(client, "/feed.atom?q=甲 OR 日期")
    assert texts(feed, "./entry/title") == ["甲<b>&乙"]
    assert texts(feed, "./entry/id") == ["https://news.example/article/" + "a" * 16]
    assert [e.get("rel") for e in feed.findall(f"{ATOM}entry/{ATOM}link")] == ["alternate"]


def test_a_feed_of_nothing_is_a_feed(client: FlaskClient) -> None:
    feed = read(client, "/feed.atom?q=没有这回事儿&match=all")
    assert not feed.findall(f"{ATOM}entry")
