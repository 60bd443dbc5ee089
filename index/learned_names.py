"""The short names that articles define for organisations, in tables of the article store."""

import json
import re
from collections.abc import Callable
from functools import cached_property
from hashlib import blake2b

from index.database import Database
from index.document import Article
from index.entities import AGREEING, Denials, Learned, OrganisationTable, fold_learned
from index.record import read_article, write_article

__all__ = ["SCHEMA", "LearnedNames"]

SCHEMA = """
CREATE TABLE definition (       -- short names that articles define
    article TEXT NOT NULL,
    short   TEXT NOT NULL,
    name    TEXT NOT NULL,
    type    TEXT NOT NULL,
    body    BLOB NOT NULL,      -- hash of the article's body: copies do not agree, they repeat
    PRIMARY KEY (article, short, name)
) WITHOUT ROWID;
CREATE TABLE learned (          -- those that enough articles agree on
    short TEXT PRIMARY KEY,
    name  TEXT NOT NULL,
    type  TEXT NOT NULL
) WITHOUT ROWID;
"""


class LearnedNames:
    """The learned names of one store, as part of the store's transactions.

    `rewrite` is called with the id and the new record of each article that names otherwise.
    """

    def __init__(
        self, database: Database, denials: Denials, rewrite: Callable[[str, str], None]
    ) -> None:
        self._database, self._denials, self._rewrite = database, denials, rewrite

    def fold(self, article: Article) -> Article:
        """Return an article with what it names by a learned name under the full one."""
        return fold_learned(article, self._learned, self._denials.of(article.id))

    def define(self, article: Article) -> None:
        """Keep the short names that an article defines, in place of those it did before."""
        self.forget(article.id)
        body = blake2b(article.body.encode("utf-8", "replace"), digest_size=8).digest()
        for mention in article.mentions:
            for short in mention.defined:
                # Half of a character is no part of a record, see write_article.
                names = (each.encode("utf-8", "replace").decode() for each in (short, mention.name))
                self._database.write(
                    "INSERT OR IGNORE INTO definition VALUES (?, ?, ?, ?, ?)",
                    *(article.id, *names, mention.type, body),
                )

    def forget(self, identifier: str) -> None:
        """Forget what an article defines."""
        self._database.write("DELETE FROM definition WHERE article = ?", identifier)

    def learn(self, table: OrganisationTable) -> dict[str, Learned]:
        """Learn names, and unlearn those that no longer hold; see `ArticleStore.learn`."""
        rows = self._database.rows(
            "SELECT short, min(name), min(type) FROM definition GROUP BY short "
            "HAVING count(DISTINCT body) >= ? AND min(name) = max(name)",
            AGREEING,
        )
        agreed = {short: Learned(*full) for short, *full in list(rows) if not table.find(short)}
        known = self._learned
        for short in known.keys() - agreed.keys():
            self._database.write("DELETE FROM learned WHERE short = ?", short)
            for identifier, _ in self._holding(known[short].name):
                self._database.write("UPDATE page SET stages = '' WHERE article = ?", identifier)
        new = {short: full for short, full in agreed.items() if known.get(short) != full}
        for short, full in new.items():
            self._database.write("INSERT OR REPLACE INTO learned VALUES (?, ?, ?)", short, *full)
            for identifier, document in self._holding(short):
                article = read_article(document)
                folded = write_article(fold_learned(article, new, self._denials.of(identifier)))
                if folded != document:
                    self._rewrite(identifier, folded)
        del self._learned
        return new

    @cached_property
    def _learned(self) -> dict[str, Learned]:
        rows = self._database.rows("SELECT short, name, type FROM learned")
        return {short: Learned(*full) for short, *full in rows}

    def _holding(self, name: str) -> list[tuple[str, str]]:
        """Return the articles that mention an organisation of this name, and perhaps others."""
        written = json.dumps(name, ensure_ascii=False)
        return list(
            self._database.rows(
                "SELECT id, document FROM article WHERE document LIKE ? ESCAPE '\\'",
                f'%"name": {_escaped(written)}%',
            )
        )


def _escaped(text: str) -> str:
    """Return what LIKE compares letter by letter."""
    return re.sub(r"([\\%_])", r"\\\1", text)
