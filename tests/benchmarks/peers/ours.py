"""This project's index: the vector codec inside Whoosh, filled and asked through its own seams."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from engine import BOOSTS, FACET_SIZE, FACETS, Hit, Page, Stopwatch, folder_size
from queries import PageQuery
from tokens import Batch, FieldSlice
from whoosh import query as whoosh
from whoosh.query import qcore

from index.analysis import FieldTokens
from index.backends.vector_codec import Documents
from index.backends.whoosh import SEPARATOR, WhooshIndex
from index.schema import UNDATED, IndexBatch, IndexDocument, Naming
from index.settings import Settings
from search.backends.whoosh.cache import ByteCache
from search.backends.whoosh.evaluator import Evaluator
from search.backends.whoosh.matches import Matches, best
from search.backends.whoosh.queries import ColumnRange, ColumnValues
from search.backends.whoosh.searcher import cache_size
from search.backends.whoosh.view import IndexView

__all__ = ["Ours"]

_FINGERPRINT = "benchmark"  # the tokens come from the cache, whatever the analyzer is now


class Ours:
    """The index in a folder, without the article store."""

    version = "Anwen"

    def __init__(self, folder: Path) -> None:
        self._index = WhooshIndex(folder, _FINGERPRINT)
        self._folder = folder

    def build(self, batches: Iterable[Batch], clock: Stopwatch) -> None:
        """Fill a generation from ready tokens; the clock stands still while they are sliced."""
        with clock.running():
            context = self._index.writer(1, rebuild=True)
            writer = context.__enter__()
        for batch in batches:
            made = _index_batch(batch)
            with clock.running():
                writer.update_documents(made)
        with clock.running():
            context.__exit__(None, None, None)

    def open(self) -> None:
        """Open a view of the live generation."""
        self._cache = cache_size(Settings(), self._index)
        self._segments: ByteCache[Any] = ByteCache(self._cache // 2)
        self._look(IndexView(self._index, self._segments))

    def page(self, query: PageQuery) -> Page:
        """Answer with one page, by the steps of `WhooshSearcher.search`."""
        view = self._view
        matches = self._evaluator.evaluate(_compile(query)).where(view.live)
        counts = view.facets.counts(matches.documents)
        facets = {}
        for name in FACETS:
            column = view.keywords[name]
            size = len(column.values) if name == "month" else FACET_SIZE
            totals = column.totals(counts[name])
            used = np.flatnonzero(totals)
            listed = column.first(used, totals[used], size)
            facets[name] = {column.values[n]: int(totals[n]) for n in listed}
        return Page(total=len(matches), hits=self._hits(matches), facets=facets)

    def update(self, batch: Batch) -> None:
        """Replace documents in the live generation."""
        with self._index.writer(1) as writer:
            writer.update_documents(_index_batch(batch))

    def refresh(self) -> None:
        """Open a new view where the index has changed, as the searcher does before a query."""
        if self._view.state != self._index.state:
            previous = self._view
            self._look(IndexView(self._index, self._segments, previous))
            previous.close()

    def size(self) -> int:
        """Return the bytes of the index on disk."""
        return folder_size(self._folder)

    def close(self) -> None:
        """Release the index's files."""
        self._view.close()

    def _look(self, view: IndexView) -> None:
        self._view = view
        self._evaluator = Evaluator(view, self._cache // 2)

    def _hits(self, matches: Matches) -> tuple[Hit, ...]:
        view = self._view
        keys = (
            lambda places: -matches.scores[places],
            lambda places: view.newest_first[matches.documents[places]],
        )
        places = best(10, len(matches), keys)
        scores = iter(matches.scores[places].tolist())
        hits: list[Hit] = []
        documents = matches.documents[places].tolist()
        for number, run in groupby(documents, lambda document: bisect_right(view.bases, document)):
            local = [document - view.bases[number - 1] for document in run]
            fields = _stored_fields(view.segments[number - 1].documents, local)
            hits += map(_hit, *fields, scores)
        return tuple(hits)


def _stored_fields(columns: Documents, documents: list[int]) -> tuple[list[Any], ...]:
    """Return ids, times, categories, sources and organisations of documents of one segment."""

    def texts(name: str) -> list[str]:
        column = columns.keywords[name]
        return [column.values[number].decode() for number in column.ordinals[documents].tolist()]

    published = columns.numbers["published"][documents].tolist()
    return texts("key"), published, texts("category"), texts("source"), texts("organisations")


def _hit(key: str, published: int, category: str, source: str, names: str, score: float) -> Hit:
    return Hit(
        id=key,
        score=score,
        published=None if published == UNDATED else published,
        category=category,
        source=source,
        organisations=tuple(Naming.read(each).name for each in names.split(SEPARATOR) if each),
    )


def _index_batch(batch: Batch) -> IndexBatch:
    return IndexBatch(
        documents=tuple(
            IndexDocument(
                id=record.id,
                url=None,
                title="",
                published=UNDATED if record.published is None else record.published,
                day_only=record.day_only,
                category=record.category,
                source=record.source,
                author="",
                organisations=tuple(
                    Naming(name, "other", salient=True) for name in record.organisations
                ),
                identifiers=(),
                cluster="",
                size=0,
            )
            for record in batch.documents
        ),
        fields={
            name: _field_tokens(part, batch.tokens.vocabulary)
            for name, part in batch.fields.items()
        },
    )


def _field_tokens(part: FieldSlice, vocabulary: list[str]) -> FieldTokens:
    """Return a slice as the analyzer would: with a vocabulary of its own."""
    known, terms = np.unique(part.terms, return_inverse=True)
    sizes = np.diff(part.bounds)
    owners = np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)
    return FieldTokens(
        vocabulary=[vocabulary[number] for number in known.tolist()],
        terms=terms.astype(np.uint32),
        documents=owners,
        positions=np.array(part.positions),
        # Every position has one unit.
        lengths=np.bincount(owners[part.is_unit], minlength=len(sizes)).astype(np.uint32),
    )


def _compile(query: PageQuery) -> qcore.Query:
    """Return the plain page query: each field scored by itself, as the peers do."""
    must = [_any_field(lambda name, text=term.text: whoosh.Term(name, text)) for term in query.must]
    if query.phrase:
        units = [term.text for term in query.phrase]
        must.append(_any_field(lambda name: whoosh.Phrase(name, units)))
    if query.should:
        terms = [
            _any_field(lambda name, text=term.text: whoosh.Term(name, text))
            for term in query.should
        ]
        must.append(whoosh.Or(terms))
    if query.first:
        must.append(whoosh.ConstantScoreQuery(ColumnRange(query.first, query.last), 0.0))
    if query.organisation:
        names = ColumnValues("organisation", (query.organisation,))
        must.append(whoosh.ConstantScoreQuery(names, 0.0))
    return whoosh.And(must or [whoosh.Every(boost=0.0)])


def _any_field(make: Callable[[str], Any]) -> qcore.Query:
    parts = []
    for name, boost in BOOSTS.items():
        part = make(name)
        part.boost = boost
        parts.append(part)
    return whoosh.Or(parts)
