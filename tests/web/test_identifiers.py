"""The page of an identifier: exactly its articles, first reports and honest lags."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from index.document import BEIJING, Article, Mention
from index.settings import Settings
from search import Searcher
from tests.web.html import Page, get_page
from web import create_app

CVE = "CVE-2024-3400"


@pytest.fixture(scope="module")
def client(
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FlaskClient]:
    reports = [
        ("first", "听潮网安", "2024-04-13 09:00", "minute", (CVE, "T1190")),
        ("later", "关山安全", "2024-04-13 12:30", "minute", (CVE, "T1190")),
        ("again", "听潮网安", "2024-04-20 08:00", "minute", (CVE,)),
        ("crawl", "数防周刊", "2024-04-15 00:00", "day", (CVE, "CNVD-2024-12345")),
        ("weeks", "析木社区", "2024-05-01 08:00", "minute", (CVE,)),
        ("undated", "某报", None, None, (CVE,)),
        ("longer", "关山安全", "2024-04-01 08:00", "minute", ("CVE-2024-34001",)),
        ("old", "关山安全", "2025-01-02 08:00", "minute", ("CVE-2023-1234",)),
    ]
    vendor = Mention(name="派洛克", type="company", salient=True, surfaces=("派洛克",), evidence=())
    searcher = fill_folder(
        tmp_path_factory.mktemp("identifiers"),
        [
            article_maker(
                id=f"{number:016x}",
                title=title,
                source=source,
                published=datetime.fromisoformat(moment).replace(tzinfo=BEIJING)
                if moment
                else None,
                published_precision=precision,
                identifiers=identifiers,
                mentions=(vendor,) if CVE in identifiers else (),
            )
            for number, (title, source, moment, precision, identifiers) in enumerate(reports)
        ],
    )
    yield create_app(Settings(), searcher).test_client()
    searcher.close()


@pytest.fixture
def page(client: FlaskClient) -> Page:
    return get_page(client, f"/identifier/{CVE}")


def reports(page: Page) -> list[list[str]]:
    """The lines of the first list: day, lag, title, outlet."""
    first = page.find("ol", "hits-short")[0]
    hits = [e for e in first.inside if "hit" in e.classes]
    return [[*" ".join(hit.text.split()).split(" ")] for hit in hits]


def test_each_outlet_stands_with_its_first_report_and_its_lag(page: Page) -> None:
    assert reports(page) == [
        ["2024-04-13", "最早", "first", "听潮网安"],
        ["2024-04-13", "+3", "小时", "30", "分", "later", "关山安全"],
        ["2024-04-15", "抓取日", "crawl", "数防周刊"],
        ["2024-05-01", "+17", "天", "weeks", "析木社区"],
    ]
    undated = page.find("ol", "hits-short")[1]
    assert "日期不详" in undated.text
    assert "undated" in undated.text


def test_an_identifier_tells_a_year_and_no_day(client: FlaskClient, page: Page) -> None:
    head = page.find("header", "record-head")[0].text
    assert "编号年份 2024，首篇 2024-04-13，当年第 104 天" in head
    old = get_page(client, "/identifier/CVE-2023-1234").find("header", "record-head")[0].text
    assert "编号年份 2023，首篇 2025-01-02，编号年份后第 2 年" in old
    technique = get_page(client, "/identifier/T1190").find("header", "record-head")[0].text
    assert "编号年份" not in technique


def test_it_is_exactly_the_articles_of_the_identifier(client: FlaskClient, page: Page) -> None:
    assert "6 篇文章提到" in page.find("header", "record-head")[0].text
    answer = client.get(f"/api/v1/search?q=编号:{CVE}").get_json()
    titles = {hit["title"] for hit in answer["hits"]}
    assert titles == {"first", "later", "again", "crawl", "weeks", "undated"}
    assert "1 篇文章提到" in client.get("/identifier/CVE-2024-34001").get_data(as_text=True)


def test_what_is_named_with_it_is_listed(client: FlaskClient, page: Page) -> None:
    links = [e.href for e in page.find("a", "entry")]
    assert "/identifier/T1190" in links
    assert "/identifier/CNVD-2024-12345" in links
    assert "派洛克" in page.find("section", "side")[0].text
    for link in links:
        assert client.get(link).status_code == 200


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("cve-2024-3400", CVE),
        ("CVE–2024–3400", CVE),
        ("CVE 2024 3400", CVE),
        ("CVE_2024_3400", CVE),
        ("ＣＶＥ－２０２４－３４００", CVE),
        ("t1190", "T1190"),
        ("cnvd-2024-12345", "CNVD-2024-12345"),
    ],
)
def test_another_form_leads_to_the_one_address(
    client: FlaskClient, typed: str, canonical: str
) -> None:
    answer = client.get(f"/identifier/{typed}")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"/identifier/{canonical}"


@pytest.mark.parametrize("typed", ["CVE-2024-9999", "CVE-2024", "foo", "CVE-2024-3400-x", "a/b"])
def test_what_nothing_names_or_is_none_is_404(client: FlaskClient, typed: str) -> None:
    page = get_page(client, f"/identifier/{typed}", 404)
    assert page.find("p", "notice-error")
    assert page.find("form", "search")


def test_numbers_that_are_near_are_offered(client: FlaskClient) -> None:
    page = get_page(client, "/identifier/CVE-2024-3499", 404)
    near = [e.text for e in page.find("ul", "ids")[0].inside if e.tag == "a"]
    assert near == [CVE, "CVE-2024-34001"]


def test_the_page_leads_to_its_feed(client: FlaskClient, page: Page) -> None:
    (link,) = [e for e in page.find("link") if e.attributes["rel"] == "alternate"]
    text = client.get(link.href).get_data(as_text=True)
    assert text.count("<entry>") == 5  # of six one has no date
