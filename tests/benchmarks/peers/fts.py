"""SQLite FTS5: two contentless tables, words and units, beside a table of facets.

A term is written as the letter t and its number, which no tokenizer of FTS5 takes apart.
"""

import sqlite3
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from engine import BOOSTS, FACET_SIZE, FACETS, Hit, Page, Stopwatch, folder_size
from queries import PageQuery, Term
from tokens import Batch

__all__ = ["Fts"]

_SCHEMA = """
CREATE VIRTUAL TABLE words USING fts5(title, lead, body, content='', tokenize='ascii');
CREATE VIRTUAL TABLE units USING fts5(title, lead, body, content='', tokenize='ascii');
CREATE TABLE document (
    number INTEGER PRIMARY KEY, category INTEGER, source INTEGER, month INTEGER, published INTEGER,
    id TEXT
);
CREATE TABLE naming (document INTEGER, name INTEGER, PRIMARY KEY (document, name)) WITHOUT ROWID;
CREATE TABLE named (name INTEGER, document INTEGER, PRIMARY KEY (name, document)) WITHOUT ROWID;
CREATE TABLE value (number INTEGER PRIMARY KEY, text TEXT UNIQUE);
"""

# The matches are found and scored once; everything else is counted from them.
_PAGE = """
WITH match AS MATERIALIZED ({match}),
     joined AS MATERIALIZED (
        SELECT category, source, month FROM match JOIN document ON document.number = match.number)
SELECT * FROM (SELECT 0, number, score FROM match ORDER BY score LIMIT 10)
UNION ALL SELECT 1, count(*), NULL FROM match
UNION ALL SELECT * FROM (
    SELECT 2, category, count(*) FROM joined GROUP BY category ORDER BY 3 DESC LIMIT {size})
UNION ALL SELECT * FROM (
    SELECT 3, name, count(*) FROM match CROSS JOIN naming ON naming.document = match.number
    GROUP BY name ORDER BY 3 DESC LIMIT {size})
UNION ALL SELECT * FROM (
    SELECT 4, source, count(*) FROM joined GROUP BY source ORDER BY 3 DESC LIMIT {size})
UNION ALL SELECT 5, month, count(*) FROM joined GROUP BY month
"""
_FACET_ROWS = dict(enumerate(FACETS, 2))
assert FACETS == ("category", "organisation", "source", "month")


class Fts:
    """A database in a folder."""

    version = f"SQLite {sqlite3.sqlite_version}"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(folder / "index.sqlite3", isolation_level=None)
        self._database.execute("PRAGMA cache_size = -256000")
        self._values: dict[str, int] = {}
        self._texts: list[str] = []

    def build(self, batches: Iterable[Batch], clock: Stopwatch) -> None:
        """Index all documents in one transaction, then merge to one segment."""
        database = self._database
        # A build that fails is repeated, so it needs no journal.
        database.executescript("PRAGMA journal_mode = off; PRAGMA synchronous = off;" + _SCHEMA)
        database.execute("BEGIN")
        number = 0
        for batch in batches:
            columns = _columns(batch)
            with clock.running():
                first, number = number, number + len(batch.documents)
                for view, rows in columns.items():
                    database.executemany(
                        f"INSERT INTO {view} (rowid, title, lead, body) VALUES (?, ?, ?, ?)",
                        ((first + at, *row) for at, row in enumerate(rows)),
                    )
                self._add_facets(first, batch)
        with clock.running():
            database.executemany(
                "INSERT INTO value VALUES (?, ?)", ((n, text) for text, n in self._values.items())
            )
            database.execute("INSERT INTO named SELECT name, document FROM naming ORDER BY 1, 2")
            for view in ("words", "units"):
                database.execute(f"INSERT INTO {view} ({view}) VALUES ('optimize')")
            database.execute("COMMIT")
            database.execute("ANALYZE")

    def open(self) -> None:
        """Read the facets' values; map the file."""
        self._database.execute("PRAGMA mmap_size = 4000000000")
        self._texts = [
            text for (text,) in self._database.execute("SELECT text FROM value ORDER BY number")
        ]
        self._values = {text: number for number, text in enumerate(self._texts)}

    def page(self, query: PageQuery) -> Page:
        """Answer with one statement, and one for the hits' stored fields."""
        match, values = self._match(query)
        statement = _PAGE.format(match=match, size=FACET_SIZE)
        best: list[tuple[int, float]] = []
        total = 0
        facets: dict[str, dict[str, int]] = {name: {} for name in FACETS}
        for row, value, count in self._database.execute(statement, values):
            if row == 0:
                best.append((value, -count))
            elif row == 1:
                total = value
            elif value is not None:
                name = _FACET_ROWS[row]
                text = f"{value // 12:04}-{value % 12 + 1:02}" if row == 5 else self._texts[value]
                facets[name][text] = count
        return Page(total=total, hits=tuple(self._hit(*found) for found in best), facets=facets)

    def refresh(self) -> None:
        """Do nothing: every statement sees the newest state."""

    def size(self) -> int:
        """Return the bytes of the database."""
        return folder_size(self._folder)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _add_facets(self, first: int, batch: Batch) -> None:
        def number(text: str) -> int | None:
            return self._values.setdefault(text, len(self._values)) if text else None

        def month(text: str) -> int | None:
            return int(text[:4]) * 12 + int(text[5:]) - 1 if text else None

        self._database.executemany(
            "INSERT INTO document VALUES (?, ?, ?, ?, ?, ?)",
            (
                (
                    first + at,
                    number(record.category),
                    number(record.source),
                    month(record.month),
                    record.published,
                    record.id,
                )
                for at, record in enumerate(batch.documents)
            ),
        )
        self._database.executemany(
            "INSERT INTO naming VALUES (?, ?)",
            (
                (first + at, number(name))
                for at, record in enumerate(batch.documents)
                for name in record.organisations
            ),
        )

    def _match(self, query: PageQuery) -> tuple[str, list[Any]]:
        """Return a statement that gives number and score of each match, and its values."""
        view, expression = _expression(query)
        values: list[Any] = []
        conditions = []
        if expression:
            boosts = ", ".join(map(str, BOOSTS.values()))
            table, number, score = view, f"{view}.rowid", f"bm25({view}, {boosts})"
            conditions.append(f"{view} MATCH ?")
            values.append(expression)
        else:
            table, number, score = "document", "document.number", "0.0"
        # CROSS JOIN keeps SQLite's planner from asking FTS5 anew for each document of a filter.
        if query.seconds:
            if expression:
                table += f" CROSS JOIN document ON document.number = {number}"
            conditions.append("document.published >= ? AND document.published < ?")
            values += query.seconds
        if query.organisation:
            table += f" CROSS JOIN named ON named.name = ? AND named.document = {number}"
            values.insert(0, self._values.get(query.organisation, -1))
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {number} AS number, {score} AS score FROM {table}{where}", values

    def _hit(self, number: int, score: float) -> Hit:
        category, source, published, identifier = self._database.execute(
            "SELECT category, source, published, id FROM document WHERE number = ?", (number,)
        ).fetchone()
        names = self._database.execute("SELECT name FROM naming WHERE document = ?", (number,))
        return Hit(
            id=identifier,
            score=score,
            published=published,
            category="" if category is None else self._texts[category],
            source="" if source is None else self._texts[source],
            organisations=tuple(self._texts[name] for (name,) in names),
        )


def _columns(batch: Batch) -> dict[str, list[tuple[str, ...]]]:
    """Return each view's title, lead and body of each document."""
    views: dict[str, list[list[str]]] = {"words": [], "units": []}
    for part in batch.fields.values():
        is_unit = part.is_unit
        is_word = ~batch.tokens.is_character[part.terms]
        for view, kept in (("words", is_word), ("units", is_unit)):
            spelt = [
                f"t{term}" if keep else ""
                for term, keep in zip(part.terms.tolist(), kept.tolist(), strict=True)
            ]
            bounds = part.bounds.tolist()
            views[view].append(
                [" ".join(filter(None, spelt[start:end])) for start, end in pairwise(bounds)]
            )
    return {view: list(zip(*columns, strict=True)) for view, columns in views.items()}


def _expression(query: PageQuery) -> tuple[str, str]:
    """Return the view a query is asked of, and the query in FTS5's language."""

    def spelt(terms: Iterable[Term], joint: str) -> str:
        return joint.join(f"t{term.number}" for term in terms)

    if query.phrase:
        return "units", f'"{spelt(query.phrase, " ")}"'
    return "words", spelt(query.must, " AND ") or spelt(query.should, " OR ")
