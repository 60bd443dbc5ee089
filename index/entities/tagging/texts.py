"""The training texts, every name in them marked, and other names to put in their place.

A name is marked `[[name|type]]`; the types are those of organisations and product, malware,
person, place and event. The model shall learn what stands beside a name and not the name, so each
text is also used with other names of the same type, from lists and made of syllables.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random

from index.entities.words import HAN, read_list, read_words

__all__ = ["Marked", "Names", "read_texts", "varied"]

Marked = tuple[str, tuple[tuple[int, int, str], ...]]
"""A text, and where its names stand: start, end and type."""

_MARK = re.compile(r"\[\[(?P<name>[^\[\]|]+)\|(?P<type>[a-z]+)\]\]")
_HAN = re.compile(f"[{HAN}]")
_REPLACED = 0.6  # of the names of a text, where it is varied


def read_texts() -> list[str]:
    """Return the articles of the training texts, as they are marked."""
    folder = files("index.entities") / "data" / "training"
    texts = sorted(folder.iterdir(), key=lambda file: file.name)
    articles = "\n\n".join(
        file.read_text(encoding="utf-8") for file in texts if file.name.endswith(".txt")
    )
    return [article.strip() for article in re.split(r"\n\s*\n", articles) if article.strip()]


def varied(article: str, random: Random, names: "Names | None") -> Marked:
    """Return the article without its marks; with `names`, most of its names are replaced."""
    chosen: dict[tuple[str, str], str] = {}
    text: list[str] = []
    spans: list[tuple[int, int, str]] = []
    length = last = 0
    for mark in _MARK.finditer(article):
        before = article[last : mark.start()]
        name, type_ = mark["name"], mark["type"]
        if names is not None:
            key = (name, type_)
            if key not in chosen:
                chosen[key] = (
                    names.like(name, type_, random) if random.random() < _REPLACED else name
                )
            name = chosen[key]
        text += (before, name)
        start = length + len(before)
        length = start + len(name)
        spans.append((start, length, type_))
        last = mark.end()
    return "".join((*text, article[last:])), tuple(spans)


class Names:
    """Names to put in the place of others: of the same type, in the same script."""

    def __init__(self, articles: Sequence[str]) -> None:
        """Collect the names of the articles, and prepare to make more."""
        lists: dict[tuple[str, str], dict[str, None]] = {}
        for article in articles:
            for mark in _MARK.finditer(article):
                key = (mark["type"], _kind(mark["name"]))
                lists.setdefault(key, {})[mark["name"]] = None
        self._software = read_list("software.txt")
        self._given_names = read_words("given_names.txt")
        self._lists: Mapping[tuple[str, str], list[str]] = {
            key: list(names) for key, names in lists.items()
        }

    def like(self, name: str, type_: str, random: Random) -> str:
        """Return a name that may stand where `name` stands."""
        kind = _kind(name)
        if kind == "latin" and type_ == "person":
            return (
                f"{random.choice(self._given_names)} {_stem(random)}"
                if " " in name
                else _stem(random)
            )
        if kind == "latin" and type_ in {"product", "malware"} and random.random() < 0.5:
            return random.choice(self._software)
        if kind == "latin" and random.random() < 0.6:
            return _latin_name(random, type_)
        if kind == "short" and type_ in {"company", "group"} and random.random() < 0.6:
            return _han_name(random, type_, len(name))
        return random.choice(self._lists.get((type_, kind)) or [name])


def _kind(name: str) -> str:
    """Return how a name is written: latin, short (a few Han characters), han, or mixed."""
    if not _HAN.search(name):
        return "latin"
    if not all(_HAN.match(char) for char in name):
        return "mixed"
    return "short" if len(name) <= 4 else "han"


@cache
def _parts() -> Mapping[str, tuple[str, ...]]:
    text = (files("index.entities") / "data/training/parts.toml").read_text(encoding="utf-8")
    return {
        name: tuple("" if part == "-" else part for part in parts.split())
        for name, parts in tomllib.loads(text).items()
    }


def _stem(random: Random) -> str:
    parts = _parts()
    return "".join(
        random.choice(parts["onsets"])
        + random.choice(parts["vowels"])
        + random.choice(parts["codas"])
        for _ in range(random.choice((1, 2, 2, 2, 3)))
    ).capitalize()


def _latin_name(random: Random, type_: str) -> str:
    parts = _parts()
    stem = _stem(random)
    form = random.random()
    if form < 0.5:
        return stem
    if form < 0.6:
        return stem + random.choice(parts["tails"])
    if form < 0.68:
        return stem.upper()[: random.choice((3, 4, 5))]
    if form < 0.76:
        return random.choice(parts["words"]) + random.choice(parts["words"]).lower()
    if form < 0.84:
        return f"{random.choice(parts['words'])} {random.choice(parts['words'])}"
    if form < 0.88:
        return stem.lower()
    if form < 0.91:
        return f"{stem}.{random.choice(('io', 'ai', 'com'))}"
    if type_ in {"company", "institute", "association"}:
        return f"{stem} {random.choice(parts['trades'])}"
    return stem + str(random.randint(1, 99))


def _han_name(random: Random, type_: str, length: int) -> str:
    parts = _parts()
    if type_ == "group":
        return "".join(random.choices(parts["group_characters"], k=max(2, min(length, 4))))
    tail = random.choice(parts["brand_tails"]) if length > 2 else ""
    stem = max(2, length - len(tail))
    return "".join(random.choices(parts["brand_characters"], k=stem)) + tail
