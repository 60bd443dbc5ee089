"""Where sequences of units stand in a text, without a split of all of it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from index.analysis.units import CHARACTER, LETTER, UnitSplitter

__all__ = ["UnitFinder"]

_WIDEST_GAP = 200  # characters between two units
_WIDE_GAP = rf"[^{CHARACTER}]{{0,{_WIDEST_GAP}}}?"
_LOOKED_FOR = 3  # units of a sequence: to look for many with gaps between may take for ever
_LETTER = re.compile(LETTER)
_CHARACTERS = re.compile(f"[{CHARACTER}]+")


class UnitFinder:
    """Finds units that stand one after another, as the index has them.

    A character is a unit wherever it stands. What else a unit is depends on the stretch of letters
    and signs around it, and on nothing beyond: so only stretches that may hold one are split.
    """

    def __init__(self, splitter: UnitSplitter) -> None:
        self._splitter = splitter
        # What stands in a stretch is nearly always below U+0250, where a set answers at once.
        low = map(chr, range(0x250))
        self._latin = splitter.signs.union(each for each in low if _LETTER.match(each))
        self._pattern = lru_cache(maxsize=512)(_pattern)

    def find(
        self, text: str, units: Sequence[str], *, is_prefix: bool = False
    ) -> Iterator[tuple[int, int]]:
        """Give start and end of each place of a normal-form text where `units` stand.

        Where it `is_prefix` the last unit may go on; the parts of an identifier count as units.
        """
        for unit in units:
            if unit not in text:
                return
        if not units:
            return
        pattern, length = self._pattern(tuple(units))
        if length:
            yield from _characters(text, pattern, length)
            return
        reach = sum(len(unit) + _WIDEST_GAP for unit in units[_LOOKED_FOR:])
        for start, end in self._regions(text, pattern, reach):
            for first, last in self._within(text[start:end], units, is_prefix):
                yield start + first, start + last

    def _regions(
        self, text: str, pattern: re.Pattern[str], reach: int
    ) -> Iterator[tuple[int, int]]:
        """Give the regions that matches and the stretches they touch cover, ascending.

        A match goes on for `reach` characters, where its further units may stand.
        """
        region: tuple[int, int] | None = None
        for match in pattern.finditer(text):
            start, end = match.span(1)
            end = min(end + reach, len(text))
            if region and end <= region[1]:
                continue  # one stretch may hold thousands, and it is walked along once
            start, end = self._stretch(text, start, end, region[1] if region else 0)
            if region and start <= region[1]:
                region = region[0], max(end, region[1])
                continue
            if region:
                yield region
            region = start, end
        if region:
            yield region

    def _stretch(self, text: str, start: int, end: int, least: int) -> tuple[int, int]:
        """Return the borders of the stretches that a match touches, from `least` on."""
        latin, length, is_letter = self._latin, len(text), _LETTER.match
        while start > least and (text[start - 1] in latin or is_letter(text, start - 1)):
            start -= 1
        while end < length and (text[end] in latin or is_letter(text, end)):
            end += 1
        return start, end

    def _within(
        self, text: str, units: Sequence[str], is_prefix: bool
    ) -> Iterable[tuple[int, int]]:
        # Each unit and each part of an identifier, by what it says.
        places: dict[str, list[tuple[int, int, int]]] = {}
        for index, unit in enumerate(self._splitter.split(text)):
            places.setdefault(unit.text, []).append((index, unit.start, unit.end))
            for part, offset in unit.parts():
                start = unit.start + offset
                places.setdefault(part, []).append((index, start, start + len(part)))

        def at(unit: str, *, is_last: bool) -> Iterable[tuple[int, int, int]]:
            if is_prefix and is_last:
                return [
                    place
                    for known, found in places.items()
                    if known.startswith(unit)
                    for place in found
                ]
            return places.get(unit, ())

        runs = list(at(units[0], is_last=len(units) == 1))
        for number, wanted in enumerate(units[1:], 2):
            following = {index: end for index, _, end in at(wanted, is_last=number == len(units))}
            runs = [
                (index + 1, start, following[index + 1])
                for index, start, _ in runs
                if index + 1 in following
            ]
        return [(start, end) for _, start, end in runs]


def _characters(text: str, pattern: re.Pattern[str], length: int) -> Iterator[tuple[int, int]]:
    """Give the places of so many characters that have neither a letter nor another between them."""
    at = 0
    while match := pattern.search(text, at):
        start, at = match.span()
        # A few signs, such as the middle dot of katakana, are characters and no letters.
        if at - start == length or sum(map(len, _CHARACTERS.findall(match[0]))) == length:
            yield start, at
        else:
            at = start + 1


def _pattern(units: tuple[str, ...]) -> tuple[re.Pattern[str], int]:
    """Return what finds units in a text; where all are characters, how many, or else 0."""
    if all(map(_CHARACTERS.fullmatch, units)):
        # Each new query compiles some: a set of all characters in them would take milliseconds.
        return re.compile(r"\W*".join(units)), sum(map(len, units))
    # A part of an identifier stands behind other letters of it.
    looked_for = map(re.escape, units[:_LOOKED_FOR])
    return re.compile(f"(?=({_WIDE_GAP.join(looked_for)}))"), 0
