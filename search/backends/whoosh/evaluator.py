"""Evaluation of Whoosh's query objects on whole arrays, instead of one document at a time.

What this does not know is given to Whoosh's own matchers over the same index; `explain` names it.
"""

from collections.abc import Callable, Hashable, Sequence
from math import inf
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from whoosh import query as whoosh
from whoosh.query import qcore
from whoosh.searching import Searcher as WhooshQuerySearcher

from index.backends.vector_codec import POSITION_BITS
from index.deadline import check_deadline
from index.errors import QueryError
from search import similarity
from search.backends.whoosh.cache import ByteCache
from search.backends.whoosh.matches import NOTHING, DenseMatches, Mask, Matches
from search.backends.whoosh.queries import ColumnRange, ColumnValues, Combined, Near
from search.backends.whoosh.segments import OpenSegment, TermPostings
from search.backends.whoosh.view import IndexView, SegmentsView
from search.backends.whoosh.weighting import LuceneBM25
from search.query import Variant

__all__ = ["MAX_EXPANSIONS", "Evaluator"]

_DENSE_SHARE = 8  # a term that one in so many documents holds is kept as a score for each document
_FEW = 8  # of one document in so many a filter is asked singly

_NEAR_FIELDS = ("title", "body")  # where words are looked for side by side

_KEPT = (whoosh.Term, whoosh.Phrase)

MAX_EXPANSIONS = 2000  # terms of one prefix; each costs a reading of its postings


class Evaluator:
    """Evaluates queries over one view; `cache_bytes` bound the scores that it keeps."""

    def __init__(self, view: SegmentsView, cache_bytes: int) -> None:
        self._view = view
        self._cache: ByteCache[Matches | DenseMatches] = ByteCache(cache_bytes * 7 // 8)
        self._masks: ByteCache[Mask] = ByteCache(cache_bytes // 8)

    @property
    def caches(self) -> tuple[ByteCache[Any], ...]:
        """What it keeps, to be counted."""
        return self._cache, self._masks

    def evaluate(self, query: qcore.Query) -> Matches:
        """Return the matching documents, those deleted among them; see `SegmentsView.live`."""
        return self.operand(query).listed()

    def operand(self, query: qcore.Query) -> Matches | DenseMatches:
        """Return the same in the form that further unions and intersections like best."""
        key = _key(query)
        if key is None:
            return self._compute(query)
        matches = self._cache.get(key)
        if matches is None:
            matches = self._compute(query)
            if matches.positive and len(matches) * _DENSE_SHARE > self._view.size:
                matches = self._view.accumulator.dense(matches)
            self._cache.put(key, matches)
        return matches

    def mask(self, query: qcore.Query) -> Mask:
        """Return the documents that a filter allows."""
        if isinstance(query, ColumnValues | ColumnRange):
            mask = self._masks.get(query)
            if mask is None:
                mask = query.mask(self._articles)
                self._masks.put(query, mask)
            return mask
        return self._view.accumulator.mask(self.operand(query))

    def filtered(self, matches: Matches, query: qcore.Query) -> Matches:
        """Return the matches that a filter allows."""
        is_column = isinstance(query, ColumnValues | ColumnRange)
        if is_column and len(matches) * _FEW < self._view.size and self._masks.get(query) is None:
            kept = query.having(self._articles, matches.documents)
            return Matches(matches.documents[kept], matches.scores[kept], matches.positive)
        return matches.where(self.mask(query))

    @property
    def _articles(self) -> IndexView:
        if not isinstance(self._view, IndexView):
            raise TypeError("Only an index of articles has columns to filter by.")
        return self._view

    def explain(self, query: qcore.Query, depth: int = 0) -> list[str]:
        """Say of each part of a query how it is evaluated and how many documents it gives."""
        known = type(query) in self._methods
        how = "arrays" if known else "Whoosh's matchers"
        count = len(self.evaluate(query).where(self._view.live))
        lines = [f"{'  ' * depth}{query!r}: {how}, {count} documents"]
        if known and _key(query) is None:
            for child in query.children():
                lines += self.explain(child, depth + 1)
        return lines

    def _compute(self, query: qcore.Query) -> Matches:
        check_deadline()
        compute = self._methods.get(type(query))
        return compute(self, query) if compute else self._walk(query)

    # Leaves

    def _term(self, query: whoosh.Term) -> Matches:
        field = query.fieldname
        text = self._bytes(field, query.text)
        if text is None:
            return NOTHING
        frequency = self._view.document_frequency(field, text)
        if not frequency:
            return NOTHING
        weight = query.boost * similarity.idf(self._view.document_count(field), frequency)
        norms = self._view.norms(field)
        documents, scores = [], []
        for base, segment in self._each():
            postings = segment.postings(field, text)
            if postings:
                documents.append(postings.documents + np.int64(base))
                scores.append(
                    similarity.scores(postings.frequencies, norms[postings.codes], weight)
                )
        return Matches(np.concatenate(documents), np.concatenate(scores), positive=weight > 0)

    def _phrase(self, query: whoosh.Phrase) -> Matches:
        if query.slop != 1:
            return self._walk(query)
        field = query.fieldname
        texts = [self._bytes(field, word) for word in query.words]
        known = [text for text in texts if text is not None]
        if not texts or len(known) < len(texts):
            return NOTHING
        return self._positional(
            field, known, query.boost, lambda segment: segment.phrase(field, known)
        )

    def _near(self, query: Near) -> Matches:
        field = query.fieldname
        parts = [([unit.encode() for unit in part], len(part)) for part in query.parts]
        texts = list(dict.fromkeys(text for part, _ in parts for text in part))
        # Loose phrases overlap in many ways: how many there are says less than that there is one.
        return self._positional(
            field, texts, query.boost, lambda segment: segment.near(field, parts, query.slop), 1.0
        )

    def _positional(
        self,
        field: str,
        texts: Sequence[bytes],
        boost: float,
        find: Callable[[OpenSegment], TermPostings],
        most: float = inf,
    ) -> Matches:
        """Score what is found by the positions of some terms, with the sum of their idf.

        No more than `most` places of a document count.
        """
        frequencies = [self._view.document_frequency(field, text) for text in texts]
        if not texts or not all(frequencies):
            return NOTHING
        count = self._view.document_count(field)
        weight = boost * sum(similarity.idf(count, each) for each in frequencies)
        norms = self._view.norms(field)
        documents, scores = [NOTHING.documents], [NOTHING.scores]
        for base, segment in self._each():
            postings = find(segment)
            documents.append(postings.documents + np.int64(base))
            counted = np.minimum(postings.frequencies, np.float32(most))
            scores.append(similarity.scores(counted, norms[postings.codes], weight))
        return Matches(np.concatenate(documents), np.concatenate(scores), positive=weight > 0)

    def _combined(self, query: Combined) -> Matches:
        """Add up the occurrences of all variants in all fields, then score."""
        counted = []
        for base, segment in self._each():
            for variant in query.variants:
                texts = _texts(variant)
                for field in query.fields:
                    postings = _postings(segment, field, texts)
                    if postings is None or not len(postings.documents):
                        continue
                    boost = np.float32(similarity.FIELD_BOOSTS[field] * variant.weight)
                    counted.append(
                        Matches(
                            postings.documents + np.int64(base),
                            postings.frequencies * boost,
                            positive=True,
                        )
                    )
        found = self._view.accumulator.any_of(counted)
        if not len(found):
            return NOTHING
        count = max(map(self._view.document_count, query.fields))
        norms = self._view.combined_norms(query.fields).take(found.documents)
        weight = similarity.idf(count, len(found))
        return Matches(
            found.documents, similarity.scores(found.scores, norms, weight), positive=weight > 0
        )

    def occurrences(
        self, variant: Variant, field: str, documents: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return how often a variant stands in a field of each of some ascending documents."""
        texts = _texts(variant)
        counts = np.zeros(len(documents), np.int64)
        for base, segment in self._each():
            first, last = np.searchsorted(documents, (base, base + segment.documents.size))
            postings = _postings(segment, field, texts) if first < last else None
            if postings is not None:
                within = Matches(postings.documents.astype(np.int64), postings.frequencies)
                places, found = within.places(documents[first:last] - base)
                counts[first:last][found] = within.scores[places[found]]
        return counts

    def idf(self, query: Combined) -> float:
        """Return the inverse document frequency of a word over all of its fields."""
        count = max(map(self._view.document_count, query.fields))
        return similarity.idf(count, len(self.operand(query)))

    def starts(
        self, word: Combined, documents: NDArray[np.int64]
    ) -> dict[tuple[int, str], NDArray[np.int64]]:
        """Return where a word as it was typed stands in some documents, by segment and field."""
        texts = _texts(word.variants[0])
        found = {}
        for number, (base, segment) in enumerate(self._each()):
            low, high = np.searchsorted(documents, (base, base + segment.documents.size))
            for field in word.fields:
                if low < high and field in _NEAR_FIELDS:
                    within = documents[low:high] - base
                    starts = segment.starts(field, texts, within)
                    if starts.size:
                        found[number, field] = starts + (base << POSITION_BITS)
        return found

    def _prefix(self, query: whoosh.Prefix) -> Matches:
        """Score a prefix: as in Lucene, its boost for every document that matches."""
        field = query.fieldname
        prefix = self._bytes(field, query.text)
        if prefix is None:
            return NOTHING
        parts = [NOTHING.documents]
        terms: set[bytes] = set()
        for base, segment in self._each():
            for text, documents in segment.expand(field, prefix):
                terms.add(text)
                if len(terms) > MAX_EXPANSIONS:
                    raise QueryError(
                        f"以“{query.text}”开头的词超过 {MAX_EXPANSIONS} 个，请多写几个字符。"
                    )
                parts.append(documents + base)
        return _constant(np.unique(np.concatenate(parts)), query.boost)

    def _every(self, query: whoosh.Every) -> Matches:
        if query.fieldname not in (None, "*"):
            return self._walk(query)
        return _constant(np.arange(self._view.size), query.boost)

    def _filter(self, query: "ColumnValues | ColumnRange") -> Matches:
        return _constant(np.flatnonzero(self.mask(query)), 1.0)

    def _null(self, query: qcore.Query) -> Matches:  # noqa: ARG002
        return NOTHING

    # Combinations

    def _and(self, query: whoosh.And) -> Matches:
        wanted = [part for part in query.subqueries if not isinstance(part, whoosh.Not)]
        filters = [_unwrapped(part) for part in wanted if _is_filter(part)]
        scored = [part for part in wanted if not _is_filter(part)]
        excluded = [part.query for part in query.subqueries if isinstance(part, whoosh.Not)]
        if scored:
            matches = self._view.accumulator.all_of([self.operand(part) for part in scored])
        elif query.subqueries:
            matches = self._view.everything()
        else:
            return NOTHING
        for part in filters:
            matches = self.filtered(matches, part)
        for part in excluded:
            matches = matches.where(~self.mask(part))
        return matches.boosted(query.boost)

    def _or(self, query: whoosh.Or) -> Matches:
        if query.scale or any(isinstance(part, whoosh.Not) for part in query.subqueries):
            return self._walk(query)
        # Of what is kept as a whole the parts need no place in the cache.
        evaluate = self.operand if _key(query) is None else self._compute
        parts = [evaluate(part) for part in query.subqueries]
        least = max(query.minmatch or 0, 1)
        return self._view.accumulator.any_of(parts, least).boosted(query.boost)

    def _not(self, query: whoosh.Not) -> Matches:
        return _constant(np.flatnonzero(~self.mask(query.query)), 1.0)

    def _and_not(self, query: whoosh.AndNot) -> Matches:
        return self.evaluate(query.a).where(~self.mask(query.b)).boosted(query.boost)

    def _require(self, query: whoosh.Require) -> Matches:
        return self.evaluate(query.a).where(self.mask(query.b)).boosted(query.boost)

    def _and_maybe(self, query: whoosh.AndMaybe) -> Matches:
        wanted, other = self.evaluate(query.a), self.evaluate(query.b)
        places, found = other.places(wanted.documents)
        more = np.where(found, other.scores[places], np.float32(0)) if len(other) else 0
        return Matches(wanted.documents, wanted.scores + more).boosted(query.boost)

    def _best(self, query: whoosh.DisjunctionMax) -> Matches:
        parts = [self.evaluate(part) for part in query.subqueries]
        return self._view.accumulator.best_of(parts, query.tiebreak).boosted(query.boost)

    def _constant_score(self, query: whoosh.ConstantScoreQuery) -> Matches:
        return _constant(self.evaluate(query.child).documents, query.score)

    _methods: ClassVar[dict[type, Callable[..., Matches]]] = {
        whoosh.Term: _term,
        whoosh.Phrase: _phrase,
        whoosh.Prefix: _prefix,
        Combined: _combined,
        Near: _near,
        whoosh.Every: _every,
        type(whoosh.NullQuery): _null,
        ColumnValues: _filter,
        ColumnRange: _filter,
        whoosh.And: _and,
        whoosh.Or: _or,
        whoosh.Not: _not,
        whoosh.AndNot: _and_not,
        whoosh.Require: _require,
        whoosh.AndMaybe: _and_maybe,
        whoosh.DisjunctionMax: _best,
        whoosh.ConstantScoreQuery: _constant_score,
    }

    # Whoosh's own way

    def _walk(self, query: qcore.Query) -> Matches:
        """Collect what Whoosh's matchers give, document by document."""
        searcher = WhooshQuerySearcher(self._view.reader, weighting=LuceneBM25(self._view))
        documents: list[int] = []
        scores: list[float] = []
        context = searcher.boolean_context()
        context.weighting = searcher.weighting
        for leaf, base in searcher.leaf_searchers():
            matcher = query.matcher(leaf, context)
            while matcher.is_active():
                documents.append(base + matcher.id())
                scores.append(matcher.score())
                matcher.next()
        return Matches(np.array(documents, np.int64), np.array(scores, np.float32))

    def _each(self) -> Sequence[tuple[int, OpenSegment]]:
        return list(zip(self._view.bases, self._view.segments, strict=True))

    def _bytes(self, field: str, text: Any) -> bytes | None:
        """Return a term as the index has it, None where the field cannot hold it."""
        if isinstance(text, bytes):
            return text
        schema = self._view.reader.schema
        if field not in schema:
            return None
        try:
            return bytes(schema[field].to_bytes(text))
        except (TypeError, ValueError):
            return None


def _texts(variant: Variant) -> list[bytes]:
    if variant.term is not None:
        return [variant.term.encode()]
    return [unit.encode() for unit in variant.units]


def _postings(segment: OpenSegment, field: str, texts: Sequence[bytes]) -> TermPostings | None:
    return segment.postings(field, texts[0]) if len(texts) == 1 else segment.phrase(field, texts)


def _is_filter(query: qcore.Query) -> bool:
    """Say whether a query asks for a column, and adds nothing to a score."""
    if isinstance(query, whoosh.ConstantScoreQuery):
        return query.score == 0 and _is_filter(query.child)
    return isinstance(query, ColumnValues | ColumnRange)


def _unwrapped(query: qcore.Query) -> qcore.Query:
    return _unwrapped(query.child) if isinstance(query, whoosh.ConstantScoreQuery) else query


def _key(query: qcore.Query) -> Hashable:
    """Return what a query's matches are kept under, None where they are not worth keeping.

    Those of a term are, in one field or in several. Whoosh's own hash and comparison take several
    times as long, and hold two unions equal whatever their minmatch and scale.
    """
    if isinstance(query, whoosh.Or):
        if query.minmatch or query.scale:
            return None
        keys = tuple(_key(part) for part in query.subqueries if isinstance(part, _KEPT))
        return (whoosh.Or, query.boost, keys) if len(keys) == len(query.subqueries) else None
    if isinstance(query, Combined):
        return query.key
    if isinstance(query, whoosh.Term):
        return query.fieldname, query.text, query.boost
    if isinstance(query, whoosh.Phrase):
        return query.fieldname, tuple(query.words), query.slop, query.boost
    if isinstance(query, whoosh.Prefix):
        return whoosh.Prefix, query.fieldname, query.text, query.boost
    return None


def _constant(documents: NDArray[np.int64], score: float) -> Matches:
    return Matches(documents, np.full(len(documents), score, np.float32))
