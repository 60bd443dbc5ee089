"""JSON responses in readable UTF-8."""

import json
from typing import Any

import orjson
from flask import Response

from web.plain import written_out

__all__ = ["json_response"]


def json_response(value: dict[str, Any], status: int = 200) -> Response:
    """Return an object as a response, its keys in their order."""
    try:
        body = orjson.dumps(value)
    except TypeError:
        # A lone surrogate of a broken page must not turn an answer into an error.
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        body = text.encode("utf-8", "replace")
    return Response(written_out(body), status, mimetype="application/json")
