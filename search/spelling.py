"""Spelling: what was meant by a query with a slip in it (您是不是要找).

A noisy channel, as in Kernighan, Church and Gale, A Spelling Correction Program Based on a Noisy
Channel Model (1990): the reading of a run of characters is the cheapest row of words, where a word
costs its rarity in the archive, and one that was typed otherwise also the rarity of the slip.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from search.headlines import HeadlineText
from search.pace import Pace
from search.pinyin import fuzzy, readings, spellings
from search.vocabulary import Vocabulary

__all__ = ["Speller"]

_LONGEST = 8  # characters of a word that is looked up
_TWO_SLIPS = 6  # characters of a run that may have two slips
_LONGEST_SAID = 4  # characters of a string that is looked for in headlines
_LONGEST_RUN = 40  # characters of a run that is read
_LEAST_NAMED = 2  # articles that an organisation is in, or headlines that a word is in, to be meant

# Costs are natural logarithms of how rare a thing is: 3 is one in twenty.
_HOMOPHONE = 3.0
_SWAPPED = 3.5
_NEAR_HOMOPHONE = 4.5
_LOOKALIKE = 4.5
_DROPPED = 4.5
_INSERTED = 5.0
_OTHER = 7.0
_SINGLE = 11.0  # a character that belongs to no word
_PARTICLE = 3.0
_UNLISTED = 1.0  # on top of how rare it is in headlines, for a string that no dictionary has
_FREQUENT = 4.0  # a word that costs less is no slip
_SAID = 3.0  # what it is worth that headlines say all of the one and nothing of the other
_DOUBTFUL = 8.0  # a word that costs more may be a slip
_GAIN = 3.0  # how much cheaper another reading must be
_GAIN_OVER_WORD = 6.0  # the same where what was typed is a word of the archive
_TYPOS = 2  # articles that may have a Latin word wrong
_LATIN_GAIN = 20  # how much more frequent another Latin word must be

_RUN = re.compile("[\u4e00-\u9fff]{2,}")
_LATIN = re.compile(r"(?<![\w.@/:-])[A-Za-z]{4,}(?![\w.@/-]|:\S)")


class _Word(NamedTuple):
    """A stretch of a run, read as a word."""

    text: str
    cost: float
    is_slip: bool


class _Path(NamedTuple):
    cost: float
    words: tuple[_Word, ...]


@dataclass(frozen=True, slots=True)
class _Slip:
    """A word that was perhaps meant, and the cost of having typed something else."""

    word: str
    cost: float


class Speller:
    """Corrects queries by one vocabulary; what may be meant are words of headlines, and names."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        names: Iterable[str],
        is_word: Callable[[str], bool],
        particles: frozenset[str],
        pace: Pace,
    ) -> None:
        """Take the vocabulary, other names and terms of the field, and what is a word at all."""
        self._articles = vocabulary.articles
        self._headlines = HeadlineText(line.normal for line in vocabulary.headlines)
        # Caches of its own: one of the class would keep every former speller alive.
        self._slips = lru_cache(maxsize=20_000)(self._likely_slips)
        self._said = lru_cache(maxsize=20_000)(self._headlines.count)
        self._frequency = lru_cache(maxsize=10_000)(vocabulary.frequency)
        self._learn = vocabulary.learn
        self._is_word, self._particles = is_word, particles
        meant = [word for word, count in vocabulary.words.items() if count >= _LEAST_NAMED]
        meant += [
            name.lower()
            for name, count in vocabulary.organisations.items()
            if count >= _LEAST_NAMED
        ]
        known = dict.fromkeys((*meant, *names))
        self._known = {word for word in known if _RUN.fullmatch(word)}
        self._latin = {
            word: count
            for word, count in vocabulary.words.items()
            if word.isascii() and word.isalpha() and len(word) >= 4 and count >= _LEAST_NAMED
        }
        # The words of a key are lines of one string: the garbage collector looks through hundreds
        # of thousands of lists each time, and does not look at strings.
        self._keys: dict[str, str] = {}
        for word in pace.over(self._known):
            if len(word) <= _LONGEST:
                for key in _keys(word):
                    others = self._keys.get(key)
                    self._keys[key] = f"{others}\n{word}" if others else word

    def correct(self, text: str) -> str | None:
        """Return what was meant by plain words, None where nothing else is likely.

        Identifiers, versions and other words with digits or signs are left as they are.
        """
        if self._learn:
            self._learn(dict.fromkeys(self._asked_about(text)))
        pieces, last = [], 0
        spans = [(*match.span(), self._run(match[0])) for match in _RUN.finditer(text)]
        spans += [(*match.span(), self._latin_word(match[0])) for match in _LATIN.finditer(text)]
        for start, end, better in sorted(spans):
            if better:
                pieces += [text[last:start], better]
                last = end
        if not pieces:
            return None
        return "".join([*pieces, text[last:]])

    def _asked_about(self, text: str) -> Iterator[str]:
        """Give the words whose frequency a correction mostly asks for."""
        for match in _RUN.finditer(text):
            run = match[0] if len(match[0]) <= _LONGEST_RUN else ""
            for start in range(len(run)):
                for end in range(start + 2, min(start + _LONGEST, len(run)) + 1):
                    word = run[start:end]
                    if word in self._known or self._is_word(word):
                        yield word
                    yield from (slip.word for slip in self._slips(word))
        for match in _LATIN.finditer(text):
            yield match[0].lower()

    # Han runs

    def _run(self, run: str) -> str | None:
        if len(run) > _LONGEST_RUN:
            return None
        typed = self._cheapest(run, slips=0)
        if all(word.cost < _FREQUENT for word in typed.words):
            return None
        meant = self._cheapest(run, slips=1)
        options = {"".join(word.text for word in meant.words): meant.cost}
        if len(run) >= _TWO_SLIPS:
            twice = self._cheapest(run, slips=2)
            better = "".join(word.text for word in twice.words)
            options.setdefault(better, twice.cost + _GAIN)  # each slip must be worth it
        for better, slip in self._by_headlines(run, typed):
            cost = self._cheapest(better, slips=0).cost + slip
            options[better] = min(cost, options.get(better, math.inf))
        options.pop(run, None)
        if not options:
            return None
        # What headlines say is no slip unless something else is much more likely.
        said = self._said(run)
        if not said:
            for text in options:
                options[text] -= _SAID if self._said(text) else 0.0
        better = min(options, key=lambda text: (options[text], text))
        gain = typed.cost - options[better]
        return better if gain >= (_GAIN_OVER_WORD if said else _GAIN) else None

    def _by_headlines(self, run: str, typed: _Path) -> Iterator[tuple[str, float]]:
        """Give the run as headlines have it, where they go on the same on both sides of a slip."""
        at, doubtful = 0, set()
        for word in typed.words:
            if word.cost >= _DOUBTFUL:
                doubtful |= set(range(at, at + len(word.text)))
            at += len(word.text)
        for size in (1, 2, 3):
            for start in range(len(run) - size + 1):
                end = start + size
                if not doubtful & set(range(start, end)):
                    continue
                left, right = run[max(0, start - 2) : start], run[end : end + 2]
                if len(left) + len(right) < 2:
                    continue
                counts = self._headlines.between(left, right, size)
                counts += self._headlines.between(left, right, size + 1)
                for other, _ in counts.most_common(5):
                    slip = _slip_cost(run[start:end], other)
                    if slip is not None:
                        yield run[:start] + other + run[end:], slip

    def _cheapest(self, run: str, *, slips: int) -> _Path:
        """Return the cheapest row of words, at most so many of which were typed otherwise."""
        nothing = _Path(math.inf, ())
        best = [[nothing] * (slips + 1) for _ in range(len(run) + 1)]
        best[0] = [_Path(0.0, ())] * (slips + 1)
        for start in range(len(run)):
            for end in range(start + 1, min(start + _LONGEST, len(run)) + 1):
                for word in self._words(run[start:end], may_slip=slips > 0):
                    for used in range(word.is_slip, slips + 1):
                        before = best[start][used - word.is_slip]
                        cost = before.cost + word.cost
                        if cost < best[end][used].cost:
                            best[end][used] = _Path(cost, (*before.words, word))
        return best[-1][-1]

    def _words(self, typed: str, *, may_slip: bool) -> Iterator[_Word]:
        """Give the ways to read a stretch as one word."""
        cost = self._typed_cost(typed)
        if cost is not None:
            yield _Word(typed, cost, is_slip=False)
        if may_slip and len(typed) > 1 and (cost is None or cost > _FREQUENT):
            for slip in self._slips(typed):
                yield _Word(slip.word, self._word_cost(slip.word) + slip.cost, is_slip=True)

    def _typed_cost(self, typed: str) -> float | None:
        if len(typed) == 1:
            return _PARTICLE if typed in self._particles else _SINGLE
        if typed in self._known or self._is_word(typed):
            return self._word_cost(typed)
        said = self._said(typed) if len(typed) <= _LONGEST_SAID else 0
        return self._cost(said) + _UNLISTED if said else None

    def _word_cost(self, word: str) -> float:
        return self._cost(self._frequency(word))

    def _cost(self, frequency: int) -> float:
        return math.log((self._articles + 1) / (frequency + 0.5))

    def _likely_slips(self, typed: str) -> tuple[_Slip, ...]:
        """Return the words that may have been meant, each with its cheapest slip."""
        found: dict[str, float] = {}
        for key in (*_keys(typed), f"-{typed}"):
            for word in self._keys.get(key, "").split():
                cost = _slip_cost(typed, word)
                if cost is not None and cost < found.get(word, math.inf):
                    found[word] = cost
        for shorter in _cut(typed):
            word = shorter.removeprefix("-")
            if len(word) > 2 and word in self._known:
                found[word] = min(found.get(word, math.inf), _INSERTED)
        found.pop(typed, None)
        return tuple(_Slip(word, cost) for word, cost in found.items())

    # Latin words

    def _latin_word(self, typed: str) -> str | None:
        from rapidfuzz.distance import DamerauLevenshtein
        from rapidfuzz.process import extract

        word = typed.lower()
        own = self._frequency(word)
        most = 1 if len(word) < 6 else 2
        if own > _TYPOS:
            return None
        close = extract(
            word,
            self._latin.keys(),
            scorer=DamerauLevenshtein.distance,
            score_cutoff=most,
            limit=20,
        )
        ranked = sorted(
            (distance, other[0] != word[0], -self._frequency(other), other)
            for other, distance, _ in close
            if other != word and self._frequency(other) > own * _LATIN_GAIN
        )
        if not ranked:
            return None
        better = ranked[0][-1]
        return better.upper() if typed.isupper() else better


def _keys(word: str) -> Iterator[str]:
    """Give what a word has in common with its slips."""
    for spelling in spellings(word):
        yield "~" + " ".join(map(fuzzy, spelling))
    yield "=" + "".join(sorted(word))
    for place in range(len(word)):
        yield f"{word[:place]}*{word[place + 1 :]}"
    if len(word) > 2:
        yield from _cut(word)


def _cut(word: str) -> Iterator[str]:
    """Give a word without one of its characters."""
    for place in range(len(word)):
        yield f"-{word[:place]}{word[place + 1 :]}"


def _slip_cost(typed: str, word: str) -> float | None:
    """Return what it costs to have typed one for the other, None where it is no slip."""
    if len(typed) < len(word):
        return _DROPPED if f"-{typed}" in _cut(word) else None
    if len(typed) > len(word):
        return None
    places = [place for place, (a, b) in enumerate(zip(typed, word, strict=True)) if a != b]
    if not places:
        return None
    pairs = [(typed[place], word[place]) for place in places]
    if all(set(readings(a)[:2]) & set(readings(b)[:2]) for a, b in pairs):
        return _HOMOPHONE + 2 * (len(places) - 1)
    if len(places) == 2 and places[1] == places[0] + 1 and pairs[0] == pairs[1][::-1]:
        return _SWAPPED
    if len(places) == 1 and pairs[0][1] in _lookalikes().get(pairs[0][0], ()):
        return _LOOKALIKE
    if all(
        {fuzzy(one) for one in readings(a)[:2]} & {fuzzy(other) for other in readings(b)[:2]}
        for a, b in pairs
    ):
        return _NEAR_HOMOPHONE + 2 * (len(places) - 1)
    if len(places) == 1 and len(word) > 2:
        return _OTHER
    return None


@cache
def _lookalikes() -> Mapping[str, frozenset[str]]:
    """Return for each character those that look like it."""
    found: dict[str, set[str]] = defaultdict(set)
    text = (files("search") / "data/lookalikes.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        first, *others = line.split()
        for other in others:
            found[first].add(other)
            found[other].add(first)
    return {character: frozenset(others) for character, others in found.items()}
