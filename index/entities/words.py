"""What the word lists in `data/` say of words: descriptive, a term of the field, a foreign name."""

import re
from functools import cache
from importlib.resources import files

__all__ = [
    "HAN",
    "ends_foreign",
    "is_common_latin",
    "is_generic",
    "is_person",
    "is_term",
    "is_transliterated",
    "read_list",
    "read_words",
]

HAN = "\u3400-\u4dbf\u4e00-\u9fff〇"  # for the brackets of a regular expression

# Words of which a foreign body's name is made beside the sounds: 密歇根州立大学.
_BESIDE_SOUNDS = re.compile(
    "(?:医疗|汽车|航空|电信|能源|国立|州立|理工|中央|国家|联邦|地区|儿童|纪念|社区|国际|市|州|郡|县)+"
)
_PLURAL = re.compile("[A-Z]{2,}s")
_MOSTLY = 0.75  # share of sound-writing characters that makes a name foreign
_LONGEST_FOREIGN = 9


@cache
def read_list(name: str) -> tuple[str, ...]:
    """Return the lines of a list in `data/`, without comments."""
    text = (files("index.entities") / "data" / name).read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def read_words(name: str) -> tuple[str, ...]:
    """Return the words of a list in `data/`, which white space separates."""
    return tuple(dict.fromkeys(word for line in read_list(name) for word in line.split()))


def is_generic(words: str) -> bool:
    """Say whether `words` describe a body without naming it: 大型网络安全."""
    return _generic().fullmatch(words) is not None


def is_common_latin(words: str) -> bool:
    """Say whether Latin words are terms of the field or numbers, not a name: AI, GPT-4."""
    parts = words.replace("-", " ").split()
    return len(words) < 2 or all(part.isdigit() or part.upper() in _latin_terms() for part in parts)


def is_term(words: str) -> bool:
    """Say whether Latin words name a thing of the field: software, a protocol, a malware."""
    low = words.lower()
    parts = re.findall("[a-z]+", low)
    # RNNs, GANs: more than one of them.
    is_listed = (
        low in _terms() or low.removesuffix("s") in _terms() or _PLURAL.fullmatch(words) is not None
    )
    return is_listed or all(part in _english() or len(part) == 1 for part in parts)


def is_person(words: str) -> bool:
    """Say whether Latin words begin with a given name, and have a surname: Ada Lovelace."""
    first, _, rest = words.partition(" ")
    return bool(rest) and first in _given_names()


def is_transliterated(words: str) -> bool:
    """Say whether Han characters write a foreign name by its sound: 约翰霍普金斯."""
    name = _BESIDE_SOUNDS.sub("", words)
    foreign = sum(char in _sounds() for char in name)
    return (
        2 <= len(name) <= _LONGEST_FOREIGN
        and foreign >= _MOSTLY * len(name)
        and not is_generic(words)
    )


def ends_foreign(words: str) -> bool:
    """Say whether the last two characters write foreign sounds."""
    return len(words) > 1 and _sounds().issuperset(words[-2:])


@cache
def _latin_terms() -> frozenset[str]:
    return frozenset(word.upper() for word in read_words("latin_terms.txt"))


@cache
def _sounds() -> frozenset[str]:
    return frozenset("".join(read_words("transliteration.txt")))


@cache
def _generic() -> re.Pattern[str]:
    ordered = sorted(read_words("generic.txt"), key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, ordered))})+")


@cache
def _terms() -> frozenset[str]:
    return frozenset(line.lower() for line in read_list("software.txt"))


@cache
def _english() -> frozenset[str]:
    return frozenset(read_words("english.txt"))


@cache
def _given_names() -> frozenset[str]:
    return frozenset(read_words("given_names.txt"))
