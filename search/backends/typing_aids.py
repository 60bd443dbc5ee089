"""Suggestions, corrections and spelt names of the newest state, made beside the answering."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from threading import Thread
from time import monotonic
from typing import NamedTuple

import numpy as np

from index.analysis import Analyzer, normalise
from index.entities import OrganisationTable
from search.backends.evaluator import Evaluator
from search.backends.queries import Combined
from search.backends.view import IndexView
from search.names import NameIndex
from search.pace import Pace
from search.query import TEXT_FIELDS, Variant
from search.spelling import Speller
from search.suggest import Suggester
from search.vocabulary import Headline, Vocabulary

__all__ = ["TypingAids", "TypingAidsMaker"]

_LEAST_AGE = 60.0  # seconds between two makings
_SHARE = 0.1  # of the time of a thread that makes new ones while others serve
_SPELT = ("organisation", "source", "category")  # columns whose values have pinyin
_HEADLINES = 200_000  # the newest, which are suggested and corrected by
_MOST_TERMS = 200  # terms of a prefix that are looked at


class _State(NamedTuple):
    """An open index, and what counts in it."""

    view: IndexView
    evaluator: Evaluator


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
        self._newest: _State  # from the first question on
        self._spelt: dict[str, tuple[tuple[str, ...], NameIndex]] = {}

    def of(self, view: IndexView, evaluator: Evaluator) -> TypingAids:
        """Return aids for a view or, while these are made, for the one before it."""
        latest = self._latest
        is_made = latest is not None and latest.state == view.state
        is_due = latest is None or monotonic() - self._made_at >= _LEAST_AGE
        self._newest = _State(view, evaluator)
        if not is_made and is_due and self._thread is None:
            pace = Pace(_SHARE if latest else 1.0)
            self._thread = Thread(target=self._make, args=(view, pace), daemon=True)
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

    def _make(self, view: IndexView, pace: Pace) -> None:
        try:
            vocabulary = self._read_vocabulary(view, pace)
            names = {name: self._names_of(view, name) for name in _SPELT}
            self._latest = TypingAids(
                vocabulary,
                names,
                Suggester(vocabulary, names["organisation"], pace),
                Speller(vocabulary, self._names, self._analyzer.is_word, self._particles, pace),
                view.state,
            )
        except Exception as error:  # told to the next one who asks
            self._error = error
        finally:
            self._made_at = monotonic()
            self._thread = None

    def _names_of(self, view: IndexView, name: str) -> NameIndex:
        """Return the values of a column, organisations under their other names too."""
        values = tuple(view.keywords[name].values)
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

    def _read_vocabulary(self, view: IndexView, pace: Pace) -> Vocabulary:
        """Read a vocabulary; its functions are for the thread that searches."""
        words: dict[str, int] = {}
        for segment in view.segments:
            for term, count in pace.over(segment.terms("title")):
                word = term.decode()
                words[word] = words.get(word, 0) + count
        return Vocabulary(
            articles=view.article_count,
            words=words,
            organisations=_totals(view, "organisation"),
            categories=_totals(view, "category"),
            headlines=tuple(islice(_headlines(view, pace), _HEADLINES)),
            frequency=self._frequency,
            terms=self._terms,
        )

    # Of the newest state: a former one would be kept open as long as the aids that were made of it

    def _frequency(self, text: str) -> int:
        view, evaluator = self._newest
        found = self._analyzer.query_terms(text)
        if len(found) == 1 and found[0].is_term:
            word = found[0].text.encode()
            return max(view.document_frequency(field, word) for field in ("title", "body"))
        units = self._analyzer.phrase(text)
        if not units:
            return 0
        return len(evaluator.operand(Combined(TEXT_FIELDS, (Variant(units=units, term=None),))))

    def _terms(self, prefix: str) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for segment in self._newest.view.segments:
            for number, (term, count) in enumerate(segment.terms("body", prefix.encode())):
                if number == _MOST_TERMS:
                    break
                word = term.decode()
                found[word] = found.get(word, 0) + count
        return found


def _totals(view: IndexView, name: str) -> dict[str, int]:
    column = view.keywords[name]
    counts = column.totals(column.counts(view.everything().documents))
    return dict(zip(column.values, counts.tolist(), strict=True))


def _headlines(view: IndexView, pace: Pace) -> Iterator[Headline]:
    """Give the titles of live articles, the newest first, each once."""
    order = np.argsort(view.newest_first, kind="stable")
    if view.live is not None:
        order = order[view.live[order]]
    titles, ids = view.titles, view.ids
    known: set[bytes] = set()
    for document in pace.over(order.tolist()):
        raw = titles[document]
        if raw and raw not in known:
            known.add(raw)
            title = raw.decode()
            yield Headline(ids[document].decode(), title, " ".join(normalise(title).text.split()))
