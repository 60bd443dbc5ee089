"""Cursors: where the next page begins, bound to one state of the index."""

import base64
import binascii

from index.errors import BadParameter, CursorExpired

__all__ = ["read_cursor", "write_cursor"]


def write_cursor(state: tuple[int, int], offset: int) -> str:
    """Return the cursor of a place in the list of hits; `state` is generation and commit."""
    plain = ".".join(map(str, (*state, offset)))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(state: tuple[int, int], cursor: str) -> int:
    """Return the place; raises BadParameter, or CursorExpired where the index has changed since."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.urlsafe_b64decode(padded.encode("ascii")).decode("ascii")
        generation, commit, offset = (int(part) for part in text.split("."))
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise BadParameter("cursor", cursor, "请使用上一页结果里的 next") from error
    if (generation, commit) != state:
        raise CursorExpired
    return max(0, offset)
