"""Defanging: how indicators are written so that nobody follows them by accident, and back."""

import re

__all__ = ["COLON", "DOT", "defang", "refang"]

# What stands for a dot or a colon that was written defanged, in a refanged text: characters of the
# private use area, so that who reads it can tell `evil[.]top` from `evil.top`.
DOT = "\ue000"
COLON = "\ue001"

_WIDE = {chr(code + 0xFEE0): chr(code) for code in range(0x30, 0x7B) if chr(code).isalnum()}
# Zero-width characters break a host on the screen only; the two above are no text.
_DROPPED = dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff" + DOT + COLON, "")
_DASHES = dict.fromkeys("‐‑‒–−﹣－", "-")
_MARKS = {"．": ".", "／": "/", "＠": "@", "＿": "_", "［": "[", "］": "]", "｛": "{", "｝": "}"}
_NARROW = str.maketrans(_WIDE | _DROPPED | _DASHES | _MARKS)

_OPEN, _CLOSE = r"[\[({【（]", r"[\])}】）]"
_FANG = re.compile(
    rf"(?P<scheme>(?<![a-z0-9])(?:h(?:tt|xx|\*\*|tx|xt)p(?P<s>s?)|f[tx]p(?P<fs>s?))"
    rf"{_OPEN}?[:：]{_CLOSE}?{_OPEN}?/{_CLOSE}?{_OPEN}?/{_CLOSE}?)"
    rf"|(?<=[a-z0-9])[ \t]?(?:{_OPEN}[ \t]?(?P<dot>\.|dot|点)[ \t]?{_CLOSE}|\[\.)[ \t]?(?=[a-z0-9])"
    r"|(?<=[a-z0-9])\[(?P<colons>::?)\](?=[a-z0-9:])"
    rf"|(?<=[a-z0-9]){_OPEN}(?P<at>@|at){_CLOSE}(?=[a-z0-9])"
    r"|(?<=[a-z0-9])(?P<slash>\[/\])",
    re.IGNORECASE | re.ASCII,
)
_IDEOGRAPHIC = re.compile(r"(?<![\d.。])\d{1,3}(?:[.。]\d{1,3}){3}(?![\d.。])", re.ASCII)


def refang(text: str) -> str:
    """Return the text in one width with its defanged forms undone, and marked as such.

    A defanged dot or colon becomes DOT or COLON, the scheme of a defanged address `hxxp`, `hxxps`,
    `fxp` or `fxps`. What is not defanged stays as it is.
    """
    text = text.translate(_NARROW)
    if "。" in text:
        text = _IDEOGRAPHIC.sub(lambda match: match[0].replace("。", "."), text)
    return _FANG.sub(_undo, text)


def _undo(match: re.Match[str]) -> str:
    if match["scheme"]:
        written = match[0].lower()
        name = "http" if written[0] == "h" else "ftp"
        secure = match["s"] or match["fs"] or ""
        if written == f"{name}{secure.lower()}://":
            return written
        return f"{name.replace('t', 'x')}{secure.lower()}://"
    if match["colons"]:
        return COLON * len(match["colons"])
    if match["at"]:
        return "@"
    if match["slash"]:
        return "/"
    return DOT


_INNER = re.compile("(?:https?|ftps?)(?=://|%3a)", re.IGNORECASE)


def defang(indicator: str) -> str:
    """Return an address, host or URL so that no program makes a link of it; a hash stays as it is.

    `evil.top` becomes `evil[.]top`, `http://evil.top/a.exe` `hxxp://evil[.]top/a.exe`, and
    `2a0e::1` `2a0e[:]:1`.
    """
    scheme, separator, rest = indicator.partition("://")
    if not separator:
        scheme, rest = "", indicator
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    written = host.replace(".", "[.]")
    if not separator or written.startswith("["):
        written = written.replace(":", "[:]", 1)
    # An address in the query is one as well.
    tail = _INNER.sub(lambda match: match[0].replace("t", "x"), rest[len(host) :])
    return f"{scheme.replace('t', 'x')}{separator}{written}{tail}"
