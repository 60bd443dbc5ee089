"""Folders that are still there after a power cut: an entry is durable once its folder is synced."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["make_folder", "sync_folder"]


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, if need be; raises OSError where that fails."""
    missing = [folder, *(path for path in folder.parents if not path.exists())]
    folder.mkdir(parents=True, exist_ok=True)
    # Also of a folder that is there: whoever made it may have been killed before this.
    for path in missing:
        with suppress(PermissionError):  # a folder that may be passed through but not opened
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or deleted in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
