"""A folder saved and brought back, as the tests ask it, and all that a store holds."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from index.backup import Restored, backup, restore
from index.settings import Settings
from tests.reliability.checking import Silent

__all__ = ["restored", "rows", "saved"]


def saved(settings: Settings, target: Path, *, force: bool = False) -> Path:
    backup(settings, target, force=force, progress=Silent())
    return target


def restored(settings: Settings, source: Path, *, force: bool = False) -> Restored:
    return restore(settings, source, force=force)


def rows(data: Path) -> dict[str, list[Any]]:
    """All that a store holds."""
    with closing(sqlite3.connect(data / "articles.sqlite3")) as database:
        names = [
            name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE rootpage")
            if not name.startswith(("sqlite_", "article_", "page_", "cluster_"))
        ]  # fmt: skip
        return {name: sorted(database.execute(f"SELECT * FROM {name}")) for name in names}
