"""Bytes to text: the encodings in which Chinese pages are kept."""

import re

__all__ = ["decode"]

_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I
)
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DECLARATION_BYTES = 4096
_CHINESE = {"gb2312", "gbk", "gb18030", "gb_2312-80", "x-gbk", "hz-gb-2312"}


def decode(raw: bytes) -> str:
    """Return the text of a page; bytes that fit no encoding become U+FFFD.

    Order: byte-order mark; UTF-8 where the bytes are valid UTF-8, since pages that were saved
    again keep their old declaration; the declared encoding; GB 18030, which holds GB 2312 and
    GBK; UTF-8 with replacements.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        failure = error
    declared = _DECLARED.search(raw[:_DECLARATION_BYTES])
    name = declared[1].decode("ascii").lower() if declared else ""
    # A page that a crawler cut inside a character is still UTF-8.
    if failure.start >= len(raw) - 3:
        return raw.decode("utf-8", "replace")
    candidates = ["gb18030"] if name in _CHINESE else [name, "gb18030"]
    for encoding in candidates:
        try:
            return raw.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    as_utf8 = raw.decode("utf-8", "replace")
    as_chinese = raw.decode("gb18030", "replace")
    return min(as_utf8, as_chinese, key=lambda text: text.count("\ufffd"))
