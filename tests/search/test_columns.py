"""Counts and filters over keyword columns, against a loop over the documents."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.backends.whoosh.columns import FacetCounter, KeywordColumn
from search.backends.whoosh.segments import Values

Rows = list[list[str]]


def _values(rows: Rows) -> Values:
    names = sorted({name for row in rows for name in row})
    sets = sorted({tuple(row) for row in rows})
    return Values(
        names=names,
        sizes=np.array([len(each) for each in sets], np.int32),
        numbers=np.array([names.index(name) for each in sets for name in each], np.int32),
        sets=np.array([sets.index(tuple(row)) for row in rows], np.int32),
    )


@st.composite
def _segments(draw: st.DrawFn) -> list[Rows]:
    """Draw documents of some segments: of few values or many, each with none, one or several."""
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    names = [
        f"{'甲乙' if number % 7 else 'Ab'}{number}" for number in range(draw(st.integers(1, 60)))
    ]
    several = draw(st.sampled_from([0.0, 0.1, 0.9]))

    def row() -> list[str]:
        size = int(seed.integers(2, 6)) if seed.random() < several else int(seed.integers(0, 2))
        return list(seed.permutation(names)[:size])

    return [
        [row() for _ in range(size)] for size in draw(st.lists(st.integers(0, 300), max_size=3))
    ]


@given(_segments(), st.data())
def test_values_are_counted_as_a_loop_counts_them(
    segments: list[Rows], data: st.DataObject
) -> None:
    rows = [row for segment in segments for row in segment]
    column = KeywordColumn([_values(segment) for segment in segments])
    share = data.draw(st.sampled_from([0.0, 0.02, 0.3, 1.0]))
    draws = np.random.default_rng(data.draw(st.integers(0, 2**32))).random(len(rows))
    documents = np.flatnonzero(draws < share)
    expected = Counter(name for document in documents for name in rows[document])

    columns = {"one": column, "other": column}
    for counts in (column.counts(documents), *FacetCounter(columns).counts(documents).values()):
        assert Counter(dict(zip(column.values, counts.tolist(), strict=True))) == expected
        ranked = sorted(expected.items(), key=lambda item: (-item[1], item[0]))
        for size in (1, 5, 1000):
            used = np.flatnonzero(counts)
            listed = column.first(used, counts[used], size)
            assert [(column.values[n], counts[n]) for n in listed] == ranked[:size]


@given(_segments(), st.data())
def test_marked_values_are_counted_apart(segments: list[Rows], data: st.DataObject) -> None:
    parts = [_values(segment) for segment in segments]
    seed = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    # As the index has it: a name that is marked in one article and not in another stands there
    # twice, and here in the halves of the segments.
    marks = [seed.random(len(part.names)) < 0.5 for part in parts]
    column = KeywordColumn(parts, marks)
    of_rows = [
        {name: bool(mark[part.names.index(name)]) for name in row}
        for segment, part, mark in zip(segments, parts, marks, strict=True)
        for row in segment
    ]
    documents = np.arange(0, len(of_rows), 2)
    every, acting = Counter[str](), Counter[str]()
    for row in of_rows[::2]:
        every.update(row.keys())
        acting.update(name for name, is_marked in row.items() if is_marked)
    for counts in (
        column.counts(documents),
        FacetCounter({"one": column}).counts(documents)["one"],
    ):
        marked = column.marked(counts)
        assert marked is not None
        assert +Counter(dict(zip(column.values, marked.tolist(), strict=True))) == acting
        totals = column.totals(counts)
        assert +Counter(dict(zip(column.values, totals.tolist(), strict=True))) == every
    for wanted in column.values[:3]:
        assert column.mask([wanted]).tolist() == [wanted in row for row in of_rows]
        expected = [row.get(wanted, False) for row in of_rows]
        assert column.mask([wanted], marked=True).tolist() == expected
        assert column.having(documents, [wanted], marked=True).tolist() == expected[::2]


def test_spellings_that_differ_in_case_are_one_value_in_the_commonest() -> None:
    first, second = (
        [["Trend micro"], ["甲"], ["TREND MICRO", "甲"]],
        [["Trend Micro"], ["Trend Micro"]],
    )
    column = KeywordColumn([_values(first), _values(second)])
    counts = column.counts(np.arange(5))
    assert dict(zip(column.values, counts.tolist(), strict=True)) == {"Trend Micro": 4, "甲": 2}
    assert column.value("trend MICRO") == "Trend Micro"
    assert column.mask(["trend micro"]).tolist() == [True, False, True, True, True]


def test_of_spellings_as_common_the_first_in_order_is_taken() -> None:
    for rows in ([["Ab"], ["aB"]], [["aB"], ["Ab"]]):
        assert KeywordColumn([_values(rows)]).values == ("Ab",)


@given(_segments())
def test_a_filter_finds_documents_that_have_any_of_the_values(segments: list[Rows]) -> None:
    rows = [row for segment in segments for row in segment]
    column = KeywordColumn([_values(segment) for segment in segments])
    for wanted in ([], ["AB0"], [*column.values[:2], "无此"]):
        chosen = {name.casefold() for name in wanted}
        expected = [any(name.casefold() in chosen for name in row) for row in rows]
        assert column.mask(wanted).tolist() == expected
        some = np.arange(0, len(rows), 3)
        assert column.having(some, wanted).tolist() == expected[::3]


@pytest.mark.parametrize("rows", [[], [[]], [[], []]])
def test_a_column_without_values_counts_none(rows: Rows) -> None:
    column = KeywordColumn([_values(rows)])
    assert column.counts(np.arange(len(rows))).tolist() == []
    assert column.first(np.empty(0, np.int64), np.empty(0, np.int64), 10) == []
    assert not column.mask(["甲"]).any()
