"""A small site of invented news, served over one data folder to every test of the pages."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, ViewportSize
from playwright.sync_api import Page as BrowserPage

from index.document import BEIJING, Article, Evidence, Indicator, Mention
from index.settings import Settings
from search import Searcher, SearchRequest
from tests.web.browsing import PHONE, WIDE, chromium, serving
from tests.web.crafted import CraftedSearcher
from tests.web.html import Page, get_page
from web import create_app
from web.params import search_url

LONG_URL = "https://tingchao.example/" + "a-very-long-path-without-any-break" * 6
LONG_ID = "9f2c41d07be8a6350c1e7742fa9d83b1" * 4
LONG_NAME = "UnbrokenHoldings" * 8

_ORGANISATIONS = (
    ("衡岳智联", "company"),
    ("青梧机电", "company"),
    ("灰鹭", "group"),
    ("玄圃实验室", "institute"),
    ("槐州市中心医院", "institute"),
    ("Corvane Networks", "company"),
)
_CATEGORIES = ("漏洞", "新闻", "趋势", "行业")
_SOURCES = ("听潮网安", "关山安全", "数防周刊")
_SUBJECTS = (
    "勒索软件借远程运维平台漏洞扩散",
    "备份一体机的维护口令可被远程改写",
    "工业数据分级指南征求意见",
    "网关固件签名私钥外泄",
    "勒索软件团伙改用间歇加密",
)


def mention(name: str, kind: str, *, salient: bool, body: str) -> Mention:
    start = body.find(name)
    evidence = ()
    if start >= 0:
        end = start + len(name)
        evidence = (
            Evidence(field="body", start=start, end=end, text=body[max(0, start - 20) : end + 20]),
        )
    return Mention(
        name=name,
        type=kind,  # type: ignore[arg-type]
        salient=salient,
        surfaces=(name,),
        evidence=evidence,
    )


def invented_news(make: Callable[..., Article]) -> list[Article]:
    """Forty articles over four years, one that breaks no line, and one full of markup."""
    articles = []
    for number in range(40):
        subject = _SUBJECTS[number % len(_SUBJECTS)]
        name, kind = _ORGANISATIONS[number % len(_ORGANISATIONS)]
        other, other_kind = _ORGANISATIONS[(number * 2 + 1) % len(_ORGANISATIONS)]
        body = "\n".join(
            (
                f"{name}在第{number}次通报中说，{subject}，受影响的设备已经断开。",
                f"{other}的人员参与了处置，样本的散列值是{LONG_ID}，公告见{LONG_URL}。",
                "恢复从离线备份开始，预计还要两天；在此之前，业务改用手工登记。" * 3,
                "运维人员随后核对了全部巡检脚本，并停用了批量下发的功能。" * 6,
            )
        )
        mentions = [mention(name, kind, salient=True, body=body)]
        if other != name:
            mentions.append(mention(other, other_kind, salient=False, body=body))
        published = datetime(2023, 1, 9, 9, 36, tzinfo=BEIJING) + timedelta(days=34 * number)
        articles.append(
            make(
                id=f"{number:016x}",
                url=f"https://tingchao.example/p/{number}"
                if number % 7
                else LONG_URL + str(number),
                title=f"{subject}，{name}发布第{number}号说明",
                published=published,
                published_precision="day" if number % 9 == 4 else "minute",
                category=_CATEGORIES[number % len(_CATEGORIES)],
                category_printed=_CATEGORIES[number % len(_CATEGORIES)],
                category_predicted=number % 8 == 3,
                source=_SOURCES[number % len(_SOURCES)],
                author="沈既白" if number % 2 else None,
                tags=("勒索", "运维") if number % 3 else (),
                lead=f"{subject}，{name}已发布说明。" if number % 4 else "",
                body=body,
                views=number * 100 if number % 5 else None,
                mentions=tuple(mentions),
                identifiers=(f"CVE-2026-{90000 + number}", "T1486") if number % 3 else (),
                indicators=(Indicator(type="url", value="http://huilu.example/a.exe"),)
                if number == 7
                else (),
            )
        )
    articles.append(
        make(
            id="e" * 16,
            url=LONG_URL,
            title=f"公告 {LONG_ID}",
            published=datetime(2024, 2, 3, tzinfo=BEIJING),
            published_precision="day",
            source="LongSource" * 12,
            author="LongAuthor" * 12,
            category="行业",
            category_printed="LongCategory" * 8,
            tags=("LongTag" * 20,),
            lead=LONG_URL,
            body=f"{LONG_ID}\n{LONG_URL}\n" * 12,
            mentions=(mention(LONG_NAME, "company", salient=True, body=""),),
            identifiers=("CVE-2026-31337",),
            indicators=(
                *(Indicator(type="ip", value=f"203.0.113.{number}") for number in range(40)),
                *(Indicator(type="domain", value=f"c{n}.huilu.example") for n in range(11)),
                Indicator(type="hash", value=LONG_ID),
                Indicator(type="url", value=LONG_URL),
            ),
        )
    )
    articles.append(
        make(
            id="f" * 16,
            url="javascript:alert(1)",
            title="<script>alert('标题')</script>与漏洞 & “引号”",
            source="<b>某报</b>",
            category="漏洞",
            body="<img src=x onerror=alert(1)>正文里的漏洞。\n" * 9,
            lead="<i>导语</i>",
            author="<u>作者</u>",
        )
    )
    return articles


@pytest.fixture(scope="session")
def news(article_maker: Callable[..., Article]) -> list[Article]:
    return invented_news(article_maker)


@pytest.fixture(scope="session")
def site_searcher(
    news: list[Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Searcher]:
    searcher = fill_folder(tmp_path_factory.mktemp("site"), news)
    yield searcher
    searcher.close()


@pytest.fixture(scope="session")
def site(site_searcher: Searcher) -> Flask:
    return create_app(Settings(), site_searcher)


@pytest.fixture(scope="session")
def crafted(site_searcher: Searcher) -> CraftedSearcher:
    """The site's searcher, with related coverage that is written by hand."""
    return CraftedSearcher(site_searcher)


@pytest.fixture(scope="session")
def crafted_site(crafted: CraftedSearcher) -> Flask:
    return create_app(Settings(), crafted.as_searcher())


@pytest.fixture
def client(site: Flask) -> FlaskClient:
    return site.test_client()


@pytest.fixture
def visit(client: FlaskClient) -> Callable[..., Page]:
    """A function from an address, and the status it should have, to its page."""
    return lambda url, status=200: get_page(client, url, status)


@pytest.fixture
def search(client: FlaskClient) -> Callable[..., Page]:
    """A function from the values of a request to its page of results."""
    return lambda **values: get_page(client, search_url(SearchRequest(**values)))


@pytest.fixture(scope="module")
def browser(lacking: Callable[[str], NoReturn]) -> Iterator[Browser]:
    with chromium() as browser:
        if browser is None:
            lacking("Chromium")
        yield browser


@pytest.fixture(scope="module")
def address(site: Flask) -> Iterator[str]:
    with serving(site) as address:
        yield address


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def viewport(request: pytest.FixtureRequest) -> ViewportSize:
    """The size of a window, for pages that are to work in either."""
    found: ViewportSize = request.param
    return found


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[BrowserPage]:
    """A page whose console must stay clean: a refused style or script is told there."""
    context = browser.new_context(viewport=WIDE, base_url=address)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []
