"""The pages of organisations, and looking through the values of a facet."""

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from index.document import Article, Mention, OrganisationType
from index.settings import Settings
from search import Searcher, SearchRequest
from tests.web.html import Page, count_in, get_page
from web import create_app
from web.params import search_url

SearcherMaker = Callable[[Iterable[Article]], Searcher]


def named(name: str, type_: OrganisationType = "company", *, salient: bool = True) -> Mention:
    return Mention(name=name, type=type_, salient=salient, surfaces=(name,), evidence=())


def acting(news: list[Article], name: str) -> set[str]:
    return {a.id for a in news for m in a.mentions if m.name == name and m.salient}


def naming(news: list[Article], name: str) -> set[str]:
    return {article.id for article in news if name in article.organisations}


# Salience in facets


def test_a_facet_counts_who_acts_apart_and_lists_them_first(
    client: FlaskClient, news: list[Article]
) -> None:
    buckets = client.get("/api/v1/search").get_json()["facets"]["organisation"]
    for bucket in buckets:
        assert bucket["salient"] == len(acting(news, bucket["value"]))
        assert bucket["count"] == len(naming(news, bucket["value"]))
    order = [(-bucket["salient"], -bucket["count"], bucket["value"]) for bucket in buckets]
    assert order == sorted(order)
    facets = client.get("/api/v1/search").get_json()["facets"]
    assert "salient" not in facets["category"][0]


def test_both_counts_are_shown_and_told(visit: Callable[..., Page], news: list[Article]) -> None:
    page = visit("/search")
    (block,) = [
        e
        for e in page.find("section")
        if e.attributes.get("aria-labelledby") == "facet-organisation"
    ]
    row = next(e for e in block.inside if "entry" in e.classes and "青梧机电" in e.text)
    salient, count = len(acting(news, "青梧机电")), len(naming(news, "青梧机电"))
    told = f"主角 {salient} 篇，共 {count} 篇"
    assert f"{salient} / {count}" in row.text
    assert told in row.text
    assert told in [e.attributes.get("title") for e in row.inside]


def test_the_line_of_a_result_tells_acting_from_passing(
    visit: Callable[..., Page], news: list[Article]
) -> None:
    by_id = {article.id: article for article in news}
    page = visit("/search?size=50")
    seen = 0
    for hit in page.find("li", "hit"):
        link = next(e for e in hit.inside if e.tag == "a" and e.href.startswith("/article/"))
        article = by_id[link.href.removeprefix("/article/")]
        salient = {mention.name: mention.salient for mention in article.mentions}
        lists = [e for e in hit.inside if "names" in e.classes]
        for name in (e for each in lists for e in each.inside if e.tag == "a"):
            is_passing = not salient[name.text.removesuffix("（旁及）")]
            assert ("passing" in name.classes) == is_passing == name.text.endswith("（旁及）")
            seen += 1
    assert seen > 60


def test_who_acts_can_be_searched_for(client: FlaskClient, news: list[Article]) -> None:
    for query in ("主角:青梧机电", "acting:青梧机电"):
        hits = client.get(search_api(query=query, size=100)).get_json()["hits"]
        assert {hit["id"] for hit in hits} == acting(news, "青梧机电")


def search_api(**values: object) -> str:
    return "/api/v1" + search_url(SearchRequest(**values))  # type: ignore[arg-type]


def test_spellings_that_differ_in_case_are_one_organisation(
    article_maker: Callable[..., Article], searcher_over: SearcherMaker
) -> None:
    spelt = ["Corvane networks", "Corvane Networks", "Corvane Networks"]
    articles = [
        article_maker(id=f"{number:016x}", mentions=(named(name),))
        for number, name in enumerate(spelt)
    ]
    both = (named("CORVANE NETWORKS"), named("Corvane Networks", salient=False))
    articles.append(article_maker(id="c" * 16, mentions=both))
    client = create_app(Settings(), searcher_over(articles)).test_client()
    (bucket,) = client.get("/api/v1/search").get_json()["facets"]["organisation"]
    assert bucket == {"value": "Corvane Networks", "count": 4, "selected": False, "salient": 4}
    answer = client.get("/organisation/corvane%20networks?latest=all")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/organisation/Corvane%20Networks?latest=all"
    assert "4 篇文章提到" in client.get(answer.headers["Location"]).get_data(as_text=True)


# Looking through a facet


def values(client: FlaskClient, url: str) -> list[str]:
    answer = client.get(f"/api/v1/facets/{url}")
    assert answer.status_code == 200
    return [value["value"] for value in answer.get_json()["values"]]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("organisation?prefix=青", ["青梧机电"]),
        ("organisation?prefix=机电", ["青梧机电"]),
        ("organisation?prefix=qwjd", ["青梧机电"]),
        ("organisation?prefix=qingwu", ["青梧机电"]),
        ("organisation?prefix=NETWORKS", ["Corvane Networks"]),
        ("organisation?prefix=没有", []),
        ("category?prefix=lou", ["漏洞"]),
        ("source?prefix=gsaq", ["关山安全"]),
        ("month?prefix=2023-0&limit=2", ["2023-01", "2023-02"]),
        ("identifier?prefix=t14", ["T1486"]),
        ("identifier?prefix=90007", ["CVE-2026-90007"]),
    ],
)
def test_values_of_a_facet_are_found_by_what_is_typed(
    client: FlaskClient, url: str, expected: list[str]
) -> None:
    assert values(client, url) == expected


def test_a_value_comes_with_the_counts_and_links_of_the_facet(client: FlaskClient) -> None:
    asked = "q=漏洞&category=技术&organisation=青梧机电"
    answer = client.get(f"/api/v1/facets/organisation?{asked}").get_json()
    whole = client.get(f"/api/v1/search?{asked}").get_json()
    bare = [{k: v for k, v in each.items() if "url" not in k} for each in answer["values"]]
    assert answer["total"] == len(bare)
    found = {bucket["value"]: bucket for bucket in bare}
    assert found == {b["value"]: b for b in whole["facets"]["organisation"] if b["count"]}
    for value in answer["values"]:
        page = client.get(f"/api/v1{value['url']}").get_json()
        chosen = {b["value"] for b in page["facets"]["organisation"] if b["selected"]}
        assert (value["value"] in chosen) is not value["selected"]


def test_all_values_are_looked_through_and_not_the_first_fifty(
    article_maker: Callable[..., Article], searcher_over: SearcherMaker
) -> None:
    articles = [
        article_maker(id=f"{number:016x}", mentions=(named(f"第{number}研究所", "institute"),))
        for number in range(120)
    ]
    client = create_app(Settings(), searcher_over(articles)).test_client()
    assert values(client, "organisation?prefix=第119") == ["第119研究所"]
    answer = client.get("/api/v1/facets/organisation?prefix=研究所&limit=100").get_json()
    assert (answer["total"], len(answer["values"])) == (120, 100)
    page = get_page(client, "/search?find=第119")
    assert "1 个机构符合" in page.find("p", "find-told")[0].text
    pages = [get_page(client, f"/organisations?page={number}") for number in (1, 2)]
    rows = [len(page.find("a", "entry")) for page in pages]
    assert (rows, sum(rows)) == ([120, 0], 120)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sorce", "unknown_field"),
        ("organisation?limit=101", "bad_parameter"),
        ("organisation?limit=x", "bad_parameter"),
        ("organisation?prefix=" + "a" * 1000, "bad_parameter"),
        ("organisation?from=yesterday", "bad_parameter"),
    ],
)
def test_a_mistake_has_the_usual_shape(client: FlaskClient, url: str, code: str) -> None:
    answer = client.get(f"/api/v1/facets/{url}")
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] == code


def test_without_a_script_the_field_answers_with_the_values_that_match(
    visit: Callable[..., Page],
) -> None:
    page = visit("/search?q=漏洞&find=青梧")
    assert "1 个机构符合" in page.find("p", "find-told")[0].text
    (block,) = [
        e
        for e in page.find("section")
        if e.attributes.get("aria-labelledby") == "facet-organisation"
    ]
    (row,) = [e for e in block.inside if "entry" in e.classes]
    chosen = visit(row.href)
    assert chosen.total == count_in(row)
    assert "find" not in row.href
    page = visit("/search?q=漏洞&find=没有")
    assert "没有这个机构" in page.find("p", "find-told")[0].text


# The index of organisations


def test_the_index_lists_all_organisations_with_their_counts(
    visit: Callable[..., Page], news: list[Article]
) -> None:
    page = visit("/organisations")
    rows = page.find("a", "entry")
    assert len(rows) == len({name for article in news for name in article.organisations})
    counts = []
    for row in rows:
        name = visit(row.href).heading
        salient, count = len(acting(news, name)), len(naming(news, name))
        assert f"主角 {salient} 篇，共 {count} 篇" in row.text
        counts.append((-salient, -count))
    assert counts == sorted(counts)


def test_the_index_is_narrowed_by_type_and_by_name(visit: Callable[..., Page]) -> None:
    assert [e.href for e in visit("/organisations?type=group").find("a", "entry")] == [
        "/organisation/" + quote("灰鹭")
    ]
    page = visit("/organisations?prefix=zx&type=institute")
    assert [e.text[:5] for e in page.find("a", "entry")] == []
    page = visit("/organisations?prefix=zxyy")
    assert page.heading == "全部机构"
    page = visit("/organisations?prefix=hzszxyy")
    assert [e.href for e in page.find("a", "entry")] == ["/organisation/" + quote("槐州市中心医院")]
    types = next(e for e in page.find("nav") if e.attributes["aria-label"] == "类型")
    assert [e.text for e in types.inside if e.tag == "a"] == ["全部 1", "院校与研究机构 1"]
    visit("/organisations?type=x", 400)
    visit("/organisations?page=0", 400)
    assert "没有机构合" in visit("/organisations?prefix=没有").find("p", "notice")[0].text


# One organisation


def test_the_page_tells_months_and_articles_by_salience(
    visit: Callable[..., Page], news: list[Article]
) -> None:
    salient, count = len(acting(news, "青梧机电")), len(naming(news, "青梧机电"))
    page = visit("/organisation/青梧机电")
    bars = [e.text for e in page.find("svg", "histogram")[0].inside if e.tag == "title"]
    found = [re.search(r"，(\d+) 篇，主角 (\d+) 篇", text) for text in bars]
    totals = [tuple(map(int, match.groups())) for match in found if match]
    assert (sum(a for a, _ in totals), sum(b for _, b in totals)) == (count, salient)
    for url, expected in (("", acting), ("?latest=all", naming)):
        page = visit(f"/organisation/青梧机电{url}")
        links = [e for title in page.find("h3", "hit-title") for e in title.inside if e.tag == "a"]
        ids = {link.href.removeprefix("/article/") for link in links}
        assert ids <= expected(news, "青梧机电")
        assert len(ids) == min(10, len(expected(news, "青梧机电")))


def test_other_names_of_the_table_are_told(
    article_maker: Callable[..., Article], searcher_over: SearcherMaker
) -> None:
    articles = [article_maker(id="a" * 16, mentions=(named("微步在线"),))]
    client = create_app(Settings(), searcher_over(articles)).test_client()
    page = get_page(client, "/organisation/微步在线")
    facts = page.find("dl", "facts")[0].text
    assert "ThreatBook" in facts
    assert "企业" in facts


def test_who_is_named_everywhere_does_not_stand_out(
    article_maker: Callable[..., Article], searcher_over: SearcherMaker
) -> None:
    articles = []
    for number in range(60):
        mentions = [named("处处在", salient=False)]
        if number < 10:
            mentions.append(named("甲公司"))
        if number < 8 or number == 40:
            mentions.append(named("乙公司", salient=False))
        articles.append(article_maker(id=f"{number:016x}", mentions=tuple(mentions)))
    searcher = searcher_over(articles)
    found = searcher.associated(
        SearchRequest(query="机构:甲公司"), "organisation", ("甲公司",), size=5
    )
    assert [(each.value, each.count, each.total) for each in found] == [("乙公司", 8, 9)]


def test_a_name_that_nobody_has_is_404_with_names_that_are_near(visit: Callable[..., Page]) -> None:
    page = visit("/organisation/青吴机电", 404)
    assert "青梧机电" in page.find("ul", "names")[0].text
    assert page.find("p", "notice-error")
    page = visit("/organisation/完全没有这样的名字", 404)
    assert not page.find("ul", "names")
