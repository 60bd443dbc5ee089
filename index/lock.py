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

__all__ = ["is_running", "without_writer", "writing"]

_LOCK = "writer.lock"
_HOLDER = "writer.json"
_SECONDS = 10.0  # that a second writer waits
_LONGEST_COMMAND = 200  # characters of a command that are told


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the lock of a data folder, which is made where it is missing.

    Raises StoreLocked, which says who has it, after waiting for ten seconds; StoreError where the
    folder cannot be written. The lock ends with its process, however that ends.
    """
    lock = FileLock(folder / _LOCK, timeout=_SECONDS, fallback_to_soft=False)
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
            (folder / _HOLDER).write_text(json.dumps(_self()), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            (folder / _HOLDER).unlink()
        lock.release()


@contextmanager
def without_writer(folder: Path) -> Iterator[bool]:
    """Keep writers waiting for a moment; gives False where one is at work, or may be."""
    try:
        file = (folder / _LOCK).open("rb")
    except FileNotFoundError:
        yield True
        return
    except OSError:
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


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
        about = json.loads((folder / _HOLDER).read_text(encoding="utf-8"))
        command, process, machine, since = (
            about[name] for name in ("command", "process", "machine", "since")
        )
        if machine == socket.gethostname() and not is_running(process):
            return "Another process"
    except (OSError, ValueError, TypeError, KeyError):
        return "Another process"
    return f"`{command}` (process {process} on {machine}, since {since})"


def is_running(process: int) -> bool:
    """Say whether there is a process of this number on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
