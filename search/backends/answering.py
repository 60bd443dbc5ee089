"""Answering: from a query string to what it selects in one state, corrected where that helps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from index.analysis import Analyzer
from index.document import BEIJING
from index.errors import QueryTooLong
from search.parser import ParsedQuery, parse_query
from search.query import BooleanQuery, MatchQuery
from search.request import SearchRequest
from search.results import DidYouMean, Notice, Understood
from search.rewrite import Rewriter
from search.spelling import Speller
from search.syntax import to_text

__all__ = ["Answer", "Answerer", "QueryReader", "Select", "Selected"]

_READ = 500  # query strings that are kept as they were read


class Selected(Protocol):
    """What a query selects: how many articles hold every word, how many others are listed."""

    @property
    def full_count(self) -> int:
        """Those that hold every word."""

    @property
    def partial_count(self) -> int:
        """Those that lack some."""


S = TypeVar("S", bound=Selected)

Select = Callable[[BooleanQuery], S]
"""Selects by a rewritten query, with all else that a request says."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[S]):
    """A query as it was read and rewritten, what it selects, and what is to be said of it.

    `typed` is the query without the period that was read from its words.
    """

    parsed: BooleanQuery
    typed: BooleanQuery
    query: BooleanQuery
    selection: S
    notices: tuple[Notice, ...]
    understood: tuple[Understood, ...]


@dataclass(frozen=True, slots=True)
class _Correction(Generic[S]):
    """What a likelier spelling finds."""

    answer: Answer[S]
    meant: DidYouMean


class QueryReader:
    """Parses and rewrites query strings, the same in every state."""

    def __init__(self, analyzer: Analyzer, rewriter: Rewriter) -> None:
        self._analyzer = analyzer
        self.rewriter = rewriter
        self._kept = lru_cache(maxsize=_READ)(self._read)

    def read(
        self, text: str, today: date, *, reads_periods: bool
    ) -> tuple[ParsedQuery, BooleanQuery]:
        """Return what was typed as a tree, and that tree rewritten."""
        return self._kept(text, today, reads_periods=reads_periods)

    def _read(
        self, text: str, today: date, *, reads_periods: bool
    ) -> tuple[ParsedQuery, BooleanQuery]:
        parsed = parse_query(text, self._analyzer, today=today, reads_periods=reads_periods)
        return parsed, self.rewriter.rewrite(parsed.query)


class Answerer:
    """Answers in one state; `speller` gives the newest there is, perhaps that of a former state."""

    def __init__(self, reader: QueryReader, speller: Callable[[], Speller]) -> None:
        self._reader, self._speller = reader, speller

    def answer(self, request: SearchRequest, select: Select[S]) -> Answer[S]:
        """Return what a request selects as it was typed."""
        return self._answer(request, request.query, select)

    def best_answer(
        self, request: SearchRequest, select: Select[S]
    ) -> tuple[Answer[S], DidYouMean | None]:
        """Return what a request selects, under a likelier spelling where that is applied."""
        answer = self.answer(request, select)
        better = self._correction(request, answer, select)
        if better is None:
            return answer, None
        return better.answer if better.meant.applied else answer, better.meant

    def _answer(self, request: SearchRequest, text: str, select: Select[S]) -> Answer[S]:
        """Read a query string and select what it finds."""
        reads_periods = request.reads_periods and not (
            request.first or request.last or request.month
        )
        today = datetime.now(BEIJING).date()
        parsed, query = self._reader.read(text, today, reads_periods=reads_periods)
        found = select(query)
        if parsed.without_period is None or found.full_count or found.partial_count:
            typed = parsed.without_period or parsed.query
            return Answer(parsed.query, typed, query, found, parsed.notices, parsed.understood)
        # Nothing is of that period: better articles of another one than none.
        (period,) = parsed.understood
        query = self._reader.rewriter.rewrite(parsed.without_period)
        notices = (*parsed.notices, _period_notice(text, period.text))
        typed = parsed.without_period
        return Answer(typed, typed, query, select(query), notices, ())

    def _correction(
        self, request: SearchRequest, answer: Answer[S], select: Select[S]
    ) -> _Correction[S] | None:
        """Return a likelier spelling of plain words that finds something, and what it finds."""
        typed, former = answer.typed, answer.selection
        parts = typed.must
        is_plain = all(isinstance(part, MatchQuery) for part in parts)
        if not parts or not is_plain or typed.should or typed.must_not:
            return None
        speller = self._speller()
        meant = [
            replace(part, text=speller.correct(part.text) or part.text)
            for part in parts
            if isinstance(part, MatchQuery)
        ]
        if tuple(meant) == parts:
            return None
        text = to_text(replace(typed, must=tuple(meant)))
        try:
            found = self._answer(request, text, select)
        except QueryTooLong:  # what was typed is not
            return None
        total = found.selection.full_count
        if not total or total < former.full_count:
            return None
        applied = request.corrects and not former.full_count and not former.partial_count
        return _Correction(found, DidYouMean(query=text, total=total, applied=applied))


def _period_notice(query: str, text: str) -> Notice:
    start = max(0, query.find(text))
    return Notice(
        code="period_ignored",
        message=f"没有“{text}”这段时间的文章，已不限时间。",
        start=start,
        end=start + len(text),
    )
