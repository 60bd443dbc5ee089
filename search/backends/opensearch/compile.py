"""The project's query tree in OpenSearch's query language, with the scores of `search.similarity`.

A text field of the index scores how often something occurs in it (see the mapping). So the sum of
a word's variants in its fields is the frequency that BM25F asks for, and a script makes its score
of that, of the field lengths kept with the document, and of the statistics that come as parameters.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from index.backends.opensearch.mapping import GAP
from search import similarity
from search.query import (
    BooleanQuery,
    KeywordQuery,
    MatchAllQuery,
    PhraseQuery,
    PrefixQuery,
    Query,
    RangeQuery,
    Variant,
    WordQuery,
)

__all__ = [
    "NOTHING",
    "Clause",
    "Compiler",
    "Counts",
    "Word",
    "any_of",
    "between",
    "key_filter",
    "matching",
    "occurrences",
    "words_in",
]

Clause = dict[str, Any]

Word = tuple[tuple[str, ...], tuple[Variant, ...]]
"""The fields and the variants that are counted together."""

NOTHING: Final[Clause] = {"match_none": {}}
_EVERYTHING: Final[Clause] = {"match_all": {}}

_NEAR_FIELDS = ("title", "body")  # where words are looked for side by side

# A length in one byte is exact below 40, and has four significant bits above.
_SCORE = """
int kept(int n) {
  if (n < 40) return n;
  int rest = n - 24;
  int shift = 28 - Integer.numberOfLeadingZeros(rest);
  return 24 + ((rest >> shift) << shift);
}
double length = 0;
for (int i = 0; i < params.fields.length; ++i)
  length += params.boosts[i] * doc[params.fields[i]].value;
double norm = params.k1
  * (1 - params.b + params.b * kept((int) Math.rint(length)) / params.average);
return params.weight * _score / (_score + norm);
"""
_SATURATED = "return params.weight * _score / (_score + params.k1);"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What scores need to know of the whole index.

    `documents` have a field, `tokens` are all of its tokens; `newest` is in seconds, 0 where no
    article is dated.
    """

    articles: int
    documents: Mapping[str, int]
    tokens: Mapping[str, int]
    newest: int

    def average(self, fields: Sequence[str]) -> float:
        """Return the average length of some fields together, each times its boost."""
        most = max(self.documents[name] for name in fields)
        tokens = sum(similarity.FIELD_BOOSTS[name] * self.tokens[name] for name in fields)
        return tokens / most if most else 0.0


class Compiler:
    """Compiles queries for one state of the index.

    `frequency` says how many articles hold a word, `canonical` under which name an organisation
    is kept.
    """

    def __init__(
        self,
        counts: Counts,
        frequency: Callable[[Word], int],
        canonical: Callable[[str], str],
    ) -> None:
        self.counts, self.frequency, self.canonical = counts, frequency, canonical

    def scored(self, query: Query) -> Clause:
        """Return a query that scores as the project does."""
        match query:
            case WordQuery():
                return self.word((query.fields, query.variants))
            case PhraseQuery(slop=None, parts=(units,)):
                return self.word((query.fields, (Variant(units=units, term=None),)))
            case PhraseQuery():
                return _sum(self._near(name, query) for name in query.fields)
            case PrefixQuery():
                return _sum(
                    {"prefix": {name: {"value": query.text, "boost": _boost(name)}}}
                    for name in query.fields
                )
            case MatchAllQuery():
                return _constant(_EVERYTHING, 0.0)
            case BooleanQuery():
                return self._boolean(query)
            case _:
                return _constant(self.filter(query), 1.0)

    def filter(self, query: Query) -> Clause:
        """Return a query for what it matches, whatever it would score."""
        match query:
            case WordQuery():
                return matching((query.fields, query.variants))
            case KeywordQuery():
                return self.keyword(query.field, query.values)
            case RangeQuery():
                return between(query.first, query.last)
            case _:
                return self.scored(query)

    def keyword(self, field: str, values: Iterable[str]) -> Clause:
        """Return a filter for any of some values, whatever their case."""
        if field in {"organisation", "acting"}:
            values = map(self.canonical, values)
        return key_filter(field, values)

    def word(self, word: Word) -> Clause:
        """Return a query for a word, scored by BM25F."""
        fields, variants = word
        frequency = self.frequency(word)
        if not frequency:
            return NOTHING
        documents = max(self.counts.documents[name] for name in fields)
        return self._bm25(
            any_of(occurrences(name, variant) for variant in variants for name in fields),
            {name: _boost(name) for name in fields},
            self.counts.average(fields),
            similarity.idf(documents, frequency),
            similarity.COMBINED_K1,
        )

    def weight(self, query: WordQuery) -> float:
        """Return the idf of a word by the articles that hold it, 0 where none does."""
        frequency = self.frequency((query.fields, query.variants))
        return similarity.idf(self.counts.articles, frequency) if frequency else 0.0

    def holding_enough(self, words: Sequence[WordQuery]) -> Clause:
        """Return a query for what holds enough of some words, scored lower for what it lacks."""
        weights = [(word, self.weight(word)) for word in words]
        known = [(word, weight) for word, weight in weights if weight]
        total = sum(weight for _, weight in known)
        if not total:
            return NOTHING
        held = any_of(_constant(self.filter(word), weight) for word, weight in known)
        enough = {
            "script_score": {
                "query": held,
                "script": {"source": "return _score;"},
                # Sums of float32 may fall short of an exact half by a rounding.
                "min_score": similarity.WIDEN_SHARE * total * (1 - 1e-6),
            }
        }
        query: Clause = {
            "bool": {
                "should": [self.scored(word) for word, _ in known],
                "minimum_should_match": 1,
                "filter": [enough],
            }
        }
        # The score times the share, to the power COVERAGE, which is a whole number.
        for _ in range(int(similarity.COVERAGE)):
            query = {
                "function_score": {
                    "query": query,
                    "functions": [
                        {"filter": self.filter(word), "weight": weight / total}
                        for word, weight in known
                    ],
                    "score_mode": "sum",
                    "boost_mode": "multiply",
                }
            }
        return query

    def evidence(self, query: BooleanQuery) -> dict[str, Clause]:
        """Return what adds to the score of the best, by the words that it is of."""
        found = {
            word.surface: {"bool": {"must": [self.scored(word)], "boost": weight}}
            for word, weight in query.evidence
            if self.frequency((word.fields, word.variants))
        }
        for pair in query.pairs:
            clause = self._pair(*pair)
            if clause != NOTHING:
                found[" ".join(word.surface for word in pair)] = clause
        return found

    def _boolean(self, query: BooleanQuery) -> Clause:
        must = [self.scored(part) for part in query.must]
        if query.should:
            must.append(any_of(self.scored(part) for part in query.should))
        return {
            "bool": {
                "must": must or [_constant(_EVERYTHING, 0.0)],
                "filter": [self.filter(part) for part in query.filter],
                "must_not": [self.filter(part) for part in query.must_not],
            }
        }

    def _near(self, field: str, query: PhraseQuery) -> Clause:
        """Return a query for stretches of units in any order, scored as one that stands once."""
        units = list(dict.fromkeys(unit for part in query.parts for unit in part))
        frequencies = [
            self.frequency(((field,), (Variant(units=(unit,), term=unit),))) for unit in units
        ]
        if not units or not all(frequencies):
            return NOTHING
        documents = self.counts.documents[field]
        near = {
            "intervals": {
                field: {
                    "all_of": {
                        "mode": "unordered_no_overlap",
                        "max_gaps": query.slop or 0,
                        "intervals": [
                            {"match": {"query": " ".join(part), "max_gaps": 0, "mode": "ordered"}}
                            for part in query.parts
                        ],
                    }
                }
            }
        }
        return self._bm25(
            _constant(near, 1.0),
            {field: 1.0},
            self.counts.tokens[field] / documents,
            _boost(field) * sum(similarity.idf(documents, each) for each in frequencies),
            similarity.K1,
        )

    def _pair(self, one: WordQuery, other: WordQuery) -> Clause:
        """Return what two words near each other add; see `whoosh.ranking.evidence`."""
        frequencies = [self.frequency((word.fields, word.variants)) for word in (one, other)]
        if not all(frequencies):
            return NOTHING
        phrases = []
        for name in _NEAR_FIELDS:
            if name in one.fields and name in other.fields:
                for first, second in ((one, other), (other, one)):
                    for distance in range(1, similarity.PROXIMITY_SPAN + 1):
                        tokens = [
                            *_placed(first.variants[0]),
                            *[GAP] * (distance - 1),
                            *_placed(second.variants[0]),
                        ]
                        phrases.append(_phrase(name, tokens, _boost(name) / distance**2))
        if not phrases:
            return NOTHING
        documents = max(self.counts.documents[name] for name in one.fields)
        weight = similarity.PROXIMITY_WEIGHT * min(
            similarity.idf(documents, each) for each in frequencies
        )
        return {
            "script_score": {
                "query": any_of(phrases),
                "script": {
                    "source": _SATURATED,
                    "params": {"weight": weight, "k1": similarity.K1},
                },
            }
        }

    def _bm25(
        self,
        occurrences: Clause,
        boosts: Mapping[str, float],
        average: float,
        weight: float,
        k1: float,
    ) -> Clause:
        fields = list(boosts)
        return {
            "script_score": {
                "query": occurrences,
                "script": {
                    "source": _SCORE,
                    "params": {
                        "fields": [f"lengths.{name}" for name in fields],
                        "boosts": list(boosts.values()),
                        "average": average,
                        "weight": weight,
                        "k1": k1,
                        "b": similarity.B,
                    },
                },
            }
        }


def words_in(query: BooleanQuery) -> list[Word]:
    """Return every word whose frequency a query's scores need."""
    found: dict[Word, None] = {}
    for part in (*query.must, *query.should, *query.filter, *query.must_not):
        match part:
            case WordQuery():
                found[part.fields, part.variants] = None
            case PhraseQuery(slop=None, parts=(units,)):
                found[part.fields, (Variant(units=units, term=None),)] = None
            case PhraseQuery():
                for unit in {unit for stretch in part.parts for unit in stretch}:
                    for name in part.fields:
                        found[(name,), (Variant(units=(unit,), term=unit),)] = None
            case BooleanQuery():
                found |= dict.fromkeys(words_in(part))
    for word, _ in query.evidence:
        found[word.fields, word.variants] = None
    for pair in query.pairs:
        for word in pair:
            found[word.fields, word.variants] = None
    return list(found)


def matching(word: Word) -> Clause:
    """Return a filter for the articles that hold a word."""
    fields, variants = word
    single = [term for each in variants if (term := _single(each)) is not None]
    others = [each for each in variants if _single(each) is None]
    clauses: list[Clause] = [{"terms": {name: single}} for name in fields if single]
    clauses += [occurrences(name, each) for each in others for name in fields]
    return clauses[0] if len(clauses) == 1 else any_of(clauses)


def _single(variant: Variant) -> str | None:
    """Return the token that a variant is, None where it is several."""
    if variant.term is not None:
        return variant.term
    return variant.units[0] if len(variant.units) == 1 else None


def key_filter(field: str, values: Iterable[str]) -> Clause:
    """Return a filter for any of some values of a keyword field, whatever their case."""
    return {"terms": {f"keys.{field}": [value.casefold() for value in values]}}


def between(first: date | None, last: date | None) -> Clause:
    """Return a filter for a period of Beijing days; undated articles are in none."""
    limits = {"gte": first and first.isoformat(), "lte": last and last.isoformat()}
    given = {name: value for name, value in limits.items() if value}
    return {"range": {"day": given}} if given else {"exists": {"field": "day"}}


def any_of(clauses: Iterable[Clause]) -> Clause:
    """Return a query for any of some, whose scores add up."""
    return {"bool": {"should": list(clauses), "minimum_should_match": 1}}


def _sum(clauses: Iterable[Clause]) -> Clause:
    some = [clause for clause in clauses if clause != NOTHING]
    return any_of(some) if some else NOTHING


def _constant(clause: Clause, score: float) -> Clause:
    return {"constant_score": {"filter": clause, "boost": score}}


def occurrences(field: str, variant: Variant) -> Clause:
    """Return a query that scores how often a variant stands in a field, times its boosts."""
    boost = _boost(field) * variant.weight
    units = (variant.term,) if variant.term is not None else variant.units
    return _phrase(field, units, boost)


def _phrase(field: str, tokens: Sequence[str], boost: float) -> Clause:
    """Return a query that scores how often tokens follow each other, times the boost."""
    if len(tokens) == 1:
        return {"term": {field: {"value": tokens[0], "boost": boost}}}
    # The similarity is asked for each of the terms, and the answers are added up.
    count = sum(token != GAP for token in tokens)
    return {"match_phrase": {field: {"query": " ".join(tokens), "boost": boost / count}}}


def _placed(variant: Variant) -> list[str]:
    """Return the tokens of a variant, with gaps for the positions that a term covers besides."""
    if variant.term is None:
        return list(variant.units)
    return [variant.term, *[GAP] * (len(variant.units) - 1)]


def _boost(field: str) -> float:
    return similarity.FIELD_BOOSTS[field]
