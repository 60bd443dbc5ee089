"""The OpenAPI document: it names what there is, and every answer is as it says."""

import os
import re
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR
from werkzeug.datastructures import MultiDict

from index.settings import Settings
from search import Searcher
from search.request import COUNTABLE
from web.draft_input import DraftInput
from web.openapi import openapi_document
from web.params import read_request
from web.server import serving

DOCUMENT = openapi_document()
METHODS = {"get", "post", "put", "patch", "delete"}
PLAIN = {"Accept-Encoding": "identity"}  # no one unpacks an answer that came without a wire
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_document_is_openapi_3_1() -> None:
    assert list(OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)) == []


def test_every_named_part_is_used_and_every_used_one_is_there() -> None:
    named = {
        f"#/components/{part}/{name}"
        for part, parts in DOCUMENT["components"].items()
        for name in parts
    }
    assert set(references(DOCUMENT)) == named


def test_the_document_is_served_as_it_is_made(client: FlaskClient) -> None:
    answer = client.get("/openapi.json")
    assert answer.mimetype == "application/json"
    assert answer.get_json() == DOCUMENT


def test_every_route_of_the_interface_is_described_and_no_other(site: Flask) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in site.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in rule.methods or ()
    }
    described = {
        (path, method) for path, methods in DOCUMENT["paths"].items() for method in methods
    }
    assert described == {(path, method) for path, method in routes if method in METHODS}


class Recorder(MultiDict[str, str]):
    """Parameters of no request, which remember what they were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, key: str, *_: object) -> str:  # type: ignore[override]
        self.names.add(key)
        return ""

    def getlist(self, key: str, *_: object) -> list[str]:  # type: ignore[override]
        self.names.add(key)
        return []


def test_every_parameter_that_is_read_is_described_and_no_other() -> None:
    recorder = Recorder()
    read_request(recorder)
    parameters = DOCUMENT["components"]["parameters"]
    assert set(parameters) == recorder.names
    asked = set(references(DOCUMENT["paths"]["/api/v1/search"]["get"]["parameters"]))
    assert asked == {f"#/components/parameters/{name}" for name in recorder.names}


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["parameters"]))
def test_a_value_outside_of_what_is_described_is_refused(client: FlaskClient, name: str) -> None:
    schema = DOCUMENT["components"]["parameters"][name]["schema"]
    schema = schema.get("items", schema)
    wrong = []
    if "enum" in schema or "pattern" in schema:
        wrong.append("x")
    if "maximum" in schema:
        wrong += [str(schema["maximum"] + 1), str(schema["minimum"] - 1), "x"]
    if "maxLength" in schema:
        wrong.append("a" * (schema["maxLength"] + 1))
    for value in wrong:
        assert client.get("/api/v1/search", query_string={name: value}).status_code == 400
    for value in schema.get("enum", ()):
        assert client.get("/api/v1/search", query_string={name: value}).status_code == 200


def test_a_default_that_is_described_is_that_of_the_code() -> None:
    parameters = DOCUMENT["components"]["parameters"]
    defaults = {
        name: str(each["schema"]["default"])
        for name, each in parameters.items()
        if "default" in each["schema"]
    }
    assert read_request(MultiDict(defaults)) == read_request(MultiDict())


def test_every_key_of_a_text_that_is_sent_is_described_and_no_other() -> None:
    described = DOCUMENT["components"]["schemas"]["Draft"]["properties"]
    assert list(described) == [field.name for field in fields(DraftInput)]


# Whatever is asked


def loaded(site: Flask) -> Any:
    """The document as schemathesis reads it, with articles that are there among the examples."""
    document = deepcopy(DOCUMENT)
    known = {
        "article_id": [f"{number:016x}" for number in range(40)] + ["e" * 16, "f" * 16],
        "url": [f"https://tingchao.example/p/{number}" for number in range(1, 7)],
    }
    for path in document["paths"].values():
        for parameter in path.get("get", {}).get("parameters", ()):
            if parameter.get("name") in known:
                found = {"enum": known[parameter["name"]]}
                parameter["schema"] = {"anyOf": [found, parameter["schema"]]}
    schema = schemathesis.openapi.from_dict(document)
    schema.app = site
    return schema


def explore(site: Flask, cases: int, start: int) -> int:
    """Ask what the document allows and what it does not; return how many questions were asked."""
    operations = [each.ok() for each in loaded(site).get_all_operations()]
    kinds = [
        (operation, mode)
        for operation in operations
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        # Any text may be an id: of an operation that takes nothing else there is no wrong use.
        if mode.is_positive or not operation.path.endswith(("{article_id}", "/coverage"))
    ]
    asked = 0
    for operation, mode in kinds:

        @seed(start)
        @settings(
            max_examples=-(-cases // len(kinds)),
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(checks=CHECKS, headers=PLAIN)

        ask()
    return asked


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/api/v1/search", {"query": {"q": "勒索软件 私钥 槐州", "explain": "1", "size": 100}}),
        ("/api/v1/search", {"query": {"q": "漏洞 最近一周 “勒索"}}),
        ("/api/v1/search", {"query": {"q": "勒锁软件"}}),
        ("/api/v1/search", {"query": {"organisation": ["灰鹭"], "format": "csv"}}),
        ("/api/v1/search", {"query": {"organisation": ["灰鹭"], "format": "jsonl"}}),
        ("/api/v1/search", {"query": {"organisation": ["灰鹭"], "format": "md"}}),
        ("/api/v1/search", {"query": {"cursor": "OS45LjEw"}}),
        ("/api/v1/suggest", {"query": {"q": "cor"}}),
        *(
            ("/api/v1/facets/{name}", {"path_parameters": {"name": name}})
            for name in (*COUNTABLE, "nothing")
        ),
        *(
            (f"/api/v1/articles/{{article_id}}{rest}", {"path_parameters": {"article_id": article}})
            for article in ("0" * 15 + "7", "e" * 16, "f" * 16, "nothing")
            for rest in ("", "/related", "/coverage")
        ),
    ],
)
def test_a_full_answer_is_as_the_document_says(
    crafted_site: Flask, path: str, values: dict[str, Any]
) -> None:
    loaded(crafted_site)[path]["GET"].Case(**values).call_and_validate(checks=CHECKS, headers=PLAIN)


@pytest.mark.parametrize(
    "body",
    [
        {"text": "勒索软件借远程运维平台漏洞扩散"},
        {"title": "灰鹭", "text": "灰鹭又来了。\n\n勒索软件。", "draft": True, "size": 50},
        {"text": ""},
        {"text": "\ud800"},
        {"text": "a" * 30_000},
    ],
)
def test_a_full_answer_to_a_text_is_as_the_document_says(
    crafted_site: Flask, body: dict[str, Any]
) -> None:
    operation = loaded(crafted_site)["/api/v1/related"]["POST"]
    case = operation.Case(body=body, media_type="application/json")
    case.call_and_validate(checks=CHECKS, headers=PLAIN)


@pytest.mark.parametrize("kept", [{"rate_limit": "1/day"}, {"request_seconds": -1}])
@pytest.mark.parametrize(
    "path", ["/api/v1/search", "/api/v1/suggest", "/api/v1/articles/{article_id}/related"]
)
def test_a_refusal_to_answer_is_as_the_document_says(
    site_searcher: Searcher, kept: dict[str, Any], path: str
) -> None:
    served, _ = serving(Settings(**kept), site_searcher, os.getppid())
    schema = schemathesis.openapi.from_dict(deepcopy(DOCUMENT))
    schema.app = served
    values: dict[str, Any] = {"query": {"q": "勒索软件"}} if "{" not in path else {}
    if "{" in path:
        values = {"path_parameters": {"article_id": "0" * 16}}
    case = schema[path]["GET"].Case(**values)
    case.call(headers=PLAIN)
    answer = case.call(headers=PLAIN)
    assert answer.status_code in ({429} if "rate_limit" in kept else {503, 200})
    checks = [check for check in CHECKS if check is not not_a_server_error]
    case.validate_response(answer, checks=checks)


@pytest.mark.slow
def test_every_answer_is_as_the_document_says(
    site: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(capsys, asked := explore(site, 1_000, start=1))
    assert asked >= 1_000


@pytest.mark.soak
def test_every_answer_is_as_the_document_says_at_length(
    site: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(capsys, asked := explore(site, 20_000, start=2))
    assert asked >= 20_000


def tell(capsys: pytest.CaptureFixture[str], asked: int) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{asked:,} questions of schemathesis\n")
