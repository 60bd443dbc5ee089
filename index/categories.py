"""The scheme of categories, and what sites' own names mean in it; see docs/categories.md."""

from functools import cache
from importlib.resources import files

from index.analysis import normalise

__all__ = ["categories", "category_of"]


def categories() -> tuple[str, ...]:
    """Return the scheme's categories."""
    return tuple(dict.fromkeys(_table().values()))


def category_of(printed: str | None) -> str | None:
    """Return the scheme's category for a printed one, or None where it has none."""
    return _table().get(normalise(printed.strip()).text) if printed else None


@cache
def _table() -> dict[str, str]:
    """Return the scheme's category of each printed name."""
    table: dict[str, str] = {}
    text = (files("index") / "categories.txt").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in lines.split("\n\n"):
        category, _, names = paragraph.partition(":")
        table |= dict.fromkeys(names.split(), category.strip())
    return table
