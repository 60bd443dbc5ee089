"""Whether engines answer alike: totals, and the counts of every facet."""

from collections.abc import Iterator, Mapping

from engine import FACETS, Page
from queries import PageQuery

__all__ = ["differences"]


def differences(query: PageQuery, pages: Mapping[str, Page]) -> list[str]:
    """Return the first difference of each engine's page from the first one's, a line each."""
    (first, expected), *others = pages.items()
    lines = []
    for name, page in others:
        if found := next(_differences(expected, page), None):
            what, a, b = found
            lines.append(f"{_spelt(query)}: {what}: {first} {a}, {name} {b}")
    return lines


def _differences(a: Page, b: Page) -> Iterator[tuple[str, object, object]]:
    if a.total != b.total:
        yield "total", a.total, b.total
    if len(a.hits) != len(b.hits):
        yield "hits", len(a.hits), len(b.hits)
    for name in FACETS:
        mine, theirs = a.facets[name], b.facets[name]
        if sorted(mine.values()) != sorted(theirs.values()):
            yield name, sum(mine.values()), sum(theirs.values())
            continue
        # Of values with the least count that is listed, each engine lists those that it likes.
        least = min(mine.values(), default=0)
        for value in mine.keys() | theirs.keys():
            counts = mine.get(value, least), theirs.get(value, least)
            if counts[0] != counts[1]:
                yield f"{name} {value}", *counts


def _spelt(query: PageQuery) -> str:
    terms = query.must or query.should or query.phrase
    parts = [query.kind, " ".join(term.text for term in terms)]
    if query.first:
        parts.append(f"from {query.first}")
    if query.organisation:
        parts.append(query.organisation)
    return " | ".join(filter(None, parts))
