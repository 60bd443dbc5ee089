"""What the tests of durability ask of a data folder, whatever has happened to it."""

import json
import zlib
from typing import Any

from whoosh import query

from index.analysis import Analyzer
from index.backends.whoosh import WhooshIndex
from index.database import Database
from index.settings import Settings
from search.backends.whoosh.cache import ByteCache
from search.backends.whoosh.evaluator import Evaluator
from search.backends.whoosh.view import IndexView

__all__ = ["Articles", "Silent", "committed_articles", "indexed_titles", "stored_articles"]

Articles = dict[str, list[Any]]
"""By id: the checksum of the record, and the title."""


class Silent:
    """Progress that nobody sees."""

    def stage(self, name: str, total: int | None) -> None: ...
    def advance(self, steps: int = 1, share: float | None = None) -> None: ...


def committed_articles(database: Database) -> Articles:
    """Return what an open database holds; nothing where it has no tables yet."""
    if not database.count("SELECT count(*) FROM sqlite_master WHERE name = 'article'"):
        return {}
    rows = database.rows("SELECT id, document FROM article WHERE document IS NOT NULL")
    return {
        identifier: [zlib.crc32(document.encode()), json.loads(document)["title"]]
        for identifier, document in rows
    }


def stored_articles(settings: Settings) -> Articles:
    """Open the store as a server does and return what it holds; raises StoreError."""
    database = Database(settings.data / "articles.sqlite3", read_only=True)
    try:
        return committed_articles(database)
    finally:
        database.close()


def indexed_titles(settings: Settings, analyzer: Analyzer) -> dict[str, str]:
    """Open the index as a server does; return the title of each article.

    Each is found by its id, and every block is checked; raises IndexUnavailable.
    """
    cache: ByteCache[Any] = ByteCache(1 << 20)
    view = IndexView(WhooshIndex(settings.data / "index", analyzer.fingerprint), cache)
    evaluator = Evaluator(view, 1 << 20)
    titles = {}
    for document in view.everything().documents.tolist():
        identifier = view.ids[document].decode()
        found = evaluator.evaluate(query.Term("id", identifier)).where(view.live).documents
        assert found.tolist() == [document]
        titles[identifier] = view.title(document)
    for segment in view.segments:
        for field in segment.files.terms.fields.values():
            for _ in field.unpack():
                pass
    view.close()
    return titles
