"""Pinyin: how Chinese text is spelt in letters without tones."""

import re
from collections.abc import Iterator
from functools import cache

__all__ = ["fuzzy", "initials", "readings", "spellings"]

_HAN = re.compile("[\u4e00-\u9fff]")
_MOST = 4  # spellings of one text; few names have more than one character of several readings
# What speakers and input methods mix up: 知 and 资, 南 and 兰, 民 and 明.
_FUZZY = (
    (re.compile("^([zcs])h"), r"\1"),
    (re.compile("^n"), "l"),
    (re.compile("([aei])ng$"), r"\1n"),
)


@cache
def readings(character: str) -> tuple[str, ...]:
    """Return the readings of a character, the usual one first; other signs read as themselves."""
    if not _HAN.fullmatch(character):
        return (character.lower(),)
    from pypinyin import Style, pinyin

    found = pinyin(character, style=Style.NORMAL, heteronym=True)[0]
    return tuple(dict.fromkeys(found))


def spellings(text: str) -> Iterator[tuple[str, ...]]:
    """Give the spellings of a text, a syllable a character, the most likely one first."""
    usual = tuple(readings(character)[0] for character in text)
    phrase = _phrase(text)
    yield phrase or usual
    found = {phrase or usual}
    for place, character in enumerate(text):
        for other in readings(character)[:3]:
            spelling = (*usual[:place], other, *usual[place + 1 :])
            if len(found) < _MOST and spelling not in found:
                found.add(spelling)
                yield spelling


def initials(spelling: tuple[str, ...]) -> str:
    """Return the first letters of a spelling's syllables."""
    return "".join(syllable[:1] for syllable in spelling)


@cache
def fuzzy(syllable: str) -> str:
    """Return a syllable without what is often mixed up: zh and z, n and l, ng and n."""
    for pattern, plain in _FUZZY:
        syllable = pattern.sub(plain, syllable)
    return syllable


def _phrase(text: str) -> tuple[str, ...] | None:
    """Return the spelling of a word that pypinyin knows as a whole."""
    from pypinyin import lazy_pinyin
    from pypinyin.constants import PHRASES_DICT

    return tuple(lazy_pinyin(text)) if text in PHRASES_DICT else None
