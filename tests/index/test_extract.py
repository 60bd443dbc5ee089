"""Extraction: saved pages beside the articles they hold, and what no page may break."""

import re
import tomllib
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.corpus import Page
from index.document import BEIJING
from index.errors import NotAnArticle
from index.extract import extract, extractor_fingerprint, markup
from index.extract.blocks import Block, Link, join_lines
from index.extract.bounds import LONGEST_BODY, bounded
from index.extract.dates import find_time, parse_iso
from index.extract.decode import decode
from index.extract.furniture import is_footer
from index.extract.markdown import read_markdown, split_front_matter

PAGES = Path(__file__).parents[1] / "data" / "pages"
SAVED = sorted([*PAGES.glob("*.html"), *PAGES.glob("[!R]*.md")])


def saved(path: Path) -> Page:
    return Page(
        path=path.name, raw=path.read_bytes(), format="html" if path.suffix == ".html" else "md"
    )


def markdown(text: str) -> Page:
    return Page(path="page.md", raw=text.encode(), format="md")


@pytest.mark.parametrize("path", SAVED, ids=[path.stem for path in SAVED])
def test_a_saved_page_gives_the_article_beside_it(path: Path) -> None:
    expected: dict[str, Any] = tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))
    if reason := expected.get("skipped"):
        with pytest.raises(NotAnArticle) as raised:
            extract(saved(path))
        assert raised.value.reason == reason
        return
    article = extract(saved(path))
    assert article.body.split("\n") == expected.pop("body_lines")
    assert [image.caption for image in article.images if image.caption] == expected.pop(
        "captions", [image.caption for image in article.images if image.caption]
    )
    for name, value in expected.items():
        assert getattr(article, name) == (tuple(value) if isinstance(value, list) else value), name


@pytest.mark.parametrize(
    "stem", ["portal-4hou", "portal-anquanke", "portal-freebuf", "portal-solidot"]
)
def test_a_portal_without_its_own_rules_still_gives_title_time_and_most_of_the_text(
    stem: str,
) -> None:
    path = PAGES / f"{stem}.md"
    ours, general = extract(saved(path)), extract(saved(path), own_rules=False)
    assert general.title == ours.title
    if stem != "portal-freebuf":  # its title was changed after the crawl
        assert general.published == ours.published
    assert set(general.body.split("\n")) >= set(ours.body.split("\n")[:1])


def test_a_body_cut_by_the_crawl_is_marked_and_loses_its_dots() -> None:
    text = (PAGES / "portal-4hou.md").read_text(encoding="utf-8")
    head = text[: text.index("详细的时间线")]
    long = (
        head + "青梧机电的工程师逐台核对了巡检脚本。\n\n" * 450 + "最后一台主机的硬盘里只剩下半..."
    )
    article = extract(markdown(long))
    assert article.truncated
    assert article.body.endswith("最后一台主机的硬盘里只剩下半")
    assert not extract(markdown(text)).truncated


def test_the_pages_own_time_beats_the_crawls_day_and_an_edit_does_not() -> None:
    page = (
        "---\ntitle: 标题一则\nurl: https://a.example/1\ndate: 2024-05-07\n---\n\n"
        "# 标题一则\n\n{}\n\n"
        + ("海若物流称，运单查询已于昨日中午恢复，客户数据未见外泄。\n\n" * 3)
    )
    printed = extract(markdown(page.format("2024-05-06 10:20")))
    assert printed.published == datetime(2024, 5, 6, 10, 20, tzinfo=BEIJING)
    edited = extract(markdown(page.format("最后编辑于 2025-01-01 10:20")))
    assert edited.published == datetime(2024, 5, 7, tzinfo=BEIJING)
    assert edited.published_precision == "day"


def test_a_lead_that_the_body_repeats_counts_once() -> None:
    article = extract(saved(PAGES / "portal-4hou.md"))
    assert article.lead_is_repeated
    assert not replace(article, lead="另一句话。").lead_is_repeated
    assert not replace(
        article, lead="CVE-2026-9001", body="CVE-2026-90017 的公告。"
    ).lead_is_repeated


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-04-30 09:36:00", (2024, 4, 30, 9, 36)),
        ("发布时间 : 2022-10-31 14:30:32", (2022, 10, 31, 14, 30)),
        ("发表于 2022年10月25日 11时50分 星期二", (2022, 10, 25, 11, 50)),
        ("2023-1-17 21:6:38", (2023, 1, 17, 21, 6)),
        ("2015/04/16 10:10", (2015, 4, 16, 10, 10)),
        ("2024年5月6日（星期一）下午3:05", (2024, 5, 6, 15, 5)),
        ("2025-6-5更新 某账号 2025-06-05 15:16", (2025, 6, 5, 15, 16)),
        ("2024.05.06", (2024, 5, 6)),
        ("版本 2024.05.06.1", None),
        ("2024-13-01", None),
        ("2024-02-30 10:00", None),
        ("没有日期", None),
    ],
)
def test_printed_times_are_read(text: str, expected: tuple[int, ...] | None) -> None:
    found = find_time(text)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found.moment.replace(second=0) == datetime(*expected, tzinfo=BEIJING)  # type: ignore[misc]
        assert found.precision == ("minute" if len(expected) > 3 else "day")


def test_a_time_told_from_the_crawl_is_exact_to_the_day() -> None:
    fetched = datetime(2025, 11, 1, 3, 11, tzinfo=BEIJING)
    found = find_time("19小时 前发布", fetched)
    assert found is not None
    assert (found.moment, found.precision) == (datetime(2025, 10, 31, tzinfo=BEIJING), "day")
    assert find_time("19小时 前发布") is None


def test_machine_readable_times_are_moved_to_beijing() -> None:
    found = parse_iso("2025-09-03T02:15:00Z")
    assert found is not None
    assert found.moment == datetime(2025, 9, 3, 10, 15, tzinfo=BEIJING)
    local = parse_iso("2019-09-07 13:43:45")
    assert local is not None
    assert local.moment == datetime(2019, 9, 7, 13, 43, 45, tzinfo=BEIJING)


@pytest.mark.parametrize(
    "encoding", ["gb2312", "gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16", "big5"]
)
def test_pages_are_read_in_the_encodings_they_are_kept_in(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    text = f'<meta charset="{declared}">网络安全：某机构披露勒索事件'
    if encoding == "big5":
        text = f'<meta charset="{declared}">網絡安全'
    assert decode(text.encode(encoding)) == text


def test_a_wrong_declaration_does_not_spoil_valid_utf8() -> None:
    text = '<meta charset="gb2312">网络安全'
    assert decode(text.encode()) == text
    assert decode("网络安全".encode()[:-1]) == "网络安\ufffd"


def test_front_matter_is_split_at_the_first_colon() -> None:
    values, rest = split_front_matter(
        '---\ntitle: 甲: "乙" [丙]\nurl: https://a.example/1\n---\n正文'
    )
    assert values == {"title": '甲: "乙" [丙]', "url": "https://a.example/1"}
    assert rest == "正文"
    assert split_front_matter("---\n正文\n---\n") == ({}, "---\n正文\n---\n")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("**“零日”**漏洞", "“零日”漏洞"),
        ("使用`a*b*c`与*强调*", "使用a*b*c与强调"),
        (r"sqlite3\_key 与 \*星号\*", "sqlite3_key 与 *星号*"),
        ('[链接](https://a.example/x_(1) "题")之后', "链接之后"),
        ("<https://a.example/1>", "https://a.example/1"),
        ("[![](a.png) 图文](https://a.example)", "图文"),
        ("&lt;script&gt; &amp; 其他", "<script> & 其他"),
        ("零\u200b宽\ufeff", "零宽"),
        ("## 井号 ##  ", "井号"),
        ("* ### 井号", "井号"),
        ("用``a`b``与`c`", "用a`b与c"),
        ("没有合上的`号", "没有合上的`号"),
        ("__粗__ 与a__b__c", "粗 与a__b__c"),
    ],
)
def test_markup_goes_and_text_stays(line: str, text: str) -> None:
    (block,) = read_markdown(line)
    assert block.text == text


@pytest.mark.parametrize(
    "words",
    [
        *(
            "Copyright 2024",
            "© 2024",
            "all rights reserved",
            "京ICP备1号",
            "powered by X",
            "Theme by X",
        ),
        *(
            "京公网安备1号",
            "公安备案",
            "经营许可证",
            "服务许可证",
            "出版许可证",
            "备案号",
            "举报电话",
        ),
        *(
            "违法和不良信息",
            "RSS",
            "rss",
            "站点地图",
            "友情链接",
            "隐私政策",
            "用户协议",
            "服务条款",
        ),
        *("使用条款", "联系我们", "关于我们", "访问量", "访客数"),
    ],
)
def test_a_footer_is_known_by_its_words(words: str) -> None:
    assert is_footer(Block("text", words))
    assert is_footer(Block("text", f"某站 {words}"))
    assert not is_footer(Block("text", "一" * 90 + words))


def test_a_link_over_two_lines_is_one_link() -> None:
    (block,) = read_markdown("* [![]()\n  另一篇文章的标题](https://a.example/2)")
    assert block.links == (Link("另一篇文章的标题", "https://a.example/2"),)
    assert block.is_link


def test_lines_that_a_page_broke_are_joined() -> None:
    blocks = [
        Block("text", "近日，安全团队"),
        Block("text", "披露了一处漏洞。", follows=True),
        Block("text", "建议升级。", follows=True),
        Block("text", "Cobalt"),
        Block("text", "Strike", follows=True),
    ]
    assert join_lines(blocks) == "近日，安全团队披露了一处漏洞。\n建议升级。\nCobalt Strike"


def test_the_fingerprint_is_short_and_steady() -> None:
    assert extractor_fingerprint() == extractor_fingerprint()
    assert re.fullmatch("[0-9a-f]{16}", extractor_fingerprint())


pieces = st.sampled_from(
    [
        *(
            "---\n",
            "title: 题\n",
            "# 题\n",
            "\n\n",
            "[",
            "](",
            ")",
            "!",
            "**",
            "`",
            "```\n",
            "|",
            ">",
        ),
        *(
            "<table>",
            "</table>",
            "<p>",
            "<div>",
            "2024-05-06 10:00",
            "作者：",
            "相关文章\n",
            "正文。",
        ),
    ]
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    text=st.lists(pieces | st.text(max_size=8), max_size=40).map("".join),
    form=st.sampled_from(["md", "html"]),
)
def test_any_text_gives_an_article_or_a_reason(text: str, form: Any) -> None:
    page = Page(path="x", raw=text.encode("utf-8", "surrogatepass"), format=form)
    article, reason = None, ""
    try:
        article = extract(page)
    except NotAnArticle as error:
        reason = error.reason
    assert article or reason in {"captcha", "deleted", "links", "shell"}
    assert article is None or (article.title and "\n\n" not in article.body)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(raw=st.binary(max_size=400), form=st.sampled_from(["md", "html"]))
def test_any_bytes_give_an_article_or_a_reason(raw: bytes, form: Any) -> None:
    with suppress(NotAnArticle):
        extract(Page(path="x", raw=raw, format=form))


@pytest.mark.parametrize(
    "piece", ["[", "![", "**", "](", "`", "<table>", "(", "作者：", "2024-01-01 "]
)
def test_repetition_does_not_take_long(piece: str) -> None:
    for form in ("md", "html"):
        page = Page(path="x", raw=("# 题\n\n" + piece * 20_000).encode(), format=form)  # type: ignore[arg-type]
        with suppress(NotAnArticle):
            extract(page)


@pytest.mark.parametrize(
    "line",
    [
        "# 题" + " " * 20_000 + "x",
        "# 题" + " #" * 20_000 + "x",
        "x" + "`" * 20_000,
        "x" + "` ``" * 10_000,
        "x" + "_" * 40_000 + "x",
    ],
    ids=["spaces", "marks", "ticks", "rows of ticks", "underscores"],
)
def test_a_line_of_repeated_marks_does_not_take_long(line: str) -> None:
    started = process_time()
    read_markdown(line)
    assert process_time() - started < 2  # a hundredth; some took minutes


def test_deep_nesting_is_survived() -> None:
    page = Page(path="x", raw=b"<h1>title of it</h1>" + b"<div>" * 5_000 + b"text", format="html")
    with pytest.raises(NotAnArticle):
        extract(page)


def test_an_element_with_too_many_attributes_is_read_without_its_tag_and_at_once() -> None:
    attributes = " ".join(f"a{number}='{number}'" for number in range(60_000))
    text = "某设备的漏洞已经修复，补丁已发布，请尽快升级。" * 9
    raw = f"<title>漏洞通报</title><body {attributes}><h1>漏洞通报</h1><p>{text}</p>".encode()
    started = process_time()
    assert extract(Page(path="a.html", raw=raw, format="html")).body == text
    assert process_time() - started < 2


TEXT = "某设备的漏洞已经修复，补丁已发布，请尽快升级。" * 9


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "<i>" * 100_000),
        ("<br>" * 10_000, "<p>a" * 100_000),
        ("<b class=author>" * 100, "&" * 400_000),
        ("<table><tr><td>a" * 10, "<table><tr><td>a" * 1000),
        ("", "<div class=share>" * 30_000 + "a"),
    ],
    ids=["elements", "lines", "entities", "tables", "furniture"],
)
def test_a_page_with_more_than_any_page_has_gives_the_article_before_it(
    before: str, after: str
) -> None:
    raw = f"<title>漏洞通报</title>{before}<h1>漏洞通报</h1><p>{TEXT}</p>{after}".encode()
    assert TEXT in extract(Page(path="a.html", raw=raw, format="html")).body


def test_a_page_is_read_as_far_as_its_pieces_go() -> None:
    assert bounded("a" * 5_000_000, "md") == "a" * 4_000_000
    assert bounded("a" * 5_000_000, "html") == "a" * 2_000_000
    assert bounded(f"<img src='data:{'a' * 5_000_000}'>b", "html") == "<img src='data:,'>b"
    assert bounded("\0" * 5_000_000 + "a", "html") == "a"
    page = "<p>a" * 12_000
    assert bounded(page, "html") == page
    assert bounded(page + "<p>a", "html") == page
    assert len(read_markdown("正文。\n" * 30_000)) == 20_000
    assert len(read_markdown("```\n" + "a\n" * 30_000)) == 20_000


@pytest.mark.parametrize(("depth", "is_asked"), [(10, True), (200, False)])
def test_readability_is_not_asked_for_text_that_it_would_read_for_each_of_many_elements(
    depth: int, is_asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(markup, "_Document", asked.append)
    raw = f"<title>漏洞通报</title>{'<blockquote>' * depth}{TEXT * 1500}".encode()
    article = extract(Page(path="a.html", raw=raw, format="html"))
    assert bool(asked) is is_asked
    assert TEXT in article.body


@pytest.mark.parametrize("url", ["http://[", "http://[::1", "https://a]/b", "http://[a]:x/"])
def test_a_page_of_an_address_that_is_none_has_an_article(url: str) -> None:
    raw = f"---\nurl: {url}\n---\n\n# 漏洞通报\n\n{TEXT}".encode()
    assert extract(Page(path="a.md", raw=raw, format="md")).body == TEXT


def test_a_body_beyond_all_bodies_is_cut_and_says_so() -> None:
    article = extract(Page(path="a.md", raw=("# 漏洞通报\n\n" + TEXT * 3000).encode(), format="md"))
    assert article.truncated
    assert article.body == (TEXT * 3000)[:LONGEST_BODY]


def test_no_field_is_longer_than_any_page_has_it() -> None:
    long = "长" * 100_000
    matter = "\n".join(f"{name}: {long}" for name in ("title", "source", "author", "category"))
    url = f"https://tingchao.example/{long}"
    raw = f"---\n{matter}\nurl: {url}\n---\n\n摘要：{long}\n\n{TEXT}\n![]({url})".encode()
    article = extract(Page(path="a.md", raw=raw, format="md"))
    assert TEXT in article.body
    assert article.url is None
    assert article.images == ()
    lengths = [len(getattr(article, name) or "") for name in ("title", "source", "author", "lead")]
    assert max(lengths) <= 4_000
    assert len(article.category_printed or "") <= 400
