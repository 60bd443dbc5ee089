"""What typing aids are made of, read from one state of the index on the cluster."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from index.analysis import Analyzer, normalise
from search.backends.opensearch.ask import ask, ask_on, listing
from search.backends.opensearch.compile import Word
from search.backends.opensearch.statistics import Statistics
from search.backends.opensearch.values import EVERYTHING, Values, merged
from search.pace import Pace
from search.query import TEXT_FIELDS, Variant
from search.vocabulary import MOST_HEADLINES, Headline, Vocabulary

__all__ = ["OpenSearchArchive"]

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
            words=dict(pace.over(self.values.each(EVERYTHING, "title_terms"))),
            organisations=self._count("organisation"),
            categories=self._count("category"),
            headlines=tuple(islice(pace.over(self._headlines()), MOST_HEADLINES)),
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

    def _headlines(self) -> Iterator[Headline]:
        """Give the titles of articles, the newest first, each once."""
        known: set[str] = set()
        body = {
            **listing("headline"),
            "query": EVERYTHING,
            "sort": [{"newest_first": "asc"}, {"id": "asc"}],
        }
        for hit in ask_on(self.statistics.index.client, self.statistics.name, body):
            title = hit.get("fields", {}).get("headline", [""])[0]
            if title and title not in known:
                known.add(title)
                yield Headline(hit["_id"], title, " ".join(normalise(title).text.split()))

    def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        return ask(self.statistics.index.client, self.statistics.name, body)
