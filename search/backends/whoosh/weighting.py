"""The project's similarity as a Whoosh WeightingModel, for what Whoosh's own matchers answer."""

from typing import Any

from whoosh.scoring import BaseScorer, WeightingModel

from index.schema import encode_length
from search import similarity
from search.backends.whoosh.view import SegmentsView

__all__ = ["LuceneBM25"]


class LuceneBM25(WeightingModel):  # type: ignore[misc]
    """Lucene's BM25 with the statistics of a view; see `search.similarity`."""

    def __init__(self, view: SegmentsView) -> None:
        self._view = view

    def scorer(self, searcher: Any, fieldname: str, text: bytes, qf: float = 1) -> "_Scorer":
        """Return the scorer of a term."""
        count = self._view.document_count(fieldname)
        frequency = self._view.document_frequency(fieldname, text)
        norms = self._view.norms(fieldname)
        return _Scorer(searcher, fieldname, qf * similarity.idf(count, frequency), norms.tolist())


class _Scorer(BaseScorer):  # type: ignore[misc]
    def __init__(self, searcher: Any, field: str, weight: float, norms: list[float]) -> None:
        self._searcher, self._field, self._weight, self._norms = searcher, field, weight, norms

    def score(self, matcher: Any) -> float:
        length = self._searcher.doc_field_length(matcher.id(), self._field, 0)
        frequency = matcher.weight()
        return float(self._weight * frequency / (frequency + self._norms[encode_length(length)]))

    def supports_block_quality(self) -> bool:
        return False

    def max_quality(self) -> float:
        return self._weight
