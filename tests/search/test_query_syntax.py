"""Every line of docs/query-syntax.md and of /help/query, tried on a few articles."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from index.document import BEIJING, Article, Mention
from search import Searcher, SearchRequest

ROOT = Path(__file__).parents[2]

ARTICLES = {
    "gateway": ("网关漏洞可被远程利用", "攻击者远程发送请求即可执行命令。", "2024-02-01"),
    "drill": ("漏洞应急演练举行", "本次演练以网关为题，查漏洞。", "2024-03-10"),
    "exact": ("某平台曝远程代码执行漏洞", "编号 CVE-2026-90001。", "2024-04-02"),
    "hospital": ("医院遭勒索软件攻击后停诊", "医院停诊三日，未付赎金。", "2024-04-20"),
    "ransom": ("赎金谈判的行情", "一家医院付了赎金。", "2024-05-06"),
    "english": ("Ransomware 周报", "微步情报局披露新样本。", "2025-01-05"),
}

# What each written example finds, all of its words being asked for.
EXPECTED = (
    ("gateway drill", "网关 漏洞", "网关，漏洞", "网关 +漏洞", "网关 AND 漏洞", "网关 且 漏洞"),
    ("gateway drill", "before:2024-04", "早于:2024-04"),
    ("exact", "“远程代码执行”", '"远程代码执行"', "「远程代码执行」", '"远程 执行"~5'),
    ("exact", "CVE-2026*", "cve:2026-90001", "cve:CVE-2026-90001", "CVE-2026-90001", "90001"),
    ("exact", "作者:王五", "author:王五"),
    ("exact gateway", "漏洞 -演练", "漏洞 NOT 演练", "漏洞 非 演练", "漏洞 不含 演练"),
    ("hospital ransom", "医院 停诊 OR 赎金", "医院 停诊 或 赎金", "医院 停诊 | 赎金"),
    ("hospital ransom", "(医院 停诊) OR 赎金", "（医院 停诊） 或 赎金"),
    ("hospital english", "勒索病毒"),
    ("exact", "编号:CVE-2026-90001", "identifier:cve-2026-90001"),
    ("english", "主角:微步在线", "acting:ThreatBook"),
    ("english", "ThreatBook"),
    ("hospital english", "机构:微步在线", "organisation:ThreatBook", "org:微步"),
    ("hospital", "title:医院", "标题:医院", "标题：(医院 停诊)", "勒*"),
    ("hospital", "2024年4月 停诊", "停诊 2024年3月至4月"),
    ("gateway drill exact", "分类:漏洞", "类别:漏洞", "category:漏洞"),
    ("gateway drill exact hospital ransom", "来源:嘶吼", "媒体:嘶吼", "source:嘶吼"),
    ("gateway drill exact hospital ransom english", "来源:(嘶吼 或 安全客)"),
    ("exact hospital ransom english", "after:2024-04", "自:2024-04"),
    ("exact hospital", "date:2024-04", "时间:2024-04"),
    ("drill exact hospital", "日期:2024-03..2024-04"),
)
FOUND = {example: set(ids.split()) for ids, *examples in EXPECTED for example in examples}


@pytest.fixture(scope="module")
def searcher(
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Searcher]:
    threat_book = Mention(
        name="微步在线", type="company", salient=True, surfaces=("微步",), evidence=()
    )
    mentions = {"english": (threat_book,), "hospital": (replace(threat_book, salient=False),)}
    searcher = fill_folder(
        tmp_path_factory.mktemp("syntax"),
        [
            article_maker(
                id=name,
                title=title,
                body=body,
                published=datetime.fromisoformat(day).replace(tzinfo=BEIJING),
                category="漏洞" if "漏洞" in title else "新闻",
                source="安全客" if name == "english" else "嘶吼",
                author="王五" if name == "exact" else None,
                mentions=mentions.get(name, ()),
                identifiers=("CVE-2026-90001",) if name == "exact" else (),
            )
            for name, (title, body, day) in ARTICLES.items()
        ],
    )
    yield searcher
    searcher.close()


def examples(text: str, pattern: str) -> list[str]:
    return [example.replace("\\|", "|") for example in re.findall(pattern, text)]


def documented() -> list[str]:
    text = (ROOT / "docs" / "query-syntax.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \| ", text, re.MULTILINE)
    return [example for row in rows for example in examples(row, r"`([^`]+)`")]


def helped() -> list[str]:
    page = (ROOT / "web" / "templates" / "help_query.html").read_text(encoding="utf-8")
    return [row.replace('\\"', '"') for row in re.findall(r'\{\{ row\("((?:\\"|[^"])+)", ', page)]


@pytest.mark.parametrize("example", dict.fromkeys([*documented(), *helped()]))
def test_each_documented_line_finds_what_it_says(searcher: Searcher, example: str) -> None:
    results = searcher.search(SearchRequest(query=example, match="all"))
    assert results.notices == ()
    assert {hit.id for hit in results.hits} == FOUND[example]
    assert bool(results.understood) == ("年" in example)
