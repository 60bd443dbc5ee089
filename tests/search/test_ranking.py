"""What leads: words, where they stand, how near, and what is newer."""

from collections.abc import Callable, Iterable
from datetime import datetime

import pytest

from index.document import BEIJING, Article
from search import Searcher, SearchRequest, similarity

Over = Callable[[Iterable[Article]], Searcher]
FILLER = "其余各节谈另外的事情，与此无关。" * 6


def order(searcher: Searcher, query: str, **options: object) -> list[str]:
    # Made texts differ in a word, and would be taken for copies.
    asked = SearchRequest(query=query, duplicates="show", **options)  # type: ignore[arg-type]
    return [hit.id for hit in searcher.search(asked).hits]


def day(number: int) -> datetime:
    return datetime(2025, 1, number, tzinfo=BEIJING)


def test_all_words_come_before_some_words(
    article_maker: Callable[..., Article], searcher_over: Over
) -> None:
    searcher = searcher_over(
        [
            article_maker(id="some", title="医院停诊医院停诊", body="医院停诊。" * 20),
            article_maker(id="all", title="一则消息", body=f"医院{FILLER}停诊{FILLER}网关"),
            article_maker(id="other", title="网关"),
        ]
    )
    assert order(searcher, "医院 停诊 网关") == ["all", "some"]


def test_a_word_in_the_title_counts_more_than_one_in_the_body(
    article_maker: Callable[..., Article], searcher_over: Over
) -> None:
    searcher = searcher_over(
        [
            article_maker(id="body", title="一则消息", body=f"医院停诊。{FILLER}"),
            article_maker(id="title", title="医院停诊", body=f"一则消息。{FILLER}"),
        ]
    )
    assert order(searcher, "停诊") == ["title", "body"]


def test_words_near_each_other_come_before_words_far_apart(
    article_maker: Callable[..., Article], searcher_over: Over
) -> None:
    searcher = searcher_over(
        [
            article_maker(
                id="far", title="消息", body=f"网关甲。{FILLER}固件乙。", published=day(2)
            ),
            article_maker(
                id="near", title="消息", body=f"网关固件甲乙。{FILLER}", published=day(1)
            ),
        ]
    )
    assert order(searcher, "网关 固件") == ["near", "far"]


def test_words_inside_a_word_lead_where_the_word_itself_stands_nowhere_else(
    article_maker: Callable[..., Article], searcher_over: Over
) -> None:
    searcher = searcher_over(
        [
            article_maker(id="plain", title="消息", body=f"网络攻击。{FILLER}", published=day(1)),
            article_maker(
                id="rich",
                title="消息",
                body=f"网络攻击，又说攻击，又说网络。{FILLER}",
                published=day(1),
            ),
        ]
    )
    assert order(searcher, "网络攻击") == ["rich", "plain"]


def test_of_equals_the_newer_one_leads(
    article_maker: Callable[..., Article], searcher_over: Over
) -> None:
    searcher = searcher_over(
        [
            article_maker(
                id=f"day{number}", title="医院停诊", body="同样的话。", published=day(number)
            )
            for number in (3, 9, 6)
        ]
    )
    assert order(searcher, "停诊") == ["day9", "day6", "day3"]


def test_a_lone_identifier_is_answered_exactly_first(
    article_maker: Callable[..., Article], searcher_over: Over
) -> None:
    searcher = searcher_over(
        [
            article_maker(id="other", title="CVE-2026-90010 通告", body="CVE-2026-90010"),
            article_maker(id="exact", title="一则通告", body=f"{FILLER}CVE-2026-9001"),
        ]
    )
    assert order(searcher, "CVE-2026-9001") == ["exact"]


def test_scores_are_the_same_on_pages_of_any_size(
    article_maker: Callable[..., Article], searcher_over: Over
) -> None:
    searcher = searcher_over(
        [
            article_maker(
                id=f"{number:02}", title=f"网关{'固件' * (number % 4)}", body="网关。" * number
            )
            for number in range(30)
        ]
    )
    whole = order(searcher, "网关 固件", size=100)
    pages = [id_ for page in range(1, 7) for id_ in order(searcher, "网关 固件", size=5, page=page)]
    assert pages == whole


def test_evidence_orders_and_selects_nothing(
    article_maker: Callable[..., Article], searcher_over: Over, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = [
        article_maker(id="whole", title="网络攻击活动"),
        article_maker(id="parts", title="攻击了网络"),
        article_maker(id="one", title="攻击"),
    ]
    found = set(order(searcher_over(articles), "网络攻击"))
    monkeypatch.setattr(similarity, "PART_WEIGHT", 0.0)
    monkeypatch.setattr(similarity, "PROXIMITY_WEIGHT", 0.0)
    assert set(order(searcher_over(articles), "网络攻击")) == found == {"whole"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('"甲词 乙词"~0', {"touch", "turned"}),
        ('"甲词 乙词"~3', {"touch", "turned", "three"}),
        ('"甲词 乙词"~4', {"touch", "turned", "three", "four"}),
        ('title:"甲词 乙词"~100', set()),
    ],
)
def test_near_counts_the_units_between_in_any_order(
    article_maker: Callable[..., Article], searcher_over: Over, query: str, found: set[str]
) -> None:
    bodies = {
        "touch": "甲词乙词",
        "turned": "乙词，甲词",
        "three": "甲词 one 二 3 乙词",
        "four": "甲词一二三四乙词",
        "lone": "甲词在此，" + "别" * 200,
    }
    articles = [article_maker(id=name, title="消息", body=body) for name, body in bodies.items()]
    assert set(order(searcher_over(articles), query)) == found


def test_a_hit_is_explained_the_same_alone_and_among_others(
    article_maker: Callable[..., Article], searcher_over: Over, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity, "RESCORED", 12)  # so that some pages hold hits of both kinds
    searcher = searcher_over(
        [
            article_maker(
                id=f"{number:02}",
                title=f"网关{'固件' * (number % 4)}",
                body="网关。" * number,
                published=day(1 + number),
            )
            for number in range(24)
        ]
    )

    def explained(size: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for page in range(1, 24 // size + 1):
            asked = SearchRequest(
                query="网关 固件", duplicates="show", explain=True, size=size, page=page
            )
            for hit in searcher.search(asked).hits:
                told = hit.explanation
                assert told
                found[hit.id] = told
                parts = [word.score for word in told.words] + [more for _, more in told.evidence]
                score = told.freshness * (sum(parts) + told.rest)
                assert hit.score == pytest.approx(score, abs=0.002)
        return found

    together = explained(24)
    assert len(together) > similarity.RESCORED
    assert explained(1) == together
