"""Folders and archives for the tests of reading, and what was read from them."""

import gzip
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from index.corpus import Page, Unreadable, read_pages


def pages(*paths: Path) -> dict[str, bytes]:
    entries = [entry for entry in read_pages(paths) if isinstance(entry, Page)]
    found = {entry.path: entry.raw for entry in entries}
    assert len(found) == len(entries)
    return found


def problems(*paths: Path) -> dict[str, str]:
    """Where each problem is, below the folder of the first path, and of what kind it is."""
    return {
        os.path.relpath(entry.path, paths[0].parent): entry.reason.partition(":")[0]
        for entry in read_pages(paths)
        if isinstance(entry, Unreadable)
    }


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def packed(members: dict[str, bytes], mode: str = "w", **options: Any) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, **options) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return buffer.getvalue()


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def container(name: str, members: dict[str, bytes]) -> bytes:
    """What a file of such a name would hold with these pages in it."""
    if name.endswith(".zip"):
        return zipped(members)
    if ".jsonl" not in name:
        return packed(members, "w" + name[name.index(".tar") + 4 :].replace(".", ":"))
    lines = [json.dumps({"path": path, "raw": raw.decode()}) for path, raw in members.items()]
    text = "\n".join(lines).encode()
    return gzip.compress(text) if name.endswith(".gz") else text
