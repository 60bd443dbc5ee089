"""The table of organisations: canonical names, their types and their other names."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Self, get_args

from index.document import OrganisationType
from index.entities.places import brands, has_legal_form
from index.entities.words import HAN
from index.errors import SettingsError

__all__ = ["Organisation", "OrganisationTable", "fold_name"]

_TYPES: tuple[OrganisationType, ...] = get_args(OrganisationType)
_WEAK = "?"
_BESIDE_HAN = re.compile(f"(?<=[{HAN}]) | (?=[{HAN}])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A row of the table.

    `aliases` are the other names. `weak` are those names, the canonical one perhaps among them,
    which are also words, products or platforms, and which a text must support by its context.
    """

    name: str
    type: OrganisationType
    aliases: tuple[str, ...]
    weak: frozenset[str]
    source: str

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the canonical one first."""
        return (self.name, *self.aliases)


class OrganisationTable:
    """Organisations by name; a name belongs to one organisation, whatever its case or width."""

    def __init__(self, organisations: Iterable[Organisation]) -> None:
        """Index the organisations; raises SettingsError where two of them share a name."""
        self.organisations = tuple(organisations)
        self._by_name: dict[str, Organisation] = {}
        for organisation in self.organisations:
            for name in organisation.names:
                owner = self._by_name.setdefault(fold_name(name), organisation)
                if owner is not organisation:
                    raise SettingsError(
                        f"The name {name!r} belongs to {owner.name!r} and to "
                        f"{organisation.name!r} in the table of organisations; "
                        "remove it from one of them."
                    )

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Return the table that comes with the program, overruled by the one at `path`.

        A row of `path` replaces the rows whose canonical name it has, as its own or among its other
        names, and takes its names away from all others. Raises SettingsError where the file
        cannot be read.
        """
        shipped = (files("index.entities") / "data/organisations.tsv").read_text(encoding="utf-8")
        rows = {row.name: row for row in _read(shipped, "organisations.tsv")}
        if path is not None:
            try:
                text = path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(
                    f"The table of organisations {path} cannot be read: {error}."
                ) from error
            rows = _overrule(rows, cls(_read(text, str(path))))
        return cls(rows.values())

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of the content."""
        digest = blake2b(digest_size=8)
        for row in self.organisations:
            weak = sorted(row.weak)
            digest.update(repr((row.name, row.type, row.aliases, weak)).encode("utf-8"))
        return digest.hexdigest()

    def names(self) -> tuple[str, ...]:
        """Return the canonical names, in the order of the table."""
        return tuple(row.name for row in self.organisations)

    def resolve(self, name: str) -> str | None:
        """Return the canonical name of the row that `find` finds for `name`, or None."""
        found = self.find(name)
        return found.name if found else None

    def find(self, name: str) -> Organisation | None:
        """Return the row that has `name`, or the brand inside a company's full name, or None."""
        row = self._by_name.get(fold_name(name))
        if row is None and has_legal_form(name):
            rows = (self._by_name.get(fold_name(brand)) for brand in brands(name))
            row = next((row for row in rows if row and row.type == "company"), None)
        return row

    def named(self, name: str) -> Organisation | None:
        """Return the row that has `name` as it is and not as a weak name, or None."""
        row = self._by_name.get(fold_name(name))
        is_weak = row is not None and fold_name(name) in map(fold_name, row.weak)
        return None if is_weak else row

    def has_name(self, name: str) -> bool:
        """Say whether a row has `name` as it is."""
        return fold_name(name) in self._by_name

    def __len__(self) -> int:
        return len(self.organisations)

    def __iter__(self) -> Iterator[Organisation]:
        return iter(self.organisations)


def fold_name(name: str) -> str:
    """Return the form in which names are compared, without case, width and spaces beside Han."""
    words = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return _BESIDE_HAN.sub("", words)


def _read(text: str, place: str) -> list[Organisation]:
    rows: dict[str, Organisation] = {}
    owners: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = [column.strip() for column in line.split("\t")]
        if not 2 <= len(columns) <= 4 or not columns[0]:
            raise SettingsError(
                f"{place}, line {number}: expected two to four columns separated by tabs: "
                "name, type, other names separated by |, source."
            )
        name, type_, aliases, source = columns + [""] * (4 - len(columns))
        if type_ not in _TYPES:
            raise SettingsError(
                f"{place}, line {number}: the type {type_!r} is not one of {', '.join(_TYPES)}."
            )
        if name in rows:
            raise SettingsError(f"{place}, line {number}: {name!r} has a line already.")
        marked = [alias.strip() for alias in aliases.split("|") if alias.strip(f"{_WEAK} ")]
        others = dict.fromkeys(alias.removesuffix(_WEAK) for alias in marked)
        others.pop(name, None)
        rows[name] = Organisation(
            name=name,
            type=_TYPES[_TYPES.index(type_)],
            aliases=tuple(others),
            weak=frozenset(alias.removesuffix(_WEAK) for alias in marked if alias.endswith(_WEAK)),
            source=source,
        )
        for each in rows[name].names:
            owner = owners.setdefault(fold_name(each), name)
            if owner != name:
                raise SettingsError(
                    f"{place}, line {number}: the name {each!r} belongs to {owner!r} already."
                )
    return list(rows.values())


def _overrule(
    rows: Mapping[str, Organisation], operator: OrganisationTable
) -> dict[str, Organisation]:
    """Return `rows` with those of the operator in front; a name taken leaves its old row."""
    kept = {}
    for row in rows.values():
        if operator.has_name(row.name):
            continue
        aliases = tuple(alias for alias in row.aliases if not operator.has_name(alias))
        kept[row.name] = Organisation(
            name=row.name,
            type=row.type,
            aliases=aliases,
            weak=row.weak.intersection((row.name, *aliases)),
            source=row.source,
        )
    return kept | {row.name: row for row in operator}
