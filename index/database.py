"""The store's database: SQLite, whose errors become one of this project with its repair."""

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from index.durable import make_folder
from index.errors import StoreError
from index.record import DAMAGED

__all__ = ["Database"]

_DISK_ERRORS = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
)

_MAPPED = 1 << 32  # bytes
_COPIED = 4096  # pages of a copy between two reports


class Database:
    """One open database file. Changes are part of one transaction until `commit`."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open or create the file; raises StoreError with the repair where that fails."""
        self._path = path
        self._is_frozen, self._opened = False, self._state()
        with self.errors():
            if not read_only:
                make_folder(path.parent)
                self._connection = sqlite3.connect(path)
            elif path.is_file():
                self._connection = self._open_to_read()
                try:
                    # Long records are read in place, not copied first.
                    self._connection.execute(f"PRAGMA mmap_size = {_MAPPED}")
                except sqlite3.DatabaseError:
                    self._connection.close()
                    raise
            else:
                raise StoreError(f"There is no article store at {path}. Run: anwen index PATH")

    def _open_to_read(self) -> sqlite3.Connection:
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.DatabaseError as error:
            connection.close()
            if error.sqlite_errorcode & 0xFF not in _DISK_ERRORS or self._is_written():
                raise
            # SQLite shares memory in a file beside it. Where none can be made, as in a folder that
            # may only be read or on a full disk, and nobody writes, it can be read without.
            self._is_frozen, self._opened = True, self._state()
            address += "&immutable=1"
            connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        return connection

    @property
    def is_current(self) -> bool:
        """Say whether changes by others are seen; False where the file is to be opened again."""
        found = self._state()
        if self._is_frozen:
            return found == self._opened and not self._is_written()
        return found[:2] == self._opened[:2]  # another file, of a backup, may have its name now

    def _state(self) -> tuple[int, ...]:
        try:
            status = self._path.stat()
        except OSError:
            return ()  # opening tells why
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

    def _is_written(self) -> bool:
        return self._path.with_name(f"{self._path.name}-wal").exists()

    def close(self) -> None:
        """Close the file; what was not committed is lost."""
        self._connection.close()

    def commit(self) -> None:
        """Make the changes since the last commit durable."""
        with self.errors():
            self._connection.commit()

    def rows(self, statement: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Give the rows that a statement selects."""
        with self.errors():
            try:
                yield from self._connection.execute(statement, values)
            except UnicodeEncodeError:
                return  # half of a character, which SQLite does not keep: no row holds it

    def row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """Return the first row that a statement selects, if there is one."""
        return next(self.rows(statement, *values), None)

    def count(self, statement: str, *values: object) -> int:
        """Return the number that a statement selects."""
        return int(next(self.rows(statement, *values))[0])

    def write(self, statement: str, *values: object) -> None:
        """Change what a statement says."""
        with self.errors():
            self._connection.execute(statement, values)

    def write_many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Change what a statement says, once for each row of values."""
        with self.errors():
            self._connection.executemany(statement, rows)

    def copy(self, path: Path, step: Callable[[float], None]) -> None:
        """Write the database as it is at this moment to a new file, whoever writes meanwhile.

        `step` is called with the share that is done.
        """

        def report(_: int, left: int, total: int) -> None:
            step(1 - left / total if total else 1.0)

        with self.errors(), closing(sqlite3.connect(path)) as target:
            # With a transaction of its own the copy reads one state, and never begins again.
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            self._connection.backup(target, pages=_COPIED, progress=report)
            self._connection.rollback()
            target.execute("PRAGMA journal_mode = DELETE")  # one file, without any beside it

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong with the file."""
        return [said for (said,) in self.rows("PRAGMA integrity_check") if said != "ok"]

    def run(self, script: str) -> None:
        """Run a script of statements, outside of the transaction."""
        with self.errors():
            self._connection.executescript(script)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what SQLite and the file system report, and damaged records, into one error.

        Mistakes in using SQLite are bugs, and stay what they are.
        """
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except (sqlite3.DatabaseError, OSError, zlib.error, json.JSONDecodeError) as error:
            raise StoreError(
                f"The article store {self._path} cannot be used: {error}. {_repair(error)}"
            ) from error


def _repair(error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    code &= 0xFF  # the bits above tell details
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "Wait until the other program that has it open has finished."
    if isinstance(error, OSError) or code in _DISK_ERRORS:
        return "See whether the disk is full, and who may read and write the folder."
    return DAMAGED
