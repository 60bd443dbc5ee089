"""Suggestions, corrections and spelt names of the newest state, made beside the answering."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Thread
from time import monotonic
from typing import Protocol

from index.analysis import Analyzer
from index.entities import OrganisationTable
from search.names import NameIndex
from search.pace import Pace
from search.spelling import Speller
from search.suggest import Suggester
from search.vocabulary import Vocabulary

__all__ = ["Archive", "TypingAids", "TypingAidsMaker"]

_LEAST_AGE = 60.0  # seconds between two makings
_SHARE = 0.1  # of the time of a thread that makes new ones while others serve
_SPELT = ("organisation", "source", "category")  # columns whose values have pinyin


class Archive(Protocol):
    """One state of an index, as the aids are made of it."""

    @property
    def state(self) -> tuple[int, int]:
        """Generation and commit."""

    def names(self, column: str) -> tuple[str, ...]:
        """Return all values of a column."""

    def vocabulary(
        self,
        pace: Pace,
        frequency: Callable[[str], int],
        terms: Callable[[str], Mapping[str, int]],
        learn: Callable[[Iterable[str]], None],
    ) -> Vocabulary:
        """Return the vocabulary, with these functions, which ask the newest state."""

    def learn(self, texts: Iterable[str]) -> None:
        """Hear of texts whose frequency will be asked for."""

    def frequency(self, text: str) -> int:
        """Return how many articles hold a word or a string of units."""

    def terms(self, prefix: str) -> Mapping[str, int]:
        """Return terms that begin with a prefix, each with its number of articles."""


@dataclass(frozen=True, slots=True)
class TypingAids:
    """What helps with one state of the index."""

    vocabulary: Vocabulary
    names: Mapping[str, NameIndex]
    suggester: Suggester
    speller: Speller
    state: tuple[int, int]


class TypingAidsMaker:
    """Keeps aids for the newest state; while it makes new ones the former serve."""

    def __init__(
        self,
        analyzer: Analyzer,
        organisations: OrganisationTable,
        names: Iterable[str],
        particles: frozenset[str],
    ) -> None:
        """Take what is the same for every state; `names` are terms of the field."""
        self._analyzer, self._organisations = analyzer, organisations
        self._names, self._particles = tuple(names), particles
        self._latest: TypingAids | None = None
        self._error: BaseException | None = None
        self._thread: Thread | None = None
        self._made_at = 0.0
        self._newest: Archive  # from the first question on
        self._spelt: dict[str, tuple[tuple[str, ...], NameIndex]] = {}

    def of(self, archive: Archive) -> TypingAids:
        """Return aids for a state or, while these are made, for the one before it."""
        latest = self._latest
        is_made = latest is not None and latest.state == archive.state
        is_due = latest is None or monotonic() - self._made_at >= _LEAST_AGE
        self._newest = archive
        if not is_made and is_due and self._thread is None:
            pace = Pace(_SHARE if latest else 1.0)
            self._thread = Thread(target=self._make, args=(archive, pace), daemon=True)
            self._thread.start()
        thread = self._thread
        if self._latest is None and thread is not None:
            thread.join()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self._latest is None:
            raise RuntimeError("Suggestions were not made")
        return self._latest

    @property
    def state(self) -> tuple[int, int] | None:
        """The state that the aids at hand were made of; None before there are any."""
        return self._latest.state if self._latest else None

    def _make(self, archive: Archive, pace: Pace) -> None:
        try:
            vocabulary = archive.vocabulary(pace, self._frequency, self._terms, self._learn)
            names = {name: self._names_of(archive, name) for name in _SPELT}
            self._latest = TypingAids(
                vocabulary,
                names,
                Suggester(vocabulary, names["organisation"], pace),
                Speller(vocabulary, self._names, self._analyzer.is_word, self._particles, pace),
                archive.state,
            )
        except Exception as error:  # told to the next one who asks
            self._error = error
        finally:
            self._made_at = monotonic()
            self._thread = None

    def _names_of(self, archive: Archive, name: str) -> NameIndex:
        """Return the values of a column, organisations under their other names too."""
        values = archive.names(name)
        if name not in self._spelt or self._spelt[name][0] != values:
            self._spelt[name] = values, self._spell(name, values)
        return self._spelt[name][1]

    def _spell(self, name: str, values: tuple[str, ...]) -> NameIndex:
        if name != "organisation":
            return NameIndex({value: (value,) for value in values})
        rows = {value: self._organisations.find(value) for value in values}
        return NameIndex(
            {value: (value, *row.names) if row else (value,) for value, row in rows.items()}
        )

    # Of the newest state: a former one would be kept open as long as the aids that were made of it

    def _frequency(self, text: str) -> int:
        return self._newest.frequency(text)

    def _terms(self, prefix: str) -> Mapping[str, int]:
        return self._newest.terms(prefix)

    def _learn(self, texts: Iterable[str]) -> None:
        self._newest.learn(texts)
