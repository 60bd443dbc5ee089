"""What scores need to know of the whole index, asked once for each state of it."""

from collections.abc import Iterable
from threading import Lock
from typing import Any

from index.backends.opensearch import OpenSearchIndex
from index.errors import IndexOutOfDate, IndexUnavailable
from index.schema import TEXT_FIELDS
from search.backends.opensearch.ask import ask, ask_all
from search.backends.opensearch.compile import Counts, Word, matching

__all__ = ["State", "Statistics"]

State = tuple[int, int]
"""Generation and commit; it differs after every change."""

_AT_ONCE = 500  # words in one question
_KNOWN = 50_000  # words whose frequency is remembered


class Statistics:
    """Counts of one state, and the frequencies of words, which are remembered."""

    def __init__(self, index: OpenSearchIndex, name: str, state: State) -> None:
        self.index, self.name, self.state = index, name, state
        self.counts = self._read()
        self._frequencies: dict[Word, int] = {}
        self._lock = Lock()

    @classmethod
    def current(cls, index: OpenSearchIndex, former: "Statistics | None") -> "Statistics":
        """Return those of the newest state, the former ones where nothing has changed.

        Raises IndexUnavailable or IndexOutOfDate.
        """
        about = index.about()
        state = int(about["generation"]), int(about["commit"])
        if not state[0]:
            raise IndexUnavailable(
                f"There is no index {index.alias} on the cluster. Run: anwen index PATH"
            )
        if former and former.state == state:
            return former
        if reason := index.misfit(about):
            raise IndexOutOfDate(f"The index is out of date: {reason}. Run: anwen index --rebuild")
        return cls(index, index.name(state[0]), state)

    def frequency(self, word: Word) -> int:
        """Return how many articles hold a word."""
        return self.learn([word])[word]

    def learn(self, words: Iterable[Word], *, keeps_unknown: bool = True) -> dict[Word, int]:
        """Return the frequencies of words, asking for those that are not known yet at once.

        Of a text that is nobody else's no word is kept that is in no article.
        """
        wanted = dict.fromkeys(words)
        known = self._frequencies
        found = {word: count for word in wanted if (count := known.get(word)) is not None}
        unknown = [word for word in wanted if word not in found]
        for first in range(0, len(unknown), _AT_ONCE):
            some = unknown[first : first + _AT_ONCE]
            # A count by itself is answered from the index of terms, without a look at documents.
            answers = ask_all(
                self.index.client,
                self.name,
                [{"size": 0, "track_total_hits": True, "query": matching(word)} for word in some],
            )
            for word, answer in zip(some, answers, strict=True):
                found[word] = int(answer["hits"]["total"]["value"])
        with self._lock:
            for word in unknown:
                if found[word] or keeps_unknown:
                    self._frequencies[word] = found[word]
            while len(self._frequencies) > _KNOWN:
                del self._frequencies[next(iter(self._frequencies))]
        return found

    def _read(self) -> Counts:
        aggregations: dict[str, Any] = {"newest": {"max": {"field": "published"}}}
        for name in TEXT_FIELDS:
            aggregations[name] = {
                "filter": {"range": {f"lengths.{name}": {"gt": 0}}},
                "aggs": {"tokens": {"sum": {"field": f"tokens.{name}"}}},
            }
        found = ask(
            self.index.client,
            self.name,
            {"size": 0, "track_total_hits": True, "aggs": aggregations},
        )
        told = found["aggregations"]
        return Counts(
            articles=found["hits"]["total"]["value"],
            documents={name: told[name]["doc_count"] for name in TEXT_FIELDS},
            tokens={name: round(told[name]["tokens"]["value"]) for name in TEXT_FIELDS},
            newest=max(0, round(told["newest"]["value"] or 0)),
        )
