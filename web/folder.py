"""The folder that the processes of a server share: their metrics, and whether they are to stop."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir

__all__ = ["FOLDER_VARIABLE", "announce_stop", "is_stopping", "shared_folder"]

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder; processes that begin later read it."""

_NAME = "anwen-metrics-"
_STOP = "stopping"  # a file that is there once the first process has been told to stop


@contextmanager
def shared_folder() -> Iterator[Path]:
    """Make the folder, name it in the environment, and remove it at the end.

    Those that killed servers have left are removed first. All processes of a server hold its
    folder, so that the system tells which are still in use.
    """
    for left in Path(gettempdir()).glob(f"{_NAME}*"):
        with suppress(OSError):  # in use, or somebody else's
            if any(left.iterdir()):  # an empty one may have been made just now
                held = _hold(left)
                try:
                    rmtree(left)
                finally:
                    os.close(held)
    with TemporaryDirectory(prefix=_NAME) as name:
        held = _hold(Path(name))
        os.environ[FOLDER_VARIABLE] = name
        try:
            yield Path(name)
        finally:
            os.close(held)


def _hold(folder: Path) -> int:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        flock(held, LOCK_EX | LOCK_NB)
    except OSError:
        os.close(held)
        raise
    return held


def announce_stop(folder: Path) -> None:
    """Let every process know that the server is about to stop."""
    (folder / _STOP).touch()


def is_stopping() -> bool:
    """Say whether the server of this process is about to stop."""
    folder = os.environ.get(FOLDER_VARIABLE, "")
    return folder != "" and Path(folder, _STOP).exists()
