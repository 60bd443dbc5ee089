"""The analyzer: text to terms with positions, the same for index and query."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from index.analysis.charfilter import NormalisedText, normalise
from index.analysis.fields import FieldTokenizer, FieldTokens
from index.analysis.finder import UnitFinder
from index.analysis.segmenter import Segmenter, dictionary_words, open_segmenter
from index.analysis.trie import WordTrie
from index.analysis.units import Unit, UnitSplitter
from index.errors import SettingsError

__all__ = ["Analyzer", "QueryTerm", "Token"]


# What decides which terms a text has.
_MODULES = ("analyzer.py", "charfilter.py", "fields.py", "segmenter.py", "trie.py", "units.py")

_PARTICLES = frozenset("的了着过地得和与及或是在被把将对从向于为也都就还不")


class Token(NamedTuple):
    """A term of a text: where it stands in the original, and at which unit it begins."""

    text: str
    start: int
    end: int
    position: int


class QueryTerm(NamedTuple):
    """A word of a query.

    `units` has more than one member for a Han word; `is_term` says that such a word is a term of
    the index wherever it is visible, so that no phrase of its characters is needed. An identifier
    is never left out when a search widens.
    """

    text: str
    start: int
    end: int
    units: tuple[str, ...]
    is_term: bool
    is_identifier: bool


class Analyzer:
    """Analyses text.

    A text's terms are its units, the parts of its identifiers, and every dictionary word that is
    visible in it: jieba's full mode, not the cut it would choose. jieba cuts by context, so the
    word 数据安全 would else be missing from a document where it cut 大数据 and 安全. A query is cut
    into the most probable words; a word of it that is in no dictionary is a phrase of its units.
    """

    def __init__(self, terms: Path | None = None) -> None:
        """Read the terms; `terms` names a file of further words, one a line.

        What cuts queries and what finds the tokens of fields load the dictionary when they are
        first used: a process seldom needs both. Raises SettingsError where that file cannot be
        read.
        """
        self._terms = _read_terms(terms)
        self._han_terms = [term for term in self._terms if not term.isascii()]
        self._splitter = UnitSplitter(term for term in self._terms if term.isascii())

    @property
    def fingerprint(self) -> str:
        """A short hash of all that decides which terms a text has."""
        digest = blake2b(digest_size=8)
        for module in _MODULES:
            digest.update((files("index.analysis") / module).read_bytes())
        digest.update("\n".join(self._terms).encode())
        digest.update(f"jieba {version('jieba')} opencc {version('opencc')}".encode())
        return digest.hexdigest()

    @cached_property
    def _segmenter(self) -> Segmenter:
        return open_segmenter(self._han_terms)

    @cached_property
    def _field_tokenizer(self) -> FieldTokenizer:
        return FieldTokenizer(self._splitter, WordTrie([*dictionary_words(), *self._han_terms]))

    @cached_property
    def finder(self) -> UnitFinder:
        """What finds units in texts in normal form."""
        return UnitFinder(self._splitter)

    def units(self, text: str) -> tuple[list[Unit], NormalisedText]:
        """Return the units of a text in normal form, and that form."""
        normal = normalise(text)
        return self._splitter.split(normal.text), normal

    def tokens(self, text: str) -> list[Token]:
        """Return every token, ordered by position; offsets are those of `text`."""
        units, normal = self.units(text)
        found = [
            Token(word, *normal.span(start, start + len(word)), position)
            for word, start, position in self._words(units, normal.text)
        ]
        return sorted(found, key=lambda token: (token.position, token.start, -token.end))

    def field_tokens(self, texts: Sequence[str]) -> FieldTokens:
        """Return what the index stores of a field of many texts: all `tokens` of each."""
        return self._field_tokenizer.tokens(texts)

    def query_terms(self, text: str) -> list[QueryTerm]:
        """Cut a piece of a query into words, in order; offsets are those of `text`."""
        units, normal = self.units(text)
        at = {unit.start: position for position, unit in enumerate(units)}
        cut = [piece for run in self._splitter.han_runs(normal.text) for piece in self._cut(run)]
        covered = {offset for start, end, _ in cut for offset in range(start, end)}
        cut += [(unit.start, unit.end, True) for unit in units if unit.start not in covered]
        terms = []
        for start, end, is_term in sorted(cut):
            first = at[start]
            word_units = [unit for unit in units[first : first + end - start] if unit.end <= end]
            terms.append(
                QueryTerm(
                    normal.text[start:end],
                    *normal.span(start, end),
                    tuple(unit.text for unit in word_units),
                    is_term,
                    len(word_units) == 1 and _is_identifier(word_units[0]),
                )
            )
        return terms

    def inner_words(self, text: str) -> tuple[str, ...]:
        """Return every dictionary word of two characters or more that is visible, each once."""
        runs = self._splitter.han_runs(normalise(text).text)
        return tuple(
            dict.fromkeys(word for run in runs for word, _ in self._segmenter.cut_all(run[0]))
        )

    def probable_words(self, text: str) -> frozenset[str]:
        """Return the Han words of the most probable cut of a text, in normal form."""
        runs = self._splitter.han_runs(normalise(text).text)
        return frozenset(word for run in runs for word in self._segmenter.cut(run[0]))

    def phrase(self, text: str) -> tuple[str, ...]:
        """Return the units of a quoted string."""
        units, _ = self.units(text)
        return tuple(unit.text for unit in units)

    def is_word(self, text: str) -> bool:
        """Say whether a text in normal form is a word of the dictionary."""
        return self._segmenter.is_known(text)

    @property
    def terms(self) -> tuple[str, ...]:
        """The field's own words, in normal form."""
        return self._terms

    def word_boundaries(self, text: str) -> tuple[int, ...]:
        """Return the offsets between two words of a Han run, where a line may break."""
        normal = normalise(text)
        boundaries = []
        for run in self._splitter.han_runs(normal.text):
            start = run.start()
            for word in self._segmenter.cut(run[0])[:-1]:
                start += len(word)
                boundaries.append(normal.span(start, start + 1)[0])
        return tuple(boundaries)

    def _cut(self, run: re.Match[str]) -> list[tuple[int, int, bool]]:
        """Cut a Han run into words: start, end, and whether it is a term of the index."""
        cut: list[tuple[int, int, bool]] = []
        start, loose = run.start(), False
        for word in self._segmenter.cut(run[0]):
            end = start + len(word)
            was_loose, loose = loose, len(word) == 1 and word not in _PARTICLES
            if loose and was_loose:
                # Characters that jieba leaves single, side by side, are a name it does not know.
                cut[-1] = (cut[-1][0], end, False)
            else:
                cut.append((start, end, len(word) == 1 or self._segmenter.is_known(word)))
            start = end
        return cut

    def _words(self, units: list[Unit], text: str) -> Iterator[tuple[str, int, int]]:
        """Give every term with its offset in the normal form and its position."""
        positions: dict[int, int] = {}
        for position, unit in enumerate(units):
            positions[unit.start] = position
            yield unit.text, unit.start, position
            if unit.kind != "character":
                for part, offset in unit.parts():
                    yield part, unit.start + offset, position
        for run in self._splitter.han_runs(text):
            base = run.start()
            for word, offset in self._segmenter.cut_all(run[0]):
                yield word, base + offset, positions[base + offset]


_IDENTIFIERS = frozenset({"url", "email", "ip", "ipv6", "technique", "version", "domain", "date"})
_NUMBERED = ("cve-", "cnvd-", "cnnvd-", "apt-c-", "ms", "kb", "cwe-", "ghsa-")


def _is_identifier(unit: Unit) -> bool:
    if unit.kind in _IDENTIFIERS:
        return True
    if unit.kind == "hyphenated":
        return unit.text.startswith(_NUMBERED) and any(map(str.isdigit, unit.text))
    # A hash: nothing else is that long and hexadecimal.
    return len(unit.text) in {32, 40, 64} and set(unit.text) <= set("0123456789abcdef")


def _read_terms(extra: Path | None) -> tuple[str, ...]:
    sources = [(files("index.analysis") / "data" / "terms.txt").read_text(encoding="utf-8")]
    if extra is not None:
        try:
            sources.append(extra.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"The file of terms {extra} cannot be read: {error}.") from error
    return tuple(dict.fromkeys(term for source in sources for term in _lines(source)))


def _lines(source: str) -> Iterable[str]:
    for line in source.splitlines():
        term = normalise(line.strip()).text
        # "#" opens a comment only where it opens the line: c# is a term.
        if term and not term.startswith("#"):
            yield term
