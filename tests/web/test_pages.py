"""The pages: each renders, escapes what it prints, and its links do what they say."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient

from index.document import Article, Evidence, Mention
from index.settings import Settings
from search import Searcher
from tests.web.html import Page, count_in, get_page
from web import create_app

PAGES = [
    "/",
    "/search",
    "/search?q=勒索软件",
    "/search?q=勒索软件&sort=oldest&page=2&size=5",
    "/search?q=勒索软件+私钥+槐州",
    "/search?q=没有这个词",
    "/search?category=漏洞&organisation=灰鹭&month=2024-02&exclude_source=数防周刊",
    "/search?from=2024-01-01&to=2024-12-31",
    "/article/" + f"{7:016x}",
    "/article/" + "e" * 16,
    "/article/" + "f" * 16,
    "/organisation/衡岳智联",
    "/organisation/Corvane%20Networks",
    "/organisation/衡岳智联?latest=all",
    "/organisations",
    "/organisations?prefix=qw&type=company",
    "/identifier/CVE-2026-90007",
    "/identifier/T1486",
    "/search?q=漏洞&find=青梧",
    "/help/query",
    "/docs",
    "/analyze?q=勒索病毒的漏洞+槐州",
    "/search?q=漏洞+勒锁软件+2024年5月",
]


@pytest.mark.parametrize("url", PAGES)
def test_a_page_renders_as_one_document(visit: Callable[..., Page], url: str) -> None:
    page = visit(url)
    assert len(page.find("h1")) == 1
    assert len(page.find("main")) == 1
    assert page.find("html")[0].attributes["lang"] == "zh-Hans"
    assert page.find("title")[0].text.strip().endswith("安闻")
    identifiers = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("url", PAGES)
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(
    visit: Callable[..., Page], url: str
) -> None:
    page = visit(url)
    for element in page.elements:
        assert "style" not in element.attributes
        assert not any(name.startswith("on") for name in element.attributes)
        source = element.attributes.get("src")
        # What these name is no part of the page: no browser fetches it with it.
        elsewhere = {"alternate", "canonical", "search"}
        if element.tag == "link" and element.attributes["rel"] not in elsewhere:
            source = element.href
        assert source is None or source.startswith("/static/")
    for script in page.find("script"):  # structured data is read, and never run
        assert script.text == "" or script.attributes["type"] == "application/ld+json"


@pytest.mark.parametrize("url", PAGES)
def test_every_link_inside_the_site_is_answered(
    client: FlaskClient, visit: Callable[..., Page], url: str
) -> None:
    links = {element.href for element in visit(url).find("a")}
    inside = sorted(link for link in links if link.startswith("/"))
    assert len(inside) > 2
    for link in inside:
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize(
    "url", [*PAGES, "/nothing", "/search?page=0", "/api/v1/search", "/healthz"]
)
def test_every_response_has_the_security_headers(client: FlaskClient, url: str) -> None:
    headers = client.get(url).headers
    policy = headers["Content-Security-Policy"].split("; ")
    assert policy[:3] == ["default-src 'none'", "style-src 'self'", "script-src 'self'"]
    assert {"base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_static_files_are_kept_for_a_year_at_an_address_with_their_hash(
    client: FlaskClient,
    visit: Callable[..., Page],
) -> None:
    page = visit("/")
    style = next(link.href for link in page.find("link") if "stylesheet" in link.attributes["rel"])
    assert parse_qs(urlsplit(style).query)["v"]
    with client.get(style) as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("/static/site.css", "/static/site.css?v=of-another-version"):
        with client.get(other) as answer:
            assert answer.status_code == 200
            assert "immutable" not in answer.headers["Cache-Control"]


# What is printed


@pytest.mark.parametrize("url", ["/search?q=标题", "/article/" + "f" * 16, "/"])
def test_markup_in_an_article_is_escaped(client: FlaskClient, url: str) -> None:
    text = client.get(url).get_data(as_text=True)
    for markup in ("<script>alert", "<b>某报", "<i>导语", "<u>作者", "<img src=x"):
        assert markup not in text


@pytest.mark.parametrize("query", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
@pytest.mark.parametrize("place", ["q", "category", "organisation", "exclude_source", "page"])
def test_markup_in_a_parameter_is_escaped(
    visit: Callable[..., Page], query: str, place: str
) -> None:
    page = visit("/search?" + urlencode({place: query}), 400 if place == "page" else 200)
    assert not page.find("img")
    assert not any(script.text for script in page.find("script"))


def test_only_web_addresses_become_links(client: FlaskClient, visit: Callable[..., Page]) -> None:
    assert "javascript:alert" not in client.get("/article/" + "f" * 16).get_data(as_text=True)
    original = visit(f"/article/{1:016x}").find("a", "read")[0]
    assert original.href == "https://tingchao.example/p/1"
    assert original.attributes["rel"] == "noopener noreferrer nofollow"
    assert "阅读原文" in original.text


def test_a_match_is_marked_and_the_title_may_break_between_words(
    search: Callable[..., Page],
) -> None:
    titles = search(query="勒索软件").find("h2", "hit-title")
    for title in titles:
        marks = [element.text for element in title.inside if element.tag == "mark"]
        assert marks == ["勒索软件"]
        assert any(element.tag == "wbr" for element in title.inside)


def test_where_only_the_day_is_known_only_the_day_is_shown(visit: Callable[..., Page]) -> None:
    times = [visit(f"/article/{number:016x}").find("time")[0].text for number in (4, 5)]
    assert times == ["2023-05-25", "2023-06-28 09:36"]


def test_organisations_are_underlined_solid_or_dotted(visit: Callable[..., Page]) -> None:
    names = visit(f"/article/{7:016x}").find("ul", "names")[0].inside
    links = [element for element in names if element.tag == "a"]
    assert [(link.text, link.classes) for link in links] == [
        ("青梧机电（主角）", set()),
        ("玄圃实验室（旁及）", {"passing"}),
    ]


def test_identifiers_lead_to_their_pages(visit: Callable[..., Page]) -> None:
    link = visit(f"/article/{7:016x}").find("ul", "ids")[0].inside[1]
    assert (link.text, link.href) == ("CVE-2026-90007", "/identifier/CVE-2026-90007")


def test_indicators_are_shown_defanged_and_are_no_links(visit: Callable[..., Page]) -> None:
    (shown,) = visit(f"/article/{7:016x}").find("dl", "indicators")
    assert [element.text for element in shown.inside if element.tag == "dt"] == ["URL"]
    assert [element.text for element in shown.inside if element.tag == "li"] == [
        "hxxp://huilu[.]example/a.exe"
    ]
    assert not [element for element in shown.inside if element.tag == "a"]


def test_a_long_list_of_indicators_is_folded(visit: Callable[..., Page]) -> None:
    (shown,) = visit("/article/" + "e" * 16).find("dl", "indicators")
    labels = [" ".join(e.text.split()) for e in shown.inside if e.tag == "dt"]
    assert labels == ["IP 40", "域名 11", "散列", "URL"]
    assert [e.text for e in shown.inside if e.tag == "summary"] == ["其余 32 个", "其余 3 个"]
    assert len([e for e in shown.inside if e.tag == "li"]) == 53


def test_the_article_page_shows_the_extract_and_not_the_body(
    client: FlaskClient, news: list[Article]
) -> None:
    text = client.get(f"/article/{7:016x}").get_data(as_text=True)
    first, *rest = news[7].body.split("\n")
    assert first in text
    assert not any(paragraph in text for paragraph in rest)


def test_of_many_places_that_name_an_organisation_three_are_open(
    article_maker: Callable[..., Article],
    searcher_over: Callable[[Iterable[Article]], Searcher],
) -> None:
    sentences = [f"第{number}段说衡岳智联参与处置。" for number in range(5)]
    body = "\n".join([*sentences, "其余内容与此无关，只为凑够长度。" * 60])
    evidence = tuple(
        Evidence(
            field="body",
            start=body.index(sentence),
            end=body.index(sentence) + len(sentence),
            text=sentence,
        )
        for sentence in sentences
    )
    name = Mention(
        name="衡岳智联", type="company", salient=True, surfaces=("衡岳智联",), evidence=evidence
    )
    searcher = searcher_over([article_maker(id="a" * 16, body=body, mentions=(name,))])
    page = get_page(create_app(Settings(), searcher).test_client(), "/article/" + "a" * 16)
    (item,) = [e for e in page.find("ul", "evidence")[0].inside if e.tag == "li"]
    quotes = [e for e in item.inside if "quote" in e.classes]
    (folded,) = [e for e in item.inside if e.tag == "details"]
    assert len(quotes) == 5
    assert [e for e in folded.inside if "quote" in e.classes] == quotes[3:]
    assert "其余 2 处" in folded.text


# Mistakes


@pytest.mark.parametrize(
    ("url", "message"),
    [("/search?q=漏洞&page=0", "从 1 起"), ("/search?q=漏洞" + "a" * 1000, "最多 800 个")],
)
def test_a_bad_query_keeps_the_form_and_says_what_is_wrong(
    visit: Callable[..., Page], url: str, message: str
) -> None:
    page = visit(url, 400)
    typed = next(e for e in page.find("input") if e.attributes["name"] == "q")
    assert (typed.attributes["value"] or "").startswith("漏洞")
    (notice,) = page.find("p", "notice-error")
    assert message in notice.text


@pytest.mark.parametrize("path", ["/search", "/trends", "/analyze"])
def test_a_text_that_is_too_long_to_search_can_be_checked_as_a_draft(
    visit: Callable[..., Page], path: str
) -> None:
    text = "安全研究人员披露网关漏洞，攻击者可以执行任意代码。" * 8
    page = visit(f"{path}?q={text}", 400)
    assert "最多 64 个词" in page.find("p", "notice-error")[0].text
    (form,) = (e for e in page.find("form") if e.attributes.get("action") == "/draft")
    assert form.attributes["method"] == "post"
    (sent,) = (e for e in page.find("input") if e.attributes["name"] == "text")
    assert sent.attributes["value"] == text
    assert "稿件体检" not in visit(f"{path}?q={'(' * 17}漏洞", 400).find("main")[0].text


def test_an_expired_cursor_is_gone(visit: Callable[..., Page]) -> None:
    visit("/search?cursor=OS45LjEw", 410)


@pytest.mark.parametrize(
    ("url", "status"),
    [("/nothing", 404), ("/article/0123456789abcdef", 404), ("/organisation/无此机构", 404)],
)
def test_what_does_not_exist_is_a_page_with_the_field(
    visit: Callable[..., Page], url: str, status: int
) -> None:
    page = visit(url, status)
    assert page.find("form", "search")
    assert page.find("p", "notice-error")


def test_a_wrong_method_is_a_page(client: FlaskClient) -> None:
    answer = client.post("/search")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert "notice-error" in answer.get_data(as_text=True)


def test_without_an_index_the_pages_are_a_503_that_names_the_repair(tmp_path: Path) -> None:
    client = create_app(Settings(data=tmp_path / "nothing")).test_client()
    for url in ("/", "/search?q=a", "/article/0123456789abcdef", "/organisation/某某"):
        page = get_page(client, url, 503)
        assert "anwen" in page.find("p", "notice-error")[0].text
    get_page(client, "/help/query")
    assert client.get("/healthz").status_code == 200


def test_an_empty_index_is_a_site_without_news(
    searcher_over: Callable[[Iterable[Article]], Searcher],
) -> None:
    client = create_app(Settings(), searcher_over([])).test_client()
    assert "还没有收录文章" in client.get("/").get_data(as_text=True)
    assert get_page(client, "/search").heading == "还没有文章"


# Organisations, home, and the rest


def test_an_alias_leads_to_the_canonical_name(
    article_maker: Callable[..., Article],
    searcher_over: Callable[[Iterable[Article]], Searcher],
) -> None:
    named = Mention(name="微步在线", type="company", salient=True, surfaces=("微步",), evidence=())
    searcher = searcher_over([article_maker(id="a" * 16, body="微步", mentions=(named,))])
    client = create_app(Settings(), searcher).test_client()
    answer = client.get("/organisation/ThreatBook")
    assert answer.status_code == 302
    page = get_page(client, answer.headers["Location"])
    assert page.heading == "微步在线"


def test_the_organisation_page_counts_as_the_search_does(
    visit: Callable[..., Page], search: Callable[..., Page]
) -> None:
    page = visit("/organisation/青梧机电")
    total = search(organisation=("青梧机电",)).total
    assert f"{total} 篇文章提到" in page.find("header", "record-head")[0].text
    rows = page.find("a", "entry")
    assert len(rows) > 6
    for row in rows:
        assert row.href.startswith("/search?")
        assert visit(row.href).total == count_in(row)
    bars = [e for e in page.find("svg", "histogram")[0].inside if e.tag == "a"]
    assert visit(bars[0].href).total == int(re.search(r"，(\d+) 篇", bars[0].text)[1])  # type: ignore[index]


def test_the_home_page_counts_categories_and_links_organisations(
    client: FlaskClient, visit: Callable[..., Page]
) -> None:
    page = visit("/")
    assert page.find("dd")[-1].text == "42"
    for row in page.find("a", "entry"):
        count = count_in(row)
        if row.href.startswith("/organisation/"):
            assert f"{count} 篇文章提到" in client.get(row.href).get_data(as_text=True)
        else:
            assert visit(row.href).total == count


def test_examples_of_the_help_page_run(visit: Callable[..., Page]) -> None:
    links = [e.href for e in visit("/help/query").find("table")[0].inside if e.tag == "a"]
    assert len(links) >= 10
    for link in links:
        page = visit(link)
        assert not page.find("p", "notice-error")


def test_robots_may_read_articles_and_not_searches(client: FlaskClient) -> None:
    rules = client.get("/robots.txt").get_data(as_text=True).splitlines()
    assert rules == [
        "User-agent: *",
        *("Disallow: /api/", "Disallow: /search", "Disallow: /export"),
        *("Disallow: /analyze", "Disallow: /suggest.json", "Disallow: /trends"),
        "",
        "Sitemap: http://localhost/sitemap.xml",
    ]


def test_health_needs_no_index(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.data) == (200, b"ok\n")


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://tingchao.example/p/1?a=1&b=2", "https://tingchao.example/p/1?a=1&b=2"),
        ("javascript:alert(1)", "https://news.example/article/" + "a" * 16),
        (None, "https://news.example/article/" + "a" * 16),
    ],
)
def test_the_canonical_address_is_the_original_or_begins_as_the_setting_says(
    article_maker: Callable[..., Article],
    searcher_over: Callable[[Iterable[Article]], Searcher],
    url: str | None,
    canonical: str,
) -> None:
    searcher = searcher_over([article_maker(id="a" * 16, url=url)])
    settings = Settings(base_url="https://news.example/", site_name="某检索")
    page = get_page(create_app(settings, searcher).test_client(), "/article/" + "a" * 16)
    (link,) = [e for e in page.find("link") if e.attributes["rel"] == "canonical"]
    assert link.href == canonical
    assert page.find("title")[0].text == "标题 · 某检索"
