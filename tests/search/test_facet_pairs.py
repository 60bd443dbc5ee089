"""Facets on demand: days, and two fields counted against each other, equal a brute-force count."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from index.document import BEIJING, Article, Mention
from search import Searcher, SearchRequest

NAMES = ("青梧机电", "海若物流", "听潮网安", "关山安全")
REQUESTS = [
    SearchRequest(),
    SearchRequest(query="漏洞"),
    SearchRequest(category=("漏洞", "新闻"), month=("2024-01", "2024-02")),
    SearchRequest(organisation=("青梧机电",), exclude_source=("甲报",)),
    SearchRequest(first=date(2024, 1, 20), last=date(2024, 2, 10)),
    SearchRequest(query="没有这回事"),
]


def random_articles(make: Callable[..., Article]) -> Iterator[Article]:
    random = Random(7)
    for number in range(80):
        published = datetime(2024, 1, 1, tzinfo=BEIJING) + timedelta(
            minutes=random.randrange(90000)
        )
        yield make(
            id=f"{number:016x}",
            title=f"{random.choice(('漏洞', '补丁'))}第{number}号",
            published=None if number % 9 == 0 else published,
            category=random.choice(("漏洞", "新闻", None)),
            source=random.choice(("甲报", "乙报")),
            mentions=tuple(
                Mention(
                    name=name,
                    type="company",
                    salient=random.random() < 0.5,
                    surfaces=(name,),
                    evidence=(),
                )
                for name in random.sample(NAMES, random.randrange(4))
            ),
        )


@pytest.fixture(scope="module")
def archive(
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Searcher, list[Article]]]:
    articles = list(random_articles(article_maker))
    searcher = fill_folder(tmp_path_factory.mktemp("pairs"), articles)
    yield searcher, articles
    searcher.close()


def values(article: Article, name: str) -> tuple[str, ...]:
    match name:
        case "category":
            return (article.category,) if article.category else ()
        case "organisation":
            return article.organisations
        case "source":
            return (article.source,)
        case _:
            moment = article.published
            return (moment.strftime("%Y-%m-%d"[: 5 if name == "month" else 8]),) if moment else ()


def found(articles: list[Article], request: SearchRequest) -> list[Article]:
    return [
        article
        for article in articles
        if request.query in article.title
        and all(
            not getattr(request, name) or set(values(article, name)) & set(getattr(request, name))
            for name in ("category", "organisation", "month")
        )
        and article.source not in request.exclude_source
        and (
            not request.first
            or not request.last
            or bool(article.published and request.first <= article.published.date() <= request.last)
        )
    ]


@pytest.mark.parametrize("request_", REQUESTS, ids=range(len(REQUESTS)))
def test_days_are_counted_in_beijing_and_undated_articles_in_none(
    archive: tuple[Searcher, list[Article]], request_: SearchRequest
) -> None:
    searcher, articles = archive
    expected = Counter(day for a in found(articles, request_) for day in values(a, "day"))
    answer = searcher.facet(request_, "day", size=1000)
    assert {bucket.value: bucket.count for bucket in answer.buckets} == expected
    assert answer.total == len(expected)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("month", "category"),
        ("category", "day"),
        ("organisation", "source"),
        ("organisation", "organisation"),
        ("organisation", "month"),
    ],
)
@pytest.mark.parametrize("request_", REQUESTS, ids=range(len(REQUESTS)))
def test_two_fields_are_counted_against_each_other(
    archive: tuple[Searcher, list[Article]], request_: SearchRequest, name: str, other: str
) -> None:
    searcher, articles = archive
    expected = Counter(
        (value, with_)
        for article in found(articles, request_)
        for value in values(article, name)
        for with_ in values(article, other)
    )
    pairs = searcher.facet_pairs(request_, name, other)
    assert {(pair.value, pair.other): pair.count for pair in pairs} == expected
    assert list(pairs) == sorted(pairs, key=lambda pair: (pair.value, pair.other))


def test_pairs_are_counted_alike_in_a_large_table(
    archive: tuple[Searcher, list[Article]], monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher, _ = archive
    counted = searcher.facet_pairs(SearchRequest(), "month", "category")
    monkeypatch.setattr("search.backends.whoosh.counting._MOST_CELLS", 0)
    assert searcher.facet_pairs(SearchRequest(), "month", "category") == counted
