"""Facets: counted with the hits in one request, each without its own selection."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from search.backends.opensearch.compile import Clause, key_filter
from search.backends.opensearch.values import Counts, Spelt, counted, counted_fields
from search.request import FACET_SIZE, FACETS, SearchRequest
from search.results import FacetBucket

__all__ = ["facet_buckets", "facet_requests"]

_MOST = 500  # values of a facet that an answer lists, ten times as many as are shown


def facet_requests(
    chosen: Mapping[str, Clause], selected: Mapping[str, Sequence[str]], shards: int
) -> dict[str, Clause]:
    """Return aggregations that count each facet where the other facets' filters hold.

    Selected values are counted by themselves: they may be too rare for the list.
    """
    requests: dict[str, Clause] = {}
    for name in FACETS:
        others = [clause for other, clause in chosen.items() if other != name]
        counts = counted(name, shards, None if name == "month" else _MOST)
        if name in selected and name != "month":
            for field in counted_fields(name):
                filters = {value: key_filter(field, [value]) for value in selected[name]}
                counts[f"selected {field}"] = {"filters": {"filters": filters}}
        requests[name] = {"filter": {"bool": {"filter": others}}, "aggs": counts}
    return requests


def facet_buckets(
    told: Mapping[str, Any],
    request: SearchRequest,
    canonical: Callable[[str], str],
    count: Callable[[Sequence[str]], Mapping[str, int]],
    spelt: Callable[[str], Spelt],
) -> dict[str, tuple[FacetBucket, ...]]:
    """Return the facets of an answer to `facet_requests`.

    `count` is asked for the articles of organisations that act often and are yet not among those
    named most.
    """
    facets = {}
    for name in FACETS:
        counts = Counts.of(name, told[name], spelt(name))
        if uncounted := _uncounted(counts):
            counts = Counts({**counts.articles, **count(uncounted)}, counts.acting)
        selected = getattr(request, name)
        if name == "organisation":
            selected = tuple(map(canonical, selected))
        facets[name] = _facet(name, counts, _with_selected(name, counts, told[name]), selected)
    return facets


def _with_selected(name: str, counts: Counts, told: Mapping[str, Any]) -> Counts:
    """Return the counts with those of selected values that are not on the list of either."""
    whole = []
    lists = (counts.articles,) if counts.acting is None else (counts.articles, counts.acting)
    for field, known in zip(counted_fields(name), lists, strict=True):
        folded = {value.casefold() for value in known}
        buckets = told.get(f"selected {field}", {}).get("buckets", {})
        more = {
            value: int(bucket["doc_count"])
            for value, bucket in buckets.items()
            if value.casefold() not in folded
        }
        whole.append({**known, **more})
    return Counts(*whole)


def _uncounted(counts: Counts) -> list[str]:
    """Return the organisations on the list, or next to it, of which only acting was counted."""
    acting = counts.acting or {}
    ranked = sorted(acting, key=lambda value: -acting[value])
    least = acting[ranked[FACET_SIZE - 1]] if len(ranked) >= FACET_SIZE else 0
    return [name for name in ranked if acting[name] >= least and name not in counts.articles]


def _facet(
    name: str, counts: Counts, whole: Counts, selected: Sequence[str]
) -> tuple[FacetBucket, ...]:
    listed = sorted(counts.articles) if name == "month" else counts.ranked()[:FACET_SIZE]
    spelt = {value.casefold(): value for value in counts.articles}
    chosen = [*dict.fromkeys(spelt.get(value.casefold(), value) for value in selected)]
    chosen.sort(key=lambda value: not whole.articles.get(value))  # what no article has comes last
    return whole.buckets(dict.fromkeys((*listed, *chosen)), chosen)
