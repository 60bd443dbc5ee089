"""Names as one types them: found by how they are written, by pinyin, and by its initials."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice

from index.analysis import normalise
from search.pinyin import initials, spellings

__all__ = ["NameIndex", "spelt"]

_KEPT = 1 << 16  # names whose readings are kept: nearly all are the same in the next state
_LEAST_SOUND = 3  # letters of pinyin that are looked for inside a name too
# Of two names that one may stand for the other: 奇安新 and 奇安信 are alike by 0.67.
_LEAST_ALIKE = 0.65
_LEAST_ALIKE_IN_SOUND = 0.75


def spelt(name: str) -> Iterator[str]:
    """Give the pinyin of a name and its initials, in each of its likely readings."""
    for letters in _readings(name):
        yield "".join(letters)
        yield initials(letters)


@lru_cache(_KEPT)
def _readings(name: str) -> tuple[tuple[str, ...], ...]:
    if name.isascii():
        return ()
    return tuple(
        tuple(syllable for syllable in spelling if syllable.strip()) for spelling in spellings(name)
    )


class NameIndex:
    """Finds names by any of their spellings.

    `_tails` are the pinyin and the initials of names from each character but the first on.
    """

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        """Take each name with all that it is written like, itself included."""
        self._names = tuple(names)
        written: dict[tuple[str, int], None] = {}
        sounds: dict[tuple[str, int], None] = {}
        tails: dict[tuple[str, int], None] = {}
        for number, others in enumerate(names.values()):
            for other in others:
                key = normalise(other).text
                written[key, number] = None
                for order, letters in enumerate(_readings(key)):
                    sounds["".join(letters), number] = None
                    sounds[initials(letters), number] = None
                    for place in range(1, 0 if order else len(letters)):
                        tails["".join(letters[place:]), number] = None
                        tails[initials(letters[place:]), number] = None
        self._written, self._sounds, self._tails = map(_Lines, (written, sounds, tails))

    def spelt(self) -> Iterator[tuple[str, str]]:
        """Give every spelling with its name."""
        for lines in (self._written, self._sounds):
            for key, number in zip(lines.keys, lines.owners, strict=True):
                yield key, self._names[number]

    def find(self, typed: str) -> dict[str, int]:
        """Return the names that hold what is typed, each with its rank.

        A name that is spelt so has rank 0, one that begins so 1, others 2. Inside a name pinyin
        begins with a character, and is three letters: fewer would be in every second one.
        """
        text = " ".join(normalise(typed).text.split())
        if not text:
            return {}
        found = self._written.find(text, inside=True)
        letters = text.replace(" ", "")
        if letters.isascii():
            sounds = self._sounds.find(letters)
            if len(letters) >= _LEAST_SOUND:
                sounds = dict.fromkeys(self._tails.find(letters), 2) | sounds
            for number, rank in sounds.items():
                found[number] = min(rank, found.get(number, rank))
        return {self._names[number]: rank for number, rank in found.items()}

    def near(self, typed: str, most: int) -> list[str]:
        """Return the names that are written or sound most like a text, the likeliest first."""
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extract

        text = " ".join(normalise(typed).text.split())
        found: dict[int, float] = {}
        # Of initials half are alike in most names.
        sounds = ["".join(letters) for letters in islice(_readings(text), 1)]
        asked = [(self._written, text, _LEAST_ALIKE)]
        asked += [(self._sounds, sound, _LEAST_ALIKE_IN_SOUND) for sound in sounds]
        for lines, key, least in asked:
            for _, alike, place in extract(
                key,
                lines.keys,
                scorer=OSA.normalized_similarity,
                score_cutoff=least,
                limit=most,
            ):
                number = lines.owners[place]
                found[number] = max(alike, found.get(number, 0.0))
        return [self._names[number] for number in sorted(found, key=lambda n: -found[n])[:most]]


class _Lines:
    """Keys as the lines of one text, which is searched faster than each of them."""

    def __init__(self, keys: Iterable[tuple[str, int]]) -> None:
        pairs = list(keys)
        self.keys = [key for key, _ in pairs]
        self.owners = [owner for _, owner in pairs]
        self._text = "\n".join(["", *self.keys, ""])
        self._starts = []
        at = 1
        for key in self.keys:
            self._starts.append(at)
            at += len(key) + 1

    def find(self, typed: str, *, inside: bool = False) -> dict[int, int]:
        """Return the owners of the keys that begin so, or have it inside, with their ranks."""
        wanted = typed if inside else f"\n{typed}"
        found: dict[int, int] = {}
        at = self._text.find(wanted)
        while at >= 0:
            start = at if inside else at + 1
            line = bisect_right(self._starts, start) - 1
            key = self.keys[line]
            rank = 2 if start > self._starts[line] else int(key != typed)
            owner = self.owners[line]
            found[owner] = min(rank, found.get(owner, rank))
            at = self._text.find(wanted, self._starts[line] + len(key))
        return found
