"""What typing aids are made of, read from one state of the index on the cluster."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from index.analysis import Analyzer, normalise
from search.backends.opensearch.ask import ask
from search.backends.opensearch.compile import Word
from search.backends.opensearch.statistics import Statistics
from search.backends.opensearch.values import EVERYTHING, Values, merged
from search.pace import Pace
from search.query import TEXT_FIELDS, Variant
from search.vocabulary import MOST_HEADLINES, Headline, Vocabulary

__all__ = ["OpenSearchArchive"]

_AT_ONCE = 10_000  # headlines, or words, of one answer
_MOST_TERMS = 200  # terms of a prefix that are looked at


@dataclass(frozen=True, slots=True)
class OpenSearchArchive:
    """One state of the index; see `typing_aids.Archive`."""

    statistics: Statistics
    values: Values
    analyzer: Analyzer
    _counted: dict[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def state(self) -> tuple[int, int]:
        """Generation and commit."""
        return self.statistics.state

    def names(self, column: str) -> tuple[str, ...]:
        """Return all values of a column, in their order."""
        return tuple(sorted(self._count(column)))

    def vocabulary(
        self,
        pace: Pace,
        frequency: Callable[[str], int],
        terms: Callable[[str], Mapping[str, int]],
        learn: Callable[[Iterable[str]], None],
    ) -> Vocabulary:
        """Read the vocabulary of the state."""
        return Vocabulary(
            articles=self.statistics.counts.articles,
            words=dict(pace.over(self._words())),
            organisations=self._count("organisation"),
            categories=self._count("category"),
            headlines=tuple(pace.over(self._headlines())),
            frequency=frequency,
            terms=terms,
            learn=learn,
        )

    def _count(self, column: str) -> Mapping[str, int]:
        """Count the values of a column, once: what came meanwhile has no count elsewhere."""
        if column not in self._counted:
            self._counted[column] = self.values.count(EVERYTHING, column).articles
        return self._counted[column]

    def frequency(self, text: str) -> int:
        """Return how many articles hold a word or a string of units."""
        words = self._words_of(text)
        return max(self.statistics.learn(words).values(), default=0)

    def learn(self, texts: Iterable[str]) -> None:
        """Ask for the frequencies of texts at once."""
        self.statistics.learn(word for text in texts for word in self._words_of(text))

    def _words_of(self, text: str) -> list[Word]:
        """Return the words of which the most frequent tells the frequency of a text."""
        found = self.analyzer.query_terms(text)
        if len(found) == 1 and found[0].is_term:
            variant = Variant(units=found[0].units, term=found[0].text)
            return [((name,), (variant,)) for name in ("title", "body")]
        units = self.analyzer.phrase(text)
        return [(TEXT_FIELDS, (Variant(units=units, term=None),))] if units else []

    def terms(self, prefix: str) -> Mapping[str, int]:
        """Return identifiers in bodies that begin with a prefix, with how many hold each."""
        pattern = "".join(f"\\{each}" if not each.isalnum() else each for each in prefix)
        answer = self._ask(
            {
                "size": 0,
                "query": {"prefix": {"numbered_terms": prefix}},
                "aggs": {
                    "terms": {
                        "terms": {
                            "field": "numbered_terms",
                            "include": f"{pattern}.*",
                            "size": _MOST_TERMS,
                            "order": {"_key": "asc"},
                        }
                    }
                },
            }
        )
        return merged(answer["aggregations"]["terms"]["buckets"])

    def _words(self) -> Iterator[tuple[str, int]]:
        """Give each term of titles with its number of titles."""
        after: dict[str, Any] = {}
        while True:
            sources = [{"term": {"terms": {"field": "title_terms"}}}]
            composite: dict[str, Any] = {"size": _AT_ONCE, "sources": sources} | after
            answer = self._ask({"size": 0, "aggs": {"words": {"composite": composite}}})
            told = answer["aggregations"]["words"]
            for bucket in told["buckets"]:
                yield bucket["key"]["term"], bucket["doc_count"]
            if "after_key" not in told:
                return
            after = {"after": told["after_key"]}

    def _headlines(self) -> Iterator[Headline]:
        """Give the titles of articles, the newest first, each once."""
        known: set[str] = set()
        after: dict[str, Any] = {}
        while len(known) < MOST_HEADLINES:
            body: dict[str, Any] = {
                "size": _AT_ONCE,
                "_source": False,
                "docvalue_fields": ["headline"],
                "query": EVERYTHING,
                "sort": [{"newest_first": "asc"}, {"id": "asc"}],
            }
            hits = self._ask(body | after)["hits"]["hits"]
            for hit in hits:
                title = hit.get("fields", {}).get("headline", [""])[0]
                if title and title not in known:
                    known.add(title)
                    yield Headline(hit["_id"], title, " ".join(normalise(title).text.split()))
            if len(hits) < _AT_ONCE:
                return
            after = {"search_after": hits[-1]["sort"]}

    def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        return ask(self.statistics.index.client, self.statistics.name, body)
