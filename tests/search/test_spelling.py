"""您是不是要找: what is repaired, and what is left alone."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from index.document import BEIJING, Article, Mention
from search import Searcher, SearchRequest, parser

TITLES = [
    *["栎川智联发布勒索软件防护年报"] * 6,
    *["网关漏洞被用来投放勒索软件"] * 6,
    *["数据泄露事件的应急响应"] * 6,
    *["栎川智联谈数据泄露与零信任"] * 6,
    *["Ransomware 团伙 Greyheron 被捕"] * 6,
    *["钓鱼邮件冒充栎川智联"] * 6,
    *["安全研究人员披露网关固件后门"] * 6,
    "罕见词蠡测一则",
]


@pytest.fixture(scope="module")
def searcher(
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Searcher]:
    named = Mention(
        name="栎川智联", type="company", salient=True, surfaces=("栎川智联",), evidence=()
    )
    searcher = fill_folder(
        tmp_path_factory.mktemp("spelling"),
        [
            article_maker(
                id=f"{number:016x}",
                title=title,
                body=f"{title}。编号 CVE-2026-9000{number % 10}，版本 2.17.1。"
                + "攻击。" * (number % 3),
                published=datetime(2024, 7, 1 + number % 28, tzinfo=BEIJING),
                mentions=(named,) if "栎川" in title else (),
            )
            for number, title in enumerate(TITLES * 8)
        ],
    )
    yield searcher
    searcher.close()


def meant(searcher: Searcher, query: str) -> str | None:
    better = searcher.search(SearchRequest(query=query)).did_you_mean
    return better.query if better else None


@pytest.mark.parametrize(
    ("typed", "better"),
    [
        ("栎川智连", "栎川智联"),  # the same sound
        ("勒锁软件", "勒索软件"),
        ("数据谢露", "数据泄露"),
        ("数据泄路", "数据泄露"),
        ("勒素软件", "勒索软件"),  # looks alike
        ("勒软索件", "勒索软件"),  # two characters swapped
        ("钓鱼件邮", "钓鱼邮件"),
        ("栎川联", "栎川智联"),  # one dropped
        ("应急响响应", "应急响应"),  # one too many
        ("ransomwear", "ransomware"),
        ("Greyherron", "greyheron"),
        ("ransmoware 栎川智连", "ransomware 栎川智联"),
    ],
)
def test_a_slip_is_offered_as_what_was_meant(searcher: Searcher, typed: str, better: str) -> None:
    assert meant(searcher, typed) == better


@pytest.mark.parametrize(
    "query",
    [
        *("勒索软件", "栎川智联", "网关漏洞", "数据泄露 应急响应", "ransomware", "Greyheron"),
        *("罕见词", "蠡测", "栎川", "零信任", "的", "a", ""),
        *(
            "CVE-2026-90009",
            "CVE-2026-9000",
            "2.17.2",
            "192.168.1.1",
            "evil.example",
            "x@evil.example",
        ),
        *("“勒锁软件”", "勒锁*", "勒锁软件 OR 漏洞", "漏洞 -勒锁软件"),
    ],
)
def test_what_is_right_or_exact_is_left_alone(searcher: Searcher, query: str) -> None:
    assert meant(searcher, query) is None


def test_the_offer_tells_how_many_articles_it_finds(searcher: Searcher) -> None:
    results = searcher.search(SearchRequest(query="漏洞 勒锁软件"))
    assert results.did_you_mean is not None
    again = searcher.search(SearchRequest(query=results.did_you_mean.query, match="all"))
    assert results.did_you_mean.total == again.total > 0


def test_it_is_applied_only_where_the_query_finds_nothing(searcher: Searcher) -> None:
    nothing = searcher.search(SearchRequest(query="ransomwear"))
    assert nothing.did_you_mean is not None
    assert nothing.did_you_mean.applied
    assert nothing.query == "ransomwear"
    assert nothing.total == searcher.search(SearchRequest(query="ransomware")).total > 0
    typed = searcher.search(SearchRequest(query="ransomwear", corrects=False))
    assert typed.total == 0
    assert typed.did_you_mean is not None
    assert not typed.did_you_mean.applied
    some = searcher.search(SearchRequest(query="漏洞 ransomwear"))
    assert some.total
    assert some.did_you_mean is not None
    assert not some.did_you_mean.applied


def test_a_period_in_words_stays_as_it_was_typed(searcher: Searcher) -> None:
    assert meant(searcher, "勒锁软件 2024年7月") == "勒索软件 2024年7月"


def test_filters_stay_and_what_finds_nothing_within_them_is_not_offered(
    searcher: Searcher,
) -> None:
    assert meant(searcher, "勒锁软件 来源:某报") == "勒索软件 source:某报"
    assert meant(searcher, "勒锁软件 来源:别处") is None
    request = SearchRequest(query="勒锁软件", organisation=("栎川智联",))
    better = searcher.search(request).did_you_mean
    assert better is not None
    assert better.total == 48


def test_a_spelling_that_would_be_too_long_is_not_offered(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "ransomwre 团伙"
    assert meant(searcher, query) == "ransomware 团伙"
    monkeypatch.setattr(parser, "MAX_LENGTH", len(query))
    assert meant(searcher, f"团伙 {query[:9]}") is None
