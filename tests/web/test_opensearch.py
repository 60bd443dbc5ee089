"""OpenSearch: what a browser reads before it offers the site in its address bar."""

import json
from collections.abc import Callable
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from index.settings import Settings
from search import Searcher
from search.parser import MAX_LENGTH
from tests.web.html import Page
from web import create_app

NAMESPACE = {"o": "http://a9.com/-/spec/opensearch/1.1/"}


def description(client: FlaskClient) -> ElementTree.Element:
    answer = client.get("/opensearch.xml")
    assert answer.status_code == 200
    assert answer.mimetype == "application/opensearchdescription+xml"
    return ElementTree.fromstring(answer.data)


def test_every_page_names_the_description(client: FlaskClient, visit: Callable[..., Page]) -> None:
    for url, status in (("/", 200), ("/search?q=漏洞", 200), ("/nothing", 404)):
        (link,) = [e for e in visit(url, status).find("link") if e.attributes["rel"] == "search"]
        assert client.get(link.href).mimetype == link.attributes["type"]


def test_the_description_has_what_the_specification_asks_for(client: FlaskClient) -> None:
    found = description(client)
    assert found.tag == "{http://a9.com/-/spec/opensearch/1.1/}OpenSearchDescription"
    name = found.findtext("o:ShortName", namespaces=NAMESPACE) or ""
    assert 0 < len(name) <= 16
    text = found.findtext("o:Description", namespaces=NAMESPACE) or ""
    assert 0 < len(text) <= 1024
    image = found.find("o:Image", NAMESPACE)
    assert image is not None
    with client.get((image.text or "").removeprefix("http://localhost")) as answer:
        assert answer.status_code == 200
        assert answer.mimetype == image.get("type")


def test_each_template_leads_to_an_answer_of_its_type(client: FlaskClient) -> None:
    urls = description(client).findall("o:Url", NAMESPACE)
    types = [url.get("type") for url in urls]
    assert types == [
        "text/html",
        "application/atom+xml",
        "application/x-suggestions+json",
        "application/opensearchdescription+xml",
    ]
    for url in urls:
        template = url.get("template") or ""
        assert template.startswith("http://localhost/")
        address = template.replace("{searchTerms}", quote("勒索软件")).replace("{count?}", "")
        answer = client.get(address.removeprefix("http://localhost"))
        assert answer.status_code == 200
        assert answer.mimetype == url.get("type")


def test_addresses_begin_as_the_setting_says(site_searcher: Searcher) -> None:
    settings = Settings(
        base_url="https://news.example/", site_name="名字长得浏览器一行里写不下的某某检索"
    )
    client = create_app(settings, site_searcher).test_client()
    found = description(client)
    assert found.findtext("o:ShortName", namespaces=NAMESPACE) == settings.site_name[:16]
    for url in found.findall("o:Url", NAMESPACE):
        assert (url.get("template") or "").startswith("https://news.example/")
    _, _, _, urls = client.get("/suggest.json?q=qwjd").get_json(force=True)
    assert urls[0] == "https://news.example/organisation/" + quote("青梧机电")


def test_suggestions_are_those_of_the_field_once_each(client: FlaskClient) -> None:
    typed = "勒索"
    groups = client.get(f"/api/v1/suggest?q={typed}").get_json()["groups"]
    expected = [each["text"] for group in groups for each in group["suggestions"]]
    answer = client.get(f"/suggest.json?q={typed}")
    asked, completions, told, urls = json.loads(answer.data)
    assert asked == typed
    assert completions == list(dict.fromkeys(expected))
    assert len(completions) == len(told) == len(urls)
    for url in urls:
        assert client.get(url.removeprefix("http://localhost")).status_code == 200


@pytest.mark.parametrize("typed", ["", " ", "没有这回事儿", "长" * (MAX_LENGTH + 1), "\x00"])
def test_where_nothing_can_be_suggested_the_answer_is_empty(
    client: FlaskClient, typed: str
) -> None:
    answer = client.get("/suggest.json", query_string={"q": typed})
    assert (answer.status_code, json.loads(answer.data)) == (200, [typed, [], [], []])
