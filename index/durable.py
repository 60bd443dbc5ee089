"""Changes of folders and small files that are on the disk when the call returns."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["make_folder", "sync_file", "sync_folder", "write_atomically"]


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing."""
    missing = [path, *(each for each in path.parents if not each.exists())]
    path.mkdir(parents=True, exist_ok=True)
    # Also of a folder that is there: who made it may have been killed before this.
    for each in missing:
        with suppress(PermissionError):  # one that may be passed through, but not opened
            sync_folder(each.parent)


def sync_file(path: Path) -> None:
    """Put what was written to a file on the disk."""
    _sync(path)


def sync_folder(path: Path) -> None:
    """Put the names in a folder on the disk: files that are new, renamed or gone."""
    _sync(path)


def write_atomically(path: Path, text: str) -> None:
    """Replace a small file at once."""
    scratch = path.with_name(f"{path.name}.new")
    with scratch.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    sync_folder(path.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
