"""The page of the interface: it says all that the document says, and its examples run."""

import re
import shlex
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from index.settings import Settings
from tests.web.html import Page
from web import create_app
from web.openapi import openapi_document

DOCUMENT = openapi_document()
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def test_every_operation_parameter_answer_and_schema_is_on_the_page(
    visit: Callable[..., Page],
) -> None:
    page = visit("/docs")
    anchors = {element.attributes.get("id") for element in page.elements}
    assert {operation["operationId"] for *_, operation in OPERATIONS} <= anchors
    assert set(DOCUMENT["components"]["schemas"]) <= anchors
    text = "\n".join(element.text for element in page.find("main"))
    for part in ("parameters", "responses"):
        for each in DOCUMENT["components"][part].values():
            assert each["description"] in text
    for schema in DOCUMENT["components"]["schemas"].values():
        assert schema["description"] in text


def test_every_link_of_the_page_leads_to_something_on_it(visit: Callable[..., Page]) -> None:
    page = visit("/docs")
    anchors = {element.attributes.get("id") for element in page.elements}
    inside = {
        str(element.attributes["href"])[1:]
        for element in page.find("a")
        if str(element.attributes.get("href")).startswith("#")
    }
    assert inside - anchors == set()


def test_the_foot_of_every_page_leads_to_it(visit: Callable[..., Page]) -> None:
    assert "/docs" in {element.attributes.get("href") for element in visit("/").find("a")}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each[2]["operationId"])
def test_an_example_of_the_page_is_a_request_that_is_understood(
    client: FlaskClient, operation: tuple[str, str, dict[str, object]]
) -> None:
    name = operation[2]["operationId"]
    section = client.get("/docs").get_data(as_text=True).partition(f'id="{name}"')[2]
    found = re.search(r"<pre[^>]*><code>(.*?)</code>", section, re.DOTALL)
    assert found
    written = found[1].replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&")
    words = shlex.split(written)
    if "-d" in words:
        sent = words[words.index("-d") + 1]
        answer = client.post(words[-1], data=sent, content_type="application/json")
    else:
        answer = client.get(words[-1])
    if answer.status_code != 200:  # of an article that this archive does not have
        assert answer.get_json()["error"]["code"] == "unknown_article"


def test_the_document_names_the_site_and_its_address() -> None:
    settings = Settings(base_url="https://news.example/", site_name="某站")
    client = create_app(settings).test_client()
    document = client.get("/openapi.json").get_json()
    assert document["servers"] == [{"url": "https://news.example"}]
    assert document["info"]["title"] == "某站 HTTP API"
    assert "https://news.example/api/v1/search" in client.get("/docs").get_data(as_text=True)
