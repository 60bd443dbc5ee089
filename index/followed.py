"""The files that `anwen watch` has read, in a table of the article store.

It stands there, and not beside the store, so that a store from a backup knows no file whose pages
it lacks.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from index.corpus import FileState
from index.database import Database

__all__ = ["SCHEMA", "FollowedFiles"]

SCHEMA = """
CREATE TABLE followed (
    path     BLOB PRIMARY KEY,  -- absolute, as the system has it
    size     INTEGER NOT NULL,
    modified INTEGER NOT NULL,  -- in nanoseconds
    stages   TEXT NOT NULL      -- fingerprint of the code and tables that read it
) WITHOUT ROWID;
"""


class FollowedFiles:
    """The followed files of one store, as part of the store's transactions.

    Files that are gone stay: a folder that is not there may only be unmounted.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def states(self, stages: str) -> dict[Path, FileState]:
        """Return the files that have been read by this code and these tables, as they were then."""
        rows = self._database.rows(
            "SELECT path, size, modified FROM followed WHERE stages = ?", stages
        )
        return {Path(os.fsdecode(path)): (size, modified) for path, size, modified in rows}

    def put(self, files: Mapping[Path, FileState], stages: str) -> None:
        """Keep files that have been read, as they were before they were."""
        self._database.write_many(
            "INSERT OR REPLACE INTO followed VALUES (?, ?, ?, ?)",
            [(os.fsencode(path), *state, stages) for path, state in files.items()],
        )
