"""What queries and hits of the cluster are made of, asked for and put into words on demand."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from index.schema import UNDATED, decode_length, encode_length
from search import similarity
from search.backends.explain import ExplainedWord, explain_places
from search.backends.opensearch.ask import ask, listing
from search.backends.opensearch.compile import Clause, Compiler, occurrences
from search.backends.opensearch.listed import Listed
from search.backends.opensearch.selecting import Selection
from search.backends.opensearch.statistics import Statistics
from search.explanation import HitExplanation, Occurrences
from search.query import TEXT_FIELDS, WordQuery

__all__ = ["explain_hits", "told_query"]

_DAY = 86_400  # seconds


def told_query(selection: Selection) -> str:
    """Return the query that the cluster evaluates, as it is sent."""
    return json.dumps(selection.full.query, ensure_ascii=False)


def explain_hits(
    statistics: Statistics, compiler: Compiler, selection: Selection, page: Sequence[Listed]
) -> dict[str, HitExplanation]:
    """Say by id what the score of each hit of a page is made of."""
    query = selection.query
    words = [part for part in query.must if isinstance(part, WordQuery)]
    named: dict[str, Clause] = {}
    for number, word in enumerate(words):
        for other, variant in enumerate(word.variants):
            for name in word.fields:
                named[f"{number} {other} {name}"] = occurrences(name, variant)
    evidence = compiler.evidence(query)
    named |= {f"+{name}": clause for name, clause in evidence.items()}
    told = _Told.of(statistics, named, [each.id for each in page])
    rescored = {
        each.id
        for found in (selection.full, selection.partial)
        for each in found.ranked[: similarity.RESCORED]
        if found.is_rescored
    }
    ages = (statistics.counts.newest - np.maximum(told.published, 0)) / _DAY
    explained = explain_places(
        [_word(number, word, compiler, told) for number, word in enumerate(words)],
        [each.score for each in page],
        {name: told.scores(f"+{name}") for name in evidence},
        similarity.freshness(ages).tolist(),
        [each.id in rescored for each in page],
    )
    return {each.id: it for each, it in zip(page, explained, strict=True)}


@dataclass(frozen=True, slots=True)
class _Told:
    """What the cluster says of some articles: their columns, and what each named clause scored."""

    columns: Sequence[Mapping[str, Any]]
    named: Sequence[Mapping[str, float]]

    @classmethod
    def of(cls, statistics: Statistics, named: Mapping[str, Clause], ids: Sequence[str]) -> "_Told":
        body = {
            "size": max(1, len(ids)),
            **listing("published", *(f"lengths.{name}" for name in TEXT_FIELDS)),
            "query": {
                "bool": {
                    "filter": [{"terms": {"id": list(ids)}}],
                    "should": [
                        {"bool": {"must": [clause], "_name": name}}
                        for name, clause in named.items()
                    ],
                }
            },
        }
        options = {"include_named_queries_score": "true"}
        answer = ask(statistics.index.client, statistics.name, body, options)
        found = {hit["_id"]: hit for hit in answer["hits"]["hits"]}
        return cls(
            [found[each]["fields"] if each in found else {} for each in ids],
            [found[each].get("matched_queries", {}) if each in found else {} for each in ids],
        )

    @property
    def published(self) -> "np.ndarray[Any, np.dtype[np.int64]]":
        return np.array([each.get("published", (UNDATED,))[0] for each in self.columns], np.int64)

    def scores(self, name: str) -> "np.ndarray[Any, np.dtype[np.float32]]":
        return np.array([each.get(name, 0.0) for each in self.named], np.float32)

    def length(self, place: int, fields: Sequence[str]) -> int:
        """Return the length of some fields together, as one byte keeps it."""
        columns = self.columns[place]
        total = sum(
            similarity.FIELD_BOOSTS[name] * columns.get(f"lengths.{name}", (0,))[0]
            for name in fields
        )
        return decode_length(encode_length(round(total)))


def _word(number: int, word: WordQuery, compiler: Compiler, told: _Told) -> ExplainedWord:
    frequency = compiler.frequency((word.fields, word.variants))
    documents = max(compiler.counts.documents[name] for name in word.fields)
    lengths = np.array(
        [told.length(place, word.fields) for place in range(len(told.columns))], np.int64
    )
    counts = []
    for other, variant in enumerate(word.variants):
        for name in word.fields:
            weight = variant.weight * similarity.FIELD_BOOSTS[name]
            counted = np.rint(told.scores(f"{number} {other} {name}") / weight).astype(np.int64)
            where = Occurrences(text=variant.text, field=name, count=0, weight=weight)
            counts.append((where, counted))
    return ExplainedWord(
        query=word,
        idf=similarity.idf(documents, frequency),
        weight=compiler.weight(word) if word.optional else 0.0,
        norms=similarity.length_norms(
            lengths, compiler.counts.average(word.fields), similarity.COMBINED_K1
        ),
        counts=counts,
    )
