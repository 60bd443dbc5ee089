"""Candidates: the articles that may be related to a subject, measured here as Whoosh's are there.

The cluster finds them by the words of the subject, and gives the two cosines of each; what else
makes nearness comes from their columns. Around them stands a view that has no other documents: the
choice of related articles, of reports and of sources works on it as on a whole index.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.analysis import Analyzer
from index.backends.opensearch.mapping import log_boost
from index.document import Article
from index.schema import UNDATED
from search import similarity
from search.backends.clusters import Clusters
from search.backends.nearness import DAY, TELLING, Nearness, Subject, Words, WordWeights, combined
from search.backends.opensearch.ask import ask, ask_all, ask_on, listing
from search.backends.opensearch.compile import Clause, Word, any_of, key_filter
from search.backends.opensearch.statistics import Statistics
from search.query import TEXT_FIELDS, Variant

__all__ = ["CandidateView", "Candidates", "Holdings"]

_MOST = 300  # stories that are measured, far more than are shown
_COLUMNS = (
    "headline",
    "source",
    "published",
    "newest_first",
    "oldest_first",
    "cluster",
    "size",
    "identifier",
    "organisation",
    "acting",
)
_CLAUSES = 500  # words in one question
_ASKED = 40  # paragraphs of a draft that are asked about at once

# As `combined` has it; what is shared of names is a guess here, and made good afterwards.
_NEARNESS = """
double score = _score;
if (params.published != null && doc['published'].size() != 0) {
  double days = Math.abs(doc['published'].value - params.published) / 86400.0;
  score *= 1 + params.same_time * Math.pow(2, -days / params.half_life);
}
return score;
"""
_COSINE = """
double length = Math.max(doc[params.length].value, 1);
return _score * params.scale * Math.pow(length, -params.exponent);
"""


class _Values:
    """The values of a field of each document."""

    def __init__(self, values: Sequence[Sequence[str]]) -> None:
        self._folded = [frozenset(value.casefold() for value in each) for each in values]
        self.values = tuple(dict.fromkeys(value for each in values for value in each))

    def mask(self, wanted: Iterable[str]) -> NDArray[np.bool_]:
        """Return which documents have any of the values, whatever their case."""
        folded = {value.casefold() for value in wanted}
        return np.array([not folded.isdisjoint(each) for each in self._folded], np.bool_)


class CandidateView:
    """Documents that came from the cluster, numbered from 0, as `IndexView` shows its own.

    Further ids may be numbered; of those nothing else is known.
    """

    def __init__(self, article_count: int, hits: Sequence[Mapping[str, Any]]) -> None:
        self.article_count = article_count
        self.ids = [str(hit["_id"]) for hit in hits]
        self.size = len(hits)
        self._numbers = {each: number for number, each in enumerate(self.ids)}
        self._columns: list[dict[str, list[Any]]] = [hit["fields"] for hit in hits]
        self.published = self._array("published", UNDATED)
        self.newest_first = self._array("newest_first", 0)
        self.oldest_first = self._array("oldest_first", 0)
        self.keywords = {
            "identifier": _Values([each.get("identifier", ()) for each in self._columns])
        }

    def document(self, identifier: str) -> int | None:
        """Return the number of an id, None where it is not among the documents."""
        number = self._numbers.get(identifier)
        return None if number is None or number >= self.size else number

    def number(self, identifier: str) -> int:
        """Return the number of an id, a new one where it had none."""
        if identifier not in self._numbers:
            self._numbers[identifier] = len(self.ids)
            self.ids.append(identifier)
        return self._numbers[identifier]

    def title(self, document: int) -> str:
        """Return the title of a document."""
        return str(self.first(document, "headline", ""))

    def first(self, document: int, name: str, default: Any) -> Any:
        """Return the first value of a column of a document."""
        return self._columns[document].get(name, (default,))[0]

    def values(self, document: int, name: str) -> list[str]:
        """Return all values of a column of a document."""
        return self._columns[document].get(name, [])

    @cached_property
    def clusters(self) -> Clusters:
        """The clusters of near-duplicates; canonical is the earliest, then the longest."""
        known = {"": 0}
        labels = np.array(
            [
                known.setdefault(self.first(each, "cluster", ""), len(known))
                for each in range(self.size)
            ],
            np.int64,
        )
        keys = (self.oldest_first, -self._array("size", 0), np.array(self.ids[: self.size]))
        return Clusters(labels, None, keys)

    def _array(self, name: str, default: int) -> NDArray[np.int64]:
        return np.array([each.get(name, (default,))[0] for each in self._columns], np.int64)


class Candidates(WordWeights):
    """What may be related to one subject; stands where Whoosh has a `Relater`."""

    def __init__(self, statistics: Statistics, analyzer: Analyzer, article: Article) -> None:
        """Find and measure the candidates; raises IndexUnavailable."""
        super().__init__(analyzer, statistics.counts.articles)
        self._statistics = statistics
        self._counted: dict[Word, int] = {}
        subject = Subject.of(article)
        self._titles, self._texts = self.words_of(subject)
        self.view = CandidateView(statistics.counts.articles, self._found(subject, article.id))
        self._nearness = self._measured(subject)
        self._held: dict[bytes, dict[int, set[str]]] = {}

    def nearness(self, subject: Subject) -> Nearness:  # noqa: ARG002  # it is the one of the making
        """Return how near each candidate is to the subject."""
        return self._nearness

    def holders(self, word: str, documents: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which of some documents hold a word in their text."""
        key = documents.tobytes()
        if key not in self._held:  # asked for each word of the subject about the same documents
            self._held = {key: self._words_held(documents.tolist())}
        held = self._held[key]
        return np.array([word in held.get(each, ()) for each in documents.tolist()], np.bool_)

    def likely(
        self, texts: Sequence[str], weights: Sequence[Mapping[str, float]], count: int
    ) -> list[list[int]]:
        """Return for each text the articles nearest to it; see `Relater.likely`."""
        self.learn("body", [word for each in weights for word in each])
        found: list[list[int]] = []
        for first in range(0, len(texts), _ASKED):
            some = list(zip(texts, weights, strict=True))[first : first + _ASKED]
            found += self._likely(some, count)
        return found

    def learn(self, field: str, words: Iterable[str]) -> None:
        """Ask for the frequencies of words at once."""
        # Of a draft nothing is kept that is not in the archive.
        found = self._statistics.learn((_word(field, word) for word in words), keeps_unknown=False)
        self._counted |= found

    def _known(self, field: str, word: str) -> tuple[int, float]:
        key = _word(field, word)
        if key not in self._counted:
            self.learn(field, [word])
        frequency = self._counted[key]
        return frequency, similarity.idf(self._article_count, frequency)

    def _likely(
        self, some: Sequence[tuple[str, Mapping[str, float]]], count: int
    ) -> list[list[int]]:
        nearest = [
            {
                "size": 2 * count,
                **listing(),
                "query": self._cosine("body", words, len(text)) if words else {"match_none": {}},
                "sort": ["_score", {"id": "asc"}],
            }
            for text, weights in some
            for words in [self.weighted("body", dict.fromkeys(weights, 1))]
        ]
        answers = self._ask_all(nearest)
        # A window of an article has no more of the words than the whole of it.
        bodies, owners = [], []
        for number, ((_, weights), answer) in enumerate(zip(some, answers, strict=True)):
            ids = [hit["_id"] for hit in answer["hits"]["hits"]]
            words = list(weights.items()) if ids else []
            for first in range(0, len(words), _CLAUSES):
                owners.append(number)
                bodies.append(_held_weight(ids, words[first : first + _CLAUSES]))
        held: list[dict[str, float]] = [{} for _ in some]
        for number, answer in zip(owners, self._ask_all(bodies), strict=True):
            for hit in answer["hits"]["hits"]:
                held[number][hit["_id"]] = held[number].get(hit["_id"], 0.0) + hit["_score"]
        found = []
        for (_, weights), answer, each in zip(some, answers, held, strict=True):
            least = similarity.COVERED_SHARE * sum(weights.values())
            nearest_ids = [hit["_id"] for hit in answer["hits"]["hits"]]
            kept = [one for one in nearest_ids if each.get(one, 0.0) >= least]
            found.append([self.view.number(one) for one in kept[:count]])
        return found

    def _cosine(self, field: str, words: Words, length: int) -> Clause:
        """Return a query that scores the cosine with weighted words; see `Relater.cosine`."""
        square = sum(weight * weight for _, weight in words)
        if not square:
            return {"match_none": {}}
        return {
            "script_score": {
                "query": any_of(
                    {
                        "term": {
                            field: {
                                "value": word,
                                "boost": log_boost(weight * self.idf(field, word)),
                            }
                        }
                    }
                    for word, weight in words[: similarity.RELATED_TERMS]
                ),
                "script": {
                    "source": _COSINE,
                    "params": {
                        "length": f"lengths.{field}",
                        "scale": max(length, 1) ** similarity.NORM_EXPONENT / square,
                        "exponent": similarity.NORM_EXPONENT,
                    },
                },
            }
        }

    def _found(self, subject: Subject, own: str) -> list[dict[str, Any]]:
        """Return the candidates, the subject itself, and all articles of their clusters."""
        parts = [
            self._cosine("body", *self._texts),
            {
                "bool": {
                    "must": [self._cosine("title", *self._titles)],
                    "boost": similarity.TITLE_NEARNESS,
                }
            },
        ]
        for name, values, weight in (
            ("identifier", subject.identifiers, similarity.SHARED_IDENTIFIERS),
            ("organisation", tuple(subject.organisations), similarity.SHARED_ORGANISATIONS),
        ):
            if values:
                parts.append(
                    {"constant_score": {"filter": key_filter(name, values), "boost": weight}}
                )
        query = {
            "script_score": {
                "query": any_of(parts),
                "script": {
                    "source": _NEARNESS,
                    "params": {
                        "published": None if subject.published == UNDATED else subject.published,
                        "same_time": similarity.SAME_TIME,
                        "half_life": similarity.SAME_TIME_HALF_LIFE,
                    },
                },
            }
        }
        wanted = listing(*_COLUMNS)
        (itself,) = self._ask_all([{**wanted, "size": 1, "query": _ids([own])}])
        hits = {hit["_id"]: hit for hit in itself["hits"]["hits"]}
        labels = {label for hit in hits.values() for label in hit["fields"].get("cluster", ())}
        # Of near-duplicates one stands for all, and of the subject's own none is wanted.
        others = {
            "must": [query],
            "must_not": [{"terms": {"cluster": sorted(labels)}}, _ids([own])],
        }
        (near,) = self._ask_all(
            [
                {
                    **wanted,
                    "size": _MOST,
                    "query": {"bool": others},
                    "collapse": {"field": "fold"},
                    "sort": ["_score", {"newest_first": "asc"}, {"id": "asc"}],
                }
            ]
        )
        hits |= {hit["_id"]: hit for hit in near["hits"]["hits"]}
        labels |= {label for hit in hits.values() for label in hit["fields"].get("cluster", ())}
        if labels:
            members = {
                **wanted,
                "query": {"terms": {"cluster": sorted(labels)}},
                "sort": [{"id": "asc"}],
            }
            for hit in ask_on(self._statistics.index.client, self._statistics.name, members):
                hits.setdefault(hit["_id"], hit)
        return list(hits.values())

    def _measured(self, subject: Subject) -> Nearness:
        view = self.view
        text, title = self._cosines()
        identifiers = self._shared("identifier", dict.fromkeys(subject.identifiers, 1.0))
        organisations = self._shared("organisation", subject.organisations)
        if subject.published == UNDATED:
            days = np.full(view.size, np.inf)
        else:
            days = np.abs(view.published - subject.published) / DAY
        own = subject.source.casefold()
        is_own_source = np.array(
            [
                bool(own) and view.first(each, "source", "").casefold() == own
                for each in range(view.size)
            ],
            np.bool_,
        )
        total = combined(text, title, identifiers, organisations, days, is_own_source)
        shares_names = (identifiers > 0) | (organisations > 0)
        return Nearness(text, total, days, shares_names, is_own_source, self._texts[0][:TELLING])

    def _cosines(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        some = _ids(self.view.ids)
        answers = self._ask_all(
            [
                {
                    "size": max(1, self.view.size),
                    **listing(),
                    "query": {"bool": {"filter": [some], "must": [self._cosine(field, *words)]}},
                }
                for field, words in (("body", self._texts), ("title", self._titles))
            ]
        )
        found = []
        for answer in answers:
            scores = np.zeros(self.view.size, np.float32)
            for hit in answer["hits"]["hits"]:
                scores[self.view.number(hit["_id"])] = hit["_score"]
            found.append(scores)
        return found[0], found[1]

    def _shared(self, name: str, wanted: Mapping[str, float]) -> NDArray[np.float32]:
        """Return each document's cosine with weighted values of a column, by idf."""
        view = self.view
        if not wanted:
            return np.zeros(view.size, np.float32)
        of_documents = [
            {
                value.casefold(): similarity.PASSING if name == "organisation" else 1.0
                for value in view.values(each, name)
            }
            | {
                value.casefold(): 1.0
                for value in view.values(each, "acting")
                if name == "organisation"
            }
            for each in range(view.size)
        ]
        values = {value for each in of_documents for value in each}
        vector = {value.casefold(): weight for value, weight in wanted.items()}
        counts = self._statistics.holders(name, sorted(values | set(vector)))
        idf = {
            value: similarity.idf(self._article_count, count)
            for value, count in counts.items()
            if count
        }
        own = {value: weight * idf[value] for value, weight in vector.items() if value in idf}
        if not own:
            return np.zeros(view.size, np.float32)
        size = sum(each * each for each in own.values()) ** 0.5
        scores = []
        for each in of_documents:
            norm = sum((weight * idf[value]) ** 2 for value, weight in each.items()) ** 0.5
            shared = sum(own[value] * each[value] * idf[value] for value in own if value in each)
            scores.append(shared / (max(norm, 1e-6) * size))
        return np.array(scores, np.float32)

    def _words_held(self, documents: Sequence[int]) -> dict[int, set[str]]:
        """Return the words of the subject that each of some documents holds."""
        body = {
            "size": max(1, len(documents)),
            **listing(),
            "query": {
                "bool": {
                    "filter": [_ids(self.view.ids[each] for each in documents)],
                    "should": [
                        {"term": {"body": {"value": word, "_name": word}}}
                        for word, _ in self._nearness.words
                    ],
                }
            },
        }
        (answer,) = self._ask_all([body])
        return {
            self.view.number(hit["_id"]): set(hit.get("matched_queries", ()))
            for hit in answer["hits"]["hits"]
        }

    def _ask_all(self, bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return ask_all(self._statistics.index.client, self._statistics.name, bodies)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What articles of one state hold; see `draft_names.Holdings`."""

    statistics: Statistics
    view: CandidateView

    def newest(self, field: str, name: str) -> tuple[int, int]:
        """Return how many articles have a name in a field, and the newest; (0, 0) for none."""
        answer = ask(
            self.statistics.index.client,
            self.statistics.name,
            {
                "size": 1,
                **listing(),
                "track_total_hits": True,
                "query": key_filter(field, [name]),
                "sort": [{"newest_first": "asc"}, {"id": "asc"}],
            },
        )
        hits = answer["hits"]["hits"]
        if not hits:
            return 0, 0
        return int(answer["hits"]["total"]["value"]), self.view.number(hits[0]["_id"])

    def count(self, units: Sequence[str]) -> int:
        """Return in how many articles some units stand in a row."""
        word = TEXT_FIELDS, (Variant(units=tuple(units), term=None),)
        return self.statistics.learn([word], keeps_unknown=False)[word]


def _word(field: str, word: str) -> Word:
    return (field,), (Variant(units=(word,), term=word),)


def _ids(identifiers: Iterable[str]) -> Clause:
    return {"terms": {"id": list(identifiers)}}


def _held_weight(ids: Sequence[str], words: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """Return a search of some articles that scores the weight of the words that each holds."""
    return {
        "size": len(ids),
        **listing(),
        "query": {
            "bool": {
                "filter": [_ids(ids)],
                "should": [
                    {"constant_score": {"filter": {"term": {"body": word}}, "boost": weight}}
                    for word, weight in words
                ],
            }
        },
    }
