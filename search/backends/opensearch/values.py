"""Values of a field over some articles: counted, listed, paired, or those that stand out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from math import inf
from time import monotonic
from types import MappingProxyType
from typing import Any, Literal, get_args

from index.document import BEIJING, OrganisationType
from index.entities import OrganisationTable
from index.errors import IndexUnavailable
from index.schema import Naming
from search.backends.opensearch.ask import ask
from search.backends.opensearch.compile import Clause, key_filter
from search.backends.opensearch.statistics import Statistics
from search.backends.surprise import surprising
from search.results import (
    Association,
    FacetBucket,
    FacetPair,
    Organisation,
    OrganisationList,
    Subject,
)

__all__ = [
    "EVERYTHING",
    "Counts",
    "Directory",
    "Spellings",
    "Spelt",
    "Values",
    "counted",
    "counted_fields",
    "merged",
]

EVERYTHING: Clause = {"match_all": {}}

_MONTHS = 10_000
_SPELLINGS_AGE = 60.0  # seconds
_ONE_CASE = frozenset({"category", "month", "day", "identifier"})
_LOOKED_AT = 20_000  # values that each shard counts for a list of the commonest
_AT_ONCE = 10_000  # combinations of values in one answer
_TYPES: tuple[OrganisationType, ...] = get_args(OrganisationType)


Spelt = Mapping[str, str]
"""By what a value is without regard to case, how it is written; those that never vary lack."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many articles have each value; of organisations also in how many each acts."""

    articles: Mapping[str, int]
    acting: Mapping[str, int] | None = None

    @classmethod
    def of(cls, field: str, told: Mapping[str, Any], spelt: Spelt) -> "Counts":
        """Return an answer to `counted`; raises IndexUnavailable where a count may be wrong."""
        counts = [
            {str(bucket["key"]): int(bucket["doc_count"]) for bucket in _buckets(told[name])}
            for name in counted_fields(field)
        ]
        return cls(*(_added(each, spelt) for each in counts))

    def ranked(self) -> list[str]:
        """Return the values: those that act or are named most first, ties in their order."""
        acting = self.acting or {}
        return sorted(
            self.articles,
            key=lambda value: (-acting.get(value, 0), -self.articles[value], value),
        )

    def ranked_by(self, ranks: Mapping[str, int]) -> list[str]:
        """Return the values that have a rank, the lowest first."""
        folded = {value.casefold(): rank for value, rank in ranks.items()}
        known = (value for value in self.ranked() if value.casefold() in folded)
        return sorted(known, key=lambda value: folded[value.casefold()])

    def buckets(
        self, values: Iterable[str], selected: Iterable[str] = ()
    ) -> tuple[FacetBucket, ...]:
        """Return some values with their counts."""
        chosen = {value.casefold() for value in selected}
        return tuple(
            FacetBucket(
                value=value,
                count=self.articles.get(value, 0),
                salient=None if self.acting is None else self.acting.get(value, 0),
                selected=value.casefold() in chosen,
            )
            for value in values
        )


class Spellings:
    """How values that differ in case alone are written: as most articles of the archive do.

    What was found is kept for a minute: it hardly changes, and is asked for with every facet.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Spelt]] = {}

    def of(self, field: str, count: Callable[[], Mapping[str, int]]) -> Spelt:
        """Return the spellings of a field; `count` counts all of its values."""
        made, spelt = self._kept.get(field, (-inf, {}))
        if field in _ONE_CASE or monotonic() - made < _SPELLINGS_AGE:
            return spelt
        counts = count()
        folded = Counter(value.casefold() for value in counts)
        varied = {value: each for value, each in counts.items() if folded[value.casefold()] > 1}
        self._kept[field] = monotonic(), _commonest(varied)
        return self._kept[field][1]


class Values:
    """Counts values in one state of the index."""

    def __init__(self, statistics: Statistics, spellings: "Spellings") -> None:
        self._statistics, self._spellings = statistics, spellings

    def count(self, query: Clause, field: str) -> Counts:
        """Return how many of the articles of a query have each value of a field."""
        spelt = self.spelt(field)
        counts = [dict(self.each(query, name)) for name in counted_fields(field)]
        return Counts(*(_added(each, spelt) for each in counts))

    def spelt(self, field: str) -> Spelt:
        """Return how the values of a field are written that differ in case alone."""
        return self._spellings.of(field, lambda: dict(self.each(EVERYTHING, field)))

    def each(self, query: Clause, field: str) -> Iterator[tuple[str, int]]:
        """Give each value as it is written, with its number of articles."""
        for bucket in self._composite(query, [{"value": {"terms": {"field": field}}}]):
            yield bucket["key"]["value"], bucket["doc_count"]

    def articles_of(self, query: Clause, field: str, values: Sequence[str]) -> dict[str, int]:
        """Return how many of the articles of a query have each of some values."""
        filters = {value: key_filter(field, [value]) for value in values}
        told = self._ask(query, {"values": {"filters": {"filters": filters}}})["values"]
        return {value: int(told["buckets"][value]["doc_count"]) for value in values}

    def pairs(self, query: Clause, name: str, other: str) -> tuple[FacetPair, ...]:
        """Return how many articles have each two values of two fields, by the values."""
        counts: dict[tuple[str, str], int] = {}
        sources = [{"one": {"terms": {"field": name}}}, {"two": {"terms": {"field": other}}}]
        for bucket in self._composite(query, sources):
            counts[bucket["key"]["one"], bucket["key"]["two"]] = bucket["doc_count"]
        spelt = [self.spelt(name), self.spelt(other)]
        found: dict[tuple[str, str], int] = {}
        for pair, count in counts.items():
            one, two = (
                spelt[place].get(value.casefold(), value) for place, value in enumerate(pair)
            )
            found[one, two] = found.get((one, two), 0) + count
        return tuple(
            FacetPair(value=one, other=two, count=count)
            for (one, two), count in sorted(found.items())
        )

    def _composite(
        self,
        query: Clause,
        sources: Sequence[dict[str, Any]],
        inner: Mapping[str, Any] = MappingProxyType({}),
    ) -> Iterator[dict[str, Any]]:
        """Give a bucket for each combination of values, by as many questions as it takes."""
        after: dict[str, Any] = {}
        while True:
            composite = {"size": _AT_ONCE, "sources": list(sources), **after}
            request = {"composite": composite, "aggs": dict(inner)}
            told = self._ask(query, {"found": request})["found"]
            yield from told["buckets"]
            if "after_key" not in told or len(told["buckets"]) < _AT_ONCE:
                return
            after = {"after": told["after_key"]}

    def standing_out(
        self, query: Clause, field: str, without: Iterable[str], size: int
    ) -> tuple[Association, ...]:
        """Return the values that some articles have more often than chance would give them."""
        some = self._ask(query, {"all": {"filter": EVERYTHING}})["all"]["doc_count"]
        total = self.count(EVERYTHING, field)
        counts = self.count(query, field).articles
        both = {value.casefold(): count for value, count in counts.items()}
        out = {value.casefold() for value in without}
        names = sorted(total.articles)
        ratios = surprising(
            [0 if n.casefold() in out else both.get(n.casefold(), 0) for n in names],
            [total.articles[n] for n in names],
            some,
            self._statistics.counts.articles,
        )
        ranked = sorted(
            (place for place, ratio in enumerate(ratios) if ratio),
            key=lambda place: (-ratios[place], names[place]),
        )
        return tuple(
            Association(
                value=names[place],
                count=both[names[place].casefold()],
                total=total.articles[names[place]],
            )
            for place in ranked[:size]
        )

    def subjects(self, field: Literal["organisation", "identifier"]) -> list[Subject]:
        """Return every value that articles have, with the day of the newest."""
        newest: dict[str, float] = {}
        sources = [{"value": {"terms": {"field": field}}}]
        by_newest = {"newest": {"max": {"field": "published"}}}
        for bucket in self._composite(EVERYTHING, sources, by_newest):
            if (second := bucket["newest"]["value"]) is not None:
                key = bucket["key"]["value"].casefold()
                newest[key] = max(second, newest.get(key, second))
        counts = self.count(EVERYTHING, field)
        return [
            Subject(
                name=bucket.value,
                count=bucket.count,
                salient=bucket.salient,
                newest=_day(newest.get(bucket.value.casefold())),
            )
            for bucket in counts.buckets(counts.ranked())
        ]

    def namings(self) -> dict[Naming, int]:
        """Return every naming of an organisation, with its number of articles."""
        found = self.each(EVERYTHING, "organisation_types")
        return {Naming.read(text): count for text, count in found}

    def _ask(self, query: Clause, aggregations: Mapping[str, Any]) -> dict[str, Any]:
        body = {"size": 0, "query": query, "aggs": dict(aggregations)}
        answer = ask(self._statistics.index.client, self._statistics.name, body)
        return dict(answer["aggregations"])


class Directory:
    """The organisations of one state: who is named, as what, and in how many articles."""

    def __init__(self, values: Values, table: OrganisationTable) -> None:
        self._values, self._table = values, table

    def find(self, name: str) -> Organisation | None:
        """Return an organisation by any of its names, None if no article names it."""
        name = self._table.resolve(name) or name
        value = self._spelt.get(name.casefold())
        return None if value is None else self._at(value)

    def page(
        self,
        ranks: Mapping[str, int] | None,
        type_: OrganisationType | None,
        *,
        first: int,
        size: int,
    ) -> OrganisationList:
        """Return organisations of a type, in the order of `Counts`."""
        names = self.counts.ranked() if ranks is None else self.counts.ranked_by(ranks)
        types = [self._types[name.casefold()] for name in names]
        if type_:
            chosen = [name for name, each in zip(names, types, strict=True) if each == type_]
        else:
            chosen = names
        return OrganisationList(
            total=len(chosen),
            types={each: types.count(each) for each in _TYPES if each in types},
            organisations=tuple(map(self._at, chosen[first : first + size])),
        )

    def _at(self, name: str) -> Organisation:
        row = self._table.find(name)
        return Organisation(
            name=name,
            type=row.type if row else self._types[name.casefold()],
            aliases=row.aliases if row and row.name == name else (),
            salient=(self.counts.acting or {}).get(name, 0),
            count=self.counts.articles[name],
        )

    @cached_property
    def counts(self) -> Counts:
        """How many articles name each organisation, and in how many it acts."""
        named: dict[str, int] = {}
        acting: dict[str, int] = {}
        for naming, count in self._namings.items():
            named[naming.name] = named.get(naming.name, 0) + count
            if naming.salient:
                acting[naming.name] = acting.get(naming.name, 0) + count
        spelt = _commonest(named)
        return Counts(_added(named, spelt), _added(acting, spelt))

    @cached_property
    def _namings(self) -> dict[Naming, int]:
        return self._values.namings()

    @cached_property
    def _spelt(self) -> dict[str, str]:
        return {value.casefold(): value for value in self.counts.articles}

    @cached_property
    def _types(self) -> dict[str, OrganisationType]:
        """The type of each organisation, the commonest where articles differ."""
        counts: dict[tuple[str, OrganisationType], int] = {}
        for naming, count in self._namings.items():
            key = naming.name.casefold(), naming.type
            counts[key] = counts.get(key, 0) + count
        return dict(sorted(counts, key=lambda key: (counts[key], key[1])))


def counted(field: str, shards: int, size: int | None = None) -> dict[str, Any]:
    """Return aggregations that count the values of a field, all or the commonest."""
    return {name: _terms(name, size or _MONTHS, shards) for name in counted_fields(field)}


def counted_fields(field: str) -> tuple[str, ...]:
    """Return the fields of the index that a field is counted by, itself first."""
    return (field, "acting") if field == "organisation" else (field,)


def merged(buckets: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return counts, those of spellings that differ in case together under the commonest."""
    counts = {str(bucket["key"]): int(bucket["doc_count"]) for bucket in buckets}
    return _added(counts, _commonest(counts))


def _commonest(counts: Mapping[str, int]) -> dict[str, str]:
    """Return by what a value is without regard to case how most articles have it."""
    ranked = sorted(counts, key=lambda each: (-counts[each], each))
    return {value.casefold(): value for value in reversed(ranked)}


def _added(counts: Mapping[str, int], spelt: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for value, count in counts.items():
        name = spelt.get(value.casefold(), value)
        found[name] = found.get(name, 0) + count
    return found


def _terms(field: str, size: int, shards: int) -> dict[str, Any]:
    # The counts of a single shard are right whatever it leaves out.
    looked_at = size if shards == 1 else _LOOKED_AT
    return {"terms": {"field": field, "size": size, "shard_size": looked_at}}


def _buckets(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the buckets of an answer; raises IndexUnavailable where they may be wrong."""
    if answer["doc_count_error_upper_bound"]:
        raise IndexUnavailable(
            f"A facet has more than {_LOOKED_AT:,} values in a shard, of which counts may be wrong."
        )
    return list(answer["buckets"])


def _day(second: float | None) -> date | None:
    return None if second is None else datetime.fromtimestamp(second, BEIJING).date()
