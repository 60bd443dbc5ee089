"""The project's query tree in Whoosh's query classes, and those that Whoosh lacks.

Whoosh's `ColumnQuery` asks a function about each document's value. The two of columns here know how
to answer for all documents at once.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from whoosh import query as whoosh
from whoosh.query import qcore

from search import similarity
from search.backends.whoosh.matches import Mask
from search.query import (
    BooleanQuery,
    KeywordQuery,
    MatchAllQuery,
    PhraseQuery,
    PrefixQuery,
    Query,
    RangeQuery,
    Variant,
    WordQuery,
)

if TYPE_CHECKING:
    from search.backends.whoosh.view import IndexView

__all__ = ["ColumnRange", "ColumnValues", "Combined", "Near", "compile_query"]


class ColumnValues(qcore.Query):  # type: ignore[misc]
    """Any of some values in a keyword column; deleted documents count as well.

    The field `acting` is that of organisations where they are marked.
    """

    def __init__(self, field: str, values: Sequence[str]) -> None:
        self.fieldname, self.values, self.boost = field, tuple(values), 1.0
        self._is_marked = field == "acting"
        self._column = "organisation" if self._is_marked else field

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
        return view.keywords[self._column].mask(self.values, marked=self._is_marked)

    def having(self, view: "IndexView", documents: NDArray[np.int64]) -> Mask:
        """Return which of some documents have one."""
        column = view.keywords[self._column]
        return column.having(documents, self.values, marked=self._is_marked)


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


class Combined(qcore.Query):  # type: ignore[misc]
    """Any variant of a word in any of some fields, their occurrences added up before scoring.

    See `search.similarity`; Lucene's `CombinedFieldQuery` does the same for terms.
    """

    def __init__(self, fields: Sequence[str], variants: Sequence[Variant]) -> None:
        self.fields, self.variants, self.boost = tuple(fields), tuple(variants), 1.0

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this query from others."""
        return self.fields, self.variants

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Combined) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        words = [variant.term or " ".join(variant.units) for variant in self.variants]
        return f"({'|'.join(self.fields)}):({'|'.join(words)})"


class Near(qcore.Query):  # type: ignore[misc]
    """Some stretches of units in one field, in any order, at most `slop` other units between."""

    def __init__(self, field: str, parts: Sequence[Sequence[str]], slop: int) -> None:
        self.fieldname, self.slop, self.boost = field, slop, 1.0
        self.parts = tuple(map(tuple, parts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Near) and (self.fieldname, self.parts, self.slop) == (
            other.fieldname,
            other.parts,
            other.slop,
        )

    def __hash__(self) -> int:
        return hash((self.fieldname, self.parts, self.slop))

    def __repr__(self) -> str:
        words = " ".join("".join(part) for part in self.parts)
        return f'{self.fieldname}:"{words}"~{self.slop}'


def compile_query(query: Query, canonical: Callable[[str], str]) -> qcore.Query:
    """Return a query as Whoosh has it; `canonical` gives the name an organisation is kept under."""
    match query:
        case WordQuery():
            return Combined(query.fields, query.variants)
        case PhraseQuery(slop=None, parts=(units,)):
            return Combined(query.fields, (Variant(units=units, term=None),))
        case PhraseQuery(slop=slop, parts=parts):
            return _any_field(query.fields, lambda name: Near(name, parts, slop or 0))
        case PrefixQuery():
            return _any_field(query.fields, lambda name: whoosh.Prefix(name, query.text))
        case KeywordQuery():
            values = query.values
            if query.field in {"organisation", "acting"}:
                values = tuple(canonical(value) for value in values)
            return ColumnValues(query.field, values)
        case RangeQuery():
            return ColumnRange(query.first, query.last)
        case MatchAllQuery():
            return whoosh.Every(boost=0.0)
        case BooleanQuery():
            return _boolean(query, canonical)
        case _:
            raise TypeError(f"{type(query).__name__} must be rewritten first")


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
    if query.should:
        must.append(whoosh.Or(compiled(query.should)))
    filters = [whoosh.ConstantScoreQuery(part, 0.0) for part in compiled(query.filter)]
    excluded = [whoosh.Not(part) for part in compiled(query.must_not)]
    return whoosh.And([*must, *filters, *excluded])
