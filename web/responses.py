"""JSON responses in readable UTF-8."""

import json
from typing import Any

from flask import Response

__all__ = ["json_response"]


def json_response(value: dict[str, Any], status: int = 200) -> Response:
    """Return an object as a response, its keys in their order."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate of a broken page must not turn an answer into an error.
    return Response(body.encode("utf-8", "replace"), status, mimetype="application/json")
