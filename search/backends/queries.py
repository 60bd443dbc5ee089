"""The project's query tree in Whoosh's query classes, and the two that Whoosh lacks.

Whoosh's `ColumnQuery` asks a function about each document's value. The two here know how to answer
for all documents at once.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from whoosh import query as whoosh
from whoosh.query import qcore

from search import similarity
from search.backends.matches import Mask
from search.query import (
    BooleanQuery,
    KeywordQuery,
    MatchAllQuery,
    PhraseQuery,
    PrefixQuery,
    Query,
    RangeQuery,
    TermQuery,
)

if TYPE_CHECKING:
    from search.backends.view import IndexView

__all__ = ["ColumnRange", "ColumnValues", "compile_query"]


class ColumnValues(qcore.Query):  # type: ignore[misc]
    """Any of some values in a keyword column; deleted documents count as well."""

    def __init__(self, field: str, values: Sequence[str]) -> None:
        self.fieldname, self.values, self.boost = field, tuple(values), 1.0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ColumnValues) and (self.fieldname, self.values) == (
            other.fieldname,
            other.values,
        )

    def __hash__(self) -> int:
        return hash((self.fieldname, self.values))

    def __repr__(self) -> str:
        return f"{self.fieldname}:{'|'.join(self.values)}"

    def mask(self, view: "IndexView") -> Mask:
        """Return the documents that have a value."""
        return view.keywords[self.fieldname].mask(self.values)

    def having(self, view: "IndexView", documents: NDArray[np.int64]) -> Mask:
        """Return which of some documents have one."""
        return view.keywords[self.fieldname].having(documents, self.values)


class ColumnRange(qcore.Query):  # type: ignore[misc]
    """Published on a day from `first` to `last`, both included; None leaves that side open."""

    def __init__(self, first: date | None, last: date | None) -> None:
        self.first, self.last, self.boost = first, last, 1.0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ColumnRange) and (self.first, self.last) == (
            other.first,
            other.last,
        )

    def __hash__(self) -> int:
        return hash((self.first, self.last))

    def __repr__(self) -> str:
        return f"published:[{self.first or ''} TO {self.last or ''}]"

    def mask(self, view: "IndexView") -> Mask:
        """Return the documents of the period."""
        return view.between(self.first, self.last)

    def having(self, view: "IndexView", documents: NDArray[np.int64]) -> Mask:
        """Return which of some documents are of the period."""
        return view.between(self.first, self.last, documents)


def compile_query(query: Query, canonical: Callable[[str], str]) -> qcore.Query:
    """Return a query as Whoosh has it; `canonical` gives the name an organisation is kept under."""
    match query:
        case TermQuery():
            return _any_field(query.fields, lambda name: whoosh.Term(name, query.text))
        case PhraseQuery(units=(unit,)):
            return _any_field(query.fields, lambda name: whoosh.Term(name, unit))
        case PhraseQuery():
            units = list(query.units)
            return _any_field(query.fields, lambda name: whoosh.Phrase(name, units))
        case PrefixQuery():
            return _any_field(query.fields, lambda name: whoosh.Prefix(name, query.text))
        case KeywordQuery():
            values = query.values
            if query.field == "organisation":
                values = tuple(canonical(value) for value in values)
            return ColumnValues(query.field, values)
        case RangeQuery():
            return ColumnRange(query.first, query.last)
        case MatchAllQuery():
            return whoosh.Every(boost=0.0)
        case BooleanQuery():
            return _boolean(query, canonical)


def _any_field(fields: Sequence[str], make: Callable[[str], Any]) -> qcore.Query:
    parts = []
    for name in fields:
        part = make(name)
        part.boost = similarity.FIELD_BOOSTS[name]
        parts.append(part)
    return parts[0] if len(parts) == 1 else whoosh.Or(parts)


def _boolean(query: BooleanQuery, canonical: Callable[[str], str]) -> qcore.Query:
    def compiled(parts: Sequence[Query]) -> list[qcore.Query]:
        return [compile_query(part, canonical) for part in parts]

    must = compiled(query.must)
    should = whoosh.Or(compiled(query.should)) if query.should else None
    filters = [whoosh.ConstantScoreQuery(part, 0.0) for part in compiled(query.filter)]
    excluded = [whoosh.Not(part) for part in compiled(query.must_not)]
    if should is None:
        return whoosh.And([*must, *filters, *excluded])
    if not must and not filters:
        return whoosh.And([should, *excluded])
    return whoosh.And([whoosh.AndMaybe(whoosh.And([*must, *filters]), should), *excluded])
