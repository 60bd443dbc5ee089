"""Suggestions as one types."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from time import sleep

import pytest

from index.analysis import Analyzer
from index.build import open_index
from index.document import BEIJING, Article, Mention
from index.schema import index_batch
from index.settings import Settings
from search import Searcher
from search.pinyin import fuzzy, initials, readings, spellings


def named(name: str) -> Mention:
    return Mention(name=name, type="company", salient=True, surfaces=(name,), evidence=())


@pytest.fixture(scope="module")
def searcher(
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Searcher]:
    titles = [
        "奇安信发布勒索软件年报",
        "勒索软件借网关漏洞扩散",
        "勒索软件团伙改用间歇加密",
        "网关漏洞的补丁发布",
        "Corvane 网关漏洞被利用",
        "Corvane 发布补丁",
        "青梧机电谈勒索软件",
    ]
    start = datetime(2026, 1, 1, 9, tzinfo=BEIJING)
    articles = [
        article_maker(
            id=f"{number:016x}",
            title=title,
            body="编号 CVE-2026-90001。" if number < 3 else "编号 CVE-2026-90017，另见 APT-C-77。",
            published=start + timedelta(days=number),
            category="漏洞" if "漏洞" in title else "新闻",
            mentions=tuple(
                named(name)
                for name, sign in (
                    ("奇安信", "奇安信"),
                    ("青梧机电", "青梧"),
                    ("Corvane", "Corvane"),
                )
                if sign in title
            ),
        )
        for number, title in enumerate(titles)
    ]
    searcher = fill_folder(tmp_path_factory.mktemp("suggest"), articles)
    yield searcher
    searcher.close()


def found(searcher: Searcher, typed: str) -> dict[str, list[str]]:
    return {
        group.name: [suggestion.text for suggestion in group.suggestions]
        for group in searcher.suggest(typed)
    }


@pytest.mark.parametrize(
    ("typed", "group", "text"),
    [
        ("勒", "query", "勒索软件"),
        ("lesuo", "query", "勒索软件"),
        ("lsrj", "query", "勒索软件"),
        ("qax", "organisation", "奇安信"),
        ("qi", "organisation", "奇安信"),
        ("QiAnXin", "organisation", "奇安信"),
        ("qwjd", "organisation", "青梧机电"),
        ("青", "organisation", "青梧机电"),
        ("corv", "organisation", "Corvane"),
        ("CVE-2026-9", "identifier", "CVE-2026-90001"),
        ("2026-900", "identifier", "CVE-2026-90017"),
        ("apt-c", "identifier", "APT-C-77"),
        ("loudong", "category", "漏洞"),
        ("新", "category", "新闻"),
        ("网关漏", "title", "Corvane 网关漏洞被利用"),
        ("corvane 补", "title", "Corvane 发布补丁"),
    ],
)
def test_what_is_typed_finds_what_was_meant(
    searcher: Searcher, typed: str, group: str, text: str
) -> None:
    assert text in found(searcher, typed)[group]


def test_pinyin_finds_a_name_from_its_beginning_to_its_end(searcher: Searcher) -> None:
    for length in range(1, len("qianxin") + 1):
        assert "奇安信" in found(searcher, "qianxin"[:length])["organisation"], length


def test_the_last_word_is_completed_by_words_of_headlines_with_the_others(
    searcher: Searcher,
) -> None:
    assert found(searcher, "网关 漏")["query"] == ["网关 漏洞"]
    assert "网关 漏洞" in found(searcher, "网关 ")["query"]
    assert "query" not in found(searcher, "勒索软件 补")


def test_headlines_come_newest_first_and_lead_to_their_article(searcher: Searcher) -> None:
    groups = {group.name: group.suggestions for group in searcher.suggest("勒索软件")}
    assert [suggestion.id for suggestion in groups["title"]] == [
        f"{number:016x}" for number in (6, 2, 1, 0)
    ]


def test_counts_are_those_of_articles(searcher: Searcher) -> None:
    groups = {group.name: group.suggestions for group in searcher.suggest("corvane")}
    assert [(each.text, each.count) for each in groups["organisation"]] == [("Corvane", 2)]


@pytest.mark.parametrize("typed", ["", " ", "\n", "zzzzqq", "。", "\ud800", "(", "*", "[a"])
def test_what_begins_nothing_suggests_nothing(searcher: Searcher, typed: str) -> None:
    assert found(searcher, typed) == {}


def test_a_latin_word_is_completed_from_its_beginning_only(searcher: Searcher) -> None:
    assert found(searcher, "orvane") == {}


def test_new_articles_are_suggested_and_removed_ones_are_not(
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    settings_for: Callable[[Path], Settings],
    tmp_path: Path,
    analyzer: Analyzer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("search.backends.typing_aids._LEAST_AGE", 0.0)
    searcher = fill_folder(tmp_path, [article_maker(id="1" * 16, title="甲乙平台停服")])
    assert found(searcher, "甲乙平台")["title"] == ["甲乙平台停服"]
    index = open_index(settings_for(tmp_path), analyzer)
    with index.writer(2) as writer:
        made = [article_maker(id="2" * 16, title="甲乙平台恢复")]
        writer.update_documents(index_batch(made, analyzer, with_records=True))
        writer.delete_document("1" * 16)
    for _ in range(100):  # what is made beside the queries takes a moment
        if found(searcher, "甲乙平台").get("title") == ["甲乙平台恢复"]:
            break
        sleep(0.05)
    assert found(searcher, "甲乙平台")["title"] == ["甲乙平台恢复"]
    searcher.close()


def test_pinyin_reads_words_as_they_are_read() -> None:
    assert next(spellings("重庆")) == ("chong", "qing")
    assert ("chang", "ting") in spellings("长亭")
    assert initials(("qi", "an", "xin")) == "qax"
    assert fuzzy("zhang") == fuzzy("zan")
    assert fuzzy("nan") == fuzzy("lan")
    assert readings("A") == ("a",)
