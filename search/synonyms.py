"""Synonyms: which other words a word of a query also finds, and what each occurrence counts.

Words come from a table of the project and one of the operator's; names of organisations and groups
from the table of `index.entities`, which is the one place for them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Self

from index.analysis import normalise
from index.entities import OrganisationTable
from index.errors import SettingsError
from search import similarity

__all__ = ["Synonym", "Synonyms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Synonym:
    """Another word for one of a query, in normal form.

    `weight` is what one occurrence counts beside one of the word itself; `origin` says who holds
    the two equal.
    """

    text: str
    weight: float
    origin: str


class Synonyms:
    """Looks words up, whatever their case, width or script."""

    def __init__(
        self, rules: Iterable[tuple[str, str, float, str]], organisations: OrganisationTable
    ) -> None:
        """Take rules of a word, another one that it also finds, weight and origin."""
        found: dict[str, dict[str, Synonym]] = {}
        for word, other, weight, origin in rules:
            key, text = normalise(word).text, normalise(other).text
            if key != text:
                found.setdefault(key, {})[text] = Synonym(text=text, weight=weight, origin=origin)
        self._rules: Mapping[str, Mapping[str, Synonym]] = found
        self._organisations = organisations

    @classmethod
    def load(cls, organisations: OrganisationTable, path: Path | None = None) -> Self:
        """Return the project's table, with the operator's at `path` added to it.

        Raises SettingsError, which names the line, where that file cannot be read.
        """
        shipped = (files("search") / "data/synonyms.txt").read_text(encoding="utf-8")
        rules = list(_read(shipped, "synonyms.txt"))
        if path is not None:
            try:
                text = path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"The synonyms {path} cannot be read: {error}.") from error
            rules += _read(text, str(path))
        return cls(rules, organisations)

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the table, in normal form."""
        return tuple(self._rules)

    def of(self, text: str) -> list[Synonym]:
        """Return the synonyms of a text in normal form, one entry each."""
        found = dict(self._rules.get(text, {}))
        organisation = self._organisations.named(text)
        if organisation is not None:
            for name in organisation.names:
                other = normalise(name).text
                if name not in organisation.weak and other != text:
                    found[other] = Synonym(
                        text=other, weight=similarity.NAME_WEIGHT, origin="organisations.tsv"
                    )
        return list(found.values())


def _read(text: str, place: str) -> Iterator[tuple[str, str, float, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        rule, _, origin = line.partition("\t")
        if not rule.strip() or rule.startswith("#"):
            continue
        left, arrow, right = rule.partition("=>")
        words, others = _words(left), _words(right if arrow else left)
        if not words or not others or len({*words, *others}) < 2 or (arrow and len(words) > 1):
            raise SettingsError(
                f"{place}, line {number}: expected “a = b” or “a => b”, then a tab and the origin."
            )
        weight = similarity.ONE_WAY_WEIGHT if arrow else similarity.SYNONYM_WEIGHT
        for word in words:
            for other in others:
                yield word, other, weight, origin.strip() or place


def _words(side: str) -> list[str]:
    return [word for word in (part.strip() for part in side.split("=")) if word]
