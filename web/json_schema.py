"""JSON Schema, written shortly: what the schemas of the interface are made with."""

from typing import Any, get_args

__all__ = [
    "BOOLEAN",
    "NUMBER",
    "Schema",
    "array",
    "described",
    "integer",
    "nullable",
    "one_of",
    "or_null",
    "record",
    "reference",
    "string",
]

Schema = dict[str, Any]

NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}


def string(told: str = "", **more: Any) -> Schema:
    """Return the schema of a text."""
    return _typed("string", told, more)


def integer(told: str = "", **more: Any) -> Schema:
    """Return the schema of a whole number, by default one that counts."""
    return _typed("integer", told, {"minimum": 0} | more)


def array(items: Schema, told: str = "", **more: Any) -> Schema:
    """Return the schema of a list."""
    return _typed("array", told, {"items": items} | more)


def reference(name: str, part: str = "schemas") -> Schema:
    """Return a reference to a named part of the document."""
    return {"$ref": f"#/components/{part}/{name}"}


def described(schema: Schema, told: str) -> Schema:
    """Return a schema with a description, which a reference may have too since OpenAPI 3.1."""
    return schema | {"description": told}


def _typed(kind: str, told: str, more: Schema) -> Schema:
    return {"type": kind} | ({"description": told} if told else {}) | more


def nullable(schema: Schema) -> Schema:
    """Return the schema of what a schema describes, or null."""
    return schema | {"type": [schema["type"], "null"]}


def or_null(name: str, told: str) -> Schema:
    """Return the schema of a named object, or null."""
    return {"oneOf": [reference(name), {"type": "null"}], "description": told}


def record(told: str, properties: Schema, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    """Return the schema of an object that has these keys and no others, most of them always."""
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "description": told,
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    } | more


def one_of(values: object, told: str) -> Schema:
    """Return the schema of the values of a Literal."""
    return string(told, enum=list(get_args(values)))
