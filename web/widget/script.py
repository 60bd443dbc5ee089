"""The script of the widget: made small once, named by its content."""

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha384
from importlib.metadata import version
from importlib.resources import files

import rjsmin

__all__ = ["WidgetScript", "widget_script"]

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class WidgetScript:
    """The script as it is served.

    `version` names the release and the content, so that an address with it never changes;
    `integrity` is the hash that Subresource Integrity compares.
    """

    text: str
    version: str
    integrity: str


@cache
def widget_script() -> WidgetScript:
    """Return the script without comments and indentation, its stylesheet inside."""
    folder = files("web.widget")
    source = (folder / "anwen-search.js").read_text(encoding="utf-8")
    sheet = _small((folder / "anwen-search.css").read_text(encoding="utf-8"))
    # A string of JSON is one of JavaScript; rjsmin leaves what stands in strings alone.
    text = rjsmin.jsmin(source).replace('"%CSS%"', json.dumps(sheet, ensure_ascii=False))
    digest = sha384(text.encode())
    return WidgetScript(
        text=text,
        version=f"{version('anwen')}-{digest.hexdigest()[:12]}",
        integrity=f"sha384-{b64encode(digest.digest()).decode()}",
    )


def _small(sheet: str) -> str:
    """Return a stylesheet without comments and needless space; it has no strings with signs."""
    sheet = re.sub(r"\s+", " ", _COMMENT.sub("", sheet)).strip()
    # Before a colon a space matters: it parts an element from what is inside it.
    return re.sub(r"\s*([{};,>])\s*", r"\1", re.sub(r":\s+", ":", sheet)).replace(";}", "}")
