"""The article store: the record of every page read and every article kept, in SQLite.

The index is derived from it. Each change of an article gets the next revision; an index that
knows the revision it has reached can catch up with `changes`.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Literal, Self

from index.corpus import MAX_PAGE_BYTES
from index.database import Database
from index.document import Article
from index.duplicates import SCHEMA as CLUSTERS
from index.duplicates import Clusters, Fingerprint
from index.elsewhere import ELSEWHERE, Elsewhere
from index.entities import Denials, Learned, OrganisationTable
from index.errors import StoreError, UnknownArticle
from index.followed import SCHEMA as FOLLOWED
from index.followed import FollowedFiles
from index.identity import article_id, article_key
from index.learned_names import SCHEMA as LEARNED_NAMES
from index.learned_names import LearnedNames
from index.record import DAMAGED, read_article, write_article

__all__ = [
    "EVERYTHING",
    "SCHEMA_ROWS",
    "STORE_FILE",
    "STORE_VERSION",
    "ArticleStore",
    "Outcome",
    "StoredPage",
    "page_bytes",
    "page_digest",
    "store_schema",
]

Outcome = Literal["added", "updated", "unchanged", "repeated", "removed"]

_NOTHING_DENIED = Denials()
_ARTICLES = """
CREATE TABLE page (
    digest  BLOB PRIMARY KEY,   -- of the bytes
    path    TEXT NOT NULL,
    format  TEXT NOT NULL,
    raw     BLOB,               -- deflated; NULL once the article was removed
    stages  TEXT NOT NULL,      -- fingerprint of the code and tables that read it
    article TEXT,               -- its article's id; NULL where it holds none
    reason  TEXT                -- why it holds none
) WITHOUT ROWID;
CREATE INDEX page_article ON page (article);
CREATE TABLE article (
    id       TEXT PRIMARY KEY,
    digest   BLOB NOT NULL,     -- the page it was read from
    path     TEXT NOT NULL,
    fetched  TEXT NOT NULL,     -- ISO 8601, empty where unknown
    length   INTEGER NOT NULL,  -- of the body, in characters
    revision INTEGER NOT NULL,
    document TEXT,              -- JSON; NULL once removed, or once its page holds no article
    removed  INTEGER NOT NULL   -- 1 where an operator has removed it for good
) WITHOUT ROWID;
CREATE UNIQUE INDEX article_revision ON article (revision);
CREATE INDEX article_digest ON article (digest);
CREATE TABLE counter (revision INTEGER NOT NULL);
INSERT INTO counter VALUES (0);
"""
_STEPS = (_ARTICLES, LEARNED_NAMES, CLUSTERS, FOLLOWED)
"""What makes a store of each version of the one before, the first of an empty file."""

STORE_FILE = "articles.sqlite3"
"""The name of the store in a data folder."""

STORE_VERSION = len(_STEPS)

EVERYTHING = -(1 << 62)
"""A revision before all: those of articles that other machines have indexed are negative."""

SCHEMA_ROWS = "SELECT type, name, ifnull(sql, '') FROM sqlite_master WHERE name NOT GLOB 'sqlite_*'"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """What the store knows of a page by its bytes."""

    path: str
    stages: str
    article: str | None
    reason: str | None

    def is_copy_at(self, path: str) -> bool:
        """Say whether the same bytes under `path` only repeat an article that has no address."""
        return path != self.path and self.article == article_id(article_key(None, self.path))


def page_digest(raw: bytes) -> bytes:
    """Return what identifies a page's bytes."""
    return blake2b(raw, digest_size=16).digest()


def page_bytes(deflated: bytes) -> bytes:
    """Return the bytes of a page from what is kept of it.

    Raises zlib.error where that is damaged, or expands to more than a page may have: a store may
    come from elsewhere.
    """
    decoder = zlib.decompressobj()
    raw = decoder.decompress(deflated, MAX_PAGE_BYTES + 1)
    if not decoder.eof or len(raw) > MAX_PAGE_BYTES:
        raise zlib.error("a page is cut short or too large")
    return raw


def store_schema(version: int) -> list[tuple[str, str, str]]:
    """Return type, name and statement of all that a store of a version has, in order of name."""
    with closing(sqlite3.connect(":memory:")) as database:
        for step in _STEPS[:version]:
            database.executescript(step)
        return sorted(database.execute(SCHEMA_ROWS))


class ArticleStore:
    """The article store of one data folder, for one thread at a time.

    Changes are part of one transaction until `commit`; leaving the context without an error
    commits, an error rolls back.
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, denials: Denials = _NOTHING_DENIED
    ) -> None:
        """Open or create the store; raises StoreError with the repair where that fails."""
        self._path = path
        self._database = Database(path, read_only=read_only)
        self._names = LearnedNames(self._database, denials, self._rewrite)
        self._clusters = Clusters(self._database, self._touch)
        self.followed = FollowedFiles(self._database)
        self.elsewhere = Elsewhere(self._database, self._names, self._clusters, self._next)
        try:
            if not read_only:
                self._create()
            self._check_version()
        except StoreError:
            self._database.close()
            raise

    def _create(self) -> None:
        # FULL: an article that was counted as stored survives a power cut. The cache (64 MB) holds
        # the bands of a hundred thousand articles, which are looked up all over the place.
        self._database.run(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;"
        )
        found = self._database.count("PRAGMA user_version")
        if not found and self._database.count("SELECT count(*) FROM sqlite_master"):
            return  # somebody else's
        for version, step in enumerate(_STEPS[found:], found + 1):
            # All of a step or nothing of it, whenever the process is killed.
            self._database.run(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {version}; COMMIT")

    def _check_version(self) -> None:
        found = self._database.count("PRAGMA user_version")
        if not found:
            is_empty = not self._database.count("SELECT count(*) FROM sqlite_master")
            what = "is empty" if is_empty else "is no article store"
            raise StoreError(f"{self._path} {what}. {DAMAGED}")
        if found != STORE_VERSION:
            repair = (
                "Run: anwen index --rebuild"
                if found < STORE_VERSION
                else "Install the version of anwen that wrote it."
            )
            raise StoreError(
                f"The article store {self._path} has version {found}; this program reads "
                f"{STORE_VERSION}. {repair}"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self.close()

    def close(self) -> None:
        """Close the store; what was not committed is lost."""
        self._database.close()

    def commit(self) -> None:
        """Make the changes since the last commit durable."""
        self._database.commit()

    # Reading

    @property
    def is_current(self) -> bool:
        """Say whether later changes are seen; False where the store is to be opened again."""
        return self._database.is_current

    def page(self, digest: bytes) -> StoredPage | None:
        """Return what is known of a page's bytes."""
        row = self._database.row(
            "SELECT path, stages, article, reason FROM page WHERE digest = ?", digest
        )
        return (
            StoredPage(path=row[0], stages=row[1], article=row[2], reason=row[3]) if row else None
        )

    def is_removed(self, identifier: str) -> bool:
        """Say whether an operator has removed an article for good."""
        return (self.source_of(identifier) or (b"", False))[1]

    def source_of(self, identifier: str) -> tuple[bytes, bool] | None:
        """Return the digest of the page an article was read from, and whether it is removed."""
        row = self._database.row("SELECT digest, removed FROM article WHERE id = ?", identifier)
        return (row[0], bool(row[1])) if row else None

    def article(self, identifier: str) -> Article:
        """Return an article; raises UnknownArticle, also for a removed one."""
        row = self._database.row("SELECT document FROM article WHERE id = ?", identifier)
        if row is None or row[0] is None:
            raise UnknownArticle(identifier)
        return read_article(row[0])

    def articles_of(self, identifiers: Iterable[str]) -> dict[str, Article]:
        """Return some articles by id, without evidence; those that are gone are left out."""
        rows = self._database.rows(
            # As bytes: what reads JSON takes them as they are.
            "SELECT id, CAST(document AS BLOB) FROM article "
            "WHERE id IN (SELECT value FROM json_each(?)) AND document IS NOT NULL",
            json.dumps(list(identifiers)),
        )
        return {identifier: read_article(document, evidence=False) for identifier, document in rows}

    def addresses(self, identifiers: Iterable[str]) -> dict[str, str | None]:
        """Return the address of each of some articles; those that are gone are left out."""
        found = self._database.rows(
            "SELECT id, json_extract(document, '$.url') FROM article "
            "WHERE id IN (SELECT value FROM json_each(?)) AND document IS NOT NULL",
            json.dumps(list(identifiers)),
        )
        return dict(found)

    def resolve(self, wanted: str) -> str:
        """Return the id for an id or an address in whatever form; raises UnknownArticle."""
        for candidate in (wanted, article_id(article_key(wanted, wanted))):
            if self._database.row("SELECT 1 FROM article WHERE id = ?", candidate):
                return candidate
        raise UnknownArticle(wanted)

    def find(self, name: str) -> str | None:
        """Return the id of an article by id, by address or by the path of its page, or None.

        The path may have the name of the archive's folder before it.
        """
        try:
            return self.resolve(name)
        except UnknownArticle:
            return self._paths.get(name) or self._paths.get(name.partition("/")[2])

    @cached_property
    def _paths(self) -> dict[str, str]:
        return dict(self._database.rows("SELECT path, article FROM page WHERE article IS NOT NULL"))

    def articles(self) -> Iterator[Article]:
        """Give every article, in the order of their last change."""
        for _, document in self.changes():
            if document is not None:
                yield read_article(document)

    def changes(self, revision: int = EVERYTHING) -> Iterator[tuple[str, str | None]]:
        """Give each article changed after `revision`, oldest first, for `read_article` to read.

        None where it is gone. By default all articles, also those that others have indexed.
        """
        yield from self._database.rows(
            "SELECT id, document FROM article WHERE revision > ? ORDER BY revision", revision
        )

    def count_changes(self, revision: int = EVERYTHING) -> int:
        """Count what `changes` would give."""
        return self._database.count("SELECT count(*) FROM article WHERE revision > ?", revision)

    @property
    def revision(self) -> int:
        """The revision of the newest change; 0 for an empty store."""
        return self._database.count("SELECT revision FROM counter")

    def clusters(self, identifiers: Iterable[str]) -> dict[str, str]:
        """Return, by id, the label of the cluster of each article that has near-duplicates."""
        return self._clusters.labels(identifiers)

    def statistics(self, stages: str) -> dict[str, int]:
        """Count articles, removed ones, pages, pages without one, and pages of other `stages`."""
        return {
            "articles": self._database.count(
                "SELECT count(*) FROM article WHERE document IS NOT NULL"
            ),
            "removed": self._database.count("SELECT count(*) FROM article WHERE removed"),
            "pages": self._database.count("SELECT count(*) FROM page"),
            "skipped": self._database.count("SELECT count(*) FROM page WHERE article IS NULL"),
            "stale": self._database.count(
                "SELECT count(*) FROM page WHERE stages <> ? AND raw IS NOT NULL", stages
            ),
        }

    def stale_pages(self, stages: str) -> Iterator[tuple[str, str, bytes]]:
        """Give path, format and bytes of each page that other code or tables have read.

        Pages may be written while the iteration goes on: it reads a snapshot of their digests.
        """
        digests = self._database.rows(
            "SELECT digest FROM page WHERE stages <> ? AND raw IS NOT NULL ORDER BY path", stages
        )
        for (digest,) in list(digests):
            row = self._database.row("SELECT path, format, raw FROM page WHERE digest = ?", digest)
            if row:
                with self._database.errors():
                    raw = page_bytes(row[2])
                yield row[0], row[1], raw

    # Writing

    def put_skipped(
        self, digest: bytes, path: str, form: str, raw: bytes, stages: str, reason: str
    ) -> None:
        """Remember a page that holds no article; one that was read from it before is dropped."""
        self._retire_part(path, raw, keep="")
        self._retire(digest, keep="")
        self._put_page(digest, path, form, raw, stages, None, reason)

    def put_article(
        self, digest: bytes, path: str, form: str, raw: bytes, stages: str, article: Article
    ) -> Outcome:
        """Keep an article that was read from a page, unless a better copy of it is kept already.

        Of two pages of one article the newer crawl wins, then the longer body; a page that
        changed under its own path replaces its former self unless it was crawled earlier.
        """
        self._retire_part(path, raw, keep=article.id)
        kept = self._database.row(
            "SELECT digest, path, fetched, length, document, removed FROM article WHERE id = ?",
            article.id,
        )
        if self._is_twin(digest, path, article):
            return "repeated"
        if kept and kept[5]:
            self._put_page(digest, path, form, None, stages, article.id, None)
            return "removed"
        self._retire(digest, keep=article.id)
        self._put_page(digest, path, form, raw, stages, article.id, None)
        fetched = article.fetched.isoformat() if article.fetched else ""
        document = write_article(self._names.fold(article))
        if kept and kept[4] is not None:
            kept_digest, kept_path, kept_fetched, kept_length, kept_document, _ = kept
            if kept_digest == digest:
                if kept_document == document:
                    return "unchanged"
            elif kept_digest == ELSEWHERE:
                # A page that is here can be read again by other code: of equal ones it is kept.
                if (fetched, len(article.body)) < (kept_fetched, kept_length):
                    return "repeated"
                if kept_document == document:
                    self._database.write(
                        "UPDATE article SET digest = ?, path = ? WHERE id = ?",
                        *(digest, path, article.id),
                    )
                    return "unchanged"
            elif path == kept_path:
                if fetched < kept_fetched:
                    return "repeated"
            elif (fetched, len(article.body)) <= (kept_fetched, kept_length):
                return "repeated"
        if kept and path == kept[1] and digest != kept[0]:
            # A page's former version is no copy: read again it would take the new one's place.
            self._database.write("DELETE FROM page WHERE digest = ?", kept[0])
        self._database.write(
            "INSERT OR REPLACE INTO article VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
            *(article.id, digest, path, fetched, len(article.body), self._next(), document),
        )
        self._names.define(article)
        self._clusters.renew(article.id)
        return "updated" if kept and kept[4] is not None else "added"

    def learn(self, table: OrganisationTable) -> dict[str, Learned]:
        """Learn the short names that enough articles define alike; return those not known before.

        What articles named by one of them they name by the full name from now on. Pages of
        articles that were named by one that no longer holds are to be read again. A name that the
        table knows is not learnt.
        """
        return self._names.learn(table)

    def _rewrite(self, identifier: str, document: str) -> None:
        self._database.write(
            "UPDATE article SET document = ?, revision = ? WHERE id = ?",
            *(document, self._next(), identifier),
        )

    def without_fingerprint(self, version: str) -> list[str]:
        """Return the articles that have no fingerprint of this version of the code."""
        self._clusters.expire(version, self._kept)
        return self._clusters.due()

    def _kept(self) -> Iterator[str]:
        for (identifier,) in self._database.rows(
            "SELECT id FROM article WHERE document IS NOT NULL"
        ):
            yield identifier

    def documents(self, identifiers: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Give the records of articles, for `read_article` to read."""
        for identifier in identifiers:
            yield from self._database.rows(
                "SELECT id, document FROM article WHERE id = ? AND document IS NOT NULL", identifier
            )

    def add_fingerprint(self, identifier: str, fingerprint: Fingerprint) -> None:
        """Keep an article's fingerprint, and find its near-duplicates."""
        self._clusters.add(identifier, fingerprint)

    def settle_clusters(self) -> None:
        """Bring the clusters up to date; each article whose label changes has a new revision."""
        self._clusters.settle()

    def _touch(self, identifier: str) -> None:
        self._database.write(
            "UPDATE article SET revision = ? WHERE id = ? AND document IS NOT NULL",
            self._next(),
            identifier,
        )

    def remove(self, identifier: str) -> None:
        """Remove an article's text and pages for good; its id stays, so that it is not read again.

        Raises UnknownArticle where it is not in the store.
        """
        self.article(identifier)
        self._database.write(
            "UPDATE article SET document = NULL, removed = 1, revision = ? WHERE id = ?",
            self._next(),
            identifier,
        )
        self._database.write("UPDATE page SET raw = NULL WHERE article = ?", identifier)
        self._names.forget(identifier)
        self._clusters.forget(identifier)
        self._clusters.settle()

    def undo_remove(self, identifier: str) -> None:
        """Forget a removal: the next run that meets the page reads it again.

        Raises UnknownArticle where nothing was removed under that id.
        """
        row = self._database.row("SELECT 1 FROM article WHERE id = ? AND removed", identifier)
        if row is None:
            raise UnknownArticle(identifier)
        self._database.write("DELETE FROM page WHERE article = ?", identifier)
        # The row stays with a revision of its own, so that an index that is behind deletes it too.
        self._database.write(
            "UPDATE article SET removed = 0, revision = ? WHERE id = ?", self._next(), identifier
        )

    def _is_twin(self, digest: bytes, path: str, article: Article) -> bool:
        """Say whether a page without an address is stored, byte for byte, under another path."""
        if article.url is not None:
            return False
        row = self._database.row("SELECT path, article FROM page WHERE digest = ?", digest)
        return bool(row and row[0] != path and row[1] and row[1] != article.id)

    def _retire(self, digest: bytes, keep: str) -> None:
        """Drop the article that other code or tables once read from these bytes."""
        row = self._database.row(
            "SELECT id FROM article WHERE digest = ? AND id <> ? AND document IS NOT NULL",
            digest,
            keep,
        )
        if row:
            self._database.write(
                "UPDATE article SET document = NULL, revision = ? WHERE id = ?",
                self._next(),
                row[0],
            )
            self._names.forget(row[0])
            self._clusters.forget(row[0])
            # Its other copies are worth another reading.
            self._database.write(
                "UPDATE page SET stages = '' WHERE article = ? AND digest <> ?", row[0], digest
            )

    def _retire_part(self, path: str, raw: bytes, keep: str) -> None:
        """Drop the article of the beginning of these bytes, read before the rest was written.

        Its id is that of the path, where the address of the page came only with the rest.
        """
        former = article_id(article_key(None, path))
        if former == keep:
            return  # the page replaces it like any former self
        row = self._database.row(
            "SELECT digest, page.raw FROM article JOIN page USING (digest) "
            "WHERE id = ? AND document IS NOT NULL AND page.raw IS NOT NULL",
            former,
        )
        if row is None:
            return
        with self._database.errors():
            part = page_bytes(row[1])
        # Pages of two folders can have one path: only what begins a page is a part of it.
        if len(part) < len(raw) and raw.startswith(part):
            self._retire(row[0], keep)
            self._database.write("DELETE FROM page WHERE digest = ?", row[0])

    def _next(self) -> int:
        self._database.write("UPDATE counter SET revision = revision + 1")
        return self.revision

    def _put_page(
        self,
        digest: bytes,
        path: str,
        form: str,
        raw: bytes | None,
        stages: str,
        article: str | None,
        reason: str | None,
    ) -> None:
        deflated = zlib.compress(raw, 3) if raw is not None else None
        self._database.write(
            "INSERT OR REPLACE INTO page VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(digest, path, form, deflated, stages, article, reason),
        )
