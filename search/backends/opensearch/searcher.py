"""The searcher over an index on an OpenSearch cluster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from math import inf
from threading import Lock
from time import monotonic, perf_counter
from typing import Any, Literal

from index.analysis import Analyzer, normalise
from index.backends.opensearch import open_opensearch_index
from index.deadline import check_deadline
from index.document import BEIJING, Article, OrganisationType
from index.entities import OrganisationTable, annotate
from index.settings import Settings
from search.backends.answering import Answer, Answerer, QueryReader
from search.backends.base import CacheUsage, IndexUsage, Statistics
from search.backends.cursor import read_cursor, write_cursor
from search.backends.desk import Desk, Shown, as_article
from search.backends.draft_names import DraftNames
from search.backends.drafts import DraftChecker
from search.backends.opensearch.archive import OpenSearchArchive
from search.backends.opensearch.articles import Articles
from search.backends.opensearch.ask import ask, listing
from search.backends.opensearch.candidates import Candidates, CandidateView, Holdings
from search.backends.opensearch.compile import Compiler, between
from search.backends.opensearch.explaining import told_query
from search.backends.opensearch.facets import facet_buckets
from search.backends.opensearch.listed import COLUMNS, Cluster, Listed
from search.backends.opensearch.paging import Page, Pager, ranked_for
from search.backends.opensearch.selecting import Selection, Selector
from search.backends.opensearch.statistics import Statistics as IndexStatistics
from search.backends.opensearch.values import Directory, Spellings, Values
from search.backends.related import RelatedFinder
from search.backends.typing_aids import TypingAids, TypingAidsMaker
from search.explanation import QueryExplanation
from search.query import BooleanQuery
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

__all__ = ["OpenSearchSearcher"]

_NEAR = 8  # names like one that no article has, some of which may be gone
_SOURCES = 10_000  # of which the first report is shown
_LOOKS = 0.5  # seconds from one look for a new commit to the next


@dataclass(frozen=True, slots=True)
class _Open:
    """The newest committed state, and what asks about it."""

    statistics: IndexStatistics
    compiler: Compiler
    selector: Selector
    pager: Pager
    articles: Articles
    values: Values
    directory: Directory
    archive: OpenSearchArchive

    def select(self, request: SearchRequest, count: int = 0) -> Callable[[BooleanQuery], Selection]:
        """Return what selects for a request, with `count` articles of each list ranked."""
        return partial(self.selector.select, request, count)


class OpenSearchSearcher:
    """Answers from an index on a cluster; keeps on this machine what it knows of one state.

    A commit is noticed within half a second. Safe to share between threads: they ask side by side.
    """

    def __init__(self, settings: Settings) -> None:
        """Ask nothing yet: the first question does, and every later one notices a commit."""
        self._analyzer = analyzer = Analyzer(settings.terms)
        self._index = open_opensearch_index(settings, analyzer.fingerprint, reads_only=True)
        analyzer.word_boundaries("安全")  # loads the dictionary, or the first query would
        self._organisations = OrganisationTable.load(settings.entities)
        synonyms = Synonyms.load(self._organisations, settings.synonyms)
        self._rewriter = rewriter = Rewriter(analyzer, synonyms)
        self._aids = TypingAidsMaker(
            analyzer, self._organisations, [*analyzer.terms, *synonyms.words], rewriter.stop_words
        )
        self._answerer = Answerer(
            QueryReader(analyzer, rewriter), lambda: self._typing_aids(self._current()).speller
        )
        self._lock = Lock()
        self._spellings = Spellings()
        self._open: _Open | None = None
        self._looked = -inf

    def close(self) -> None:
        """Release connections."""
        self._index.client.close()

    def search(self, request: SearchRequest) -> SearchResults:
        """Answer a request; see `Searcher.search`."""
        started = perf_counter()
        state = self._current()
        first = (request.page - 1) * request.size
        if request.cursor is not None:
            first = read_cursor(state.statistics.state, request.cursor)
        end = first + request.size
        count = ranked_for(end)
        answer, better = self._answerer.best_answer(request, state.select(request, count))
        selection = answer.selection
        page = state.pager.page(selection, request, first)
        # Ever more is ranked, where folding has left too few hits for the page.
        while len(page.hits) < request.size and selection.may_have_more(first + len(page.hits)):
            count *= 2
            selection = state.selector.select(request, count, answer.query)
            page = state.pager.page(selection, request, first)
        hits = state.pager.hits(page, selection, is_explained=request.explain)
        full, widened = selection.full, selection.partial
        pageable = full.groups + widened.groups
        articles_of = partial(
            state.values.articles_of, selection.without_own("organisation"), "organisation"
        )
        return SearchResults(
            query=request.query,
            total=full.total or widened.total,
            groups=full.groups or pageable,
            widened=widened.total,
            pageable=pageable,
            page=request.page,
            size=request.size,
            next=write_cursor(state.statistics.state, end) if end < pageable else None,
            took_ms=round((perf_counter() - started) * 1000, 2),
            hits=hits,
            facets=facet_buckets(
                selection.counted.told, request, self._canonical, articles_of, state.values.spelt
            ),
            relaxed=tuple(dict.fromkeys(word for hit in hits for word in hit.missing)),
            did_you_mean=better,
            notices=answer.notices,
            understood=answer.understood,
            nothing_full=widened.total > 0 and not full.total,
            groups_exact=full.is_exact and widened.is_exact,
            explanation=self._explanation(state, answer, selection) if request.explain else None,
        )

    def _explanation(
        self, state: _Open, answer: Answer[Selection], selection: Selection
    ) -> QueryExplanation:
        statistics = state.statistics
        told = explain_query(
            answer.parsed,
            self._rewriter,
            lambda word: statistics.frequency((word.fields, word.variants)),
            statistics.counts.articles,
        )
        return replace(told, evaluation=(told_query(selection),))

    def suggest(self, typed: str) -> tuple[SuggestionGroup, ...]:
        """Return what a typed text may become, in groups."""
        return self._typing_aids(self._current()).suggester.suggest(typed)

    # Articles

    def article(self, article_id: str) -> Article:
        """Return one article, or raise UnknownArticle."""
        return self._current().articles.article(article_id)

    def article_by_url(self, url: str) -> Article:
        """Return the article of an address in whatever form, or raise UnknownArticle."""
        return self._current().articles.by_url(url)

    def copies(self, article_id: str) -> tuple[Copy, ...]:
        """Return the other articles of an article's cluster; see `Searcher.copies`."""
        return self._current().articles.copies(article_id)

    # For editors

    def related(self, article_id: str, *, size: int = 10) -> tuple[RelatedHit, ...]:
        """Return what is related to an article; see `Searcher.related`."""
        state = self._current()
        article = state.articles.article(article_id)
        return self._desk(state, self._candidates(state, article)).related(article, size)

    def related_to(self, title: str, text: str, *, size: int = 10) -> tuple[RelatedHit, ...]:
        """Return what is related to a text; see `Searcher.related_to`."""
        article = annotate(as_article(title, text), self._organisations)
        state = self._current()
        return self._desk(state, self._candidates(state, article)).related(article, size)

    def coverage(self, article_id: str) -> Coverage:
        """Return who has reported the event of an article; see `Searcher.coverage`."""
        state = self._current()
        article = state.articles.article(article_id)
        return self._desk(state, self._candidates(state, article)).coverage(article)

    def check_draft(self, title: str, text: str, *, size: int = 10) -> DraftReport:
        """Mark the paragraphs of a draft; see `Searcher.check_draft`."""
        draft = annotate(as_article(title, text), self._organisations)
        state = self._current()
        candidates = self._candidates(state, draft)
        shown = partial(_shown, state.articles, candidates.view)
        names = DraftNames(
            Holdings(state.statistics, candidates.view),
            self._analyzer,
            state.directory.find,
            shown,
            partial(self._typing_aids(state).names["organisation"].near, most=_NEAR),
        )
        checker = DraftChecker(candidates, shown)
        return self._desk(state, candidates).check(draft, checker, names, size)

    def _candidates(self, state: _Open, article: Article) -> Candidates:
        return Candidates(state.statistics, self._analyzer, article)

    def _desk(self, state: _Open, candidates: Candidates) -> Desk:
        return Desk(RelatedFinder(candidates), partial(_shown, state.articles, candidates.view))

    # Values of fields

    def facet(
        self, request: SearchRequest, name: str, typed: str = "", *, size: int = 20
    ) -> FacetValues:
        """Return values of a facet over what a request finds; see `Searcher.facet`."""
        state = self._current()
        answer, _ = self._answerer.best_answer(request, state.select(request))
        counts = state.values.count(answer.selection.without_own(name), name)
        ranks = self._ranks(state, name, typed, counts.articles)
        values = counts.ranked() if ranks is None else counts.ranked_by(ranks)
        chosen = getattr(request, name, ())
        if name == "organisation":
            chosen = tuple(map(self._canonical, chosen))
        return FacetValues(total=len(values), buckets=counts.buckets(values[:size], chosen))

    def facet_pairs(self, request: SearchRequest, name: str, other: str) -> tuple[FacetPair, ...]:
        """Return counts of two fields against each other; see `Searcher.facet_pairs`."""
        state = self._current()
        answer, _ = self._answerer.best_answer(request, state.select(request))
        return state.values.pairs(answer.selection.counted.query, name, other)

    def associated(
        self, request: SearchRequest, name: str, without: tuple[str, ...] = (), *, size: int = 20
    ) -> tuple[Association, ...]:
        """Return the values that stand out in what a request finds; see `Searcher.associated`."""
        state = self._current()
        selection = self._answerer.answer(request, state.select(request)).selection
        return state.values.standing_out(selection.full.query, name, without, size)

    def first_reports(self, request: SearchRequest) -> tuple[Hit, ...]:
        """Return the earliest hit of each source; see `Searcher.first_reports`."""
        state = self._current()
        answer = self._answerer.answer(request, state.select(request))
        body = {
            "size": _SOURCES,
            **listing(*COLUMNS),
            "query": answer.selection.full.query,
            "sort": [{"oldest_first": "asc"}, {"id": "asc"}],
            "collapse": {"field": "source_key"},
        }
        found = self._ask(state, body)["hits"]["hits"]
        page = Page([(Listed.of(hit), Cluster()) for hit in found])
        return state.pager.hits(page, answer.selection, is_explained=request.explain)

    def organisation(self, name: str) -> Organisation | None:
        """Return an organisation by any of its names, None if no article names it."""
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
        state = self._current()
        ranks = self._ranks(state, "organisation", typed, ())
        return state.directory.page(ranks, type_, first=first, size=size)

    def near_organisations(self, name: str, *, size: int = 8) -> tuple[str, ...]:
        """Return organisations whose names are written or sound most like a name."""
        state = self._current()
        names = self._typing_aids(state).names["organisation"]
        return tuple(each for each in names.near(name, size) if state.directory.find(each))

    def subjects(self, name: Literal["organisation", "identifier"]) -> list[Subject]:
        """Return every organisation or identifier that articles name; see `Searcher.subjects`."""
        return self._current().values.subjects(name)

    def _ranks(
        self, state: _Open, name: str, typed: str, values: Sequence[str] | Any
    ) -> dict[str, int] | None:
        """Return the values of a field that match a typed text, None where nothing is typed."""
        if not typed.strip():
            return None
        names = self._typing_aids(state).names
        if name in names:
            return names[name].find(typed)
        text = normalise(typed.strip()).text
        places = ((value, normalise(value).text.find(text)) for value in values)
        return {value: min(place, 1) for value, place in places if place >= 0}

    # The whole

    def statistics(self) -> Statistics:
        """Count what is searched; today begins at midnight in Beijing."""
        state = self._current()
        today = datetime.now(BEIJING).date()
        periods = {
            "today": between(today, today),
            "week": between(today - timedelta(days=6), today),
            "past": between(None, today),
        }
        told = self._ask(
            state,
            {
                "size": 0,
                "aggs": {
                    name: {"filter": clause, "aggs": {"newest": {"max": {"field": "published"}}}}
                    for name, clause in periods.items()
                },
            },
        )["aggregations"]
        newest = told["past"]["newest"]["value"]
        return Statistics(
            articles=state.statistics.counts.articles,
            today=told["today"]["doc_count"],
            week=told["week"]["doc_count"],
            newest=None if newest is None else datetime.fromtimestamp(newest, BEIJING),
            generation=state.statistics.state[0],
        )

    def index_usage(self) -> IndexUsage:
        """Tell what is searched; see `Searcher.index_usage`."""
        statistics = self._current().statistics
        return IndexUsage(
            generation=statistics.state[0],
            articles=statistics.counts.articles,
            size=self._index.size,
            committed=self._index.committed,
        )

    def cache_usage(self) -> CacheUsage:
        """Tell that nothing is cached here: the cluster does."""
        return CacheUsage(size=0, limit=0, hits=0, misses=0)

    def version(self) -> str | None:
        """Return what differs after every change; see `Searcher.version`."""
        state = self._current().statistics.state
        if self._aids.state not in (None, state):
            return None
        return ".".join(map(str, state))

    def word_boundaries(self, text: str) -> tuple[int, ...]:
        """Return the offsets inside `text` where one word ends and the next begins."""
        return self._analyzer.word_boundaries(text)

    # What is open

    def _current(self) -> _Open:
        check_deadline()
        former, now = self._open, monotonic()
        if former and now - self._looked < _LOOKS:
            return former
        statistics = IndexStatistics.current(self._index, former.statistics if former else None)
        if former is None or statistics is not former.statistics:
            compiler = Compiler(statistics.counts, statistics.frequency, self._canonical)
            values = Values(statistics, self._spellings)
            former = _Open(
                statistics,
                compiler,
                Selector(statistics, compiler),
                Pager(statistics, compiler, self._analyzer),
                Articles(statistics),
                values,
                Directory(values, self._organisations),
                OpenSearchArchive(statistics, values, self._analyzer),
            )
            self._open = former
        self._looked = now
        return former

    def _typing_aids(self, state: _Open) -> TypingAids:
        with self._lock:
            return self._aids.of(state.archive)

    def _ask(self, state: _Open, body: dict[str, Any]) -> dict[str, Any]:
        return ask(self._index.client, state.statistics.name, body)

    def _canonical(self, name: str) -> str:
        return self._organisations.resolve(name) or name


def _shown(articles: Articles, view: CandidateView, documents: Sequence[int]) -> dict[int, Shown]:
    """Return documents of a view as articles and hits; those that are gone are left out."""
    shown = articles.shown([view.ids[each] for each in documents])
    return {each: shown[view.ids[each]] for each in documents if view.ids[each] in shown}
