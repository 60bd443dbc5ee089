"""The searcher over the Whoosh index and the article store."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from time import perf_counter
from typing import Any, Literal

from index.analysis import Analyzer, normalise
from index.backends.whoosh import WhooshIndex
from index.deadline import check_deadline
from index.document import BEIJING, Article, OrganisationType
from index.entities import OrganisationTable, annotate
from index.errors import UnknownArticle
from index.settings import Settings
from index.store import STORE_FILE
from search.backends.answering import Answer, Answerer, QueryReader, Select
from search.backends.base import CacheUsage, IndexUsage, Statistics
from search.backends.cursor import read_cursor, write_cursor
from search.backends.desk import Desk, as_article
from search.backends.draft_names import DraftNames
from search.backends.drafts import DraftChecker
from search.backends.related import RelatedFinder
from search.backends.typing_aids import TypingAidsMaker
from search.backends.whoosh.archive import WhooshArchive
from search.backends.whoosh.cache import ByteCache
from search.backends.whoosh.counting import Counted, earliest_of_each, paired, standing_out
from search.backends.whoosh.directory import OrganisationDirectory
from search.backends.whoosh.evaluator import Evaluator
from search.backends.whoosh.fetching import HitFetcher
from search.backends.whoosh.folding import HitList
from search.backends.whoosh.holdings import ViewHoldings
from search.backends.whoosh.matches import Mask
from search.backends.whoosh.relater import Impacts, Relater
from search.backends.whoosh.selection import Selection, Selector
from search.backends.whoosh.stored import StoredArticles
from search.backends.whoosh.subjects import list_subjects
from search.backends.whoosh.view import IndexView
from search.explanation import QueryExplanation
from search.query import WordQuery
from search.related import Coverage, DraftReport, RelatedHit
from search.request import SearchRequest
from search.results import (
    Association,
    Copy,
    FacetPair,
    FacetValues,
    Hit,
    Organisation,
    OrganisationList,
    SearchResults,
    Subject,
    SuggestionGroup,
)
from search.rewrite import Rewriter, explain_query
from search.synonyms import Synonyms

__all__ = ["WhooshSearcher", "cache_size"]

_MEGABYTE = 1 << 20
_NEAR = 8  # names like one that no article has, some of which may be gone


@dataclass(frozen=True, slots=True)
class _Open:
    """The newest committed state, and what evaluates queries over it."""

    view: IndexView
    evaluator: Evaluator
    archive: WhooshArchive
    selector: Selector
    answerer: Answerer
    fetcher: HitFetcher
    directory: OrganisationDirectory
    relater: Relater
    related: RelatedFinder

    def select(self, request: SearchRequest, filters: dict[str, Mask]) -> Select[Selection]:
        """Return what selects for a request with the masks of its facets."""
        return partial(self.selector.select, request, filters)


class WhooshSearcher:
    """Answers from one data folder; safe to share between threads, which take turns."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet: the first question does, and every later one notices a commit."""
        self._settings = settings
        self._analyzer = Analyzer(settings.terms)
        self._analyzer.word_boundaries("安全")  # loads the dictionary, or the first query would
        self._organisations = OrganisationTable.load(settings.entities)
        synonyms = Synonyms.load(self._organisations, settings.synonyms)
        rewriter = Rewriter(self._analyzer, synonyms)
        self._reader = QueryReader(self._analyzer, rewriter)
        self._aids = TypingAidsMaker(
            self._analyzer,
            self._organisations,
            [*self._analyzer.terms, *synonyms.words],
            rewriter.stop_words,
        )
        self._index = WhooshIndex(settings.data / "index", self._analyzer.fingerprint)
        self._stored = StoredArticles(settings.data / STORE_FILE)
        self._lock = Lock()
        self._segments: ByteCache[Any] = ByteCache(0)
        self._impacts: ByteCache[Impacts] = ByteCache(0, small=0.5)
        self._open: _Open | None = None

    def close(self) -> None:
        """Release files and connections."""
        with self._lock:
            if self._open:
                self._open.view.close()
            self._stored.close()
            self._open = None

    def search(self, request: SearchRequest) -> SearchResults:
        """Answer a request; see `Searcher.search`."""
        started = perf_counter()
        with self._lock:
            state = self._current()
            view = state.view
            filters = state.selector.facet_filters(request)
            answer, better = state.answerer.best_answer(request, state.select(request, filters))
            selection = answer.selection
            offset = self._offset(view, request)
            listed = HitList(
                view,
                (selection.full, selection.partial),
                request.sort,
                folded=request.duplicates == "fold",
            )
            page = listed.page(offset, request.size)
            hits = state.fetcher.hits(page, answer.query, selection, request, listed)
            full, widened = len(selection.full), len(selection.partial)
            pageable = sum(listed.sizes)
            following = offset + request.size
            return SearchResults(
                query=request.query,
                total=full or widened,
                groups=listed.sizes[0] or pageable,
                widened=widened,
                pageable=pageable,
                page=request.page,
                size=request.size,
                next=write_cursor(view.state, following) if following < pageable else None,
                took_ms=round((perf_counter() - started) * 1000, 2),
                hits=hits,
                facets=state.selector.facets(request, selection.counted, filters),
                relaxed=tuple(dict.fromkeys(word for hit in hits for word in hit.missing)),
                did_you_mean=better,
                notices=answer.notices,
                understood=answer.understood,
                nothing_full=widened > 0 and not full,
                explanation=self._explanation(state, answer) if request.explain else None,
            )

    def _explanation(self, state: _Open, answer: Answer[Selection]) -> QueryExplanation:
        def articles(word: WordQuery) -> int:
            matches = state.evaluator.evaluate(state.selector.compile(word))
            return len(matches.where(state.view.live))

        told = explain_query(
            answer.parsed, self._reader.rewriter, articles, state.view.article_count
        )
        lines = state.evaluator.explain(state.selector.compile(answer.query))
        return replace(told, evaluation=tuple(lines))

    def suggest(self, typed: str) -> tuple[SuggestionGroup, ...]:
        """Return what a typed text may become, in groups."""
        with self._lock:
            state = self._current()
            return self._aids.of(state.archive).suggester.suggest(typed)

    # Articles

    def article(self, article_id: str) -> Article:
        """Return one article, or raise UnknownArticle."""
        with self._lock:
            return self._stored.article(article_id)

    def article_by_url(self, url: str) -> Article:
        """Return the article of an address in whatever form, or raise UnknownArticle."""
        with self._lock:
            return self._stored.article_by_url(url)

    def copies(self, article_id: str) -> tuple[Copy, ...]:
        """Return the other articles of an article's cluster; see `Searcher.copies`."""
        with self._lock:
            state = self._current()
            if article_id not in self._stored.addresses([article_id]):
                raise UnknownArticle(article_id)
            document = state.view.document(article_id)
            if document is None:
                return ()  # added a moment ago; the index follows
            members = state.view.clusters.members(document).tolist()
            members = [member for member in members if member != document]
            return tuple(state.fetcher.copies(members).values())

    # For editors

    def related(self, article_id: str, *, size: int = 10) -> tuple[RelatedHit, ...]:
        """Return what is related to an article; see `Searcher.related`."""
        with self._lock:
            return self._desk().related(self._stored.article(article_id), size)

    def related_to(self, title: str, text: str, *, size: int = 10) -> tuple[RelatedHit, ...]:
        """Return what is related to a text; see `Searcher.related_to`."""
        article = annotate(as_article(title, text), self._organisations)
        with self._lock:
            return self._desk().related(article, size)

    def coverage(self, article_id: str) -> Coverage:
        """Return who has reported the event of an article; see `Searcher.coverage`."""
        with self._lock:
            return self._desk().coverage(self._stored.article(article_id))

    def check_draft(self, title: str, text: str, *, size: int = 10) -> DraftReport:
        """Mark the paragraphs of a draft; see `Searcher.check_draft`."""
        draft = annotate(as_article(title, text), self._organisations)
        with self._lock:
            state = self._current()
            shown = state.fetcher.shown
            organisations = self._aids.of(state.archive).names["organisation"]
            near = partial(organisations.near, most=_NEAR)
            names = DraftNames(
                ViewHoldings(state.view), self._analyzer, state.directory.find, shown, near
            )
            checker = DraftChecker(state.relater, shown)
            return self._desk().check(draft, checker, names, size)

    def _desk(self) -> Desk:
        state = self._current()
        return Desk(state.related, state.fetcher.shown)

    # Values of fields

    def facet(
        self, request: SearchRequest, name: str, typed: str = "", *, size: int = 20
    ) -> FacetValues:
        """Return values of a facet over what a request finds; see `Searcher.facet`."""
        with self._lock:
            state = self._current()
            filters = state.selector.facet_filters(request)
            answer, _ = state.answerer.best_answer(request, state.select(request, filters))
            documents = state.selector.without_own(name, answer.selection.counted, filters)
            column = state.view.keywords[name]
            counted = Counted.of(column, column.counts(documents))
            ranks = self._ranks(state, name, typed)
            numbers = counted.ranked() if ranks is None else counted.ranked_by(ranks)
            return FacetValues(
                total=len(numbers),
                buckets=counted.buckets(numbers[:size], state.selector.chosen(name, request)),
            )

    def facet_pairs(self, request: SearchRequest, name: str, other: str) -> tuple[FacetPair, ...]:
        """Return counts of two fields against each other; see `Searcher.facet_pairs`."""
        with self._lock:
            state = self._current()
            filters = state.selector.facet_filters(request)
            answer, _ = state.answerer.best_answer(request, state.select(request, filters))
            selection = answer.selection
            hits = selection.full if len(selection.full) else selection.partial
            return paired(state.view, name, other, hits.documents)

    def associated(
        self, request: SearchRequest, name: str, without: tuple[str, ...] = (), *, size: int = 20
    ) -> tuple[Association, ...]:
        """Return the values that stand out in what a request finds; see `Searcher.associated`."""
        with self._lock:
            state = self._current()
            filters = state.selector.facet_filters(request)
            selection = state.answerer.answer(request, state.select(request, filters)).selection
            return standing_out(state.view, name, selection.full.documents, without, size)

    def first_reports(self, request: SearchRequest) -> tuple[Hit, ...]:
        """Return the earliest hit of each source; see `Searcher.first_reports`."""
        with self._lock:
            state = self._current()
            filters = state.selector.facet_filters(request)
            answer = state.answerer.answer(request, state.select(request, filters))
            page = earliest_of_each(state.view, "source", answer.selection.full.documents)
            return state.fetcher.hits(page, answer.query, answer.selection, request)

    def organisation(self, name: str) -> Organisation | None:
        """Return an organisation by any of its names, None if no article names it."""
        with self._lock:
            return self._current().directory.find(name)

    def organisations(
        self,
        typed: str = "",
        type_: OrganisationType | None = None,
        *,
        first: int = 0,
        size: int = 20,
    ) -> OrganisationList:
        """Return organisations that articles name; see `Searcher.organisations`."""
        with self._lock:
            state = self._current()
            ranks = self._ranks(state, "organisation", typed)
            return state.directory.page(ranks, type_, first=first, size=size)

    def near_organisations(self, name: str, *, size: int = 8) -> tuple[str, ...]:
        """Return organisations whose names are written or sound most like a name."""
        with self._lock:
            state = self._current()
            names = self._aids.of(state.archive).names["organisation"]
            return tuple(each for each in names.near(name, size) if state.directory.find(each))

    def subjects(self, name: Literal["organisation", "identifier"]) -> list[Subject]:
        """Return every organisation or identifier that articles name; see `Searcher.subjects`."""
        with self._lock:
            return list_subjects(self._current().view, name)

    def _ranks(self, state: _Open, name: str, typed: str) -> dict[str, int] | None:
        """Return the values of a column that match a typed text, None where nothing is typed."""
        if not typed.strip():
            return None
        names = self._aids.of(state.archive).names
        if name in names:
            return names[name].find(typed)
        text = normalise(typed.strip()).text
        values = (
            (value, normalise(value).text.find(text)) for value in state.view.keywords[name].values
        )
        return {value: min(place, 1) for value, place in values if place >= 0}

    def statistics(self) -> Statistics:
        """Count what is searched; today begins at midnight in Beijing."""
        now = datetime.now(BEIJING)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0).date()
        with self._lock:
            view = self._current().view
            live = view.everything()
            dated = view.published[live.where(view.between(None, now.date())).documents]
            newest = datetime.fromtimestamp(int(dated.max()), BEIJING) if len(dated) else None
            return Statistics(
                articles=len(live),
                today=len(live.where(view.between(today, today))),
                week=len(live.where(view.between(today - timedelta(days=6), today))),
                newest=newest,
                generation=view.state[0],
            )

    def index_usage(self) -> IndexUsage:
        """Tell what is searched; see `Searcher.index_usage`."""
        with self._lock:
            view = self._current().view
            return IndexUsage(
                generation=view.state[0],
                articles=len(view.everything()),
                size=self._index.size,
                committed=self._index.committed,
            )

    def cache_usage(self) -> CacheUsage:
        """Tell what the caches hold, without waiting for a search; see `Searcher.cache_usage`."""
        state = self._open
        caches = (self._segments, self._impacts, *(state.evaluator.caches if state else ()))
        return CacheUsage(
            size=sum(cache.nbytes for cache in caches),
            limit=sum(cache.limit for cache in caches),
            hits=sum(cache.hits for cache in caches),
            misses=sum(cache.misses for cache in caches),
        )

    def version(self) -> str | None:
        """Return what differs after every change; see `Searcher.version`."""
        state = self._index.state
        if self._aids.state not in (None, state):
            return None
        with self._lock:
            # Articles are shown as they are stored now, and the index follows.
            return ".".join(map(str, (*state, self._stored.revision)))

    def word_boundaries(self, text: str) -> tuple[int, ...]:
        """Return the offsets inside `text` where one word ends and the next begins."""
        return self._analyzer.word_boundaries(text)

    # What is open

    def _current(self) -> _Open:
        check_deadline()  # others may have had the lock for long
        if self._open is None or self._open.view.state != self._index.state:
            former = self._open.view if self._open else None
            size = cache_size(self._settings, self._index)
            self._segments.limit = size // 2
            self._impacts.limit = size
            view = IndexView(self._index, self._segments, former)
            if former:
                former.close()
            evaluator = Evaluator(view, size // 2)
            relater = Relater(view, self._analyzer, self._impacts)
            archive = WhooshArchive(view, evaluator, self._analyzer)
            selector = Selector(view, evaluator, self._canonical)
            self._open = _Open(
                view,
                evaluator,
                archive,
                selector,
                Answerer(self._reader, lambda: self._aids.of(archive).speller),
                HitFetcher(view, evaluator, self._stored, self._analyzer),
                OrganisationDirectory(view, self._organisations),
                relater,
                RelatedFinder(relater),
            )
        return self._open

    def _canonical(self, name: str) -> str:
        return self._organisations.resolve(name) or name

    def _offset(self, view: IndexView, request: SearchRequest) -> int:
        if request.cursor is None:
            return (request.page - 1) * request.size
        return read_cursor(view.state, request.cursor)


def cache_size(settings: Settings, index: WhooshIndex) -> int:
    """Return how many bytes may be kept: as the settings say, or half of a large index.

    Half of it is for postings, which outlive commits, half for scores, which do not. As much again
    is for what related articles and drafts are compared by, once somebody asks for them.
    """
    return max(settings.cache * _MEGABYTE, index.size // 2)
