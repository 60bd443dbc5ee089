"""Folding: a cluster of near-duplicates is one hit, and nothing is lost behind it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.document import BEIJING, Article
from index.errors import UnknownArticle
from search import Searcher, SearchRequest
from search.backends.clusters import Clusters
from search.results import Hit, SearchResults

DAY = datetime(2026, 3, 18, tzinfo=BEIJING)


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


@pytest.fixture
def story(
    article_maker: Callable[..., Article], searcher_over: Callable[..., Searcher]
) -> Searcher:
    """A story of four outlets, one of which has it twice, between two other articles."""
    make = article_maker
    long = "平台的备份口令可被远程改写，勒索软件随之扩散。" * 3
    articles = [
        make(id="old", title="勒索软件年报", published=at(-500), source="甲报"),
        make(id="first", title="平台遭勒索软件", body=long, published=at(9), source="甲报"),
        make(id="copy", title="平台遭勒索软件", body=long, published=at(10), source="乙报"),
        make(id="again", title="平台遭勒索软件", body=long, published=at(11), source="乙报"),
        make(
            id="late", title="勒索软件袭击平台", body="勒索软件", published=at(600), source="丙网"
        ),
        make(id="new", title="勒索软件月报", published=at(300), source="丁刊"),
    ]
    clusters = dict.fromkeys(("first", "copy", "again", "late"), "k") | {"old": "gone"}
    return searcher_over(articles, clusters)


def ids(results: SearchResults) -> list[str]:
    return [hit.id for hit in results.hits]


def behind(results: SearchResults) -> dict[str, list[str]]:
    return {hit.id: [copy.id for copy in hit.copies] for hit in results.hits if hit.copies}


def test_a_cluster_is_one_hit_with_its_copies_behind_it(story: Searcher) -> None:
    found = story.search(SearchRequest(query="勒索软件"))
    assert sorted(ids(found)) == ["first", "new", "old"]
    assert (found.total, found.groups, found.widened, found.pageable) == (6, 3, 0, 3)
    assert behind(found) == {"first": ["copy", "again", "late"]}
    assert {hit.id: hit.duplicate_count for hit in found.hits} == {"first": 3, "new": 0, "old": 0}


def test_copies_say_who_has_the_text_since_when(story: Searcher) -> None:
    (hit,) = (hit for hit in story.search(SearchRequest(query="勒索软件")).hits if hit.copies)
    assert [(copy.source, copy.published, copy.title) for copy in hit.copies] == [
        ("乙报", at(10), "平台遭勒索软件"),
        ("乙报", at(11), "平台遭勒索软件"),
        ("丙网", at(600), "勒索软件袭击平台"),
    ]
    assert {copy.published_precision for copy in hit.copies} == {"minute"}


def test_shown_duplicates_are_hits_like_any_other(story: Searcher) -> None:
    found = story.search(SearchRequest(query="勒索软件", duplicates="show"))
    assert sorted(ids(found)) == ["again", "copy", "first", "late", "new", "old"]
    assert found.groups == found.total == found.pageable == 6
    assert not behind(found)
    assert {hit.duplicate_count for hit in found.hits} == {0}


def test_facets_count_articles_and_not_hits(story: Searcher) -> None:
    folded, shown = (
        story.search(SearchRequest(query="勒索软件", duplicates=each)).facets  # type: ignore[arg-type]
        for each in ("fold", "show")
    )
    assert folded == shown
    assert {bucket.value: bucket.count for bucket in folded["source"]} == {
        "甲报": 2,
        "乙报": 2,
        "丙网": 1,
        "丁刊": 1,
    }


def test_a_repost_of_today_does_not_make_an_old_story_new(story: Searcher) -> None:
    request = SearchRequest(query="勒索软件", sort="newest")
    assert ids(story.search(request)) == ["new", "first", "old"]
    assert ids(story.search(replace(request, sort="oldest"))) == ["old", "first", "new"]


def test_where_the_original_does_not_match_the_best_ranked_copy_is_shown(story: Searcher) -> None:
    request = SearchRequest(query="勒索软件", source=("乙报",), sort="newest")
    found = story.search(request)
    assert (ids(found), behind(found)) == (["again"], {"again": ["copy"]})
    found = story.search(replace(request, sort="oldest"))
    assert (ids(found), behind(found)) == (["copy"], {"copy": ["again"]})
    found = story.search(SearchRequest(query="title:袭击 勒索软件"))
    assert (ids(found), found.hits[0].duplicate_count) == (["late"], 0)


def test_a_hit_stands_where_its_best_article_would_and_has_its_own_score(
    article_maker: Callable[..., Article], searcher_over: Callable[..., Searcher]
) -> None:
    make = article_maker
    padding = "此处另有说明。" * 80
    articles = [
        make(id="original", title="公告", body=f"漏洞。{padding}", published=at(0)),
        make(id="better", title="漏洞：漏洞公告", body="漏洞", published=at(1)),
        make(id="between", title="漏洞说明", body=padding, published=at(2)),
    ]
    searcher = searcher_over(articles, {"original": "k", "better": "k"})
    shown = searcher.search(SearchRequest(query="漏洞", duplicates="show"))
    assert ids(shown) == ["better", "between", "original"]
    folded = searcher.search(SearchRequest(query="漏洞", explain=True))
    assert ids(folded) == ["original", "between"]
    scores = {hit.id: hit.score for hit in shown.hits}
    assert [hit.score for hit in folded.hits] == [scores["original"], scores["between"]]
    told = folded.hits[0].explanation
    assert told is not None
    assert (told.rest, [word.word for word in told.words]) == (0.0, ["漏洞"])


def test_what_lacks_words_is_behind_the_hit_that_holds_all(
    article_maker: Callable[..., Article], searcher_over: Callable[..., Searcher]
) -> None:
    make = article_maker
    articles = [
        make(id="original", title="遭勒索软件攻击", published=at(0)),
        make(id="full", title="医院遭勒索软件攻击", published=at(1)),
        make(id="part", title="勒索软件", published=at(2)),
        make(id="reprint", title="勒索软件", published=at(3)),
        *(make(id=f"x{number}", title="医院断网") for number in range(9)),
    ]
    clusters = {"original": "k", "full": "k", "part": "m", "reprint": "m"}
    found = searcher_over(articles, clusters).search(SearchRequest(query="医院 勒索软件"))
    assert (ids(found), behind(found)) == (
        ["full", "part"],
        {"full": ["original"], "part": ["reprint"]},
    )
    assert (found.total, found.groups, found.widened, found.pageable) == (1, 1, 3, 2)
    assert [hit.missing for hit in found.hits] == [(), ("医院",)]


def test_groups_are_those_of_the_articles_that_lack_words_where_nothing_holds_all(
    article_maker: Callable[..., Article], searcher_over: Callable[..., Searcher]
) -> None:
    make = article_maker
    articles = [
        *(make(id=each, title="勒索软件", published=at(0)) for each in "abcd"),
        *(make(id=f"x{number}", title="医院断网") for number in range(9)),
    ]
    searcher = searcher_over(articles, dict.fromkeys("abc", "k"))
    found = searcher.search(SearchRequest(query="医院 勒索软件", corrects=False))
    assert (ids(found), behind(found)) == (["a", "d"], {"a": ["b", "c"]})
    assert (found.total, found.groups, found.widened, found.pageable) == (4, 2, 4, 2)


def test_a_day_of_crawl_counts_as_late_in_its_day(
    article_maker: Callable[..., Article], searcher_over: Callable[..., Searcher]
) -> None:
    make = article_maker
    articles = [
        make(id="day", title="漏洞", published=at(0), published_precision="day"),
        make(id="minute", title="漏洞", published=at(23)),
        make(id="undated", title="漏洞", body="很长" * 99),
    ]
    searcher = searcher_over(articles, dict.fromkeys(("day", "minute", "undated"), "k"))
    assert behind(searcher.search(SearchRequest(query="漏洞"))) == {"minute": ["day", "undated"]}


def test_of_equal_times_the_longest_is_canonical_then_the_first_id(
    article_maker: Callable[..., Article], searcher_over: Callable[..., Searcher]
) -> None:
    make = article_maker
    articles = [
        make(id="c", title="漏洞", body="漏洞很长", published=at(0)),
        make(id="b", title="漏洞", body="漏洞", published=at(0)),
        make(id="a", title="漏洞", body="漏洞", published=at(0)),
    ]
    searcher = searcher_over(articles, dict.fromkeys("abc", "k"))
    assert behind(searcher.search(SearchRequest(query="漏洞"))) == {"c": ["a", "b"]}
    assert not any(copy.is_first for copy in searcher.copies("a"))


def test_a_hit_names_the_first_of_many_copies_and_counts_all(
    article_maker: Callable[..., Article], searcher_over: Callable[..., Searcher]
) -> None:
    articles = [
        article_maker(id=f"{number:02}", title="漏洞", published=at(number)) for number in range(30)
    ]
    searcher = searcher_over(articles, {article.id: "k" for article in articles})
    (hit,) = searcher.search(SearchRequest(query="漏洞")).hits
    assert (hit.id, hit.duplicate_count) == ("00", 29)
    assert [copy.id for copy in hit.copies] == [f"{number:02}" for number in range(1, 21)]
    assert len(searcher.copies("07")) == 29


def test_the_copies_of_an_article_are_the_others_of_its_cluster(story: Searcher) -> None:
    assert [copy.id for copy in story.copies("first")] == ["copy", "again", "late"]
    assert [(copy.id, copy.is_first) for copy in story.copies("late")] == [
        ("first", True),
        ("copy", False),
        ("again", False),
    ]
    assert story.copies("new") == story.copies("old") == ()
    with pytest.raises(UnknownArticle):
        story.copies("nobody")


def test_the_first_report_of_each_outlet_is_not_folded(story: Searcher) -> None:
    reports = story.first_reports(SearchRequest(query="勒索软件 平台", match="all"))
    assert [(hit.source, hit.id) for hit in reports] == [
        ("甲报", "first"),
        ("乙报", "copy"),
        ("丙网", "late"),
    ]


def test_deleted_articles_are_in_no_cluster() -> None:
    keys = [np.array([5, 4, 3, 2, 1, 0])]
    live = np.array([True, True, False, True, False, True])
    clusters = Clusters(np.array([1, 1, 1, 2, 2, 0]), live, keys)
    assert clusters.numbers.tolist() == [1, 1, 0, 0, 0, 0]
    assert clusters.canonical.tolist() == [-1, 1]
    assert clusters.members(0).tolist() == [1, 0]
    assert clusters.members(3).tolist() == []


# Whatever the clusters

WORDS = ["勒索软件", "漏洞", "医院", "断网", "平台", "攻击", "备份"]
SOURCES = ["甲报", "乙报", "丙网"]


@dataclass(frozen=True)
class Archive:
    """A searcher, its articles, and the cluster of each; those alone have their own."""

    searcher: Searcher
    articles: dict[str, Article]
    clusters: dict[str, str]

    def members(self) -> dict[str, list[str]]:
        """The articles of each cluster, the canonical one first."""
        found: dict[str, list[str]] = {}
        for each in sorted(self.articles, key=self._place):
            found.setdefault(self.clusters[each], []).append(each)
        return found

    def _place(self, identifier: str) -> tuple[datetime, int, str]:
        article = self.articles[identifier]
        published = article.published or datetime.max.replace(tzinfo=BEIJING)
        if article.published_precision == "day":
            published += timedelta(days=1)
        return published, -len(article.body), identifier


@pytest.fixture(scope="module", params=[(0.3, 30), (0.7, 12), (1.0, 6), (0.9, 50)])
def archive(
    request: pytest.FixtureRequest,
    article_maker: Callable[..., Article],
    fill_folder: Callable[..., Searcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Archive]:
    share, count = request.param
    random = Random(20260901 + count)
    articles, clusters = {}, {}
    for number in range(80):
        identifier, is_dated = f"{number:016x}", random.random() < 0.9
        articles[identifier] = article_maker(
            id=identifier,
            title="".join(random.choices(WORDS, k=2)),
            body="".join(random.choices(WORDS, k=random.randrange(1, 12))),
            published=at(random.randrange(300)) if is_dated else None,
            published_precision=random.choice(["minute", "day"]) if is_dated else None,
            source=random.choice(SOURCES),
        )
        if random.random() < share:
            clusters[identifier] = f"k{random.randrange(count)}"
    folder = tmp_path_factory.mktemp("archive")
    searcher = fill_folder(folder, articles.values(), clusters)
    yield Archive(searcher, articles, dict(zip(articles, articles, strict=True)) | clusters)
    searcher.close()


requests = st.builds(
    SearchRequest,
    query=st.lists(st.sampled_from(WORDS), max_size=3, unique=True).map(" ".join),
    source=st.lists(st.sampled_from(SOURCES), max_size=2, unique=True).map(tuple),
    first=st.none() | st.none() | st.just(DAY.date() + timedelta(days=4)),
    sort=st.sampled_from(["relevance", "relevance", "newest", "oldest"]),
    match=st.sampled_from(["auto", "all"]),
    size=st.sampled_from([3, 7, 10]),
)


def all_pages(searcher: Searcher, request: SearchRequest) -> list[Hit]:
    first = searcher.search(request)
    pages = -(-first.pageable // request.size) + 1
    return [
        hit
        for page in range(1, pages + 1)
        for hit in searcher.search(replace(request, page=page)).hits
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(request=requests)
def test_every_match_is_a_hit_or_behind_one(archive: Archive, request: SearchRequest) -> None:
    searcher, cluster_of = archive.searcher, archive.clusters
    folded = searcher.search(request)
    every = all_pages(searcher, replace(request, duplicates="show"))
    hits = all_pages(searcher, request)
    shown = searcher.search(replace(request, duplicates="show"))
    assert (folded.total, folded.widened) == (shown.total, shown.widened)
    assert folded.facets == shown.facets
    assert shown.groups == shown.total
    assert len(hits) == folded.pageable
    assert folded.groups == sum(not hit.missing for hit in hits) or folded.total == folded.widened
    # Each cluster once, and nothing lost.
    assert max(Counter(cluster_of[hit.id] for hit in hits).values(), default=1) == 1
    members = [each for hit in hits for each in (hit.id, *(copy.id for copy in hit.copies))]
    assert sorted(members) == sorted(hit.id for hit in every)
    for hit in hits:
        assert hit.duplicate_count == len(hit.copies)
        assert {cluster_of[copy.id] for copy in hit.copies} <= {cluster_of[hit.id]}
    assert [hit.id for hit in hits] == folded_by_hand(archive, every, request)


def folded_by_hand(archive: Archive, every: list[Hit], request: SearchRequest) -> list[str]:
    """The list that `every` hit, unfolded, makes."""
    places = {hit.id: place for place, hit in enumerate(every)}
    lacking = {hit.id for hit in every if hit.missing}
    is_ranked = request.sort == "relevance" and request.query
    found = []
    for members in archive.members().values():
        matching = [each for each in members if each in places]
        same = [each for each in matching if each not in lacking] or matching
        if same:
            best = min(same, key=places.__getitem__)
            shown = members[0] if members[0] in same else best
            found.append((places[best if is_ranked else shown], shown))
    return [shown for _, shown in sorted(found)]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(request=requests)
def test_cursors_lead_through_the_same_list_as_pages(
    archive: Archive, request: SearchRequest
) -> None:
    searcher = archive.searcher
    results = searcher.search(request)
    by_cursor = [hit.id for hit in results.hits]
    while results.next:
        results = searcher.search(replace(request, cursor=results.next))
        assert results.hits
        by_cursor += [hit.id for hit in results.hits]
    assert by_cursor == [hit.id for hit in all_pages(searcher, request)]
    assert len(by_cursor) == results.pageable


@settings(max_examples=20, deadline=None, derandomize=True)
@given(request=requests)
def test_dates_down_a_folded_list_are_in_order(archive: Archive, request: SearchRequest) -> None:
    searcher = archive.searcher
    request = replace(request, sort="newest")
    every = [hit.id for hit in all_pages(searcher, replace(request, duplicates="show"))]
    folded = [every.index(hit.id) for hit in all_pages(searcher, request)]
    assert folded == sorted(folded)
