"""What reading gives: pages, and what could not be read."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

__all__ = ["FORMATS", "MAX_PAGE_BYTES", "Page", "PageFormat", "Unreadable", "page_format"]

PageFormat = Literal["md", "html"]

FORMATS: dict[str, PageFormat] = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html"}

MAX_PAGE_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page and its bytes.

    `path` is its POSIX path below the folder or archive named on the command line. An archive
    inside a folder counts as a folder, so that pages of two archives are told apart.
    """

    path: str
    raw: bytes
    format: PageFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A page or a whole archive that could not be read: where an operator finds it, and why.

    The reason's words before its first colon are the same for all problems of one kind. One that
    `may_pass` lies not in the bytes: the same file may be read another time.
    """

    path: str
    reason: str
    may_pass: bool = False


def page_format(path: str) -> PageFormat | None:
    """Return the format of an archive's member; None if it is hidden or no page by its suffix."""
    form = FORMATS.get(PurePosixPath(path).suffix.lower())
    return None if path.startswith(".") or "/." in path else form
