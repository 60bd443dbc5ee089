"""Slips made from what an archive really says, and correct queries, to measure corrections with."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from search.vocabulary import Vocabulary

__all__ = ["Slip", "confusions", "correct_pairs", "slips"]

_HAN = re.compile("[\u4e00-\u9fff]{2,}")


@dataclass(frozen=True)
class Slip:
    """What was meant, what was typed, how it went wrong, and where the word is from."""

    meant: str
    typed: str
    kind: str
    origin: str


def confusions(path: Path) -> Mapping[str, str]:
    """Return for each character those that look like it, or sound like it in every tone."""
    found: dict[str, str] = defaultdict(str)
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        first, *others = line.split("\t")
        if "pinyin" in path.name:
            found[first] += others[0] if others else ""
        else:
            found[first] += "".join(others)
    return found


def slips(vocabulary: Vocabulary, vocabularies: Path, count: int, seed: int) -> Iterator[Slip]:
    """Give slips of every kind in turn, each of a name, a word or a piece of a headline."""
    random = Random(seed)
    same_sound = confusions(vocabularies / "pycorrector_same_pinyin.txt")
    same_look = confusions(vocabularies / "pycorrector_same_stroke.txt")
    origins = _origins(vocabulary)
    makers: dict[str, Callable[[str], str | None]] = {
        "homophone": lambda text: _replaced(text, same_sound, random),
        "look-alike": lambda text: _replaced(text, same_look, random),
        "transposition": lambda text: _swapped(text, random),
        "dropped": lambda text: _dropped(text, random),
        "English": lambda text: _latin_typo(text, random),
    }
    made = 0
    while made < count:
        kind = list(makers)[made % len(makers)]
        origin = random.choice(list(origins))
        texts = origins["Latin" if kind == "English" else origin]
        meant = random.choice(texts)
        typed = makers[kind](meant)
        if typed and typed != meant and typed not in vocabulary.words:
            made += 1
            yield Slip(meant, typed, kind, "Latin" if kind == "English" else origin)


def correct_pairs(vocabulary: Vocabulary, count: int, seed: int) -> Iterator[str]:
    """Give queries of two words that stand in one headline."""
    random = Random(seed)
    lines = [line.normal for line in vocabulary.headlines]
    made = 0
    while made < count:
        words = _words(random.choice(lines))
        if len(words) >= 2:
            first = random.randrange(len(words) - 1)
            made += 1
            yield " ".join(words[first : first + 2])


def _words(line: str) -> list[str]:
    from index.analysis import Analyzer

    global _analyzer
    try:
        analyzer = _analyzer
    except NameError:
        analyzer = _analyzer = Analyzer()
    return [term.text for term in analyzer.query_terms(line) if len(term.text) > 1]


def _origins(vocabulary: Vocabulary) -> dict[str, list[str]]:
    names = [
        name
        for name, count in vocabulary.organisations.items()
        if count >= 5 and _HAN.fullmatch(name) and 3 <= len(name) <= 8
    ]
    words = [
        word
        for word, count in vocabulary.words.items()
        if count >= 5 and _HAN.fullmatch(word) and len(word) >= 3
    ]
    titles = [
        match[0]
        for line in vocabulary.headlines
        for match in _HAN.finditer(line.normal)
        if 5 <= len(match[0]) <= 12
    ]
    latin = [
        word
        for word, count in vocabulary.words.items()
        if count >= 5 and word.isascii() and word.isalpha() and len(word) >= 5
    ]
    return {
        "organisations": sorted(names),
        "words": sorted(words),
        "titles": sorted(set(titles)),
        "Latin": sorted(latin),
    }


def _replaced(text: str, others: Mapping[str, str], random: Random) -> str | None:
    places = [place for place, character in enumerate(text) if others.get(character)]
    if not places:
        return None
    place = random.choice(places)
    return text[:place] + random.choice(others[text[place]]) + text[place + 1 :]


def _swapped(text: str, random: Random) -> str:
    place = random.randrange(len(text) - 1)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _dropped(text: str, random: Random) -> str:
    place = random.randrange(len(text))
    return text[:place] + text[place + 1 :]


def _latin_typo(text: str, random: Random) -> str:
    place = random.randrange(1, len(text))
    letter = random.choice("abcdefghijklmnopqrstuvwxyz")
    return random.choice(
        [
            text[:place] + letter + text[place:],
            text[:place] + text[place + 1 :],
            text[:place] + letter + text[place + 1 :],
            text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :],
        ]
    )
