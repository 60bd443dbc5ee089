"""The lock of a data folder: one writer at a time, and who it is."""

import fcntl
import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from index.document import BEIJING
from index.durable import make_folder
from index.errors import StoreError, StoreLocked

__all__ = ["HOLDER", "LOCK", "is_written", "writing"]

LOCK = "writer.lock"
HOLDER = "writer.json"
_SECONDS = 10.0  # that a second writer waits
_LONGEST_COMMAND = 200  # characters of a command that are told


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the lock of a data folder, which is made where it is missing.

    Raises StoreLocked, which says who has it, after waiting for ten seconds; StoreError where the
    folder cannot be written. The lock ends with its process, however that ends.
    """
    lock = FileLock(folder / LOCK, timeout=_SECONDS)
    try:
        make_folder(folder)
        lock.acquire()
    except Timeout as error:
        raise StoreLocked(
            f"{_holder(folder)} is writing to {folder}, and has not finished within "
            f"{_SECONDS:g} seconds. Run this again when it has."
        ) from error
    except (OSError, NotImplementedError) as error:  # the latter where a file system has no locks
        raise StoreError(
            f"The data folder {folder} cannot be written: {error}. See who may write there, "
            "or name another with --data."
        ) from error
    try:
        # Who holds the lock is for people to read; a disk too full for it is told by what follows.
        with suppress(OSError):
            (folder / HOLDER).write_text(json.dumps(_self()), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER).unlink()
        lock.release()


def is_written(folder: Path) -> bool:
    """Say whether some process holds the lock, or may: where that cannot be found out."""
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _self() -> dict[str, object]:
    program = Path(sys.argv[0]).name
    command = shlex.join(["anwen" if program == "__main__.py" else program, *sys.argv[1:]])
    return {
        "command": command.encode("utf-8", "replace").decode()[:_LONGEST_COMMAND],
        "process": os.getpid(),
        "machine": socket.gethostname(),
        "since": datetime.now(BEIJING).isoformat(timespec="seconds"),
    }


def _holder(folder: Path) -> str:
    """Return who has the lock, in words: a process that was killed leaves its name behind."""
    try:
        about = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        command, process, machine, since = (
            about[name] for name in ("command", "process", "machine", "since")
        )
        if machine == socket.gethostname() and not _is_running(process):
            return "Another process"
    except (OSError, ValueError, TypeError, KeyError):
        return "Another process"
    return f"`{command}` (process {process} on {machine}, since {since})"


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
