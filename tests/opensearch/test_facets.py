"""Facets of a cluster's answer, which lists the commonest values only."""

from typing import Any

from search.backends.opensearch.facets import facet_buckets
from search.request import SearchRequest


def listed(**counts: int) -> dict[str, Any]:
    buckets = [{"key": value, "doc_count": count} for value, count in counts.items()]
    return {"doc_count_error_upper_bound": 0, "buckets": buckets}


def by_itself(**counts: int) -> dict[str, Any]:
    return {"buckets": {value: {"doc_count": count} for value, count in counts.items()}}


def test_a_selected_value_has_both_counts_whichever_list_it_is_too_rare_for() -> None:
    told: dict[str, Any] = {name: {name: listed()} for name in ("category", "source", "month")}
    told["organisation"] = {
        "organisation": listed(A=9, B=4, C=3),
        "acting": listed(A=5, D=2),
        "selected organisation": by_itself(B=4, E=1, F=0),
        "selected acting": by_itself(B=1, E=1, F=0),
    }
    request = SearchRequest(organisation=("B", "F", "E"))
    facets = facet_buckets(
        told, request, lambda name: name, lambda names: dict.fromkeys(names, 2), lambda _: {}
    )
    assert [(b.value, b.count, b.salient, b.selected) for b in facets["organisation"]] == [
        ("A", 9, 5, False),
        ("D", 2, 2, False),
        ("B", 4, 1, True),
        ("C", 3, 0, False),
        ("E", 1, 1, True),
        ("F", 0, 0, True),
    ]
