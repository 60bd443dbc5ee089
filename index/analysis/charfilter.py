"""Character filters: one normal form for text, each character keeping its place in the original.

The order is NFKC, traditional to simplified, lower case, refanging. Every step works on single
characters or on short patterns, never on context such as a neighbouring word: the same visible
string must come out the same wherever it stands, or a quoted substring would not be found.
"""

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import opencc
from numpy.typing import NDArray

__all__ = ["NormalisedBatch", "NormalisedText", "normalise", "normalise_batch"]

_ZERO_WIDTH = (
    "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufe00-\ufe0f\ufeff"
)
_COMBINING = "\u0300-\u036f\u3099\u309a\uff9e\uff9f"
# A lone surrogate is the base of nothing: OpenCC takes no text with one.
_CLUSTER = re.compile(f"[{_ZERO_WIDTH}]+|[^{_COMBINING}{_ZERO_WIDTH}\ud800-\udfff][{_COMBINING}]+")

# Dashes that stand inside identifiers on real pages. U+2014, the Chinese dash, is punctuation.
_DASHES = dict.fromkeys(map(ord, "‐‑‒–−﹣"), "-")

# It opens with a plain set of characters, and looks behind afterwards: a search then skips through
# a text about twenty times faster than one that looks behind at every place.
_REFANG = re.compile(
    r"[h\[({](?:"
    r"(?P<scheme>(?<=h)(?<![a-z0-9]h)(?:xx|\*\*|tt)p(?P<s>s?)(?:://|\[:\]//|\[://\]|:\[//\]))"
    r"|(?<=[a-z0-9][\[({])(?:"
    r"(?P<dot>(?:\.|dot|点)[\])}](?=[a-z0-9]))"
    r"|(?P<at>(?:@|at)[\])}](?=[a-z0-9]))"
    r"|(?P<colon>(?<=\[):\](?=[a-z0-9/]))"
    r"))"
)


@dataclass(frozen=True, slots=True)
class NormalisedText:
    """Text in normal form; `starts` and `ends` are None where no character moved."""

    text: str
    starts: Sequence[int] | None
    ends: Sequence[int] | None

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


@dataclass(frozen=True, slots=True)
class NormalisedBatch:
    """Many texts in normal form, joined: each is followed by a line feed that is not its own.

    `bounds` says where each text begins, and at its end how many `codes` (code points) there are.
    """

    codes: NDArray[np.uint32]
    bounds: NDArray[np.int64]


def normalise(original: str) -> NormalisedText:
    """Return the normal form of `original`."""
    folding = _folding()
    text, starts, ends = original, None, None
    if original.isascii():
        text = text.lower()
    else:
        # As arrays: a search for the pattern and str.translate take ten times as long.
        codes = _encode(text)
        if folding.marks.take(codes).any():
            specials = _specials(text, codes, np.array([0, len(text)]))
            text, starts, ends = _substitute(specials, text, starts, ends)
            codes = _encode(text)
        text = _decode(folding.codes.take(codes))
    if _REFANG.search(text):
        text, starts, ends = _substitute(_fangs(text), text, starts, ends)
    return NormalisedText(text, starts, ends)


def normalise_batch(originals: Sequence[str]) -> NormalisedBatch:
    """Return the normal forms of many texts, without the way back to the originals."""
    folding = _folding()
    text = "".join(f"{original}\n" for original in originals)
    bounds = np.array([0, *accumulate(len(original) + 1 for original in originals)])
    codes = _encode(text)
    text, bounds = _replace(text, bounds, _specials(text, codes, bounds))
    text = _decode(folding.codes[_encode(text)])
    text, bounds = _replace(text, bounds, _fangs(text))
    return NormalisedBatch(_encode(text), bounds)


def _encode(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _decode(codes: NDArray[np.uint32]) -> str:
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


def _specials(
    text: str, codes: NDArray[np.uint32], bounds: NDArray[np.int64]
) -> Iterator[tuple[int, int, str]]:
    """Give what no table can replace, as a search with the pattern in each text would find it.

    That search itself takes three times as long.
    """
    folding = _folding()
    marks = folding.marks[codes]
    alone = np.flatnonzero(marks & _SPECIAL)
    follows = (marks & _FOLLOWS).astype(bool)
    follows[bounds[:-1]] = False  # what it follows is the line feed between two texts
    last = 0
    for place in np.union1d(alone, np.flatnonzero(follows) - 1).tolist():
        if place >= last and (match := folding.special.match(text, place)):
            last = match.end()
            yield place, last, _fold_cluster(match[0])


def _replace(
    text: str, bounds: NDArray[np.int64], replacements: Iterable[tuple[int, int, str]]
) -> tuple[str, NDArray[np.int64]]:
    """Replace slices of a text, in their order, and move the bounds with them."""
    pieces: list[str] = []
    places: list[int] = []
    growth = [0]
    last = 0
    for start, end, replacement in replacements:
        pieces += (text[last:start], replacement)
        places.append(start)
        growth.append(growth[-1] + len(replacement) - (end - start))
        last = end
    if not pieces:
        return text, bounds
    pieces.append(text[last:])
    return "".join(pieces), bounds + np.array(growth)[np.searchsorted(places, bounds)]


def _substitute(
    replacements: Iterable[tuple[int, int, str]],
    text: str,
    starts: "array[int] | None",
    ends: "array[int] | None",
) -> "tuple[str, array[int] | None, array[int] | None]":
    """Replace slices of a text, in their order; each character put in spans the whole slice."""
    # What stays as it is, http:// most of all, keeps the place of each character.
    found = [each for each in replacements if each[2] != text[each[0] : each[1]]]
    if not found:
        return text, starts, ends
    places = np.arange(len(text) + 1, dtype=np.int32)
    old_starts = array("i", places[:-1].tobytes()) if starts is None else starts
    old_ends = array("i", places[1:].tobytes()) if ends is None else ends
    pieces: list[str] = []
    new_starts, new_ends = array("i"), array("i")
    last = 0
    for start, end, replacement in found:
        pieces += (text[last:start], replacement)
        new_starts += old_starts[last:start]
        new_ends += old_ends[last:start]
        new_starts += array("i", [old_starts[start]]) * len(replacement)
        new_ends += array("i", [old_ends[end - 1]]) * len(replacement)
        last = end
    pieces.append(text[last:])
    new_starts += old_starts[last:]
    new_ends += old_ends[last:]
    return "".join(pieces), new_starts, new_ends


def _fangs(text: str) -> Iterator[tuple[int, int, str]]:
    """Give what was written so that nobody follows it by mistake, with what it stands for."""
    return ((*match.span(), _refang(match)) for match in _REFANG.finditer(text))


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


@lru_cache(maxsize=4096)
def _fold_cluster(cluster: str) -> str:
    text = re.sub(f"[{_ZERO_WIDTH}]+", "", cluster)
    return _fold_text(unicodedata.normalize("NFKC", text))


def _fold_text(text: str) -> str:
    # Lower-casing can add a combining dot (İ); a second NFKC joins what belongs together.
    text = unicodedata.normalize("NFKC", _simplify(text).translate(_DASHES).lower())
    return re.sub(f"[{_ZERO_WIDTH}{_COMBINING}]+", "", text)


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _simplify(text: str) -> str:
    return text if text.isascii() else str(_converter().convert(text))


_SPECIAL, _FOLLOWS = 1, 2  # a special cluster begins at it, or one character before it


class _Folding(NamedTuple):
    """How single characters fold, and the pattern of the clusters that no table can hold.

    `codes` has the folded code point of every code point; `marks` has the bits above.
    """

    special: re.Pattern[str]
    codes: NDArray[np.uint32]
    marks: NDArray[np.uint8]


@cache
def _folding() -> _Folding:
    points = [
        point
        for first, last in (
            (0x41, 0xD7FF),
            (0xE000, 0xFFFF),
            (0x1D400, 0x1D7FF),
            (0x1F100, 0x1F1FF),
            (0x20000, 0x2FA1F),
        )
        for point in range(first, last + 1)
    ]
    # One call for all: the set-up of a call costs more than the characters, most of all in OpenCC.
    text = "\n".join(map(chr, points))
    text = _simplify(unicodedata.normalize("NFKC", text)).translate(_DASHES).lower()
    folded = unicodedata.normalize("NFKC", text).split("\n")
    table: dict[int, str] = {}
    odd: list[str] = []
    for point, text in zip(points, folded, strict=True):
        if len(text) == 1:
            if ord(text) != point:
                table[point] = text
            continue
        lowered = re.sub(f"[{_COMBINING}]+", "", text) or text
        if len(lowered) == 1:
            table[point] = lowered
        else:
            odd.append(chr(point))
    codes = np.arange(0x110000, dtype=np.uint32)
    codes[list(table)] = list(map(ord, table.values()))
    marks = np.zeros(0x110000, np.uint8)
    low = "".join(map(chr, range(0x10000)))  # all of both sets
    for characters, mark in ((_ZERO_WIDTH, _SPECIAL), (_COMBINING, _FOLLOWS)):
        marks[list(map(ord, re.findall(f"[{characters}]", low)))] |= mark
    marks[list(map(ord, odd))] |= _SPECIAL
    special = re.compile(f"{_CLUSTER.pattern}|[{re.escape(''.join(odd))}]")
    return _Folding(special, codes, marks)
