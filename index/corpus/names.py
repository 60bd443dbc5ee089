"""Names of files and of archives' members, as paths that can be stored."""

import posixpath

__all__ = ["is_utf8", "member_path", "storable"]


def member_path(name: str) -> str:
    """Return a member's path inside its archive, wherever its name would lead."""
    return posixpath.normpath(f"/{name}").lstrip("/")


def storable(name: str) -> str:
    """Return a name without lone surrogates: parts that are no UTF-8 are read as GB 18030."""
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # of JSON, whose escapes can be half of a character
        raw = name.encode("utf-8", "replace")
    return "/".join(
        part.decode("utf-8" if is_utf8(part) else "gb18030", "replace") for part in raw.split(b"/")
    )


def is_utf8(raw: bytes) -> bool:
    """Say whether bytes are text in UTF-8."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
