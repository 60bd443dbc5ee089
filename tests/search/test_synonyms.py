"""Synonyms: every side finds the other's articles, and an operator may add more."""

import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from index.analysis import Analyzer
from index.document import Article
from index.entities import OrganisationTable
from index.errors import SettingsError
from index.settings import Settings
from search import Searcher, SearchRequest, open_searcher, similarity
from search.parser import parse_query
from search.rewrite import Rewriter
from search.synonyms import Synonyms

PAIRS = tomllib.loads(
    (Path(__file__).parents[1] / "data" / "synonym_pairs.toml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def searcher(
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Searcher]:
    """Each word of the pairs in an article of its own, none of which names the other."""
    words = [word for pair in (*PAIRS["both"], *PAIRS["one_way"]) for word in pair]
    searcher = fill_folder(
        tmp_path_factory.mktemp("synonyms"),
        [
            article_maker(id=f"{number:016x}", title=f"栎川日志{number}", body=f"岑桥谈到{word}。")
            for number, word in enumerate(words)
        ],
    )
    yield searcher
    searcher.close()


def found(searcher: Searcher, query: str) -> set[str]:
    hits = searcher.search(SearchRequest(query=query, match="all", size=100)).hits
    return {hit.snippet.text for hit in hits}


def said(word: str) -> str:
    return f"岑桥谈到{word}。"


def test_there_are_forty_pairs() -> None:
    assert len(PAIRS["both"]) >= 40


@pytest.mark.parametrize(("one", "other"), PAIRS["both"])
def test_each_side_finds_the_articles_of_the_other(
    searcher: Searcher, one: str, other: str
) -> None:
    for asked in (one, other):
        assert {said(one), said(other)} <= found(searcher, asked), asked


@pytest.mark.parametrize(("one", "other"), PAIRS["one_way"])
def test_a_one_way_synonym_is_found_one_way(searcher: Searcher, one: str, other: str) -> None:
    assert {said(one), said(other)} <= found(searcher, one)
    assert said(one) not in found(searcher, other)


def test_a_quoted_word_has_no_synonyms(searcher: Searcher) -> None:
    one, other = PAIRS["both"][0]
    assert found(searcher, f"“{one}”") == {said(one)}
    assert said(other) in found(searcher, one)


def test_an_operators_file_adds_synonyms(
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    settings_for: Callable[[Path], Settings],
    tmp_path: Path,
) -> None:
    path = tmp_path / "synonyms.txt"
    rules = "# ours\n堡垒机 = 跳板机\twe\n老板 => 首席执行官\n堡垒机 = 🙂\n"
    path.write_text(rules, encoding="utf-8")
    fill_folder(tmp_path, [article_maker(id="1" * 16, title="跳板机被攻破")]).close()
    searcher = open_searcher(replace(settings_for(tmp_path), synonyms=path))
    assert [hit.id for hit in searcher.search(SearchRequest(query="堡垒机")).hits] == ["1" * 16]
    searcher.close()


@pytest.mark.parametrize("line", ["只有一个", "a =", "=> b", "a = b => c", "a = a"])
def test_a_line_that_says_nothing_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "synonyms.txt"
    path.write_text(f"甲 = 乙\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="line 2"):
        Synonyms.load(OrganisationTable.load(), path)
    with pytest.raises(SettingsError, match="cannot be read"):
        Synonyms.load(OrganisationTable.load(), tmp_path / "none.txt")


@cache
def rewriter_of(analyzer: Analyzer) -> Rewriter:
    return Rewriter(analyzer, Synonyms.load(OrganisationTable.load()))


def variants(query: str, analyzer: Analyzer) -> dict[str, dict[str, float]]:
    rewriter = rewriter_of(analyzer)
    return {
        word.surface: {variant.text: variant.weight for variant in word.variants[1:]}  # type: ignore[union-attr]
        for word in rewriter.rewrite(parse_query(query, analyzer).query).must
    }


def test_names_of_an_organisation_count_as_much_as_the_name_itself(analyzer: Analyzer) -> None:
    assert variants("海莲花", analyzer)["海莲花"]["apt32"] == similarity.NAME_WEIGHT
    assert variants("APT32", analyzer)["APT32"]["海莲花"] == similarity.NAME_WEIGHT


def test_a_synonym_of_several_words_stands_beside_each_of_them(analyzer: Analyzer) -> None:
    found = variants("zero trust 架构", analyzer)
    assert "零信任" in found["zero"]
    assert "零信任" in found["trust"]
    assert found["架构"] == {}


@pytest.mark.parametrize(
    ("typed", "other"), [("Struts2", "struts 2"), ("Wi-Fi", "wifi"), ("iOS17", "ios 17")]
)
def test_a_word_is_found_in_its_other_spelling(analyzer: Analyzer, typed: str, other: str) -> None:
    assert other in variants(typed, analyzer)[typed]


def test_letters_and_a_number_apart_are_found_together(analyzer: Analyzer) -> None:
    found = variants("Struts 2", analyzer)
    assert "struts2" in found["Struts"]
    assert "struts2" in found["2"]


def test_words_that_only_ask_are_left_out_beside_others(analyzer: Analyzer) -> None:
    assert list(variants("停诊是怎么回事", analyzer)) == ["停诊"]
    assert list(variants("为什么", analyzer)) == ["为什么"]


def test_an_identifier_is_optional_only_in_a_bracket_behind_a_word(analyzer: Analyzer) -> None:
    rewriter = rewriter_of(analyzer)

    def optional(query: str) -> dict[str, bool]:
        words = rewriter.rewrite(parse_query(query, analyzer).query).must
        return {word.surface: word.optional for word in words}  # type: ignore[union-attr]

    assert optional("漏洞 CNVD-2016-01558") == {"漏洞": True, "CNVD-2016-01558": False}
    assert optional("漏洞（CNVD-2016-01558）") == {"漏洞": True, "CNVD-2016-01558": True}
    assert optional("+漏洞 title:医院") == {"漏洞": False, "医院": False}
