"""Properties of search: counts equal a brute-force count, highlights mark what matched."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from math import log
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.analysis import Analyzer
from index.document import BEIJING, Article, Mention
from index.entities import OrganisationTable
from search import Searcher, SearchRequest
from search.parser import parse_query
from search.query import (
    BooleanQuery,
    KeywordQuery,
    PhraseQuery,
    PrefixQuery,
    Query,
    RangeQuery,
    WordQuery,
)
from search.request import FACET_SIZE
from search.rewrite import Rewriter
from search.synonyms import Synonyms

WORDS = [
    *("勒索软件", "漏洞", "大数据安全", "网络安全法", "段", "简单", "一段", "的", "医院", "龙"),
    *("CVE-2026-90001", "CVE-2026-9000", "90001", "2.17.1", "2.17", "evil[.]example", "D-Link"),
    *("Cobalt Strike", "ＡＰＴ", "網絡", "，", "。", "\n", "不存在", "远程代码执行", "代码"),
]
CATEGORIES = ["漏洞", "新闻", "行业", None]
SOURCES = ["甲报", "乙报", "丙网"]
ORGANISATIONS = ["青梧机电", "海若物流", "听潮网安", "关山安全"]


def random_articles(random: Random, make: Callable[..., Article]) -> Iterator[Article]:
    for number in range(60):
        published = datetime(2024, 1, 1, tzinfo=BEIJING) + timedelta(hours=random.randrange(9000))
        undated = random.random() < 0.1
        yield make(
            id=f"{number:016x}",
            title="".join(random.choices(WORDS, k=3)),
            lead="".join(random.choices(WORDS, k=random.randrange(4))),
            body="".join(random.choices(WORDS, k=random.randrange(1, 30))),
            published=None if undated else published,
            published_precision=None if undated else random.choice(["minute", "day"]),
            category=random.choice(CATEGORIES),
            source=random.choice(SOURCES),
            mentions=tuple(
                Mention(name=name, type="company", salient=True, surfaces=(name,), evidence=())
                for name in random.sample(ORGANISATIONS, random.randrange(4))
            ),
        )


@pytest.fixture(scope="module")
def archive(
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Searcher, list[Article]]]:
    articles = list(random_articles(Random(20260801), article_maker))
    searcher = fill_folder(tmp_path_factory.mktemp("archive"), articles)
    yield searcher, articles
    searcher.close()


query_words = st.sampled_from(
    [*WORDS, "网络", "安全", "据安", "攻击", "90", "link", "勒索*", "Co*"]
)
plain = st.sampled_from([*WORDS, "网络", "安全", "攻击", "link"])
decorated = st.builds(
    lambda minus, field, word, quoted: minus + field + (f"“{word}”" if quoted else word),
    st.sampled_from(["", "-"]),
    st.sampled_from(["", "title:"]),
    query_words,
    st.booleans(),
)


def some_of(values: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    """No value twice as often as some: with every filter set nothing would be left."""
    chosen = st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)
    return st.just(()) | st.just(()) | chosen.map(tuple)


days = st.none() | st.none() | st.dates(date(2023, 12, 1), date(2025, 2, 1))


def request_of(first: date | None, last: date | None, **values: Any) -> SearchRequest:
    """A request whose period is the right way round."""
    if first and last:
        first, last = sorted((first, last))
    return SearchRequest(first=first, last=last, **values)


requests = st.builds(
    request_of,
    query=st.lists(plain | plain | decorated, max_size=5).map(" ".join),
    category=some_of(["漏洞", "新闻", "无"]),
    organisation=some_of(ORGANISATIONS),
    source=some_of(SOURCES),
    month=some_of(["2024-01", "2024-06", "2023-01"]),
    exclude_source=some_of(SOURCES),
    first=days,
    last=days,
    match=st.sampled_from(["auto", "auto", "all"]),
    sort=st.sampled_from(["relevance", "relevance", "newest", "oldest"]),
    size=st.just(100),
)


@cache
def rewriter_of(analyzer: Analyzer) -> Rewriter:
    return Rewriter(analyzer, Synonyms.load(OrganisationTable.load()))


def rewritten(text: str, analyzer: Analyzer) -> BooleanQuery:
    return rewriter_of(analyzer).rewrite(parse_query(text, analyzer).query)


class BruteForce:
    """Search without an index: every article is read from the first character to the last."""

    def __init__(self, articles: list[Article], analyzer: Analyzer, request: SearchRequest) -> None:
        self.articles, self.analyzer, self.request = articles, analyzer, request
        query = rewritten(request.query, analyzer)
        words = [part for part in query.must if getattr(part, "optional", False)]
        base = [
            article
            for article in articles
            if all(self.matches(article, part) for part in query.must if part not in words)
            and all(self.matches(article, part) for part in query.filter)
            and not any(self.matches(article, part) for part in query.must_not)
            and self.in_period(article, request.first, request.last)
            and article.source not in request.exclude_source
        ]
        full = [article for article in base if all(self.matches(article, word) for word in words)]
        self.full = [article for article in full if self.chosen(article)]
        self.partial: list[Article] = []
        widened: list[Article] = []
        if (
            (request.match, request.sort) == ("auto", "relevance")
            and len(words) > 1
            and len(self.full) < 50
        ):
            frequencies = [sum(self.matches(a, word) for a in articles) for word in words]
            weights = [
                log(1 + (len(articles) - n + 0.5) / (n + 0.5)) if n else 0.0 for n in frequencies
            ]
            for article in base:
                held = sum(
                    weight
                    for word, weight in zip(words, weights, strict=True)
                    if self.matches(article, word)
                )
                if article not in full and held and held >= sum(weights) / 2 - 1e-9:
                    widened.append(article)
            self.partial = [article for article in widened if self.chosen(article)]
        self.counted = widened if self.partial and not self.full else full

    def values(self, article: Article, facet: str) -> tuple[str, ...]:
        match facet:
            case "category":
                return (article.category,) if article.category else ()
            case "organisation":
                return article.organisations
            case "source":
                return (article.source,)
            case _:
                return (article.published.strftime("%Y-%m"),) if article.published else ()

    def chosen(self, article: Article, without: str = "") -> bool:
        for facet in ("category", "organisation", "source", "month"):
            wanted = getattr(self.request, facet)
            if facet != without and wanted and not set(wanted) & set(self.values(article, facet)):
                return False
        return True

    def counts(self, facet: str) -> dict[str, int]:
        return dict(
            Counter(
                value
                for article in self.counted
                if self.chosen(article, without=facet)
                for value in self.values(article, facet)
            )
        )

    def in_period(self, article: Article, first: date | None, last: date | None) -> bool:
        if first is None and last is None:
            return True
        if article.published is None:
            return False
        day = article.published.date()
        return (first is None or first <= day) and (last is None or day <= last)

    def matches(self, article: Article, query: Any) -> bool:
        match query:
            case WordQuery():
                return any(
                    self.holds(getattr(article, name), variant.units)
                    for name in query.fields
                    for variant in query.variants
                )
            case PhraseQuery(parts=(units,)):
                return any(self.holds(getattr(article, name), units) for name in query.fields)
            case PrefixQuery():
                return any(
                    query.text in text or token.text.startswith(query.text)
                    for name in query.fields
                    for text in [getattr(article, name)]
                    for token in self.analyzer.tokens(text)
                )
            case RangeQuery():
                return self.in_period(article, query.first, query.last)
            case KeywordQuery():
                return bool(set(query.values) & set(self.values(article, query.field)))
            case _:
                return all(self.matches(article, part) for part in query.must)

    def holds(self, text: str, wanted: tuple[str, ...]) -> bool:
        units, _ = self.analyzer.units(text)
        said = [{unit.text, *(part for part, _ in unit.parts())} for unit in units]
        size = len(wanted)
        return any(
            all(unit in said[start + step] for step, unit in enumerate(wanted))
            for start in range(len(said) - size + 1)
        )


def check(
    archive: tuple[Searcher, list[Article]], analyzer: Analyzer, request: SearchRequest
) -> None:
    searcher, articles = archive
    expected = BruteForce(articles, analyzer, request)
    results = searcher.search(request)
    shown = [hit.id for hit in results.hits]
    assert sorted(shown[: len(expected.full)]) == sorted(a.id for a in expected.full)
    assert sorted(shown[len(expected.full) :]) == sorted(a.id for a in expected.partial)
    assert results.total == (len(expected.full) or len(expected.partial))
    assert results.widened == len(expected.partial)
    for facet, buckets in results.facets.items():
        counted = {bucket.value: bucket.count for bucket in buckets if bucket.count}
        assert len(buckets) <= FACET_SIZE
        assert counted == expected.counts(facet), facet
        assert {b.value for b in buckets if b.selected} == set(getattr(request, facet)), facet


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True)
@given(request=requests)
def test_totals_and_facets_equal_a_brute_force_count(
    archive: tuple[Searcher, list[Article]], analyzer: Analyzer, request: SearchRequest
) -> None:
    check(archive, analyzer, request)


@pytest.mark.soak
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests)
def test_totals_and_facets_equal_a_brute_force_count_at_length(
    archive: tuple[Searcher, list[Article]], analyzer: Analyzer, request: SearchRequest
) -> None:
    check(archive, analyzer, request)


def sequences(part: Query) -> list[tuple[str, ...]]:
    match part:
        case WordQuery():
            return [variant.units for variant in part.variants]
        case PhraseQuery():
            return list(part.parts)
        case PrefixQuery():
            return [part.units]
        case _:
            return []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(request=requests)
def test_every_highlight_is_a_slice_that_matches(
    archive: tuple[Searcher, list[Article]], analyzer: Analyzer, request: SearchRequest
) -> None:
    searcher, _ = archive
    query = rewritten(request.query, analyzer)
    said = ["".join(units) for part in query.must for units in sequences(part)]
    for hit in searcher.search(replace(request, size=20)).hits:
        for text, highlights in (
            (hit.title, hit.title_highlights),
            (hit.snippet.text, hit.snippet.highlights),
        ):
            previous = 0
            for start, end in highlights:
                assert previous <= start < end <= len(text)
                previous = end
                units = "".join(unit.text for unit in analyzer.units(text[start:end])[0])
                assert any(word in units for word in said), (text[start:end], said)


def test_pages_join_without_gap_or_overlap(
    archive: tuple[Searcher, list[Article]],
) -> None:
    searcher, articles = archive
    request = SearchRequest(query="漏洞 安全", size=7)
    first = searcher.search(request)
    by_page = [
        hit.id
        for page in range(1, first.pageable // 7 + 2)
        for hit in searcher.search(replace(request, page=page)).hits
    ]
    by_cursor = [hit.id for hit in first.hits]
    cursor = first.next
    while cursor:
        results = searcher.search(replace(request, cursor=cursor))
        by_cursor += [hit.id for hit in results.hits]
        cursor = results.next
    assert by_page == by_cursor
    assert len(set(by_page)) == len(by_page) == first.pageable <= len(articles)
