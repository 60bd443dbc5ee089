"""URL parameters: what is written is read back, and what cannot be read is told."""

from datetime import date
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from index.errors import BadParameter
from search.request import MAX_WINDOW, SearchRequest
from web.params import (
    EXCLUDABLE,
    adding,
    adding_url,
    changed,
    pairs,
    parse_day,
    read_request,
    removing,
    search_url,
)


def read(url: str) -> SearchRequest:
    return read_request(MultiDict(parse_qsl(urlsplit(url).query, keep_blank_values=True)))


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.lists(TEXT.map(str.strip).filter(bool), max_size=3, unique=True).map(tuple)
MONTHS = st.lists(
    st.dates(min_value=date(1, 1, 1)).map(lambda day: day.isoformat()[:7]), max_size=3, unique=True
).map(tuple)


@st.composite
def requests(draw: st.DrawFn) -> SearchRequest:
    days = sorted(draw(st.lists(st.dates(), min_size=2, max_size=2)))
    size = draw(st.integers(1, 100))
    return SearchRequest(
        query=draw(TEXT),
        **{name: draw(VALUES) for name in EXCLUDABLE},
        **{f"exclude_{name}": draw(VALUES) for name in EXCLUDABLE},
        month=draw(MONTHS),
        first=days[0] if draw(st.booleans()) else None,
        last=days[1] if draw(st.booleans()) else None,
        match=draw(st.sampled_from(["auto", "all"])),
        sort=draw(st.sampled_from(["relevance", "newest", "oldest"])),
        duplicates=draw(st.sampled_from(["fold", "show"])),
        page=draw(st.integers(1, MAX_WINDOW // size)),
        size=size,
        cursor=draw(st.none() | st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)),
    )


@given(requests())
def test_every_request_is_read_back_from_its_own_link(request: SearchRequest) -> None:
    assert read(search_url(request)) == request


@given(requests(), st.sampled_from([*EXCLUDABLE, "month"]), st.just("2024-04"))
def test_adding_and_removing_a_value_lead_to_the_first_page(
    request: SearchRequest, name: str, value: str
) -> None:
    wider = adding(request, name, value)
    assert wider.page == 1
    assert wider.cursor is None
    assert getattr(wider, name).count(value) == 1
    assert value not in getattr(removing(wider, name, value), name)
    assert read(search_url(wider)) == wider


@given(
    requests(),
    st.sampled_from([*EXCLUDABLE, *(f"exclude_{name}" for name in EXCLUDABLE), "month"]),
    st.data(),
)
def test_many_links_are_written_as_one_is(
    request: SearchRequest, name: str, data: st.DataObject
) -> None:
    known = [*request.category, *request.exclude_category, "2024-04"]
    value = data.draw(TEXT | st.sampled_from(known))
    assert adding_url(request, name)(value) == search_url(adding(request, name, value))


@given(requests(), st.sampled_from(EXCLUDABLE))
def test_a_value_is_chosen_or_excluded_and_never_both(request: SearchRequest, name: str) -> None:
    chosen = adding(request, name, "甲")
    assert "甲" not in getattr(chosen, f"exclude_{name}")
    excluded = adding(chosen, f"exclude_{name}", "甲")
    assert "甲" in getattr(excluded, f"exclude_{name}")
    assert "甲" not in getattr(excluded, name)


def test_defaults_are_left_out_of_links() -> None:
    assert search_url(SearchRequest()) == "/search"
    assert pairs(SearchRequest(query="漏洞", page=2)) == [("q", "漏洞"), ("page", "2")]


def test_a_change_keeps_everything_else() -> None:
    request = SearchRequest(query="漏洞", category=("新闻",), page=3, size=20)
    assert changed(request, sort="newest") == SearchRequest(
        query="漏洞", category=("新闻",), sort="newest", size=20
    )


def test_empty_parameters_of_a_form_filter_nothing() -> None:
    assert read("/search?q=&from=&to=&category=&month=&page=&size=&sort=&match=&cursor=") == (
        SearchRequest()
    )


def test_unknown_parameters_are_ignored() -> None:
    assert read("/search?q=a&utm_source=x&format=json") == SearchRequest(query="a")


def test_repeated_values_are_read_once_each() -> None:
    assert read("/search?category=a&category=b&category=a").category == ("a", "b")


@pytest.mark.parametrize(
    ("query", "name", "repair"),
    [
        ("month=2024-13", "month", "2024-04"),
        ("month=2024-4", "month", "2024-04"),
        ("month=0000-01", "month", "2024-04"),
        ("month=2024-04-01", "month", "2024-04"),
        ("from=yesterday", "from", "2024-04-30"),
        ("from=2024-02-30", "from", "2024-04-30"),
        ("to=20240430", "to", "2024-04-30"),
        ("to=2024-W01-1", "to", "2024-04-30"),
        ("from=2024-05-01&to=2024-04-01", "to", "2024-05-01"),
        ("match=some", "match", "auto、all"),
        ("sort=up", "sort", "relevance、newest、oldest"),
        ("duplicates=hide", "duplicates", "fold、show"),
        ("format=xml", "format", "json"),
        ("page=0", "page", "从 1 起"),
        ("page=-1", "page", "从 1 起"),
        ("page=1.5", "page", "从 1 起"),
        ("page=%D9%A1", "page", "从 1 起"),
        ("page=99999999999999999999", "page", "从 1 起"),
        ("size=0", "size", "从 1 起"),
        ("size=101", "size", "100"),
        ("page=1001", "page", "10,000"),
        ("page=101&size=100", "page", "10,000"),
        ("&".join(f"source={n}&category={n}" for n in range(51)), "source", "最多 100 个值"),
        ("category=a&source=" + "b" * 4000, "source", "最多 4,000 个字符"),
    ],
)
def test_a_bad_value_is_refused_and_the_message_names_the_repair(
    query: str, name: str, repair: str
) -> None:
    with pytest.raises(BadParameter, match=repair) as caught:
        read(f"/search?{query}")
    assert caught.value.name == name


def test_as_many_values_as_there_may_be_are_read() -> None:
    values = [f"{n:040}" for n in range(100)]
    assert read(f"/search?{urlencode([('organisation', each) for each in values])}") == (
        SearchRequest(organisation=tuple(values))
    )


def test_the_deepest_page_is_read() -> None:
    assert read("/search?page=100&size=100").page == 100


@pytest.mark.parametrize("value", ["2024-04-30", " 2024-04-30 "])
def test_a_day_is_read(value: str) -> None:
    assert parse_day("--from", value) == date(2024, 4, 30)


def test_a_bad_day_names_its_parameter() -> None:
    with pytest.raises(BadParameter, match="--from"):
        parse_day("--from", "30.4.2024")
