"""The directory of organisations of one state: who is named, as what, and in how many articles."""

from collections.abc import Mapping
from functools import cached_property
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from index.document import OrganisationType
from index.entities import OrganisationTable
from search.backends.whoosh.counting import Counted
from search.backends.whoosh.view import IndexView
from search.results import Organisation, OrganisationList

__all__ = ["OrganisationDirectory"]

_TYPES: tuple[OrganisationType, ...] = get_args(OrganisationType)


class OrganisationDirectory:
    """Finds and lists the organisations of a view, with what the table tells of them."""

    def __init__(self, view: IndexView, table: OrganisationTable) -> None:
        self._view, self._table = view, table

    def find(self, name: str) -> Organisation | None:
        """Return an organisation by any of its names, None if no live article names it."""
        number = self._counted.column.number(self._table.resolve(name) or name)
        if number is None or not self._counted.counts[number]:
            return None
        return self._at(number)

    def page(
        self,
        ranks: Mapping[str, int] | None,
        type_: OrganisationType | None,
        *,
        first: int,
        size: int,
    ) -> OrganisationList:
        """Return organisations of a type, in the order of `Counted`."""
        numbers = np.array(
            self._counted.ranked() if ranks is None else self._counted.ranked_by(ranks), np.int64
        )
        types = self._types[numbers]
        of_type = np.bincount(types, minlength=len(_TYPES)).tolist()
        if type_:
            numbers = numbers[types == _TYPES.index(type_)]
        return OrganisationList(
            total=len(numbers),
            types={name: count for name, count in zip(_TYPES, of_type, strict=True) if count},
            organisations=tuple(map(self._at, numbers[first : first + size].tolist())),
        )

    def _at(self, number: int) -> Organisation:
        counted = self._counted
        name = counted.column.values[number]
        row = self._table.find(name)
        return Organisation(
            name=name,
            type=row.type if row else _TYPES[self._types[number]],
            aliases=row.aliases if row and row.name == name else (),
            salient=0 if counted.salient is None else int(counted.salient[number]),
            count=int(counted.counts[number]),
        )

    @cached_property
    def _counted(self) -> Counted:
        column = self._view.keywords["organisation"]
        return Counted.of(column, column.counts(self._view.everything().documents))

    @cached_property
    def _types(self) -> NDArray[np.int64]:
        return np.array([_TYPES.index(type_) for type_ in self._view.organisation_types], np.int64)
