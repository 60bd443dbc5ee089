"""Blocks: a page as a sequence of headings, paragraphs, list items and the like, markup gone."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from index.document import Image

__all__ = ["GAP", "Block", "Kind", "Link", "clean", "fold", "join_lines", "tidy"]

GAP = "  "
"""Stands for two spaces or more in a line: what separates the parts of some bylines."""

Kind = Literal["heading", "text", "item", "quote", "code", "table", "rule"]

_INVISIBLE = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\x00-\x08\x0b-\x1f\x7f]"
)
_SPACES = re.compile(r"[^\S\n]{2,}|[^\S\n ]")
_FOLDED = 10_000
_NO_LETTER = re.compile(r"[\W_]+")
_ENDS = "。！？!?；;：:”」』）)】…"


@dataclass(frozen=True, slots=True)
class Link:
    """A link's text and the address it leads to."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Block:
    """One line or element of a page.

    `level` is a heading's, 1 to 6. `follows` says that the page has it on the line right after
    the block before, as the lines of one paragraph and of a byline stand. `unlinked` is the text
    outside of links; it matters only where there are links.
    """

    kind: Kind
    text: str
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()
    level: int = 0
    follows: bool = False
    unlinked: str = ""

    @property
    def own_text(self) -> str:
        """The text without that of its links."""
        return (self.unlinked if self.links else self.text).strip(" |·•,，、/")

    @property
    def is_link(self) -> bool:
        """Whether the block is a link, or several, and nothing else of weight."""
        return bool(self.links) and len(self.own_text) < 4

    @property
    def is_contents_line(self) -> bool:
        """Whether the block is a line of a table of contents: it leads to a place on the page."""
        return self.is_link and all(link.url.startswith("#") for link in self.links)


def clean(text: str) -> str:
    """Return text in NFC without characters that cannot be seen."""
    text = unicodedata.normalize("NFC", text)
    return (text if text.isprintable() else _INVISIBLE.sub("", text)).strip()


def tidy(text: str, gap: str = " ") -> str:
    """Return text in NFC without characters that cannot be seen; white space becomes `gap`."""
    text = clean(text)
    if text.isprintable() and "  " not in text:  # the only white space is a space here and there
        return text
    return _SPACES.sub(lambda match: gap if len(match[0]) > 1 else " ", text)


def fold(text: str) -> str:
    """Return the letters and digits of a text in one width and case: what makes two lines equal.

    Of a longer text those of its first 10,000 characters.
    """
    return _NO_LETTER.sub("", unicodedata.normalize("NFKC", text[:_FOLDED]).casefold())


def join_lines(blocks: Iterable[Block]) -> str:
    """Return the text of blocks, a paragraph a line; lines that a page broke are joined."""
    pieces: list[str] = []
    previous: Block | None = None
    for block in blocks:
        text = block.text.replace(GAP, " ")
        if not text:
            continue
        broken = (
            previous is not None
            and block.follows
            and block.kind == previous.kind == "text"
            and not previous.text.endswith(tuple(_ENDS))
        )
        if not broken:
            pieces.append("\n")
        elif pieces[-1][-1].isascii() and text[0].isascii():
            pieces.append(" ")
        # Pieces until the end: a line that grew with each would be copied with each.
        pieces.append(text)
        previous = block
    return "".join(pieces[1:])
