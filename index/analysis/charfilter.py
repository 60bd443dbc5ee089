"""Character filters: one normal form for text, each character keeping its place in the original.

The order is NFKC, traditional to simplified, lower case, refanging. Every step works on single
characters or on short patterns, never on context such as a neighbouring word: the same visible
string must come out the same wherever it stands, or a quoted substring would not be found.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import opencc

__all__ = ["NormalisedText", "normalise"]

_ZERO_WIDTH = (
    "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufe00-\ufe0f\ufeff"
)
_COMBINING = "\u0300-\u036f\u3099\u309a\uff9e\uff9f"
_CLUSTER = re.compile(f"[{_ZERO_WIDTH}]+|[^{_COMBINING}{_ZERO_WIDTH}][{_COMBINING}]+")

# Dashes that stand inside identifiers on real pages. U+2014, the Chinese dash, is punctuation.
_DASHES = dict.fromkeys(map(ord, "‐‑‒–−﹣"), "-")

_REFANG = re.compile(
    r"(?P<scheme>(?<![a-z0-9])h(?:xx|\*\*|tt)p(?P<s>s?)(?:://|\[:\]//|\[://\]|:\[//\]))"
    r"|(?P<dot>(?<=[a-z0-9])[\[({](?:\.|dot|点)[\])}](?=[a-z0-9]))"
    r"|(?P<at>(?<=[a-z0-9])[\[({](?:@|at)[\])}](?=[a-z0-9]))"
    r"|(?P<colon>(?<=[a-z0-9])\[:\](?=[a-z0-9/]))"
)
_REFANG_HINT = re.compile(r"[\[({][.d点@a:]|hxxp|h\*\*p")


@dataclass(frozen=True, slots=True)
class NormalisedText:
    """Text in normal form; `starts` and `ends` are None where no character moved."""

    text: str
    starts: tuple[int, ...] | None
    ends: tuple[int, ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where characters `start` to `end` (not empty) stand in the original."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]

    def locate(self, offset: int) -> int:
        """Return the first character in normal form at or after an offset of the original."""
        if self.starts is None:
            return offset
        return bisect_right(self.starts, offset - 1)


def normalise(original: str) -> NormalisedText:
    """Return the normal form of `original`."""
    table, odd = _tables()
    text, starts, ends = original, None, None
    if not original.isascii():
        if _CLUSTER.search(text) or odd.search(text):
            pattern = re.compile(f"{_CLUSTER.pattern}|{odd.pattern}")
            text, starts, ends = _substitute(pattern, _fold, text, starts, ends)
        text = text.translate(table)
    else:
        text = text.lower()
    if _REFANG_HINT.search(text):
        text, starts, ends = _substitute(_REFANG, _refang, text, starts, ends)
    return NormalisedText(
        text, tuple(starts) if starts is not None else None, tuple(ends) if ends else None
    )


def _substitute(
    pattern: re.Pattern[str],
    replace: Callable[[re.Match[str]], str],
    text: str,
    starts: list[int] | None,
    ends: list[int] | None,
) -> tuple[str, list[int] | None, list[int] | None]:
    """Replace matches; each character of a replacement spans the whole match."""
    pieces: list[str] = []
    old_starts = starts if starts is not None else range(len(text))
    old_ends = ends if ends is not None else range(1, len(text) + 1)
    new_starts: list[int] = []
    new_ends: list[int] = []
    last = 0
    for match in pattern.finditer(text):
        start, end = match.span()
        replacement = replace(match)
        pieces += (text[last:start], replacement)
        new_starts += old_starts[last:start]
        new_ends += old_ends[last:start]
        new_starts += [old_starts[start]] * len(replacement)
        new_ends += [old_ends[end - 1]] * len(replacement)
        last = end
    if not pieces:
        return text, starts, ends
    pieces.append(text[last:])
    new_starts += old_starts[last:]
    new_ends += old_ends[last:]
    return "".join(pieces), new_starts, new_ends


def _refang(match: re.Match[str]) -> str:
    match match.lastgroup:
        case "scheme" | "s":
            return f"http{match['s']}://"
        case "dot":
            return "."
        case "at":
            return "@"
        case _:
            return ":"


def _fold(match: re.Match[str]) -> str:
    text = re.sub(f"[{_ZERO_WIDTH}]+", "", match[0])
    return "".join(_fold_text(unicodedata.normalize("NFKC", text)))


def _fold_text(text: str) -> str:
    # Lower-casing can add a combining dot (İ); a second NFKC joins what belongs together.
    text = unicodedata.normalize("NFKC", _simplify(text).translate(_DASHES).lower())
    return re.sub(f"[{_ZERO_WIDTH}{_COMBINING}]+", "", text)


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _simplify(text: str) -> str:
    return text if text.isascii() else str(_converter().convert(text))


@cache
def _tables() -> tuple[dict[int, str], re.Pattern[str]]:
    """Return a table of one-to-one replacements, and a pattern of the characters it cannot hold."""
    chosen = [
        chr(point)
        for first, last in (
            (0x41, 0xFFFF),
            (0x1D400, 0x1D7FF),
            (0x1F100, 0x1F1FF),
            (0x20000, 0x2FA1F),
        )
        for point in range(first, last + 1)
        if not 0xD800 <= point <= 0xDFFF
    ]
    compatible = [unicodedata.normalize("NFKC", character) for character in chosen]
    # One call for all: OpenCC's set-up per call costs more than the characters.
    simplified = _simplify("\n".join(compatible)).split("\n")
    table: dict[int, str] = {}
    odd: list[str] = []
    for character, folded in zip(chosen, simplified, strict=True):
        lowered = unicodedata.normalize("NFKC", folded.translate(_DASHES).lower())
        lowered = re.sub(f"[{_COMBINING}]+", "", lowered) or lowered
        if lowered == character:
            continue
        if len(lowered) == 1:
            table[ord(character)] = lowered
        else:
            odd.append(character)
    return table, re.compile(f"[{re.escape(''.join(odd))}]")
