"""Pages of JSON lines, plain and compressed: one object a line, the page in its field `raw`."""

import base64
import binascii
import gzip
import io
import json
import re
from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from index.corpus.names import member_path
from index.corpus.page import FORMATS, MAX_PAGE_BYTES, Page, PageFormat, Unreadable
from index.corpus.source import DAMAGE, TOO_LARGE, Expansion, Source

__all__ = ["read_lines"]

# Base64 makes a page a third longer, escapes make Chinese twice as long.
_MAX_LINE_BYTES = 2 * MAX_PAGE_BYTES + 2**20
# One emoji makes a text take four bytes a character, and the strings in it as much again. So a line
# that holds more than ASCII has hardly more characters than its page may have.
_MAX_WIDE = MAX_PAGE_BYTES + 2**20
_LINE_TOO_LARGE = "line larger than 17 MiB"
# A line of a million lists takes a hundred times its size. What is outside of strings is counted,
# and how many strings there are; lines shorter than the former cannot hurt.
_MAX_OUTSIDE = 2**20
_MAX_STRINGS = 100_000
_SPACES = b" \t\n\r\v\f"
# One that does not end reaches to the end of the line: else every sign within would be tried.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)

_LOOKS_LIKE_HTML = re.compile(
    r"\ufeff?\s*<(?:!doctype|!--|\?xml|(?:html|head|title|meta|link|script|style|body|header|main"
    r"|article|section|div|table|h[1-6]|p|span)[\s/>])",
    re.IGNORECASE,
)


def read_lines(
    stream: io.BufferedReader, source: Source
) -> Generator[Page | Unreadable, None, None]:
    """Give the page of each line.

    `raw` is text, or bytes in Base64 where `encoding` says so. A page's path is the line's `path`
    or `file`, else the file's with the number of the line; its format is the line's `format`, else
    what the page looks like.
    """
    number, expansion = 0, Expansion(source)
    try:
        with _opened(stream, source) as lines:
            while line := expansion.count(lines.readline(_MAX_LINE_BYTES + 1)):
                number += 1
                if len(line) > _MAX_LINE_BYTES:
                    while line and not line.endswith(b"\n"):
                        line = expansion.count(lines.readline(2**16))
                    yield source.problem(f"#{number}", _LINE_TOO_LARGE)
                elif line.strip():
                    yield _entry(line, source, f"#{number}")
    except DAMAGE as error:
        yield source.damage(error)


def _opened(stream: io.BufferedReader, source: Source) -> AbstractContextManager[io.BufferedIOBase]:
    is_compressed = source.suffix.endswith(".gz")
    return gzip.GzipFile(fileobj=stream) if is_compressed else nullcontext(stream)


def _entry(line: bytes, source: Source, place: str) -> Page | Unreadable:
    if len(line) > _MAX_OUTSIDE and _holds_too_much(line):
        return source.problem(place, "too many values")
    if len(line) > _MAX_WIDE and _is_too_wide(line):
        return source.problem(place, TOO_LARGE)
    try:
        fields: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        return source.problem(place, f"no JSON: {error}")
    if not isinstance(fields, dict) or not isinstance(text := fields.get("raw"), str):
        return source.problem(place, 'no field "raw"')
    is_base64 = fields.get("encoding") == "base64"
    if len(text) > MAX_PAGE_BYTES and not is_base64:
        return source.problem(place, TOO_LARGE)  # to encode it would take four times as much
    if is_base64:
        try:
            # As bytes: a list of the pieces between spaces would take fifty times as much.
            raw = base64.b64decode(text.encode("ascii").translate(None, _SPACES), validate=True)
        except (binascii.Error, ValueError) as error:
            return source.problem(place, f"no Base64: {error}")
    else:
        raw = text.encode("utf-8", "surrogatepass")
    names = (fields.get("path"), fields.get("file"))
    path = next((member_path(name) for name in names if isinstance(name, str) and name), "")
    form = FORMATS.get(f".{fields.get('format')}".lower()) or _sniff(raw)
    return source.page(path or source.path + place, place, raw, form)


def _holds_too_much(line: bytes) -> bool:
    outside = last = 0
    for number, match in enumerate(_STRING.finditer(line)):
        outside += match.start() - last
        last = match.end()
        if outside > _MAX_OUTSIDE or number > _MAX_STRINGS:
            return True
    return outside + len(line) - last > _MAX_OUTSIDE


def _is_too_wide(line: bytes) -> bool:
    escapes = line.count(b"\\u")
    characters = len(line) - line.count(b"\\") - 4 * escapes
    return characters > _MAX_WIDE and (escapes > 0 or not line.isascii())


def _sniff(raw: bytes) -> PageFormat:
    start = raw[:512].decode("utf-8", "replace")
    return "html" if _LOOKS_LIKE_HTML.match(start) else "md"
