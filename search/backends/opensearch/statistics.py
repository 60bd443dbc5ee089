"""What scores need to know of the whole index, asked once for each state of it."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from threading import Lock
from typing import Any, TypeVar

from index.backends.opensearch import OpenSearchIndex
from index.errors import IndexOutOfDate, IndexUnavailable
from index.schema import TEXT_FIELDS
from search.backends.opensearch.ask import ask, ask_all
from search.backends.opensearch.compile import Clause, Counts, Word, key_filter, matching

__all__ = ["State", "Statistics"]

State = tuple[int, int]
"""Generation and commit; it differs after every change."""

_AT_ONCE = 500  # words in one question
_KNOWN = 50_000  # words, and values of a field, whose frequency is remembered

_K = TypeVar("_K", bound=Hashable)


def _state_of(about: Mapping[str, Any]) -> State:
    """Return the state of a generation, from what it says of itself."""
    return int(about["generation"]), int(about["commit"])


class Statistics:
    """Counts of one state, and the frequencies of words, which are remembered."""

    def __init__(self, index: OpenSearchIndex, about: Mapping[str, Any]) -> None:
        """Take what a generation says of itself, and read the rest; raises IndexUnavailable."""
        self.index, self.state = index, _state_of(about)
        self.name, self.shards = index.name(self.state[0]), int(about["shards"])
        self.counts = self._read()
        self._frequencies: dict[Word, int] = {}
        self._holders: dict[str, dict[str, int]] = {}
        self._lock = Lock()

    @classmethod
    def current(cls, index: OpenSearchIndex, former: "Statistics | None") -> "Statistics":
        """Return those of the newest state, the former ones where nothing has changed.

        Raises IndexUnavailable or IndexOutOfDate.
        """
        about = index.about(of_node=True)
        state = _state_of(about)
        if not state[0]:
            raise IndexUnavailable(
                f"There is no index {index.alias} on the cluster. Run: anwen index PATH"
            )
        if former and former.state == state:
            return former
        if reason := index.misfit(about):
            raise IndexOutOfDate(f"The index is out of date: {reason}. Run: anwen index --rebuild")
        return cls(index, about)

    def frequency(self, word: Word) -> int:
        """Return how many articles hold a word."""
        return self.learn([word])[word]

    def learn(self, words: Iterable[Word], *, keeps_unknown: bool = True) -> dict[Word, int]:
        """Return the frequencies of words, asking for those that are not known yet at once.

        Of a text that is nobody else's no word is kept that is in no article.
        """
        return self._counted(words, matching, self._frequencies, keeps_unknown=keeps_unknown)

    def holders(self, field: str, values: Iterable[str]) -> dict[str, int]:
        """Return how many articles have each of some values, given without regard to case.

        Of a draft no name is kept that is in no article.
        """

        def having(value: str) -> Clause:
            return key_filter(field, [value])

        known = self._holders.setdefault(field, {})
        return self._counted(values, having, known, keeps_unknown=False)

    def _counted(
        self,
        wanted: Iterable[_K],
        clause: Callable[[_K], Clause],
        known: dict[_K, int],
        *,
        keeps_unknown: bool = True,
    ) -> dict[_K, int]:
        """Return how many articles each clause finds, asking for those that are not known."""
        keys = dict.fromkeys(wanted)
        found = {key: count for key in keys if (count := known.get(key)) is not None}
        unknown = [key for key in keys if key not in found]
        for first in range(0, len(unknown), _AT_ONCE):
            some = unknown[first : first + _AT_ONCE]
            # A count by itself is answered from the index of terms, without a look at documents.
            answers = ask_all(
                self.index.client,
                self.name,
                [{"size": 0, "track_total_hits": True, "query": clause(key)} for key in some],
            )
            for key, answer in zip(some, answers, strict=True):
                found[key] = int(answer["hits"]["total"]["value"])
        with self._lock:
            for key in unknown:
                if found[key] or keeps_unknown:
                    known[key] = found[key]
            while len(known) > _KNOWN:
                del known[next(iter(known))]
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
