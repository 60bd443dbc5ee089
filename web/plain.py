"""Text that is read and no more: without the characters that steer what shows it."""

import re

__all__ = ["one_line", "plain", "visible", "written_out"]

# Bidirectional embeddings, overrides and isolates turn round what stands beside them; a terminal
# takes orders by C0, DEL and C1; U+0085, U+2028 and U+2029 end a line for some readers alone.
_BIDI = "\u202a-\u202e\u2066-\u2069"
_STEERING = rf"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_BIDI}"
_INVISIBLE = re.compile(rf"[{_STEERING}]")
_ANY = re.compile(rf"[{_STEERING}\t\n]")
# Marks of direction are right in a text of Arabic, and mislead in a line of code or an address.
_AT_A_TERMINAL = re.compile(rf"[{_STEERING}\t\n\u061c\u200e\u200f\ud800-\udfff]")
# By their first byte: with that before it, a pattern skips to where it stands.
_IN_JSON = (
    re.compile(rb"\x7f"),
    re.compile(rb"\xc2[\x80-\x9f]"),
    re.compile(rb"\xe2(?:\x80[\xa8-\xae]|\x81[\xa6-\xa9])"),
)


def plain(text: str) -> str:
    """Return the text without them; tabs and newlines stay."""
    # Nothing that steers is printable, and to ask for that is quicker than to look for it.
    return text if text.isprintable() else _INVISIBLE.sub("", text)


def one_line(text: str) -> str:
    """Return the text in one line, a space for each of them and for each run of white space."""
    return " ".join(_ANY.sub(" ", text).split())


def visible(text: str) -> str:
    """Return the text for a terminal or a log: they are written as escapes, newlines too."""
    return _AT_A_TERMINAL.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text)


def written_out(json: bytes) -> bytes:
    """Return JSON that says the same with escapes in their place."""
    for pattern in _IN_JSON:
        json = pattern.sub(_escape, json)
    return json


def _escape(sign: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(sign[0].decode())
