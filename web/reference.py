"""The reference of the JSON interface: the OpenAPI document, for programs and as a page."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request

from index.settings import Settings
from web.json_schema import Schema
from web.openapi import openapi_document

__all__ = ["Field", "Operation", "register"]

_KINDS = {
    "string": "字符串",
    "integer": "整数",
    "number": "数",
    "boolean": "布尔值",
    "object": "对象",
    "null": "null",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter or a key as a row of a table.

    `schema` names that of its values, or of the items where `kind` says that it is a list.
    """

    name: str
    kind: str
    told: str
    schema: str | None = None
    is_nullable: bool = False
    is_in_path: bool = False
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a status means, and of which types its body may be."""

    status: str
    told: str
    types: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation as the page shows it."""

    name: str
    method: str
    path: str
    summary: str
    told: str
    parameters: tuple[Field, ...]
    body: tuple[str, str] | None
    answers: tuple[Answer, ...]
    curl: str


def register(pages: Blueprint, settings: Settings) -> None:
    """Add the routes of the document and of the page to the pages."""
    document = openapi_document(settings.base_url, settings.site_name)
    written = json.dumps(document, ensure_ascii=False, indent=1).encode()

    @pages.get("/openapi.json")
    def openapi() -> Response:
        return Response(written, mimetype="application/json")

    @pages.get("/docs")
    def docs() -> str:
        root = (settings.base_url or request.url_root).rstrip("/")
        return render_template(
            "docs.html",
            document=document,
            groups=[
                (tag["name"], list(_operations(document, tag["name"], root)))
                for tag in document["tags"]
            ],
            schemas=[
                (name, schema["description"], list(_rows(schema)))
                for name, schema in document["components"]["schemas"].items()
            ],
        )


def _operations(document: Schema, tag: str, root: str) -> Iterator[Operation]:
    parts = document["components"]
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            if tag not in told["tags"]:
                continue
            parameters = [_resolved(parts, each) for each in told.get("parameters", ())]
            body = told.get("requestBody")
            yield Operation(
                name=told["operationId"],
                method=method.upper(),
                path=path,
                summary=told["summary"],
                told=told.get("description", ""),
                parameters=tuple(_parameter(each) for each in parameters),
                body=body and (body["description"], _names(_content(body)["schema"])[0]),
                answers=tuple(
                    _answer(status, _resolved(parts, answer))
                    for status, answer in told["responses"].items()
                ),
                curl=_curl(root + path, parameters, body),
            )


def _resolved(parts: Schema, value: Schema) -> Schema:
    if "$ref" not in value:
        return value
    _, _, part, name = value["$ref"].split("/")
    resolved: Schema = parts[part][name]
    return resolved


def _content(value: Schema) -> Schema:
    content: Schema = value["content"]["application/json"]
    return content


def _parameter(told: Schema) -> Field:
    schema = told["schema"]
    is_repeated = schema["type"] == "array"
    return Field(
        name=told["name"],
        kind=f"{_kind(schema['items'])}，可重复" if is_repeated else _kind(schema),
        told=told["description"],
        is_in_path=told["in"] == "path",
        is_required=told.get("required", False),
    )


def _answer(status: str, told: Schema) -> Answer:
    content = told.get("content", {})
    types = tuple((name, _names(each["schema"])) for name, each in content.items())
    return Answer(status=status, told=told["description"], types=types)


def _rows(schema: Schema, before: str = "") -> Iterator[Field]:
    """Give the keys of an object, those of the objects inside it below it."""
    for name, value in schema["properties"].items():
        names = _names(value)
        yield Field(
            name=before + name,
            kind=_kind(value),
            told=value.get("description", ""),
            schema=names[0] if names else None,
            is_nullable={"type": "null"} in value.get("oneOf", ()),
            is_required=name in schema.get("required", ()),
        )
        inside = value.get("items", value)
        if "properties" in inside:
            mark = "[]." if "items" in value else "."
            yield from _rows(inside, f"{before}{name}{mark}")


def _names(schema: Schema) -> tuple[str, ...]:
    """Return the named schemas that a value may have."""
    if "$ref" in schema:
        return (schema["$ref"].rpartition("/")[2],)
    if "items" in schema:
        return _names(schema["items"])
    return tuple(name for each in schema.get("oneOf", ()) for name in _names(each))


def _kind(schema: Schema) -> str:
    """Say of what type a value is, and within what bounds."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "array" in kinds:
        inner = _kind(schema.get("items", {}))
        return f"数组（{inner}）" if inner else "数组，各项为"
    told = [" 或 ".join(_KINDS[kind] for kind in kinds)]
    if "enum" in schema:
        told = ["、".join("null" if value is None else value for value in schema["enum"])]
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None:
        told.append(f"{low} 到 {high:,}")
    if "maxLength" in schema:
        told.append(f"最多 {schema['maxLength']:,} 个字符")
    if schema.get("format") == "date":
        told.append("2024-04-30")
    elif "pattern" in schema:
        told.append("写作 2024-04")
    if "default" in schema:
        told.append(f"默认 {_written(schema['default'])}")
    return "，".join(part for part in told if part)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _curl(address: str, parameters: list[Schema], body: Schema | None) -> str:
    """Return a command that asks with the examples of the path and the first other one."""
    asked = ""
    for each in parameters:
        if "example" not in each:
            continue
        if each["in"] == "path":
            address = address.replace(f"{{{each['name']}}}", each["example"])
        elif not asked:
            # Chinese stands as one reads it: curl and the server take it as it is.
            asked = f"?{each['name']}={each['example']}"
    address += asked
    if body is None:
        return f"curl -s '{address}'"
    sent = json.dumps(_content(body)["example"], ensure_ascii=False)
    header = shlex.quote("Content-Type: application/json")
    return f"curl -s -H {header} -d {shlex.quote(sent)} '{address}'"
