"""One script out of the widget's source and stylesheet: minified, hashed, compressed."""

import gzip
import json
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b, sha384
from importlib.metadata import version
from importlib.resources import files

from rjsmin import jsmin

__all__ = ["Bundle", "make_bundle"]

_PLACE = '"@@CSS@@"'  # where the source wants the stylesheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The widget as it is sent: a version is these very bytes, and no others."""

    version: str
    script: bytes
    compressed: bytes
    integrity: str

    @property
    def path(self) -> str:
        """The path on this site whose content never changes."""
        return f"/widget/{self.version}.js"


@cache
def make_bundle() -> Bundle:
    """Return the widget of the running code; it is made once a process."""
    folder = files("web.widget")
    style = minified_style(folder.joinpath("widget.css").read_text(encoding="utf-8"))
    source = folder.joinpath("widget.js").read_text(encoding="utf-8")
    script = jsmin(source).replace(_PLACE, json.dumps(style, ensure_ascii=False)).encode()
    content = blake2b(script, digest_size=6).hexdigest()
    return Bundle(
        version=f"{version('anwen')}-{content}",
        script=script,
        compressed=gzip.compress(script, 9, mtime=0),  # no time, or processes would differ
        integrity="sha384-" + b64encode(sha384(script).digest()).decode(),
    )


def minified_style(css: str) -> str:
    """Return a stylesheet without comments and needless space.

    It knows no strings: widget.css has none that hold a comment, two spaces or a brace.
    """
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,]) ?", r"\1", css)
    # A space after a colon stands in declarations alone; before one it may part two selectors.
    return css.replace(": ", ":").replace(";}", "}").strip()
