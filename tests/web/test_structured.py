"""Articles as structured data, and who may list what: headers and meta elements."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page as BrowserPage

from index.document import BEIJING, Article
from tests.web.html import Page
from web.structured import json_ld, news_article


def told(page: Page) -> dict[str, Any]:
    (script,) = [
        e for e in page.find("script") if e.attributes.get("type") == "application/ld+json"
    ]
    found: dict[str, Any] = json.loads(script.text)
    return found


def test_a_page_tells_its_article_as_the_publishers(visit: Callable[..., Page]) -> None:
    found = told(visit("/article/" + f"{1:016x}"))
    assert found == {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": "备份一体机的维护口令可被远程改写，青梧机电发布第1号说明",
        "url": "https://tingchao.example/p/1",
        "mainEntityOfPage": "https://tingchao.example/p/1",
        "isBasedOn": "https://tingchao.example/p/1",
        "inLanguage": "zh",
        "datePublished": "2023-02-12T09:36:00+08:00",
        "publisher": {"@type": "Organization", "name": "关山安全"},
        "author": {"@type": "Person", "name": "沈既白"},
        "description": "备份一体机的维护口令可被远程改写，青梧机电已发布说明。",
        "articleSection": "新闻",
        "keywords": ["勒索", "运维"],
        "mentions": [
            {"@type": "Organization", "name": "青梧机电"},
            {"@type": "Organization", "name": "玄圃实验室"},
        ],
    }


def test_what_is_not_known_is_not_told(article_maker: Callable[..., Article]) -> None:
    own = "https://news.example/article/1"
    bare = news_article(article_maker(url="javascript:alert(1)", author="某报"), own)
    assert bare == {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": "标题",
        "url": own,
        "mainEntityOfPage": own,
        "inLanguage": "zh",
        "publisher": {"@type": "Organization", "name": "某报"},
    }
    crawled = article_maker(
        published=datetime(2024, 2, 3, tzinfo=BEIJING),
        published_precision="day",
        category="漏洞",
        category_predicted=True,
    )
    found = news_article(crawled, own)
    assert found["datePublished"] == "2024-02-03"
    assert "articleSection" not in found


@given(st.text())
def test_no_text_ends_the_element_it_stands_in(text: str) -> None:
    written = json_ld({"headline": text})
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written) == {"headline": text}


@pytest.mark.browser
def test_a_browser_reads_the_data_and_runs_none_of_it(page: BrowserPage) -> None:
    # The fixture fails where the policy of scripts refuses anything.
    page.goto("/article/" + "f" * 16)
    text = page.locator("script[type='application/ld+json']").text_content()
    assert json.loads(text or "")["headline"] == "<script>alert('标题')</script>与漏洞 & “引号”"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/search?q=漏洞",
        "/api/v1/search?q=漏洞&format=csv",
        "/api/v1/nothing",
        "/export?id=" + f"{1:016x}",
        "/suggest.json?q=漏洞",
        "/feed.atom",
    ],
)
def test_what_is_no_page_says_in_a_header_that_it_is_not_to_be_listed(
    client: FlaskClient, path: str
) -> None:
    assert client.get(path).headers["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/search", 200),
        ("/search?q=漏洞", 200),
        ("/search?from=yesterday", 400),
        ("/analyze", 200),
        ("/organisations?prefix=青", 200),
        ("/organisation/没有", 404),
        ("/identifier/CVE-1999-1", 404),
        ("/nothing", 404),
    ],
)
def test_answers_to_a_reader_are_not_to_be_listed(
    visit: Callable[..., Page], path: str, status: int
) -> None:
    robots = [e for e in visit(path, status).find("meta") if e.attributes.get("name") == "robots"]
    assert [e.attributes["content"] for e in robots] == ["noindex"]


@pytest.mark.parametrize(
    "path", ["/", "/article/" + f"{1:016x}", "/organisation/青梧机电", "/draft"]
)
def test_what_only_this_site_has_may_be_listed(
    client: FlaskClient, visit: Callable[..., Page], path: str
) -> None:
    assert "X-Robots-Tag" not in client.get(path).headers
    assert not [e for e in visit(path).find("meta") if e.attributes.get("name") == "robots"]
