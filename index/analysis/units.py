"""Units of text: one Han character, or one whole Latin or digit run or identifier.

A unit is what a position counts and what an exact phrase is made of. Identifiers come first, so
that `CVE-2021-44228`, `192.168.1.1` and `2.17.1` are one unit each.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["CHARACTER", "LETTER", "Unit", "UnitSplitter"]

# Ideographs, kana, bopomofo and hangul: scripts in which one character is one unit.
CHARACTER = (
    "\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
LETTER = rf"[^\W{CHARACTER}]"  # also digits and the underscore
_A = "[a-z0-9]"

_LABEL = rf"{_A}(?:[a-z0-9-]{{0,61}}{_A})?"
# Repeated without a bound, what has no end is looked through again from each of its parts.
_MOST_PARTS = 40  # an address of IPv6 written as a domain has 34
_DOMAIN = rf"(?:{_LABEL}\.){{1,{_MOST_PARTS}}}[a-z][a-z0-9-]*[a-z0-9](?![a-z0-9_])"

# Also 8.2p1, 1.0.2k, and object identifiers; nothing shorter would do where the longest does not.
_VERSION = r"\d++(?:\.\d++){1,16}+(?:[a-z]{1,5}+\d*+)?+"

_SIGNS = "-._~%!$&'()*+,;=:/?#[]@"  # what the patterns have in them, or look at, besides letters
_EDGES = frozenset(",:()[]'\";!?*=")  # what makes no unit together with one word beside it

_PATTERNS = {
    "url": rf"(?:https?|ftp)://[a-z0-9{re.escape(_SIGNS)}]*[a-z0-9\-_~%$&*+=/#]",
    "email": rf"[a-z0-9._%+-]{{1,64}}+@{_DOMAIN}",
    "date": r"\d{4}(?:-\d{1,2}-|/\d{1,2}/|\.\d{1,2}\.)\d{1,2}(?![a-z0-9_-]|\.\d)",
    "ip": r"\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)",
    "ipv6": (
        r"(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?![a-z0-9_:])"
        r"|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![a-z0-9_:])"
    ),
    "technique": r"t\d{4}\.\d{3}(?![a-z0-9_.])",
    "version_mark": r"v(?=\d+\.\d)",
    "version": rf"{_VERSION}(?![a-z0-9_]|\.\d)",
    "domain": _DOMAIN,
    "hyphenated": rf"(?:{_VERSION}|{LETTER}+)(?:-(?:{_VERSION}(?![a-z0-9_]|\.\d)|{LETTER}+))+",
    "number": r"\d{1,3}(?:,\d{3})+(?!\d)",
    "word": rf"{LETTER}+",
}

_BORDER = r"(?<![a-z0-9_])"
_BORDERS = {
    "version": rf"(?:{_BORDER}|(?<={_BORDER}v))",  # v2.17.1 is the unit v and the unit 2.17.1
}

_HOST = re.compile(r"//(?:[^/?#@]*@)?([^/?#:]+)")
_HAN = re.compile("[\u4e00-\u9fd5]+")  # what jieba's dictionary covers


class Unit(NamedTuple):
    """One unit of a normal-form text; `kind` is a key of the patterns."""

    text: str
    start: int
    end: int
    kind: str

    def parts(self) -> Iterator[tuple[str, int]]:
        """Give the parts that match alone, each with its offset inside the unit.

        The numbers of CVE, CNVD and CNNVD ids and the words of a hyphenated name; the parent of
        an ATT&CK technique; the parent domains of two labels or more; the host of an address.
        Versions, IP addresses and dates have none.
        """
        text = self.text
        if self.kind == "hyphenated":
            offset = 0
            for word in text.split("-"):
                yield word, offset
                offset += len(word) + 1
        elif self.kind == "technique":
            yield text.partition(".")[0], 0
        elif self.kind == "domain":
            yield from _parent_domains(text, 0)
        elif self.kind == "email":
            offset = text.index("@") + 1
            yield text[offset:], offset
            yield from _parent_domains(text[offset:], offset)
        elif self.kind == "url" and (host := _HOST.search(text)):
            yield host[1], host.start(1)
            if not host[1].replace(".", "").isdigit():
                yield from _parent_domains(host[1], host.start(1))


class UnitSplitter:
    """Splits normal-form text into units.

    `terms` are Latin words with signs in them that stay whole, such as `c++` and `att&ck`.
    `signs` are the characters besides letters that a unit may have in it or look at beside it.
    """

    def __init__(self, terms: Iterable[str] = ()) -> None:
        known = sorted(terms, key=len, reverse=True)
        self.signs = frozenset(_SIGNS).union(*known)
        self._edges = "".join(_EDGES.difference(*known))
        spelt = "|".join(map(re.escape, known))
        # Most characters are Han: they are tried first. Listed terms come before the identifiers,
        # or the domain rule would take ".net" apart.
        alternatives = [f"(?P<character>[{CHARACTER}])"]
        # A word is nothing else where no letter follows, nor a sign that goes on in what is tried
        # below: most Latin words need one attempt instead of thirteen.
        joints = re.escape("".join(sorted({*"-.@:/,%+", *"".join(known)})))
        alternatives.append(f"{_BORDER}(?P<plain>[a-z0-9_]++(?!{LETTER}|[{joints}]))")
        if spelt:
            alternatives.append(f"{_BORDER}(?P<term>(?:{spelt})(?![a-z0-9_]))")
        alternatives += [
            f"{_BORDERS.get(kind, _BORDER)}(?P<{kind}>{pattern})"
            for kind, pattern in _PATTERNS.items()
        ]
        # What an identifier has left over is still a word.
        alternatives.append(f"(?P<rest>{LETTER}+)")
        self._pattern = re.compile("|".join(alternatives))

    def split(self, text: str) -> list[Unit]:
        """Return the units of a normal-form text, in order; they never overlap."""
        return [
            Unit(match[0], match.start(), match.end(), match.lastgroup or "rest")
            for match in self._pattern.finditer(text)
        ]

    def lone_word(self, text: str) -> str | None:
        """Return the word that is all of a text's units, None where a glance does not tell."""
        word = text.strip(self._edges)
        return word if word.isascii() and word.isalnum() else None

    @staticmethod
    def han_runs(text: str) -> Iterator[re.Match[str]]:
        """Give the runs of characters that a dictionary can cut into words."""
        return _HAN.finditer(text)


def _parent_domains(domain: str, offset: int) -> Iterator[tuple[str, int]]:
    labels = domain.split(".")
    if len(labels) > _MOST_PARTS + 1:
        return  # only an address can have as many, and each has a parent as long as itself
    for depth in range(1, len(labels) - 1):
        offset += len(labels[depth - 1]) + 1
        yield ".".join(labels[depth:]), offset
