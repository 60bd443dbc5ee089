"""Reposts on the pages, in the JSON, in the feed and at the prompt."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from index.document import BEIJING, Article
from index.settings import Settings
from search import Searcher, open_searcher
from tests.web.html import Element, Page, get_page
from web import create_app
from web.cli import main

TITLE = "灰鹭借远程运维平台漏洞投放勒索软件"
LINK = "https://tingchao.example/p/"


def reposted(make: Callable[..., Article]) -> tuple[list[Article], dict[str, str]]:
    """A story with three reposts, one that its own outlet repeats, one of many, and two more."""
    first = datetime(2026, 3, 18, 9, 36, tzinfo=BEIJING)
    articles, clusters = [], {}

    def add(name: str, label: str, source: str, hours: float, **values: Any) -> None:
        published = first + timedelta(hours=hours)
        articles.append(
            make(
                id=name,
                url=LINK + name,
                source=source,
                published=published,
                identifiers=("CVE-2026-31337",),
                **{"title": TITLE, "body": "勒索软件经平台下发。" * 20} | values,
            )
        )
        if label:
            clusters[name] = label

    add("story", "a", "听潮网安", 0)
    add("quick", "a", "企安速递", 0.75)
    add("cloud", "a", "云汀科技", 4)
    add("later", "a", "工控圈", 400 * 24, title="勒索软件停产事件")
    add("twice", "b", "关山安全", 48, title="网关固件漏洞通报与勒索软件")
    add("again", "b", "关山安全", 49, title="网关固件漏洞通报与勒索软件")
    for number in range(25):
        title = "勒索软件年度盘点"
        add(f"many{number:02}", "c", f"外站{number:02}", 100 + number, title=title)
    add("alone", "", "听潮网安", 72, title="勒索软件预警")
    add("newest", "", "数防周刊", 500 * 24, title="勒索软件周报")
    return articles, clusters


@pytest.fixture(scope="module")
def folder(
    article_maker: Callable[..., Article],
    fill_folder: Callable[..., Searcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("reposts")
    fill_folder(folder, *reposted(article_maker)).close()
    return folder


@pytest.fixture(scope="module")
def reader(folder: Path, settings_for: Callable[[Path], Settings]) -> Iterator[FlaskClient]:
    settings = settings_for(folder)
    searcher = open_searcher(settings)
    yield create_app(settings, searcher).test_client()
    searcher.close()


def hit_of(page: Page, article: str) -> Element:
    (hit,) = (
        each
        for each in page.find("li", "hit")
        if any(e.tag == "h2" and f"/article/{article}" in hrefs(e) for e in each.inside)
    )
    return hit


def hrefs(element: Element) -> list[str]:
    return [each.href for each in element.inside if each.tag == "a"]


def details(element: Element) -> list[Element]:
    return [e for e in element.inside if e.tag == "details"]


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_page_tells_articles_and_hits_and_leads_to_either_list(reader: FlaskClient) -> None:
    folded = get_page(reader, "/search?q=勒索软件")
    assert folded.heading.endswith("共 33 篇，合并转载后 5 条")
    assert len(folded.find("li", "hit")) == 5
    (unfold,) = (e for e in folded.find("a") if e.text == "展开转载")
    shown = get_page(reader, unfold.href)
    assert shown.heading.endswith("共 33 篇")
    assert len(shown.find("li", "hit")) == 10
    assert "另有" not in " ".join(e.text for e in shown.find("li", "hit"))
    (fold,) = (e for e in shown.find("a") if e.text == "合并转载")
    assert fold.href == "/search?q=%E5%8B%92%E7%B4%A2%E8%BD%AF%E4%BB%B6"


def test_links_of_the_unfolded_list_keep_it_unfolded(reader: FlaskClient) -> None:
    shown = get_page(reader, "/search?q=勒索软件&duplicates=show")
    links = [
        e.href
        for e in shown.find("a")
        if e.href.startswith(("/search?", "/feed.atom?")) and e.text != "合并转载"
    ]
    assert len(links) > 20
    assert all("duplicates=show" in link for link in links)
    assert ("duplicates", "show") in [
        (e.attributes.get("name"), e.attributes.get("value")) for e in shown.find("input")
    ]


def test_nothing_is_said_of_reposts_where_there_are_none(reader: FlaskClient) -> None:
    page = get_page(reader, "/search?q=预警")
    assert page.heading.endswith("共 1 篇")
    assert not [e for e in page.find("a") if "转载" in e.text]


def test_a_hit_names_the_outlets_behind_it(reader: FlaskClient) -> None:
    (found,) = details(hit_of(get_page(reader, "/search?q=勒索软件"), "story"))
    assert [words(e.text) for e in found.inside if e.tag in {"summary", "li"}] == [
        "另有 3 家转载",
        "企安速递 03-18 10:21",
        "云汀科技 03-18 13:36",
        "工控圈 2027-04-22 09:36",
    ]
    assert hrefs(found) == ["/article/quick", "/article/cloud", "/article/later"]


def test_an_outlet_that_repeats_itself_is_no_other_outlet(reader: FlaskClient) -> None:
    (found,) = details(hit_of(get_page(reader, "/search?q=勒索软件"), "twice"))
    assert words(found.text).startswith("另有 1 篇转载")


def test_of_many_copies_the_rest_is_on_the_page_of_the_article(reader: FlaskClient) -> None:
    (found,) = details(hit_of(get_page(reader, "/search?q=勒索软件"), "many00"))
    items = [words(e.text) for e in found.inside if e.tag in {"summary", "li"}]
    assert (items[0], len(items), items[-1]) == ("另有 24 篇转载", 22, "其余 4 篇")
    assert hrefs(found)[-1] == "/article/many00#copies"
    page = get_page(reader, "/article/many00")
    assert len([e for e in page.find("a") if e.href.startswith("/article/many")]) == 24


def test_the_page_of_an_original_lists_its_reposts(reader: FlaskClient) -> None:
    assert block(reader, "story") == [
        "转载 3 家",
        "企安速递 03-18 10:21",
        "云汀科技 03-18 13:36",
        "工控圈 2027-04-22 09:36，标题不同",
    ]


def test_the_page_of_a_repost_names_who_had_it_first(reader: FlaskClient) -> None:
    assert block(reader, "quick")[:2] == ["转载 另有 3 家", "首见于 听潮网安 03-18 09:36"]
    assert block(reader, "again") == ["转载 另有 1 篇", "首见于 关山安全 03-20 09:36"]
    assert block(reader, "alone") == []


def block(reader: FlaskClient, article: str) -> list[str]:
    sections = get_page(reader, f"/article/{article}").find("section", "block")
    return [
        words(e.text)
        for section in sections
        if section.attributes.get("aria-labelledby") == "copies"
        for e in section.inside
        if e.tag in {"h2", "li"}
    ]


def test_lists_of_newest_articles_are_folded_by_the_date_they_show(reader: FlaskClient) -> None:
    home = get_page(reader, "/")
    lines = next(e for e in home.find("ol", "lines"))
    assert hrefs(lines) == [
        f"/article/{each}" for each in ("newest", "many00", "alone", "twice", "story")
    ]
    identifier = get_page(reader, "/identifier/CVE-2026-31337")
    latest = next(
        e for e in identifier.find("section") if e.attributes.get("aria-labelledby") == "latest"
    )
    titles = [e for e in latest.inside if "hit-title" in e.classes]
    assert [hrefs(e)[0] for e in titles] == hrefs(lines)
    assert "其余" not in [e.text for e in latest.inside if e.tag == "a"]
    assert len(details(latest)) == 3


def test_the_last_article_of_an_identifier_may_be_a_repost(
    article_maker: Callable[..., Article], searcher_over: Callable[..., Searcher], tmp_path: Path
) -> None:
    first = datetime(2026, 3, 18, tzinfo=BEIJING)
    values = {"title": TITLE, "identifiers": ("CVE-2026-31337",)}
    articles = [
        article_maker(id=f"{days}", published=first + timedelta(days=days), **values)
        for days in (0, 9)
    ]
    searcher = searcher_over(articles, {"0": "k", "9": "k"})
    reader = create_app(Settings(data=tmp_path), searcher).test_client()
    facts = get_page(reader, "/identifier/CVE-2026-31337").find("dl", "facts")[0]
    assert "末篇2026-03-27" in "".join(facts.text.split())


def test_an_entry_of_the_feed_is_a_story(reader: FlaskClient) -> None:
    def entries(address: str) -> list[str]:
        feed = ElementTree.fromstring(reader.get(address).data)
        ids = feed.findall("{*}entry/{*}id")
        return [(each.text or "").rpartition("/")[2] for each in ids]

    assert entries("/feed.atom") == ["newest", "many00", "alone", "twice", "story"]
    assert len(entries("/feed.atom?duplicates=show&size=50")) == 33


def test_the_answer_has_what_is_behind_a_hit(reader: FlaskClient) -> None:
    found = json.loads(reader.get("/api/v1/search?q=勒索软件").data)
    assert (found["total"], found["groups"], found["next"]) == (33, 5, None)
    hits = {hit["id"]: hit for hit in found["hits"]}
    assert {name: hit["duplicate_count"] for name, hit in hits.items()} == {
        "story": 3,
        "twice": 1,
        "many00": 24,
        "alone": 0,
        "newest": 0,
    }
    assert hits["story"]["duplicates"][0] == {
        "id": "quick",
        "url": LINK + "quick",
        "source": "企安速递",
        "published": "2026-03-18T10:21:00+08:00",
        "published_precision": "minute",
    }
    assert len(hits["many00"]["duplicates"]) == 20
    assert "duplicates" not in hits["alone"]
    shown = json.loads(reader.get("/api/v1/search?q=勒索软件&duplicates=show&size=50").data)
    assert (shown["total"], shown["groups"], len(shown["hits"])) == (33, 33, 33)
    assert {hit["duplicate_count"] for hit in shown["hits"]} == {0}
    assert shown["facets"] == found["facets"]


def test_an_article_has_all_others_of_its_cluster(reader: FlaskClient) -> None:
    found = json.loads(reader.get("/api/v1/articles/cloud").data)
    assert (found["duplicate_count"], [each["id"] for each in found["duplicates"]]) == (
        3,
        ["story", "quick", "later"],
    )
    assert len(json.loads(reader.get("/api/v1/articles/many07").data)["duplicates"]) == 24


def test_a_search_at_the_prompt_counts_reposts(
    folder: Path, environment_for: Callable[[Path], dict[str, str]]
) -> None:
    def lines(*options: str) -> list[str]:
        result = CliRunner().invoke(
            main,
            ["--data", str(folder), "search", "勒索软件", *options],
            env=environment_for(folder),
        )
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    folded = lines("--sort", "oldest")
    assert "  另有 3 家转载" in folded
    assert "  另有 1 篇转载" in folded
    assert folded[-1].startswith("共 33 篇，合并转载后 5 条，用时")
    shown = lines("--duplicates", "show")
    assert shown[-1].startswith("共 33 篇，用时")
    assert not any("转载" in line for line in shown)


def test_a_query_that_only_parts_match_tells_articles_and_hits(
    article_maker: Callable[..., Article], searcher_over: Callable[..., Searcher], tmp_path: Path
) -> None:
    articles = [
        *(article_maker(id=each, title="勒索软件") for each in "abcd"),
        *(article_maker(id=f"x{number}", title="医院断网") for number in range(9)),
    ]
    searcher = searcher_over(articles, dict.fromkeys("abc", "k"))
    reader = create_app(Settings(data=tmp_path), searcher).test_client()
    page = get_page(reader, "/search?q=医院 勒索软件&correct=0")
    assert page.heading.endswith("没有文章含全部词，4 篇只含部分词，合并转载后 2 条")
    assert "看 4 篇" in page.find("div", "filters-head")[0].text
