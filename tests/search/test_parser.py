"""The query language: what is read, what is reported, and that both never fail."""

from datetime import date

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from index.analysis import Analyzer
from index.errors import QueryError
from search.parser import MAX_CLAUSES, MAX_DEPTH, MAX_LENGTH, ParsedQuery, parse_query
from search.query import BooleanQuery, KeywordQuery, MatchQuery, PhraseQuery, PrefixQuery, Query
from search.syntax import to_text

TODAY = date(2026, 11, 27)

PIECES = [
    *(
        "勒索软件",
        "微软",
        "漏洞",
        "a",
        "foo(bar)",
        "CVE-2024-3400",
        "2.17.1",
        "evil[.]example",
        "C++",
    ),
    *(" ", "  ", "\u3000", "，", "、", "。", "…", "\n"),
    *("OR", "或", "或者", "|", "AND", "且", "&&", "NOT", "非", "不含"),
    *("(", ")", "（", "）", "“", "”", '"', "「", "」", "『", "』", "〝", "＂"),
    *("-", "－", "+", "＋", "*", "＊", "~", "～", "~5", "~99999", ":", "：", "!", "&"),
    *(
        "title:",
        "Title:",
        "tıtle:",
        "ſource:",
        "标题：",
        "机构:",
        "organisation:",
        "来源：",
        "分类:",
        "作者:",
        "cve:",
        "date:",
        "自:",
    ),
    *("after:", "before:", "早于：", "2024", "2024-04", "2024-02-30", "0001", "9999-12-31", ".."),
    *("2024年4月", "最近一周", "今年", "2025", "4月30日", "近0天", "2024年13月", "至"),
]
typed = st.lists(st.sampled_from(PIECES), max_size=16).map("".join) | st.text(max_size=40)


def read(text: str, analyzer: Analyzer, *, reads_periods: bool = True) -> ParsedQuery:
    return parse_query(text, analyzer, today=TODAY, reads_periods=reads_periods)


def check(text: str, analyzer: Analyzer) -> None:
    parsed = read(text, analyzer)
    again = read(to_text(parsed.query), analyzer, reads_periods=False)
    assert again.query == parsed.query, to_text(parsed.query)
    for notice in parsed.notices:
        assert 0 <= notice.start <= notice.end <= len(text)
        assert notice.message
    for understood in parsed.understood:
        assert understood.text in text


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(text=typed)
@example(text="-机构:(勒索软件 勒索软件")
def test_a_query_is_always_read_and_written_as_it_was_read(analyzer: Analyzer, text: str) -> None:
    check(text, analyzer)


@pytest.mark.soak
@settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=typed)
def test_a_query_is_always_read_and_written_as_it_was_read_at_length(
    analyzer: Analyzer, text: str
) -> None:
    check(text, analyzer)


def words(*texts: str) -> tuple[Query, ...]:
    return tuple(MatchQuery(text=text) for text in texts)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("微软 漏洞", BooleanQuery(must=words("微软 漏洞"))),
        ("微软，漏洞", BooleanQuery(must=words("微软 漏洞"))),
        (
            "微软 漏洞 OR 补丁",
            BooleanQuery(must=(*words("微软"), BooleanQuery(should=words("漏洞", "补丁")))),
        ),
        ("漏洞 或 补丁", BooleanQuery(should=words("漏洞", "补丁"))),
        (
            "(a b) | c",
            BooleanQuery(should=words("a b", "c")),
        ),
        (
            "a AND b OR c",
            BooleanQuery(
                should=(
                    BooleanQuery(
                        must=(
                            MatchQuery(text="a", is_required=True),
                            MatchQuery(text="b", is_required=True),
                        )
                    ),
                    *words("c"),
                )
            ),
        ),
        ("漏洞 －演练", BooleanQuery(must=words("漏洞"), must_not=words("演练"))),
        ("漏洞 非 演练", BooleanQuery(must=words("漏洞"), must_not=words("演练"))),
        ("--漏洞", BooleanQuery(must=words("漏洞"))),
        ("+漏洞", BooleanQuery(must=(MatchQuery(text="漏洞", is_required=True),))),
        (
            "特权提升漏洞（CNVD-2016-01558）",
            BooleanQuery(must=words("特权提升漏洞（CNVD-2016-01558）")),
        ),
        ("“远程 代码”～5", BooleanQuery(must=(PhraseQuery(text="远程 代码", slop=5),))),
        ("「远程代码」", BooleanQuery(must=(PhraseQuery(text="远程代码"),))),
        ("网络勒*", BooleanQuery(must=(PrefixQuery(text="网络勒"),))),
        ("标题：医院", BooleanQuery(must=(MatchQuery(text="医院", fields=("title",)),))),
        (
            "title:(医院 停诊)",
            BooleanQuery(must=(MatchQuery(text="医院 停诊", fields=("title",)),)),
        ),
        (
            "机构:(微软 或 谷歌)",
            BooleanQuery(filter=(KeywordQuery(field="organisation", values=("微软", "谷歌")),)),
        ),
        ("作者:「王 五」", BooleanQuery(filter=(KeywordQuery(field="author", values=("王 五",)),))),
        (
            "编号:cve–2024–3400",
            BooleanQuery(filter=(KeywordQuery(field="identifier", values=("CVE-2024-3400",)),)),
        ),
        ("编号:t1059", BooleanQuery(filter=(KeywordQuery(field="identifier", values=("T1059",)),))),
        (
            "主角:(微软 OR 谷歌)",
            BooleanQuery(filter=(KeywordQuery(field="acting", values=("微软", "谷歌")),)),
        ),
        ("cve:2024-3400", BooleanQuery(must=(PhraseQuery(text="CVE-2024-3400"),))),
        ("cve:CVE-2024-3400", BooleanQuery(must=(PhraseQuery(text="CVE-2024-3400"),))),
        ("https://a.example/x:y", BooleanQuery(must=words("https://a.example/x:y"))),
        ("", BooleanQuery()),
    ],
)
def test_each_sign_says_what_it_says(analyzer: Analyzer, text: str, query: BooleanQuery) -> None:
    parsed = read(text, analyzer)
    assert parsed.query == query
    assert parsed.notices == ()


@pytest.mark.parametrize(
    ("text", "code", "left"),
    [
        ("漏洞 “勒索", "unbalanced_quote", '漏洞 "勒索"'),
        ("(漏洞 勒索", "unbalanced_bracket", "漏洞 勒索"),
        ("漏洞 OR", "lone_operator", "漏洞"),
        ("AND 漏洞", "lone_operator", "漏洞"),
        ("title: 漏洞", "empty_field", "漏洞"),
        ("漏洞 after:明天", "bad_date", "漏洞"),
        ("漏洞 before:0001", "bad_date", "漏洞"),
        ("漏洞 date:2024-06..2024-04", "bad_date", "漏洞"),
        ("cve:abc 漏洞", "bad_identifier", "漏洞"),
        ("编号:abc 漏洞", "bad_identifier", "漏洞"),
        ("编号:(CVE-2024-3400,CVE-2024-3401) 漏洞", "bad_identifier", "漏洞"),
        ("漏洞 ???", "nothing_to_search", "漏洞"),
        ("漏洞 “。”", "nothing_to_search", "漏洞"),
    ],
)
def test_a_mistake_leaves_the_readable_part_and_is_told(
    analyzer: Analyzer, text: str, code: str, left: str
) -> None:
    parsed = read(text, analyzer)
    assert code in {notice.code for notice in parsed.notices}
    assert to_text(parsed.query) == left


def test_a_bracket_that_closes_nothing_is_passed_over(analyzer: Analyzer) -> None:
    assert to_text(read("漏洞) 勒索）", analyzer).query) == "漏洞 勒索"


def test_a_query_that_is_too_long_is_refused(analyzer: Analyzer) -> None:
    with pytest.raises(QueryError, match=str(MAX_LENGTH)):
        read("漏" * (MAX_LENGTH + 1), analyzer)


@pytest.mark.parametrize(
    ("text", "words", "first", "last"),
    [
        ("微软2024年7月补丁日", "2024年7月", "2024-07-01", "2024-07-31"),
        ("2024年2月29日 停机", "2024年2月29日", "2024-02-29", "2024-02-29"),
        ("2024年4月至6月 泄露", "2024年4月至6月", "2024-04-01", "2024-06-30"),
        ("2023年12月到2024年2月 泄露", "2023年12月到2024年2月", "2023-12-01", "2024-02-29"),
        ("最近一周 勒索", "最近一周", "2026-11-21", "2026-11-27"),
        ("近三个月数据泄露", "近三个月", "2026-08-30", "2026-11-27"),
        ("过去30天 勒索", "过去30天", "2026-10-29", "2026-11-27"),
        ("今年的勒索软件", "今年", "2026-01-01", "2026-11-27"),
        ("去年 勒索", "去年", "2025-01-01", "2025-12-31"),
        ("本月 补丁", "本月", "2026-11-01", "2026-11-27"),
        ("上个月 补丁", "上个月", "2026-10-01", "2026-10-31"),
        ("上周 补丁", "上周", "2026-11-16", "2026-11-22"),
        ("今天 补丁", "今天", "2026-11-27", "2026-11-27"),
    ],
)
def test_a_period_is_read_from_words(
    analyzer: Analyzer, text: str, words: str, first: str, last: str
) -> None:
    parsed = read(text, analyzer)
    (understood,) = parsed.understood
    assert (understood.text, understood.field) == (words, "published")
    assert (str(understood.first), str(understood.last)) == (first, last)
    assert parsed.without_period == read(text, analyzer, reads_periods=False).query
    assert words not in to_text(parsed.query)


@pytest.mark.parametrize(
    "text",
    [
        "2024年网络安全报告",  # a report on 2024 appears in 2025
        "4月30日 停机",
        "2024年上半年 泄露",
        "2024年4月 2024年6月 泄露",  # which of the two?
        "工信部今年通报 2025",  # contradicts itself
        "“今年” 补丁",
        "title:今年",
        "-今年 补丁",
        "今年 或 去年",
        "今年 补丁 after:2024",
        "2024年13月 补丁",
        "2024年2月30日 补丁",
        "12024年4月",
    ],
)
def test_what_may_mean_something_else_is_no_period(analyzer: Analyzer, text: str) -> None:
    parsed = read(text, analyzer)
    assert parsed.understood == ()
    assert parsed.without_period is None


@pytest.mark.parametrize(
    ("query", "cap"),
    [
        (" ".join(f"a{n}*" for n in range(17)), "最多 16 个"),
        ("漏洞 " * (MAX_CLAUSES + 1), f"最多 {MAX_CLAUSES} 个词"),
        ("漏洞" * (MAX_CLAUSES + 1), f"最多 {MAX_CLAUSES} 个词"),
        ("医院 OR (" + "来源:嘶吼 " * MAX_CLAUSES, f"最多 {MAX_CLAUSES} 个词"),
        ("“漏洞”" * (MAX_CLAUSES + 1), f"最多 {MAX_CLAUSES} 个词"),
        ("(" * (MAX_DEPTH + 1) + "漏洞", f"最多套 {MAX_DEPTH} 层"),
        (" OR ".join(f"-(title:a{n}*)" for n in range(17)), "最多 16 个"),
        (" ".join(['"的 是"~9'] * 9), "最多 16 个"),
        (f'"{"的是" * 9}"~0', "最多 16 个"),
    ],
)
def test_a_query_that_costs_too_much_is_refused_and_the_cap_is_named(
    analyzer: Analyzer, query: str, cap: str
) -> None:
    with pytest.raises(QueryError, match=cap):
        parse_query(query, analyzer)


def test_as_much_as_a_query_may_cost_is_read(analyzer: Analyzer) -> None:
    prefixes = " ".join(f"a{n}*" for n in range(16))
    near = " ".join(['"的 是"~9'] * 8)
    assert not parse_query(f"{prefixes} {near}", analyzer).notices
    words = "(" * MAX_DEPTH + "漏洞 " * MAX_CLAUSES + ")" * MAX_DEPTH
    parsed = parse_query(words, analyzer)
    assert parsed.notices == ()
    assert to_text(parsed.query).split() == ["漏洞"] * MAX_CLAUSES


@pytest.mark.parametrize("name", ["ſource", "tıtle", "tİtle"])
def test_what_only_looks_like_a_field_is_text(name: str, analyzer: Analyzer) -> None:
    assert "source" in repr(read("SOURCE:a", analyzer).query)
    assert f"text='{name}:乙'" in repr(read(f"{name}:乙", analyzer).query)
