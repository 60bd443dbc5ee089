"""Extraction: pages to articles."""

from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from importlib.resources import files

from index.extract.page import extract

__all__ = ["extract", "extractor_fingerprint"]


@cache
def extractor_fingerprint() -> str:
    """Return a short hash of all that decides what `extract` finds in a page."""
    digest = blake2b(digest_size=8)
    package = files("index.extract")
    for file in sorted(package.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            digest.update(file.name.encode() + file.read_bytes())
    for name in ("names.txt", "scheme.py"):
        digest.update((files("index.categories") / name).read_bytes())
    for library in ("beautifulsoup4", "lxml", "readability-lxml"):
        digest.update(f"{library} {version(library)}".encode())
    return digest.hexdigest()
