"""Fetching: from documents of one state to the hits that show them."""

from collections.abc import Sequence
from dataclasses import replace

from index.analysis import Analyzer
from index.document import Article, Precision
from search import similarity
from search.backends.desk import Shown
from search.backends.whoosh.evaluator import Evaluator
from search.backends.whoosh.explaining import explain_hits
from search.backends.whoosh.folding import HitList
from search.backends.whoosh.matches import Matches
from search.backends.whoosh.ranking import ordered
from search.backends.whoosh.selection import Selection
from search.backends.whoosh.stored import StoredArticles
from search.backends.whoosh.view import IndexView
from search.query import BooleanQuery
from search.request import SearchRequest
from search.results import Copy, Hit
from search.snippet import Highlighter, make_hit

__all__ = ["HitFetcher"]

_ARTICLES = 2000  # that are kept as they were read, some 15 KB each
_COPIES = 5000  # that are kept as they were read
_BEHIND = 20  # copies that a hit names


class HitFetcher:
    """Fetches what documents of one state show, and keeps what is shown again and again.

    A document number means nothing in another state, so each state has a fetcher of its own. What
    was removed from the store after the state was committed is left out; the index follows.
    """

    def __init__(
        self, view: IndexView, evaluator: Evaluator, stored: StoredArticles, analyzer: Analyzer
    ) -> None:
        self._view, self._evaluator = view, evaluator
        self._stored, self._analyzer = stored, analyzer
        self._articles: dict[str, Article] = {}
        self._kept_copies: dict[int, Copy] = {}

    def hits(
        self,
        page: Matches,
        query: BooleanQuery,
        selection: Selection,
        request: SearchRequest,
        listed: HitList | None = None,
    ) -> tuple[Hit, ...]:
        """Return a page of what a query selects, with the copies that are behind it on the list."""
        documents = page.documents.tolist()
        highlighter = Highlighter(query, self._analyzer)
        held = [(word, matches.holds(page.documents)) for word, matches in selection.words]
        behind = [listed.behind(document).tolist() if listed else [] for document in documents]
        copies = self.copies([copy for each in behind for copy in each[:_BEHIND]])
        explained = {}
        if request.explain:
            rescored = self._rescored(selection, request)
            explained = explain_hits(self._view, self._evaluator, query, page, rescored)
        hits = []
        articles = self._read(documents)
        for place, document in enumerate(documents):
            article = articles.get(document)
            if article is None:
                continue
            missing = tuple(dict.fromkeys(word for word, holds in held if not holds[place]))
            score = float(page.scores[place])
            hit = make_hit(article, highlighter, score, missing)
            if behind[place]:
                known = [copies[copy] for copy in behind[place] if copy in copies]
                hit = replace(hit, duplicate_count=len(behind[place]), copies=tuple(known))
            if request.explain:
                hit = replace(hit, explanation=explained[document])
            hits.append(hit)
        return tuple(hits)

    def shown(self, documents: Sequence[int]) -> dict[int, Shown]:
        """Return documents as articles and hits of a list that no query made."""
        shown: dict[int, Shown] = {}
        for document, article in self._read(documents).items():
            hit = make_hit(article)
            members = self._view.clusters.members(document)
            behind = [each for each in members if each != document]
            if behind:
                copies = tuple(self.copies(behind[:_BEHIND]).values())
                hit = replace(hit, duplicate_count=len(behind), copies=copies)
            shown[document] = article, hit
        return shown

    def copies(self, documents: Sequence[int]) -> dict[int, Copy]:
        """Return documents as copies of others."""
        kept = self._kept_copies
        if len(kept) + len(documents) > _COPIES:
            kept.clear()
        ids = self._view.ids
        unread = {ids[each].decode(): each for each in documents if each not in kept}
        if unread:
            for identifier, url in self._stored.addresses(unread).items():
                kept[unread[identifier]] = self._copy(unread[identifier], identifier, url)
        return {each: kept[each] for each in documents if each in kept}

    def _read(self, documents: Sequence[int]) -> dict[int, Article]:
        """Return the articles of documents, without evidence; those just removed are left out."""
        kept = self._articles
        ids = {document: self._view.ids[document].decode() for document in documents}
        unread = [each for each in ids.values() if each not in kept]
        if unread:
            kept |= self._stored.articles(unread)
        found = {document: kept[each] for document, each in ids.items() if each in kept}
        while len(kept) > _ARTICLES:
            del kept[next(iter(kept))]  # what was read first
        return found

    def _copy(self, document: int, identifier: str, url: str | None) -> Copy:
        view = self._view
        published = view.moment(document)
        precision: Precision = "day" if view.day_only[document] else "minute"
        first, second = view.oldest_first[view.clusters.members(document)[:2]].tolist()
        return Copy(
            id=identifier,
            url=url,
            title=view.title(document),
            source=view.keywords["source"].value_of(document),
            published=published,
            published_precision=precision if published else None,
            is_first=view.oldest_first[document] == first < second,
        )

    def _rescored(self, selection: Selection, request: SearchRequest) -> frozenset[int]:
        """Return the documents whose score has more in it than their words."""
        if request.sort != "relevance":
            return frozenset()
        lists = selection.full, selection.partial
        best = [ordered(self._view, (each,), "relevance", similarity.RESCORED) for each in lists]
        return frozenset(document for each in best for document in each.documents.tolist())
