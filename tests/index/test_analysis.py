"""Analysis: normal form, units, words, and the one analyzer for index and query."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index.analysis import Analyzer, normalise
from index.analysis.finder import UnitFinder
from index.analysis.segmenter import JiebaSegmenter, RustJiebaSegmenter
from index.analysis.units import UnitSplitter

MIXED = st.text(
    st.sampled_from("网络安全一段简单的龙網絡馬克思主義农业发展银行大数据零日漏洞奇安信")
    | st.sampled_from("abcCVE-.0123456789[]()/:@ #+&_hxtp，。“”\n\u200b\uff0d")
    | st.characters(exclude_categories=["Cs"]),
    max_size=60,
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("ＣＶＥ－２０２１－４４２２８", "cve-2021-44228"),
        ("網絡安全與資訊", "网络安全与资讯"),
        ("hxxps://a[.]b", "https://a.b"),
        ("evil[.]com 和 evil(dot)com", "evil.com 和 evil.com"),
        ("零\u200b日", "零日"),
        ("e\u0301", "é"),
        ("㈱", "(株)"),
        ("CVE‑2021–44228", "cve-2021-44228"),
        ("见[.]处", "见[.]处"),
        ("见http:[//]a", "见http://a"),
    ],
)
def test_text_has_one_normal_form(text: str, normal: str) -> None:
    assert normalise(text).text == normal


@settings(max_examples=500, deadline=None, derandomize=True)
@given(text=MIXED)
def test_the_normal_form_is_its_own_normal_form(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once


@settings(max_examples=500, deadline=None, derandomize=True)
@given(text=MIXED)
@example(text="hxxp://evil[.]com，㈱網絡İ")
def test_every_token_is_the_slice_it_points_at(analyzer: Analyzer, text: str) -> None:
    for token in analyzer.tokens(text):
        assert token.text in normalise(text[token.start : token.end]).text


@settings(max_examples=500, deadline=None, derandomize=True)
@given(text=MIXED)
def test_every_position_has_a_unit_and_positions_grow_with_offsets(
    analyzer: Analyzer, text: str
) -> None:
    units, _ = analyzer.units(text)
    tokens = analyzer.tokens(text)
    assert {token.position for token in tokens} == set(range(len(units)))
    assert [unit.start for unit in units] == sorted(unit.start for unit in units)
    for earlier, later in pairwise(units):
        assert earlier.end <= later.start


def texts(analyzer: Analyzer, text: str) -> list[str]:
    return [token.text for token in analyzer.tokens(text)]


@pytest.mark.parametrize(
    ("text", "present", "absent"),
    [
        ("与CVE-2021-44228有关", ["cve-2021-44228", "44228", "2021"], ["cve-2021", "4422"]),
        ("升级到v2.17.1即可", ["2.17.1", "v"], ["2.17", "17.1", "2"]),
        ("log4j-2.17.1和", ["log4j-2.17.1", "log4j", "2.17.1"], ["17.1"]),
        ("OpenSSH 8.2p1", ["8.2p1"], ["8.2"]),
        ("在192.168.1.1:8080上", ["192.168.1.1", "8080"], ["192", "168.1.1"]),
        ("T1059.001与TA0001", ["t1059.001", "t1059", "ta0001"], ["001"]),
        ("ATT&CK、C++、C#和.NET", ["att&ck", "c++", "c#", ".net"], ["c", "att", "net"]),
        ("ASP.NET", ["asp.net"], [".net", "asp"]),
        ("hxxps://cdn.bad[.]com/a?b=1", ["cdn.bad.com", "bad.com"], ["com", "a"]),
        ("a.b@mail.bad.com", ["a.b@mail.bad.com", "mail.bad.com", "bad.com"], ["mail"]),
        ("D-Link", ["d-link", "d", "link"], ["dlink"]),
        ("2024-04-30发布", ["2024-04-30"], ["2024", "04"]),
        ("fe80::1与09:36:00", ["fe80::1", "09", "36"], ["fe80", "09:36:00"]),
        ("watch_queue_set", ["watch_queue_set"], ["queue"]),
        ("一段简单", ["一段", "简单", "段", "简"], ["段简"]),
        ("大数据安全", ["大数", "数据", "数据安全", "安全"], []),
        ("中国农业发展银行", ["农业发展银行", "发展", "银行"], []),
    ],
)
def test_a_text_has_these_terms(
    analyzer: Analyzer, text: str, present: list[str], absent: list[str]
) -> None:
    found = texts(analyzer, text)
    assert set(present) <= set(found)
    assert not set(absent) & set(found)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("奇安信和微步在线", ["奇安信", "和", "微步在线"]),
        ("CVE-2021-44228漏洞", ["cve-2021-44228", "漏洞"]),
        ("網絡安全", ["网络安全"]),
        ("Cobalt Strike木马", ["cobalt", "strike", "木马"]),
        ("黎巴嫩寻呼机爆炸", ["黎巴嫩", "寻呼机", "爆炸"]),
        ("！？", []),
    ],
)
def test_a_query_is_cut_into_words(analyzer: Analyzer, query: str, words: list[str]) -> None:
    assert [term.text for term in analyzer.query_terms(query)] == words


@settings(max_examples=500, deadline=None, derandomize=True)
@given(text=MIXED)
def test_words_of_a_query_that_are_terms_are_terms_of_the_same_text(
    analyzer: Analyzer, text: str
) -> None:
    terms = set(texts(analyzer, text))
    for word in analyzer.query_terms(text):
        assert text[word.start : word.end]
        if word.is_term:
            assert word.text in terms
        assert set(word.units) <= set(terms)


def test_an_identifier_is_known_as_one(analyzer: Analyzer) -> None:
    def identifiers(query: str) -> list[str]:
        return [term.text for term in analyzer.query_terms(query) if term.is_identifier]

    assert identifiers("CVE-2021-44228 漏洞 2.17.1 D-Link") == ["cve-2021-44228", "2.17.1"]
    assert identifiers("d41d8cd98f00b204e9800998ecf8427e") == ["d41d8cd98f00b204e9800998ecf8427e"]


def test_jieba_and_rjieba_cut_the_same(analyzer: Analyzer) -> None:
    del analyzer
    terms = ["奇安信", "永恒之蓝", "远程代码执行"]
    reference, fast = JiebaSegmenter(terms), RustJiebaSegmenter(terms)
    runs = [
        "南京市长江大桥中国农业发展银行大数据安全网络安全法马克思主义一段简单的远程代码执行",
        "奇安信披露永恒之蓝变种在野利用攻击者借助远程代码执行漏洞横向移动窃取数据",
        "研究人员发现了一个此前未知的后门程序该程序伪装成系统服务并定期回连控制端",
        "人人都是产品经理的的的一一二二三三",
    ]

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(st.text(st.sampled_from("".join(runs)), min_size=1, max_size=40))
    def same(run: str) -> None:
        assert reference.cut(run) == fast.cut(run)
        assert list(reference.cut_all(run)) == list(fast.cut_all(run))
        for word, start in fast.cut_all(run):
            assert run.startswith(word, start)
            assert fast.is_known(word)
            assert reference.is_known(word)

    same()
    for run in runs:
        assert reference.cut(run) == fast.cut(run)
        assert list(reference.cut_all(run)) == list(fast.cut_all(run))


def test_a_file_of_terms_adds_words_and_changes_the_fingerprint(
    analyzer: Analyzer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("terms") / "terms.txt"
    path.write_text("# 注释\n玄圃实验室\nX&Y\n", encoding="utf-8")
    extended = Analyzer(path)
    assert extended.fingerprint != analyzer.fingerprint
    assert "玄圃实验室" in texts(extended, "据玄圃实验室称")
    assert "玄圃实验室" not in texts(analyzer, "据玄圃实验室称")
    assert "x&y" in texts(extended, "由X&Y发布")


def test_word_boundaries_stand_between_words(analyzer: Analyzer) -> None:
    title = "ＡＰＴ组织攻击了医院"
    cuts = analyzer.word_boundaries(title)
    assert [title[cut - 1 : cut + 1] for cut in cuts] == ["织攻", "击了", "了医"]


def test_an_address_keeps_the_place_of_each_of_its_letters() -> None:
    text = "见http://example.com与hxxps://a[.]example"
    normal = normalise(text)
    assert normal.text == "见http://example.com与https://a.example"
    assert text[slice(*normal.span(1, 5))] == "http"
    at = normal.text.index("https")
    assert text[slice(*normal.span(at, at + 5))] == "hxxps://"


@pytest.mark.parametrize("start", ["", "http://", "a@"])
def test_the_terms_of_a_name_without_end_are_no_more_than_a_few_dozen_times_its_text(
    analyzer: Analyzer, start: str
) -> None:
    text = start + "ab." * 2000 + "cn"
    # All that follows each of its parts was a term: gigabytes for half a million characters.
    assert sum(len(token.text) for token in analyzer.tokens(text)) < 50 * len(text)


@given(
    st.lists(
        st.sampled_from(["a", "b1", ".", "-", "1.2", " ", "漏", "洞", "·", "cve-2024-1", "@"])
    ),
    st.integers(0, 40),
    st.integers(1, 6),
    st.booleans(),
)
def test_units_are_found_in_a_text_where_a_split_of_all_of_it_has_them(
    pieces: list[str], place: int, count: int, is_prefix: bool
) -> None:
    splitter = UnitSplitter()
    text = "".join([*pieces, "a "] * 3)
    every = [unit.text for unit in splitter.split(text)]
    rows = [every[first : first + count] for first in range(len(every))]
    # Of characters alone, places do not overlap.
    rows = [row for row in rows if any(unit.isascii() for unit in row)]
    units = rows[place % len(rows)]
    finder = UnitFinder(splitter)
    found = list(finder.find(text, units, is_prefix=is_prefix))
    assert sorted(found) == sorted(finder._within(text, units, is_prefix))


def test_many_units_alike_are_looked_for_one_after_another_and_not_in_every_combination() -> None:
    finder = UnitFinder(UnitSplitter())
    assert list(finder.find("1 " * 30 + "漏", ["1"] * 31)) == []
    assert list(finder.find("1 " * 30 + "漏", ["1"] * 30)) == [(0, 59)]


def test_a_stretch_that_holds_a_unit_thousands_of_times_is_walked_along_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    walked: list[int] = []
    stretch = UnitFinder._stretch

    def count(finder: UnitFinder, text: str, start: int, end: int, least: int) -> tuple[int, int]:
        found = stretch(finder, text, start, end, least)
        walked.append(found[1] - found[0])
        return found

    monkeypatch.setattr(UnitFinder, "_stretch", count)
    text = "20-" * 20_000
    assert len(list(UnitFinder(UnitSplitter()).find(text, ["20"]))) == 20_000
    assert sum(walked) == len(text)
