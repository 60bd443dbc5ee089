"""Related articles and the timeline of an event: on the page, as JSON, at the prompt."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from search.related import Coverage, Reason, Report
from tests.web.crafted import CraftedSearcher, make_copy, make_hit, make_reports
from tests.web.html import Element, Page, get_page
from web.cli import main
from web.markup import lag
from web.related import paragraphs_text, reason_text, reasons_text
from web.timeline import Timeline, timeline

ARTICLE = f"{1:016x}"


@pytest.fixture
def client(crafted_site: Flask) -> FlaskClient:
    return crafted_site.test_client()


@pytest.fixture
def page(client: FlaskClient) -> Page:
    return get_page(client, f"/article/{ARTICLE}")


def words(element: Element) -> str:
    return " ".join(element.text.split())


def block(page: Page, name: str) -> Element:
    return next(e for e in page.find("section") if e.attributes.get("aria-labelledby") == name)


def inside(element: Element, tag: str) -> list[Element]:
    return [e for e in element.inside if e.tag == tag]


# In words


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason(kind="event"), "同一事件"),
        (Reason(kind="identifier", values=("CVE-2024-3400",)), "同一编号 CVE-2024-3400"),
        (Reason(kind="organisation", values=("微步在线", "微软")), "共同提及 微步在线、微软"),
        (Reason(kind="group", values=("海莲花",)), "同一团伙 海莲花"),
        (Reason(kind="words", values=("租户", "代理端")), "用词相近：租户、代理端"),
    ],
)
def test_a_reason_is_told_in_words(reason: Reason, text: str) -> None:
    assert reason_text(reason) == text
    assert reasons_text((reason, reason)) == f"{text}；{text}"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((2,), "第 2 段"),
        ((1, 2, 4), "第 1、2、4 段"),
        ((1, 3, 4, 5, 6, 9), "第 1、3 至 6、9 段"),
    ],
)
def test_paragraphs_are_told_in_words(numbers: tuple[int, ...], text: str) -> None:
    assert paragraphs_text(numbers) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "同时"),
        (7, "+7 分"),
        (60, "+1 小时"),
        (9 * 60 + 48, "+9 小时 48 分"),
        (24 * 60, "+1 天"),
        (32 * 60 + 42, "+1 天 8 小时"),
        (10 * 24 * 60 + 60, "+10 天"),
        (1200 * 24 * 60, "+1,200 天"),
    ],
)
def test_a_lag_is_told_in_words(minutes: int, text: str) -> None:
    assert lag(timedelta(minutes=minutes)) == text


# The timeline


def told(reports: tuple[Report, ...], article: str = ARTICLE) -> Timeline:
    found = timeline(Coverage(article=article, reports=reports))
    assert found
    return found


def test_the_page_tells_who_reported_the_event_and_when(page: Page) -> None:
    section = block(page, "event")
    assert words(inside(section, "h2")[0]) == "同一事件 6 家，历时 3 天 7 小时"
    (scale,) = [e for e in inside(section, "ul") if "ruler-scale" in e.classes]
    assert words(scale) == "首发+1 天+2 天+3 天"
    (rows,) = inside(section, "ol")
    assert [words(row) for row in inside(rows, "li")] == [
        "首发 远舟平台疑似被利用，多家工厂产线停机 析木社区 03-17 23:48",
        "+9 小时 48 分 灰鹭借远程运维平台漏洞投放勒索软件"
        " 听潮网安 03-18 09:36 · 本篇，另有 3 家转载",
        "+14 小时 17 分 衡岳智联确认远舟平台存在越权上传漏洞 关山安全 03-18 14:05",
        "仅知日期 一个文件名引发的越权上传 漏洞早报 03-18",
        "+1 天 8 小时 三十七家企业停产名单之外：<b>供应商权限</b>谁来管 数防周刊 03-19 08:30",
        "+3 天 7 小时 青梧机电恢复两条产线 澜江日报 03-21 07:00",
    ]
    current = [row for row in inside(rows, "li") if row.attributes.get("aria-current") == "true"]
    assert len(current) == 1
    assert not inside(current[0], "a")
    links = [link.href for link in inside(rows, "a")]
    assert links == [f"/article/{number:016x}" for number in (0, 2, 3, 4, 5)]


def test_the_ruler_stands_in_attributes_and_leaves_out_days(page: Page) -> None:
    (ruler,) = page.find("svg", "ruler")
    assert ruler.attributes["aria-label"] == "5 篇报道距首发的时间，从 0 到 4 天"
    strokes = {
        name: [e.attributes["d"] for e in ruler.inside if name in e.classes]
        for name in ("tick", "tick-mine")
    }
    assert strokes["tick"] == [
        f"M{place} 2V28" for place in (0, 104, 238, 578, 71)
    ]  # of 700 for four days
    assert strokes["tick-mine"] == ["M71 2V28"]


def test_one_report_is_no_timeline(
    client: FlaskClient, crafted: CraftedSearcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reports in ((), crafted.reports[:1]):
        monkeypatch.setattr(crafted, "reports", reports)
        page = get_page(client, f"/article/{ARTICLE}")
        assert not page.find("ol", "timeline")
        related = block(page, "related")
        assert f"/article/{0:016x}" in [link.href for link in inside(related, "a")]


def test_where_only_days_are_known_nothing_is_first_and_nothing_measured() -> None:
    days = [replace(report.hit, published_precision="day") for report in make_reports()]
    found = told(tuple(Report(hit=hit, lag=None) for hit in days))
    assert {entry.lag for entry in found.shown} == {"仅知日期"}
    assert found.ruler is None
    assert found.summary == "6 家"


def test_behind_a_day_that_comes_first_no_lag_is_known() -> None:
    first, *others = make_reports()
    day = Report(hit=replace(first.hit, published_precision="day"), lag=None)
    found = told((day, *(Report(hit=report.hit, lag=None) for report in others)))
    assert [entry.lag for entry in found.shown[:3]] == ["仅知日期", "时差不详", "时差不详"]


def test_a_repost_names_the_outlet_that_had_it_first() -> None:
    first, second, *_ = make_reports()
    copies = (make_copy("析木社区", is_first=True), make_copy("工控圈"))
    repost = replace(second.hit, copies=copies, duplicate_count=2)
    found = told((first, Report(hit=repost, lag=second.lag)))
    assert [entry.copies for entry in found.shown] == ["", "转载，最早见于析木社区"]


def test_an_undated_report_says_so() -> None:
    found = told((*make_reports(), Report(hit=make_hit(9, published=None), lag=None)))
    assert (found.shown[-1].lag, found.shown[-1].when) == ("日期不详", "")


def test_reports_of_several_years_tell_the_year_and_outlets_are_counted_once() -> None:
    first, second, *_ = make_reports()
    later = replace(first.hit, id="z", published=first.hit.published + timedelta(days=400))
    found = told((first, second, Report(hit=later, lag=timedelta(days=400))))
    assert found.shown[0].when == "2026-03-17 23:48"
    assert found.summary == "3 篇，2 家，历时 400 天"
    assert found.ruler
    assert found.ruler.labels == ("首发", "+120 天", "+240 天", "+360 天")


def many(number: int, step: timedelta) -> tuple[Report, ...]:
    start = make_reports()[0].hit.published
    return tuple(
        Report(hit=make_hit(n, published=start + n * step), lag=n * step if n else None)
        for n in range(number)
    )


@pytest.mark.parametrize("current", [0, 11, 12, 39])
def test_of_a_long_event_twelve_reports_are_open_the_current_one_among_them(current: int) -> None:
    found = told(many(40, timedelta(hours=1)), f"{current:016x}")
    assert len(found.shown) == 12
    assert len(found.folded) == 28
    assert [entry.is_current for entry in found.shown].count(True) == 1
    shown = [entry.hit.id for entry in found.shown]
    assert shown == sorted(shown)
    assert len(found.ids) == 40


@pytest.mark.parametrize("number", [2, 12, 13])
def test_a_short_event_folds_nothing(number: int) -> None:
    assert not told(many(number, timedelta(minutes=3))).folded


@pytest.mark.parametrize("minutes", [1, 6, 59, 61, 600, 1441, 9000, 60_000, 800_000, 9_000_000])
def test_a_ruler_has_few_labels_and_every_report_stands_on_it(minutes: int) -> None:
    found = told(many(3, timedelta(minutes=minutes) / 2)).ruler
    assert found
    assert 1 <= len(found.labels) <= 5
    assert all(len(label.split()) <= 2 for label in found.labels)
    places = [*found.ticks, *([] if found.mine is None else [found.mine])]
    assert len(places) == 3
    assert all(0 <= place <= found.width for place in places)
    assert max(places) > found.width / 3


def test_reports_of_one_moment_need_no_ruler() -> None:
    assert told(many(3, timedelta())).ruler is None


# Related articles


def test_related_articles_stand_with_their_reasons_and_none_of_the_timeline(page: Page) -> None:
    section = block(page, "related")
    hits = [e for e in section.inside if "hit" in e.classes]
    assert [words(hit) for hit in hits] == [
        "2026-04-06 听潮网安 第20篇 同一编号 CVE-2026-31337；共同提及 衡岳智联、灰鹭",
        "2026-04-07 听潮网安 第21篇 同一团伙 灰鹭；共同提及 <i>海若物流</i>",
        "2026-04-08 听潮网安 第22篇 用词相近 远程运维、供应商、巡检脚本",
    ]
    assert not inside(section, "i")


def test_related_articles_are_answered_as_json(client: FlaskClient) -> None:
    answer = client.get(f"/api/v1/articles/{ARTICLE}/related?size=3")
    hits = answer.get_json()["hits"]
    assert [hit["same_event"] for hit in hits] == [True, True, False]
    assert hits[0]["reasons"] == [{"kind": "event", "values": [], "text": "同一事件"}]
    assert hits[2]["reasons"][1] == {
        "kind": "organisation",
        "values": ["衡岳智联", "灰鹭"],
        "text": "共同提及 衡岳智联、灰鹭",
    }
    found = client.get("/api/v1/search?size=1").get_json()["hits"][0]
    assert list(hits[0]) == [*found, "reasons", "same_event"]


@pytest.mark.parametrize("size", ["0", "51", "-1", "x", "1.5"])
def test_a_size_out_of_range_is_refused(client: FlaskClient, size: str) -> None:
    answer = client.get(f"/api/v1/articles/{ARTICLE}/related?size={size}")
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] == "bad_parameter"
    assert client.get(f"/api/v1/articles/{ARTICLE}/related?size=50").status_code == 200


def test_the_coverage_of_an_event_is_answered_as_json(client: FlaskClient) -> None:
    answer = client.get(f"/api/v1/articles/{ARTICLE}/coverage").get_json()
    assert answer["article"] == ARTICLE
    assert [report["lag_seconds"] for report in answer["reports"]] == [
        *(None, 35280, 51420, None, 117720, 285120),
    ]
    assert answer["reports"][3]["published_precision"] == "day"
    assert answer["reports"][1]["duplicate_count"] == 3


@pytest.mark.parametrize("what", ["related", "coverage"])
def test_an_unknown_article_has_neither(client: FlaskClient, what: str) -> None:
    answer = client.get(f"/api/v1/articles/0123456789abcdef/{what}")
    assert answer.status_code == 404
    assert answer.get_json()["error"]["code"] == "unknown_article"


# At the prompt


@pytest.fixture
def anwen(crafted: CraftedSearcher, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("web.cli_reading.open_searcher", lambda _: crafted)
    return lambda *words, **rest: CliRunner().invoke(main, ["related", *words], **rest)


def test_the_command_prints_related_articles(anwen: Callable[..., Result]) -> None:
    result = anwen(ARTICLE)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[6:9] == [
        "2026-04-06  听潮网安  第20篇",
        "  同一编号 CVE-2026-31337；共同提及 衡岳智联、灰鹭",
        "  https://tingchao.example/p/20",
    ]
    assert lines[-1] == "共 5 篇相关报道"


def test_the_command_prints_the_object_of_the_api(
    anwen: Callable[..., Result], client: FlaskClient
) -> None:
    asked: dict[str, Any] = client.get(f"/api/v1/articles/{ARTICLE}/related?size=2").get_json()
    answer = json.loads(anwen(ARTICLE, "--size", "2", "--json").stdout)
    assert answer == asked


def test_the_command_reads_a_text(anwen: Callable[..., Result], crafted: CraftedSearcher) -> None:
    result = anwen("-", "--size", "4", input="灰鹭借远程运维平台\n第二段")
    assert result.exit_code == 0, result.output
    assert crafted.asked[-1] == ("", "灰鹭借远程运维平台\n第二段", 4)


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("0123456789abcdef",), 1, "0123456789abcdef"),
        ((ARTICLE, "--draft"), 2, "anwen related - --draft"),
        ((ARTICLE, "--size", "51"), 2, "51"),
        ((), 2, "ID|URL|-"),
    ],
)
def test_the_command_says_what_is_wrong(
    anwen: Callable[..., Result], words: tuple[str, ...], status: int, told: str
) -> None:
    result = anwen(*words)
    assert result.exit_code == status
    assert told in result.stderr


def test_the_command_refuses_what_is_no_text_or_too_long(anwen: Callable[..., Result]) -> None:
    for sent, told in ((b"\xc4\xe3\xba\xc3", "UTF-8"), ("字" * 20_001, "20,001 characters")):
        result = anwen("-", input=sent)
        assert result.exit_code == 2
        assert told in result.stderr
