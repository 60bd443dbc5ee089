"""Answering: from a query string to what it selects in one state, corrected where that helps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache

from index.analysis import Analyzer
from index.document import BEIJING
from index.errors import QueryTooLong
from search.backends.matches import Mask
from search.backends.selection import Selection, Selector
from search.parser import ParsedQuery, parse_query
from search.query import BooleanQuery, MatchQuery
from search.request import SearchRequest
from search.results import DidYouMean, Notice, Understood
from search.rewrite import Rewriter
from search.spelling import Speller
from search.syntax import to_text

__all__ = ["Answer", "Answerer", "QueryReader"]

_READ = 500  # query strings that are kept as they were read


@dataclass(frozen=True, slots=True)
class Answer:
    """A query as it was read and rewritten, what it selects, and what is to be said of it.

    `typed` is the query without the period that was read from its words.
    """

    parsed: BooleanQuery
    typed: BooleanQuery
    query: BooleanQuery
    selection: Selection
    notices: tuple[Notice, ...]
    understood: tuple[Understood, ...]


@dataclass(frozen=True, slots=True)
class _Correction:
    """What a likelier spelling finds."""

    answer: Answer
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

    def __init__(
        self, reader: QueryReader, selector: Selector, speller: Callable[[], Speller]
    ) -> None:
        self._reader, self._selector, self._speller = reader, selector, speller

    def answer(self, request: SearchRequest, filters: dict[str, Mask]) -> Answer:
        """Return what a request selects as it was typed."""
        return self._answer(request, request.query, filters)

    def best_answer(
        self, request: SearchRequest, filters: dict[str, Mask]
    ) -> tuple[Answer, DidYouMean | None]:
        """Return what a request selects, under a likelier spelling where that is applied."""
        answer = self.answer(request, filters)
        better = self._correction(request, answer, filters)
        if better is None:
            return answer, None
        return better.answer if better.meant.applied else answer, better.meant

    def _answer(self, request: SearchRequest, text: str, filters: dict[str, Mask]) -> Answer:
        """Read a query string and select what it finds."""
        reads_periods = request.reads_periods and not (
            request.first or request.last or request.month
        )
        today = datetime.now(BEIJING).date()
        parsed, query = self._reader.read(text, today, reads_periods=reads_periods)
        selection = self._selector.select(request, query, filters)
        if parsed.without_period is None or len(selection.full) or len(selection.partial):
            typed = parsed.without_period or parsed.query
            return Answer(parsed.query, typed, query, selection, parsed.notices, parsed.understood)
        # Nothing is of that period: better articles of another one than none.
        (period,) = parsed.understood
        query = self._reader.rewriter.rewrite(parsed.without_period)
        selection = self._selector.select(request, query, filters)
        notices = (*parsed.notices, _period_notice(text, period.text))
        typed = parsed.without_period
        return Answer(typed, typed, query, selection, notices, ())

    def _correction(
        self, request: SearchRequest, answer: Answer, filters: dict[str, Mask]
    ) -> _Correction | None:
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
            found = self._answer(request, text, filters)
        except QueryTooLong:  # what was typed is not
            return None
        total = len(found.selection.full)
        if not total or total < len(former.full):
            return None
        applied = request.corrects and not len(former.full) and not len(former.partial)
        return _Correction(found, DidYouMean(query=text, total=total, applied=applied))


def _period_notice(query: str, text: str) -> Notice:
    start = max(0, query.find(text))
    return Notice(
        code="period_ignored",
        message=f"没有“{text}”这段时间的文章，已不限时间。",
        start=start,
        end=start + len(text),
    )
