"""The clusters of near-duplicates, in tables of the article store.

An article is compared with those that share a band with it, never with the rest of the archive.
Pairs of duplicates are kept, and a cluster is what pairs connect; its label is the least of its
ids, so that labels depend on the articles and not on the order in which they came.
"""

import json
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from index.database import Database
from index.duplicates.comparison import is_duplicate
from index.duplicates.fingerprint import Fingerprint

__all__ = ["SCHEMA", "Clusters"]

SCHEMA = """
CREATE TABLE fingerprint (
    number  INTEGER PRIMARY KEY,
    article TEXT UNIQUE NOT NULL,
    title   TEXT NOT NULL,      -- in normal form
    source  TEXT NOT NULL,
    day     INTEGER,            -- of its publication, since 1970
    count   INTEGER NOT NULL,   -- different shingles
    kept    BLOB NOT NULL,      -- the least of their hashes: u32, little-endian
    bands   BLOB NOT NULL       -- i64, little-endian
);
CREATE TABLE band (
    band   INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (band, number)
) WITHOUT ROWID;
CREATE TABLE duplicate (        -- each pair both ways
    number INTEGER NOT NULL,
    other  INTEGER NOT NULL,
    PRIMARY KEY (number, other)
) WITHOUT ROWID;
CREATE TABLE cluster (          -- of two articles and more
    article TEXT PRIMARY KEY,
    label   TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX cluster_label ON cluster (label);
CREATE TABLE due (              -- articles without a fingerprint
    article TEXT PRIMARY KEY
) WITHOUT ROWID;
CREATE TABLE unsettled (        -- articles whose cluster may have changed
    article TEXT PRIMARY KEY
) WITHOUT ROWID;
CREATE TABLE fingerprinting (version TEXT NOT NULL);
INSERT INTO fingerprinting VALUES ('');
"""

# Pages of one form share bands by the thousand where a site's furniture was not recognised. The
# likeliest copies, which share most bands, come first.
_MOST_COMPARED = 500


class Clusters:
    """The clusters of one store, as part of the store's transactions.

    `changed` is called with the id of each article whose cluster has another label than before.
    """

    def __init__(self, database: Database, changed: Callable[[str], None]) -> None:
        self._database = database
        self._changed = changed

    # Reading

    def labels(self, articles: Iterable[str]) -> dict[str, str]:
        """Return the labels of those of the articles that have duplicates."""
        return dict(
            self._database.rows(
                "SELECT article, label FROM cluster "
                "WHERE article IN (SELECT value FROM json_each(?))",
                json.dumps(list(articles)),
            )
        )

    def due(self) -> list[str]:
        """Return the articles that have no fingerprint yet."""
        return [article for (article,) in self._database.rows("SELECT article FROM due")]

    # Writing

    def expire(self, version: str, articles: Callable[[], Iterable[str]]) -> None:
        """Make all `articles` due where other code has made the fingerprints that are here."""
        if self._database.row("SELECT 1 FROM fingerprinting WHERE version = ?", version):
            return
        self._database.write("DELETE FROM fingerprint")
        self._database.write("DELETE FROM band")
        self._database.write("DELETE FROM duplicate")
        self._database.write("INSERT OR IGNORE INTO unsettled SELECT article FROM cluster")
        self._database.write_many(
            "INSERT OR IGNORE INTO due VALUES (?)", [(article,) for article in articles()]
        )
        self._database.write("UPDATE fingerprinting SET version = ?", version)

    def renew(self, article: str) -> None:
        """Note that an article is new or says something else than before."""
        self.forget(article)
        self._database.write("INSERT OR IGNORE INTO due VALUES (?)", article)

    def forget(self, article: str) -> None:
        """Forget an article's fingerprint."""
        self._database.write("DELETE FROM due WHERE article = ?", article)
        row = self._database.row("SELECT number, bands FROM fingerprint WHERE article = ?", article)
        if row is None:
            return
        number, bands = row
        self._unsettle([number, *self._partners(number)])
        self._database.write_many(
            "DELETE FROM band WHERE band = ? AND number = ?",
            ((band, number) for band in np.frombuffer(bands, "<i8").tolist()),
        )
        self._database.write_many(
            "DELETE FROM duplicate WHERE number = ? AND other = ?",
            (pair for other in self._partners(number) for pair in _both(number, other)),
        )
        self._database.write("DELETE FROM fingerprint WHERE number = ?", number)

    def add(self, article: str, fingerprint: Fingerprint) -> None:
        """Keep an article's fingerprint, and find its duplicates among those that are here."""
        self.forget(article)
        likely = self._likely(fingerprint)
        duplicates = [other for other, kept in likely if is_duplicate(fingerprint, kept)]
        self._database.write(
            "INSERT INTO fingerprint (article, title, source, day, count, kept, bands) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            article,
            fingerprint.title,
            fingerprint.source,
            fingerprint.day,
            fingerprint.count,
            fingerprint.kept.astype("<u4").tobytes(),
            np.array(fingerprint.bands, "<i8").tobytes(),
        )
        number = self._database.count("SELECT last_insert_rowid()")
        self._database.write_many(
            "INSERT OR IGNORE INTO band VALUES (?, ?)",
            ((band, number) for band in fingerprint.bands),
        )
        if duplicates:
            self._database.write_many(
                "INSERT INTO duplicate VALUES (?, ?)",
                (pair for other in duplicates for pair in _both(number, other)),
            )
            self._unsettle([number, *duplicates])

    def suppose(self, article: str, label: str | None) -> None:
        """Take an article for one of a cluster, as another machine has, until all is settled."""
        self._label(article, label)
        self._database.write("INSERT OR IGNORE INTO unsettled VALUES (?)", article)

    def settle(self) -> None:
        """Give the articles whose cluster may have changed the label that it has now."""
        rows = self._database.rows("SELECT article FROM unsettled ORDER BY article")
        settled: set[str] = set()
        for (article,) in list(rows):
            if article in settled:
                continue
            members = self._connected(article)
            settled.update(members)
            label = min(members) if len(members) > 1 else None
            known = self.labels(members)
            for member in members:
                if known.get(member) != label:
                    self._relabel(member, label)
        self._database.write("DELETE FROM unsettled")

    def _relabel(self, article: str, label: str | None) -> None:
        self._label(article, label)
        self._changed(article)

    def _label(self, article: str, label: str | None) -> None:
        if label is None:
            self._database.write("DELETE FROM cluster WHERE article = ?", article)
        else:
            self._database.write("INSERT OR REPLACE INTO cluster VALUES (?, ?)", article, label)

    def _connected(self, article: str) -> list[str]:
        """Return the articles that pairs of duplicates connect with one, and itself."""
        row = self._database.row("SELECT number FROM fingerprint WHERE article = ?", article)
        if row is None:
            return [article]
        reached = {row[0]}
        ahead = [row[0]]
        while ahead:
            new = [other for other in self._partners(ahead.pop()) if other not in reached]
            reached.update(new)
            ahead += new
        return self._named(reached)

    def _likely(self, fingerprint: Fingerprint) -> Iterator[tuple[int, Fingerprint]]:
        """Give the fingerprints that share a band with one, by number."""
        shared = self._database.rows(
            "SELECT number FROM band WHERE band IN (SELECT value FROM json_each(?)) "
            "GROUP BY number ORDER BY count(*) DESC, number LIMIT ?",
            json.dumps(fingerprint.bands),
            _MOST_COMPARED,
        )
        for (number,) in list(shared):
            row = self._database.row(
                "SELECT title, source, day, count, kept FROM fingerprint WHERE number = ?", number
            )
            if row:
                title, source, day, count, kept = row
                yield (
                    number,
                    Fingerprint(
                        title=title,
                        source=source,
                        day=day,
                        count=count,
                        kept=np.frombuffer(kept, "<u4"),
                        bands=(),
                    ),
                )

    def _partners(self, number: int) -> list[int]:
        rows = self._database.rows("SELECT other FROM duplicate WHERE number = ?", number)
        return [other for (other,) in rows]

    def _named(self, numbers: Iterable[int]) -> list[str]:
        rows = self._database.rows(
            "SELECT article FROM fingerprint WHERE number IN (SELECT value FROM json_each(?))",
            json.dumps(list(numbers)),
        )
        return [article for (article,) in rows]

    def _unsettle(self, numbers: Iterable[int]) -> None:
        self._database.write_many(
            "INSERT OR IGNORE INTO unsettled VALUES (?)",
            [(article,) for article in self._named(numbers)],
        )


def _both(one: int, other: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (one, other), (other, one)
