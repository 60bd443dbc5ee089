"""The searcher over the Whoosh index and the article store.

Text is matched through postings, everything else on arrays: filters, facets and order are one
pass over columns. So a facet's own selection need not shrink its siblings' counts, and the few
boolean queries of Whoosh that answer wrongly (`AndNot`, `Require`) are not used.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from index.analysis import Analyzer
from index.backends.whoosh import WhooshIndex
from index.document import BEIJING, Article
from index.entities import OrganisationTable
from index.errors import BadParameter, CursorExpired, UnknownArticle
from index.settings import Settings
from index.store import ArticleStore
from search import similarity
from search.backends.base import Statistics
from search.backends.columns import Mask
from search.backends.view import IndexView, Scored
from search.parser import parse_query
from search.query import (
    BooleanQuery,
    KeywordQuery,
    MatchAllQuery,
    PhraseQuery,
    PrefixQuery,
    Query,
    RangeQuery,
    TermQuery,
)
from search.request import FACET_SIZE, FACETS, SearchRequest
from search.results import FacetBucket, Hit, SearchResults
from search.snippet import Highlighter, snippet

__all__ = ["WhooshSearcher"]


@dataclass(frozen=True, slots=True)
class _Selection:
    """What a request selects before its order and page.

    `counted` are the documents that total and facets count, without the facets' own filters;
    `full` and `partial` are the hits, those that hold every word and those that lack some.
    """

    counted: Mask
    full: Mask
    partial: Mask
    scores: NDArray[np.float64]
    words: tuple[tuple[str, Mask], ...]


class WhooshSearcher:
    """Answers from one data folder; safe to share between threads, which take turns."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet: the first question does, and every later one notices a commit."""
        self._settings = settings
        self._analyzer = Analyzer(settings.terms)
        self._organisations = OrganisationTable.load(settings.entities)
        self._index = WhooshIndex(settings.data / "index", self._analyzer.fingerprint)
        self._lock = Lock()
        self._view: IndexView | None = None
        self._store: ArticleStore | None = None

    def close(self) -> None:
        """Release files and connections."""
        with self._lock:
            if self._view:
                self._view.close()
            if self._store:
                self._store.close()
            self._view = self._store = None

    def search(self, request: SearchRequest) -> SearchResults:
        """Answer a request; see `Searcher.search`."""
        started = perf_counter()
        with self._lock:
            view = self._current_view()
            parsed = parse_query(request.query, self._analyzer)
            filters = self._facet_filters(view, request)
            selection = self._select(view, request, parsed.query, filters)
            offset = self._offset(view, request)
            ranked = _ranked(view, selection, request)
            page = ranked[offset : offset + request.size].tolist()
            hits = self._hits(view, page, selection, parsed.query)
            full, partial = int(selection.full.sum()), int(selection.partial.sum())
            following = offset + request.size
            return SearchResults(
                query=request.query,
                total=full or partial,
                groups=full or partial,
                widened=partial,
                pageable=full + partial,
                page=request.page,
                size=request.size,
                next=_cursor(view, following) if following < full + partial else None,
                took_ms=round((perf_counter() - started) * 1000, 2),
                hits=hits,
                facets={
                    name: self._facet(view, name, request, selection.counted, filters)
                    for name in FACETS
                },
                relaxed=tuple(dict.fromkeys(word for hit in hits for word in hit.missing)),
                did_you_mean=None,
                notices=parsed.notices,
                understood=(),
            )

    def article(self, article_id: str) -> Article:
        """Return one article, or raise UnknownArticle."""
        with self._lock:
            return self._open_store().article(article_id)

    def article_by_url(self, url: str) -> Article:
        """Return the article of an address in whatever form, or raise UnknownArticle."""
        with self._lock:
            store = self._open_store()
            return store.article(store.resolve(url))

    def organisation(self, name: str) -> str | None:
        """Return the canonical name for a name or alias, None if no article names it."""
        with self._lock:
            return self._current_view().keywords["organisation"].value(self._canonical(name))

    def statistics(self) -> Statistics:
        """Count what is searched; today begins at midnight in Beijing."""
        now = datetime.now(BEIJING)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0).date()
        with self._lock:
            view = self._current_view()
            dated = view.published[view.live & view.between(None, now.date())]
            newest = datetime.fromtimestamp(int(dated.max()), BEIJING) if len(dated) else None
            return Statistics(
                articles=int(view.live.sum()),
                today=int((view.live & view.between(today, today)).sum()),
                week=int((view.live & view.between(today - timedelta(days=6), today)).sum()),
                newest=newest,
                generation=view.state[0],
            )

    def word_boundaries(self, text: str) -> tuple[int, ...]:
        """Return the offsets inside `text` where one word ends and the next begins."""
        return self._analyzer.word_boundaries(text)

    # What is open

    def _current_view(self) -> IndexView:
        if self._view is None or self._view.state != self._index.state:
            fresh = IndexView(self._index)
            if self._view:
                self._view.close()
            self._view = fresh
        return self._view

    def _open_store(self) -> ArticleStore:
        if self._store is None:
            self._store = ArticleStore(self._settings.data / "articles.sqlite3", read_only=True)
        return self._store

    # Matching

    def _select(
        self,
        view: IndexView,
        request: SearchRequest,
        query: BooleanQuery,
        filters: dict[str, Mask],
    ) -> _Selection:
        base = view.live & self._allowed(view, request)
        for part in query.filter:
            base &= self._evaluate(view, part)[0]
        for part in query.must_not:
            base &= ~self._evaluate(view, part)[0]
        scores = np.zeros(view.size)
        words: list[tuple[str, Mask]] = []
        for part in query.must:
            matched, score = self._evaluate(view, part)
            scores += score
            if isinstance(part, TermQuery | PhraseQuery) and part.optional:
                words.append((part.surface, matched))
            else:
                base &= matched
        holds_all = base.copy()
        for _, matched in words:
            holds_all &= matched
        selected = np.ones(view.size, dtype=np.bool_)
        for mask in filters.values():
            selected &= mask
        partial = np.zeros(view.size, dtype=np.bool_)
        full = holds_all & selected
        may_widen = request.match == "auto" and request.sort == "relevance" and len(words) > 1
        if may_widen and full.sum() < similarity.WIDEN_BELOW:
            partial = base & ~holds_all & _holds_enough(view, [matched for _, matched in words])
        shown = partial & selected
        # Where the chosen values leave nothing at all, the others must still be seen.
        counted = partial if shown.any() and not full.any() else holds_all
        return _Selection(counted, full, shown, scores, tuple(words))

    def _allowed(self, view: IndexView, request: SearchRequest) -> Mask:
        """Return what the filters leave that narrow every facet."""
        mask = np.ones(view.size, dtype=np.bool_)
        if request.first or request.last:
            mask &= view.between(request.first, request.last)
        for name, excluded in (
            ("category", request.exclude_category),
            ("organisation", request.exclude_organisation),
            ("source", request.exclude_source),
        ):
            if excluded:
                mask &= ~self._keyword(view, name, excluded)
        return mask

    def _facet_filters(self, view: IndexView, request: SearchRequest) -> dict[str, Mask]:
        """Return the mask of each facet that has a selection."""
        chosen = {name: getattr(request, name) for name in FACETS}
        return {
            name: self._keyword(view, name, values) for name, values in chosen.items() if values
        }

    def _keyword(self, view: IndexView, name: str, values: tuple[str, ...]) -> Mask:
        if name == "organisation":
            values = tuple(self._canonical(value) for value in values)
        return view.keywords[name].mask(values)

    def _canonical(self, name: str) -> str:
        return self._organisations.resolve(name) or name

    def _evaluate(self, view: IndexView, query: Query) -> Scored:
        match query:
            case TermQuery():
                return view.term(query.text, query.fields)
            case PhraseQuery():
                return view.phrase(query.units, query.fields)
            case PrefixQuery():
                return view.prefix(query.text, query.fields)
            case KeywordQuery():
                return self._keyword(view, query.field, query.values), np.zeros(view.size)
            case RangeQuery():
                return view.between(query.first, query.last), np.zeros(view.size)
            case MatchAllQuery():
                return np.ones(view.size, dtype=np.bool_), np.zeros(view.size)
            case BooleanQuery():
                return self._evaluate_boolean(view, query)

    def _evaluate_boolean(self, view: IndexView, query: BooleanQuery) -> Scored:
        matched = np.ones(view.size, dtype=np.bool_)
        scores = np.zeros(view.size)
        for part in (*query.must, *query.filter):
            mask, score = self._evaluate(view, part)
            matched &= mask
            scores += score
        if query.should:
            any_of = np.zeros(view.size, dtype=np.bool_)
            for part in query.should:
                mask, score = self._evaluate(view, part)
                any_of |= mask
                scores += score
            matched &= any_of | bool(query.must or query.filter)
        for part in query.must_not:
            matched &= ~self._evaluate(view, part)[0]
        return matched, np.where(matched, scores, 0.0)

    # Mapping

    def _offset(self, view: IndexView, request: SearchRequest) -> int:
        if request.cursor is None:
            return (request.page - 1) * request.size
        return _read_cursor(view, request.cursor)

    def _hits(
        self, view: IndexView, documents: list[int], selection: _Selection, query: BooleanQuery
    ) -> tuple[Hit, ...]:
        store = self._open_store()
        highlighter = Highlighter(query, self._analyzer)
        hits = []
        for document in documents:
            try:
                article = store.article(view.ids[document])
            except UnknownArticle:
                continue  # removed a moment ago; the index follows
            missing = tuple(
                dict.fromkeys(word for word, mask in selection.words if not mask[document])
            )
            hits.append(_hit(article, highlighter, float(selection.scores[document]), missing))
        return tuple(hits)

    def _facet(
        self,
        view: IndexView,
        name: str,
        request: SearchRequest,
        counted: Mask,
        filters: dict[str, Mask],
    ) -> tuple[FacetBucket, ...]:
        for other, mask in filters.items():
            if other != name:
                counted = counted & mask
        column = view.keywords[name]
        counts = column.counts(counted)
        chosen = getattr(request, name)
        if name == "organisation":
            chosen = tuple(self._canonical(value) for value in chosen)
        selected = dict.fromkeys(column.value(value) or value for value in chosen)
        if name == "month":
            listed = sorted(counts)
        else:
            listed = sorted(counts, key=lambda value: (-counts[value], value))[:FACET_SIZE]
        return tuple(
            FacetBucket(value=value, count=counts.get(value, 0), selected=value in selected)
            for value in dict.fromkeys((*listed, *selected))
        )


def _holds_enough(view: IndexView, masks: list[Mask]) -> Mask:
    """Return which documents hold enough of the words, weighted by idf.

    A word that no article holds tells none from another and has no weight.
    """
    documents = int(view.live.sum())
    held = np.zeros(view.size)
    whole = 0.0
    for mask in masks:
        if frequency := int((mask & view.live).sum()):
            weight = similarity.idf(documents, frequency)
            held += weight * mask
            whole += weight
    return (held >= similarity.WIDEN_SHARE * whole) & (held > 0)


def _ranked(view: IndexView, selection: _Selection, request: SearchRequest) -> NDArray[np.int64]:
    """Return the hits' document numbers in order: full matches first."""
    if request.sort != "relevance":
        full = np.flatnonzero(selection.full)
        ranks = view.newest_first if request.sort == "newest" else view.oldest_first
        return full[np.argsort(ranks[full])]
    ordered = []
    for mask in (selection.full, selection.partial):
        found = np.flatnonzero(mask)
        order = np.lexsort((view.newest_first[found], -selection.scores[found]))
        ordered.append(found[order])
    return np.concatenate(ordered)


def _hit(article: Article, highlighter: Highlighter, score: float, missing: tuple[str, ...]) -> Hit:
    return Hit(
        id=article.id,
        url=article.url,
        title=article.title,
        title_highlights=highlighter.highlights(article.title, "title"),
        snippet=snippet(highlighter, article.lead, article.body),
        published=article.published,
        published_precision=article.published_precision,
        category=article.category,
        category_predicted=article.category_predicted,
        source=article.source,
        author=article.author,
        organisations=article.organisations,
        salient_count=sum(mention.salient for mention in article.mentions),
        identifiers=article.identifiers,
        score=round(score, 4),
        duplicate_count=0,
        missing=missing,
    )


def _cursor(view: IndexView, offset: int) -> str:
    generation, commit = view.state
    return base64.urlsafe_b64encode(f"{generation}.{commit}.{offset}".encode()).decode().rstrip("=")


def _read_cursor(view: IndexView, cursor: str) -> int:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.urlsafe_b64decode(padded.encode("ascii")).decode("ascii")
        generation, commit, offset = (int(part) for part in text.split("."))
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise BadParameter("cursor", cursor, "请使用上一页结果里的 next") from error
    if (generation, commit) != view.state:
        raise CursorExpired
    return max(0, offset)
