"""Static files under addresses that change with their content, so that they can be kept long."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path

from flask import Flask, request, url_for

__all__ = ["addresses", "fingerprints"]


def fingerprints(app: Flask) -> dict[str, str]:
    """Return a hash of the content of each static file, by its name."""
    folder = Path(app.static_folder or "")
    return {
        path.relative_to(folder).as_posix(): blake2b(path.read_bytes(), digest_size=6).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def addresses(prints: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function from a static file's name to its address."""
    kept: dict[tuple[str, str], str] = {}

    def address(name: str) -> str:
        key = request.script_root, name  # a page has ten: to build them took a sixtieth of its time
        if key not in kept:
            kept[key] = url_for("static", filename=name, v=prints[name])
        return kept[key]

    return address
