"""The scheme of categories, and what sites' own names mean in it; see docs/categories.md."""

from functools import cache
from importlib.resources import files

from index.analysis import normalise

__all__ = ["OTHER", "categories", "category_of", "printed_names"]

OTHER = "其他"
"""What is neither news nor knowledge of security, and what sites themselves call by this name."""


def categories() -> tuple[str, ...]:
    """Return the scheme's categories."""
    return tuple(printed_names())


def category_of(printed: str | None) -> str | None:
    """Return the scheme's category for a printed one, or None where it has none."""
    return _table().get(_fold(printed)) if printed else None


@cache
def printed_names() -> dict[str, tuple[str, ...]]:
    """Return the names that pages print for each of the scheme's categories."""
    names: dict[str, tuple[str, ...]] = {}
    text = (files("index.categories") / "names.txt").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in lines.strip().split("\n\n"):
        category, _, listed = paragraph.partition(":")
        names[category] = tuple(name for part in listed.split(",") if (name := part.strip()))
    return names


@cache
def _table() -> dict[str, str]:
    """Return the scheme's category of each printed name."""
    return {_fold(name): category for category, names in printed_names().items() for name in names}


def _fold(printed: str) -> str:
    return normalise(printed.strip()).text
