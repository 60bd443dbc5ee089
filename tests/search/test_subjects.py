"""What has a page of its own, with the day of its newest article."""

from collections.abc import Callable, Iterable
from datetime import date, datetime

import numpy as np

from index.document import BEIJING, Article, Mention
from search import Searcher
from search.backends.whoosh.columns import KeywordColumn
from search.backends.whoosh.segments import Values


def mention(name: str, *, salient: bool = True) -> Mention:
    return Mention(name=name, type="company", salient=salient, surfaces=(name,), evidence=())


def test_subjects_are_all_that_articles_name_with_the_day_of_the_newest(
    article_maker: Callable[..., Article],
    searcher_over: Callable[[Iterable[Article]], Searcher],
) -> None:
    def day(number: int) -> datetime:
        return datetime(2024, 5, number, 0, 30, tzinfo=BEIJING)

    searcher = searcher_over(
        [
            article_maker(
                id="1",
                published=day(3),
                mentions=(mention("甲公司"), mention("乙公司", salient=False)),
                identifiers=("CVE-2024-1", "T1486"),
            ),
            article_maker(id="2", published=day(9), mentions=(mention("甲公司", salient=False),)),
            article_maker(id="3", mentions=(mention("丙公司"),), identifiers=("T1486",)),
            article_maker(id="4", published=day(20)),
        ]
    )
    found = searcher.subjects("organisation")
    assert [(each.name, each.count, each.salient, each.newest) for each in found] == [
        ("甲公司", 2, 1, date(2024, 5, 9)),
        ("丙公司", 1, 1, None),
        ("乙公司", 1, 0, date(2024, 5, 3)),
    ]
    found = searcher.subjects("identifier")
    assert [(each.name, each.count, each.salient, each.newest) for each in found] == [
        ("T1486", 2, None, date(2024, 5, 3)),
        ("CVE-2024-1", 1, None, date(2024, 5, 3)),
    ]


def test_an_empty_index_has_no_subject(
    searcher_over: Callable[[Iterable[Article]], Searcher],
) -> None:
    searcher = searcher_over([])
    assert searcher.subjects("organisation") == []
    assert searcher.subjects("identifier") == []


def test_the_largest_key_of_a_value_is_that_of_the_documents_asked_for() -> None:
    values = Values(
        names=["甲", "乙"],
        sizes=np.array([0, 1, 2], np.int32),
        numbers=np.array([1, 0, 1], np.int32),
        sets=np.array([1, 2, 0, 2], np.int32),
    )
    column = KeywordColumn([values])
    keys = np.array([7, 3, 9, 5])
    found = dict(zip(column.values, column.largest(np.arange(4), keys).tolist(), strict=True))
    assert found == {"甲": 5, "乙": 7}
    some = np.array([1])
    found = dict(zip(column.values, column.largest(some, keys[some]).tolist(), strict=True))
    assert found == {"甲": 3, "乙": 3}
