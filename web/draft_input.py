"""What is sent to be compared with the archive: read from a form or from JSON, never kept."""

import json
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Request, current_app
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge

from index.errors import AnwenError, BadBody
from search.related import MAX_DRAFT

__all__ = [
    "MAX_BODY",
    "MAX_DRAFT",
    "MAX_RELATED",
    "DraftInput",
    "read_form",
    "read_json",
    "unlogged",
]

MAX_BODY = 1_000_000  # bytes; a form writes a character in up to twelve, JSON too
MAX_RELATED = 50  # related articles that one answer may hold

_SIZE = 10
_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS: dict[str, tuple[type, str]] = {
    "title": (str, "字符串"),
    "text": (str, "字符串"),
    "draft": (bool, "布尔值 true 或 false"),
    "size": (int, f"从 1 到 {MAX_RELATED} 的整数"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInput:
    """A title and a text, and what is asked of them."""

    title: str = ""
    text: str = ""
    draft: bool = False
    size: int = _SIZE

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to compare."""
        return not (self.title.strip() or self.text.strip())

    @property
    def is_too_long(self) -> bool:
        """Whether it has more characters than are compared at once."""
        return len(self.title) + len(self.text) > MAX_DRAFT

    @property
    def paragraphs(self) -> int:
        """How many lines have something on them."""
        return sum(not line.isspace() for line in self.text.splitlines() if line)


def read_form(request: Request) -> DraftInput:
    """Return what the form of the page holds; raises RequestEntityTooLarge beyond MAX_BODY."""
    request.max_content_length = request.max_form_memory_size = MAX_BODY
    form = request.form
    # Browsers end the lines of a text area with two characters; one was typed.
    text = form.get("text", "").replace("\r\n", "\n")
    return DraftInput(title=_clean(form.get("title", "").strip()), text=_clean(text), draft=True)


def read_json(request: Request) -> DraftInput:
    """Return what a JSON object asks for.

    Raises BadBody, whose message names what is wrong, and RequestEntityTooLarge beyond MAX_BODY
    or MAX_DRAFT.
    """
    if request.mimetype != "application/json":
        raise BadBody("请以 Content-Type: application/json 发送 JSON。")
    request.max_content_length = MAX_BODY
    try:
        body = json.loads(request.get_data().decode())
    except (ValueError, RecursionError):
        # The message of the parser quotes nothing, but its object holds the draft.
        raise BadBody("请求体不是 UTF-8 的 JSON。") from None
    if not isinstance(body, dict):
        raise BadBody(f"请求体须为 JSON 对象，可用的键：{'、'.join(_KINDS)}。")
    asked = DraftInput(**{name: _value(name, value) for name, value in body.items()})
    if asked.is_empty:
        raise BadBody("title 与 text 都是空的，请至少给出一个。")
    if asked.is_too_long:
        raise RequestEntityTooLarge
    return asked


def _value(name: str, value: Any) -> Any:
    if name not in _KINDS:
        raise BadBody(f"不认识的键 {_clean(name)[:40]}。可用的键：{'、'.join(_KINDS)}。")
    kind, told = _KINDS[name]
    # True is an int to Python, and no number to a reader.
    if type(value) is not kind or (name == "size" and value not in range(1, MAX_RELATED + 1)):
        raise BadBody(f"{name} 须为{told}。")
    return _clean(value) if isinstance(value, str) else value


def _clean(text: str) -> str:
    """Put a replacement character for each half of a pair that stands alone: nothing encodes it."""
    return _SURROGATE.sub("\ufffd", text)


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep a draft out of the log: the message of a bug's exception may quote it.

    Where it happened is logged all the same.
    """
    try:
        yield
    except (AnwenError, HTTPException):
        raise
    except Exception as error:
        current_app.logger.error(  # noqa: TRY400 - `exception` would log the message too
            "%s while a draft was compared:\n%s",
            type(error).__name__,
            "".join(traceback.format_tb(error.__traceback__)),
        )
        raise InternalServerError from None
