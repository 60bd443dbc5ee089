"""Suggestions as one types: words, organisations, identifiers, categories and headlines.

The last word may be unfinished. Words and names are also found by their pinyin and its initials.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from string import ascii_lowercase

from index.analysis import normalise
from search.names import NameIndex, spelt
from search.pace import Pace
from search.results import Suggestion, SuggestionGroup
from search.vocabulary import Headline, Vocabulary

__all__ = ["Suggester"]

_MOST = {"query": 5, "organisation": 4, "identifier": 4, "category": 3, "title": 5}
_LEAST_HEADLINES = 2  # that a word must be in to be suggested
_LONGEST, _LONGEST_HAN = 16, 6  # characters of a word that is looked for in a headline
_UNKNOWN = 10_000  # headlines that may hold what is no word yet
_KEPT = 4096  # typed texts whose suggestions are kept
_COUNTED = 40  # headlines, the newest, of which words are counted
_SCANNED = 800  # places of a word that are looked at for a headline with the others too
_WORD = re.compile(r"[\u4e00-\u9fff]{2,}|[a-z][a-z0-9+#.&-]+")
_IDENTIFIER = re.compile(r"(?:cve|cnvd|cnnvd|ghsa|apt|cwe|ms|kb|t)[-\d][-\da-z.]*|\d{4}-\d+")
_HAN = re.compile("[\u4e00-\u9fff]{2,}")
_LATIN = re.compile(r"(?<![a-z0-9])[a-z][a-z0-9+#.&-]+")
_LETTERS = re.compile("[a-z]+")


class _Keys:
    """Texts under several keys each, found by the beginning of a key; `counts` has all of them."""

    def __init__(
        self, entries: Iterable[tuple[str, str]], counts: Mapping[str, int], pace: Pace
    ) -> None:
        """Take pairs of a key, without a line break, and a text."""
        self._counts = counts
        # By the first character: to put all in order at once would hold up the answering.
        self._lines: dict[str, list[str]] = defaultdict(list)
        for key, text in pace.over(entries):
            self._lines[key[:1]].append(f"{key}\n{text}")
        for lines in pace.over(self._lines.values()):
            lines.sort()

    def beginning(self, prefix: str) -> dict[str, int]:
        """Return the texts under keys that begin so (not empty), with the count of each."""
        lines = self._lines.get(prefix[:1], [])
        found = {}
        for place in range(bisect_left(lines, prefix), len(lines)):
            if not lines[place].startswith(prefix):
                break
            text = lines[place].partition("\n")[2]
            found[text] = self._counts[text]
        return found


class Suggester:
    """Suggests from one vocabulary."""

    def __init__(self, vocabulary: Vocabulary, organisations: NameIndex, pace: Pace) -> None:
        """Spell all words once; names come spelt."""
        self._vocabulary = vocabulary
        words = vocabulary.words
        self._plain = frozenset(
            word for word in pace.over(words) if words[word] >= _LEAST_HEADLINES and _is_plain(word)
        )
        self._words = _Keys(_spelt(self._plain), words, pace)
        counts = vocabulary.organisations
        names = (pair for pair in organisations.spelt() if counts[pair[1]])
        self._organisations = _Keys(names, counts, pace)
        self._categories = _Keys(_spelt(vocabulary.categories), vocabulary.categories, pace)
        self._joined = "\n".join(["", *(line.normal for line in vocabulary.headlines), ""])
        starts, at = [], 1
        for line in pace.over(vocabulary.headlines):
            starts.append(at)
            at += len(line.normal) + 1
        self._starts = starts
        self._known = lru_cache(maxsize=_KEPT)(self._suggest)
        for letter in pace.over(ascii_lowercase):  # the first one of thousands of words in pinyin
            self.suggest(letter)

    def suggest(self, typed: str) -> tuple[SuggestionGroup, ...]:
        """Return what the typed text may become, in groups; none for an empty text."""
        text = normalise(typed.strip()).text
        return self._known(text, typed[-1:].isspace()) if text else ()

    def _suggest(self, text: str, is_finished: bool) -> tuple[SuggestionGroup, ...]:
        before, last = _split(text)
        groups = {
            "query": self._queries(before, last, is_finished=is_finished),
            "organisation": _best(self._organisations, text, _MOST["organisation"]),
            "identifier": self._identifiers(last),
            "category": _best(self._categories, text, _MOST["category"]),
            "title": list(self._titles(text.split())),
        }
        return tuple(
            SuggestionGroup(name=name, suggestions=tuple(found))
            for name, found in groups.items()
            if found
        )

    def _queries(self, before: str, last: str, *, is_finished: bool) -> list[Suggestion]:
        """Complete the last word: with others before it, by words of the same headlines."""
        if not before and not is_finished:
            return _best(self._words, last, _MOST["query"], but=last)
        if is_finished:
            before, last = f"{before} {last}".strip(), ""
        counts: dict[str, int] = {}
        for line in islice(self._lines(before.split()), _COUNTED):
            for word in self._line_words(line, last):
                counts[word] = counts.get(word, 0) + 1
        ranked = sorted(
            (word for word in counts if word not in before.split()),
            key=lambda word: (-counts[word], word),
        )
        return [
            Suggestion(text=f"{before} {word}", count=counts[word])
            for word in ranked[: _MOST["query"]]
        ]

    def _line_words(self, line: Headline, prefix: str) -> set[str]:
        """Return the words of a headline that begin so."""
        text = line.normal
        if prefix:
            places = [match.start() for match in re.finditer(re.escape(prefix), text)]
            found = {text[at : at + size] for at in places for size in range(len(prefix), _LONGEST)}
        else:
            pieces = _HAN.findall(text)
            found = {
                piece[at : at + size]
                for piece in pieces
                for at in range(len(piece) - 1)
                for size in range(2, _LONGEST_HAN)
            }
            found.update(_LATIN.findall(text))
        return found & self._plain

    def _identifiers(self, last: str) -> list[Suggestion]:
        if not _IDENTIFIER.fullmatch(last):
            return []
        prefix = f"cve-{last}" if last[0].isdigit() else last
        found = self._vocabulary.terms(prefix)
        ranked = sorted(found, key=lambda term: (-found[term], term))
        return [
            Suggestion(text=term.upper(), count=found[term])
            for term in ranked
            if any(map(str.isdigit, term)) and "-" in term
        ][: _MOST["identifier"]]

    def _titles(self, words: Sequence[str]) -> Iterator[Suggestion]:
        for number, line in enumerate(self._lines(words)):
            if number == _MOST["title"]:
                return
            yield Suggestion(text=line.title, id=line.id)

    def _lines(self, words: Sequence[str]) -> Iterator[Headline]:
        """Give the headlines that hold all words, newest first; Latin words where they begin."""
        if not words:
            return
        counts = self._vocabulary.words
        rarest = min(words, key=lambda word: (counts.get(word, _UNKNOWN), -len(word)))
        at, last = -1, -1
        for _ in range(_SCANNED):
            at = self._joined.find(rarest, at + 1)
            if at < 0:
                return
            number = bisect_left(self._starts, at + 1) - 1
            if number == last or not _begins(self._joined, at):
                continue
            line = self._vocabulary.headlines[number]
            if all(_has(line.normal, word) for word in words):
                last = number
                yield line


def _is_plain(word: str) -> bool:
    """Say whether a word is one to suggest as such, and no identifier."""
    return bool(_WORD.fullmatch(word)) and not _IDENTIFIER.fullmatch(word)


def _split(text: str) -> tuple[str, str]:
    """Return what stands before the last word, and that word."""
    before, _, last = text.rpartition(" ")
    return before.strip(), last


def _spelt(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        key = normalise(text).text
        yield key, text
        for sound in spelt(key):
            yield sound, text


def _best(keys: _Keys, prefix: str, most: int, *, but: str = "") -> list[Suggestion]:
    """Return the most frequent entries that begin so; letters may be pinyin or initials."""
    found = keys.beginning(prefix.replace(" ", "") if _LETTERS.match(prefix) else prefix)
    found.pop(but, None)
    ranked = sorted(found, key=lambda text: (-found[text], len(text), text))
    return [Suggestion(text=text, count=found[text]) for text in ranked[:most]]


def _has(text: str, word: str) -> bool:
    at = text.find(word)
    while at >= 0:
        if _begins(text, at):
            return True
        at = text.find(word, at + 1)
    return False


def _begins(text: str, at: int) -> bool:
    """Say whether a word may begin here: not in the middle of a Latin word or number."""
    is_inside = at > 0 and text[at - 1].isascii() and text[at - 1].isalnum()
    return not (is_inside and text[at].isascii() and text[at].isalnum())
