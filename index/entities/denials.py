"""What an operator denies: "this article does not name that organisation"."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Self

from index.document import Article
from index.entities.table import OrganisationTable, fold_name
from index.errors import SettingsError
from index.identity import article_id, article_key

__all__ = ["Denials"]

_EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Denials:
    """Names denied by article, and those denied everywhere; all folded."""

    by_article: Mapping[str, Set[str]] = field(default_factory=dict)
    everywhere: Set[str] = frozenset()

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Return what the file at `path` denies, a line each: article, tab, organisation.

        The article is an id, an address, or `*` for all of them; lines that begin with `#` are
        comments. Raises SettingsError where the file cannot be read.
        """
        if path is None:
            return cls()
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"The file of denials {path} cannot be read: {error}.") from error
        by_article: dict[str, set[str]] = {}
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            article, _, name = (part.strip() for part in line.partition("\t"))
            if not article or not name:
                raise SettingsError(
                    f"{path}, line {number}: expected an article's id or address, or * for all, "
                    "then a tab and the organisation."
                )
            by_article.setdefault(_identifier(article), set()).add(fold_name(name))
        return cls(by_article, frozenset(by_article.pop(_EVERYWHERE, ())))

    @property
    def fingerprint(self) -> str:
        """A short hash of the content, empty where nothing is denied."""
        if not self.by_article and not self.everywhere:
            return ""
        lines = [(article, sorted(names)) for article, names in sorted(self.by_article.items())]
        content = repr((lines, sorted(self.everywhere)))
        return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()

    def of(self, article: str) -> Set[str]:
        """Return the names that are denied in an article, by its id; folded."""
        return self.by_article.get(article, frozenset()) | self.everywhere

    def apply(self, article: Article, table: OrganisationTable) -> Article:
        """Return the article without the mentions that are denied, under whatever name."""
        denied = self.of(article.id)
        if not denied:
            return article
        return replace(
            article,
            mentions=tuple(
                mention
                for mention in article.mentions
                if denied.isdisjoint(map(fold_name, _names(mention.name, table)))
            ),
        )


def _identifier(article: str) -> str:
    is_address = "/" in article or "." in article
    return article_id(article_key(article, article)) if is_address else article


def _names(name: str, table: OrganisationTable) -> tuple[str, ...]:
    row = table.find(name)
    return (name, *row.names) if row else (name,)
