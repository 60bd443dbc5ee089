"""The draft check: what the page and the JSON tell, what they refuse, and that nothing is kept."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from index.errors import BadParameter
from search.related import DraftParagraph, DraftReport, Passage
from tests.web.crafted import COPIED, DRAFT, CraftedSearcher
from tests.web.html import Element, Page
from web import draft_input
from web.cli import main
from web.draft import merged, verdict

URL = "/api/v1/related"
SECRET = "独家：青梧机电将于下周宣布停产"


@pytest.fixture
def client(crafted_site: Flask) -> FlaskClient:
    return crafted_site.test_client()


@pytest.fixture
def check(client: FlaskClient) -> Callable[..., Page]:
    """A function from what is typed, and the status it should have, to the page."""

    def sent(text: str, title: str = "", *, status: int = 200) -> Page:
        answer = client.post("/draft", data={"title": title, "text": text})
        assert answer.status_code == status
        return Page(answer.get_data(as_text=True))

    return sent


@pytest.fixture
def send(client: FlaskClient) -> Callable[..., TestResponse]:
    return lambda **values: client.post(URL, json=values)


def words(element: Element) -> str:
    return " ".join(element.text.split())


def field(page: Page) -> Element:
    return page.find("textarea")[0]


# The page


def test_the_page_asks_for_a_draft_and_says_that_it_is_not_kept(client: FlaskClient) -> None:
    page = Page(client.get("/draft").get_data(as_text=True))
    assert page.heading == "稿件体检"
    text = page.find("main")[0].text
    assert "稿件只在核对时读取，不保存，不进日志。" in text
    assert "库中 42 篇" in text
    (form,) = [e for e in page.find("form") if e.attributes.get("method") == "post"]
    assert form.attributes["action"] == "/draft"
    assert "maxlength" not in field(page).attributes  # browsers would cut a paste in silence
    labelled = {e.attributes["for"] for e in page.find("label")}
    assert {"draft-text", "draft-title"} <= labelled
    current = [e.text for e in page.find("a") if e.attributes.get("aria-current") == "page"]
    assert current == ["稿件体检"]


def test_every_paragraph_is_marked(check: Callable[..., Page]) -> None:
    page = check(DRAFT)
    marks = [words(e) for e in page.find("p", "verdict")]
    assert marks == ["新写 第 1 段", "已报 第 2 段", "雷同 第 3 段", "太短 第 4 段", "新写 第 5 段"]
    assert [e.text for e in page.find("p", "paragraph-text")] == DRAFT.split("\n")
    sources = [words(e) for e in page.find("div", "sources")]
    assert sources == [
        "库中没有相近的段落",
        "第2篇（新标签页） 关山安全 2026-03-19，第 1、3 段"
        " 另有 7 篇 第3篇（新标签页） 听潮网安 日期不详 等 7 篇",
        "灰鹭借远程运维平台漏洞投放勒索软件（新标签页）"
        " 听潮网安 2026-03-18，第 2 段，连续 56 字相同",
        "太短，看不出新旧",
        "库中没有相近的段落",
    ]
    source = next(e for e in page.find("p", "source")[2].inside if e.tag == "a")
    assert source.href == f"/article/{1:016x}"
    assert source.attributes["target"] == "_blank"
    assert source.attributes["rel"] == "noopener noreferrer"


def test_the_verdict_tells_numbers_and_a_strip_as_long_as_the_paragraphs(
    check: Callable[..., Page],
) -> None:
    page = check(DRAFT)
    assert words(page.find("h2", "label")[0]) == "5 段，222 字 用时 31 毫秒"
    assert words(page.find("p", "key")[0]) == "新写 2 段 已报 1 段 雷同 1 段，共 56 字 太短 1 段"
    (strip,) = page.find("svg", "strip")
    assert strip.attributes["aria-label"] == "按篇幅：新写 2 段，已报 1 段，雷同 1 段，太短 1 段"
    bars = [e for e in strip.inside if e.tag == "rect"]
    assert [bar.attributes["class"] for bar in bars] == [
        *("is-new", "is-covered", "is-copied", "is-short", "is-new"),
    ]
    ends = [int(b.attributes["x"] or 0) + int(b.attributes["width"] or 0) for b in bars]
    starts = [int(b.attributes["x"] or 0) for b in bars]
    assert starts[0] == 0
    assert ends[-1] == 1000
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))


def test_what_is_the_same_is_marked_on_both_sides(check: Callable[..., Page]) -> None:
    page = check(DRAFT)
    (compare,) = page.find("details", "compare")
    assert "open" in compare.attributes
    draft, article = (e for e in compare.inside if e.tag == "blockquote")
    assert draft.text == f"问题出在一个很小的地方：{COPIED}，其余的事由平台自己完成。"
    assert article.text.startswith("入口是衡岳智联的远程运维平台<b>“远舟”</b>。该平台")
    assert [e.text for e in page.find("mark")] == [COPIED] * 3
    captions = [words(e) for e in compare.inside if e.tag == "figcaption"]
    assert captions == ["你的稿件，第 3 段", "听潮网安 2026-03-18，第 2 段，连续 56 字相同"]


def test_names_stand_with_their_latest_report_and_unseen_ones_with_near_ones(
    check: Callable[..., Page],
) -> None:
    page = check(DRAFT)
    blocks = {e.attributes.get("aria-labelledby"): e for e in page.find("section")}
    links = [e.href for e in blocks["draft-names"].inside if e.tag == "a"]
    latest = f"/article/{7:016x}"
    assert links == [
        *("/organisation/%E9%9D%92%E6%A2%A7%E6%9C%BA%E7%94%B5", latest),
        *("/identifier/CVE-2026-90007", latest),
    ]
    unseen = [words(e) for e in blocks["draft-unseen"].inside if e.tag == "li"]
    assert unseen == [
        "槐州市智造服务中心 第 1、4 段。近似：槐州市中心医院（6 篇）",
        "<b>远舟二代</b>",
    ]
    related = [words(e) for e in blocks["draft-related"].inside if e.tag == "li"]
    assert related[0] == "第0篇（新标签页） 听潮网安 2026-03-17，同一事件"


def test_every_link_of_the_answer_leads_somewhere(
    check: Callable[..., Page], client: FlaskClient
) -> None:
    for link in check(DRAFT).find("a"):
        if link.href.startswith("/"):
            assert client.get(link.href).status_code == 200, link.href


def test_a_checked_draft_can_be_changed_and_checked_again(check: Callable[..., Page]) -> None:
    page = check(DRAFT, "标题 <b>")
    assert field(page).text.removeprefix("\n") == DRAFT
    folded = [e for e in page.find("details") if any(i.tag == "textarea" for i in e.inside)]
    assert len(folded) == 1
    assert "open" not in folded[0].attributes
    title = next(e for e in page.find("input") if e.attributes.get("name") == "title")
    assert title.attributes["value"] == "标题 <b>"


@pytest.mark.parametrize("text", ["", DRAFT])
def test_the_answer_is_one_document_with_nothing_inline(client: FlaskClient, text: str) -> None:
    answer = client.post("/draft", data={"text": text}) if text else client.get("/draft")
    page = Page(answer.get_data(as_text=True))
    assert len(page.find("h1")) == len(page.find("main")) == 1
    identifiers = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(identifiers) == len(set(identifiers))
    for element in page.elements:
        assert "style" not in element.attributes
        assert not any(name.startswith("on") for name in element.attributes)
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert element.attributes.get(name) in {None, *identifiers}


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>正文", "</textarea><img src=x onerror=alert(1)>", "{{ 7*7 }}"],
)
def test_markup_in_a_draft_is_text(client: FlaskClient, text: str) -> None:
    html = client.post("/draft", data={"title": text, "text": text}).get_data(as_text=True)
    page = Page(html)
    assert not page.find("img")
    assert all(not script.text for script in page.find("script"))
    assert page.find("p", "paragraph-text")[0].text == text
    assert "49" not in page.find("p", "paragraph-text")[0].text


def test_the_two_characters_that_end_a_line_of_a_form_are_one(
    check: Callable[..., Page], crafted: CraftedSearcher
) -> None:
    check("\r\n一\r\n\r\n二")
    assert crafted.asked[-1][1] == "\n一\n\n二"


def test_many_paragraphs_are_all_shown(check: Callable[..., Page]) -> None:
    page = check("\n".join(["这一段没有人写过。"] * 300))
    assert len(page.find("li", "paragraph")) == 300
    bars = [e for e in page.find("svg", "strip")[0].inside if e.tag == "rect"]
    assert len(bars) == 300
    assert all(int(bar.attributes["width"] or 0) >= 1 for bar in bars)
    assert words(page.find("h2", "label")[0]).startswith("300 段，2,700 字")


# What it refuses


@pytest.mark.parametrize("text", ["", "  \n\t\r\n"])
def test_an_empty_draft_is_asked_for_kindly(check: Callable[..., Page], text: str) -> None:
    page = check(text, "只有标题", status=400)
    (problem,) = page.find("p", "notice-error")
    assert problem.text == "还没有稿件。请把正文贴进下面的框里，再按“核对”。"
    assert problem.attributes["role"] == "alert"
    assert field(page).attributes["aria-describedby"] == problem.attributes["id"]


def test_a_draft_without_a_word_is_told_so(
    check: Callable[..., Page], crafted: CraftedSearcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> DraftReport:
        raise BadParameter("text", "……", "没有词")

    monkeypatch.setattr(crafted, "check_draft", refuse)
    page = check("……", status=400)
    assert "没有可以核对的词句" in page.find("p", "notice-error")[0].text
    assert field(page).text.strip() == "……"


def test_a_draft_may_have_twenty_thousand_characters_and_no_more(
    check: Callable[..., Page], crafted: CraftedSearcher
) -> None:
    check("𠮷" * 19_998, "标题")
    assert len(crafted.asked[-1][1]) == 19_998
    asked = len(crafted.asked)
    page = check("𠮷" * 19_999, "标题", status=413)
    assert len(crafted.asked) == asked
    assert "稿件有 20,001 字，一次最多核对 20,000 字" in page.find("p", "notice-error")[0].text
    assert field(page).text.strip() == "𠮷" * 19_999


def test_a_draft_of_too_many_paragraphs_is_told_so_and_kept(check: Callable[..., Page]) -> None:
    page = check("甲乙\n" * 301, status=413)
    assert "稿件有 301 段，一次最多核对 300 段" in page.find("p", "notice-error")[0].text
    assert field(page).text.strip().count("甲乙") == 301


def test_a_body_that_no_draft_has_is_refused_unread(client: FlaskClient) -> None:
    answer = client.post("/draft", data={"text": "字" * 400_000})
    assert answer.status_code == 413
    page = Page(answer.get_data(as_text=True))
    assert page.heading == "内容太长"
    assert "最多 20,000 字" in page.find("p", "notice-error")[0].text


def test_other_fields_and_other_encodings_do_no_harm(client: FlaskClient) -> None:
    assert client.post("/draft", data={"texts": "一"}).status_code == 400
    answer = client.post(
        "/draft", data=b"text=%ff%fe%00", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    assert client.post("/draft", data={"text": "一"}, content_type="multipart/form-data")
    assert client.post("/draft", data=b"{}", content_type="application/json").status_code == 400


# What it keeps: nothing


def fails(*_: object, **__: object) -> Any:
    raise ValueError(SECRET)


@pytest.mark.parametrize("url", ["/draft", URL])
def test_no_cache_keeps_an_answer_and_no_site_learns_of_it(client: FlaskClient, url: str) -> None:
    answers = [client.post(url, json={"text": "一", "draft": True}), client.post(url, data=b"")]
    answers += [client.post(url, data={"text": "一" * 20_001})]
    answers += [client.get(url)] if url == "/draft" else []
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_draft_in_the_address_is_not_read(client: FlaskClient, crafted: CraftedSearcher) -> None:
    asked = len(crafted.asked)
    assert SECRET not in client.get("/draft", query_string={"text": SECRET}).get_data(as_text=True)
    assert client.post("/draft", query_string={"text": SECRET}).status_code == 400
    assert len(crafted.asked) == asked


@pytest.mark.parametrize("draft", [True, False])
@pytest.mark.parametrize("url", ["/draft", URL])
def test_a_bug_is_logged_without_the_draft(
    client: FlaskClient,
    crafted: CraftedSearcher,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    url: str,
    *,
    draft: bool,
) -> None:
    monkeypatch.setattr(crafted, "check_draft", fails)
    monkeypatch.setattr(crafted, "related_to", fails)
    values = {"text": SECRET, "draft": draft}
    with caplog.at_level(logging.DEBUG):
        answer = client.post(url, json=values) if url == URL else client.post(url, data=values)
    assert answer.status_code == 500
    assert SECRET not in answer.get_data(as_text=True)
    assert SECRET not in caplog.text
    assert "ValueError" in caplog.text
    assert "in fails" in caplog.text


def test_mistakes_are_not_logged(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, check: Callable[..., Page]
) -> None:
    with caplog.at_level(logging.DEBUG):
        check(SECRET * 2000, status=413)
        client.post(URL, data=f'{{"text": "{SECRET}"', content_type="application/json")
        client.post(URL, json={"text": SECRET, "title": 1})
    # A client of a cluster tells of addresses, when debugging.
    told = [each for each in caplog.records if not each.name.startswith("urllib3")]
    assert not told
    assert SECRET not in caplog.text


# JSON


def test_a_text_is_answered_with_related_articles(
    send: Callable[..., TestResponse], crafted: CraftedSearcher
) -> None:
    answer = send(title="标题", text="正文", size=2)
    assert answer.status_code == 200
    assert list(answer.get_json()) == ["hits"]
    assert len(answer.get_json()["hits"]) == 2
    assert crafted.asked[-1] == ("标题", "正文", 2)
    assert send(title="标题").status_code == 200
    assert crafted.asked[-1] == ("标题", "", 10)


def test_a_draft_is_answered_with_its_paragraphs(send: Callable[..., TestResponse]) -> None:
    answer = send(text=DRAFT, draft=True).get_json()
    assert list(answer) == ["articles", "took_ms", "paragraphs", "names", "unseen", "hits"]
    assert (answer["articles"], answer["took_ms"]) == (42, 31.4)
    assert [(p["number"], p["mark"], p["others"]) for p in answer["paragraphs"]] == [
        *((1, "new", 0), (2, "covered", 6), (3, "copied", 0), (4, "short", 0), (5, "new", 0)),
    ]
    copied = answer["paragraphs"][2]
    (source,) = copied["sources"]
    assert list(source) == [
        *("id", "url", "title", "published", "published_precision", "source"),
        *("paragraphs", "passages"),
    ]
    (passage,) = source["passages"]
    assert copied["text"][passage["start"] : passage["end"]] == COPIED
    start, end = passage["highlight"]
    assert passage["text"][start:end] == COPIED
    assert answer["names"][0]["latest"]["id"] == f"{7:016x}"
    assert (answer["names"][0]["type"], answer["names"][1]["type"]) == ("company", None)
    assert answer["unseen"][0]["near"] == [{"name": "槐州市中心医院", "count": 6}]
    assert answer["hits"][0]["same_event"]


def test_half_a_pair_is_replaced(client: FlaskClient, crafted: CraftedSearcher) -> None:
    body = rb'{"text": "\ud83d\u5b57 \ude00 \ud83d\ude00", "draft": true}'
    answer = client.post(URL, data=body, content_type="application/json")
    assert answer.status_code == 200
    assert crafted.asked[-1][1] == "\ufffd字 \ufffd 😀"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "不是 UTF-8 的 JSON"),
        (b"{", "不是 UTF-8 的 JSON"),
        ('{"text": "好"}'.encode("gbk"), "不是 UTF-8 的 JSON"),
        (b"[" * 100_000, "不是 UTF-8 的 JSON"),
        (b"[]", "须为 JSON 对象"),
        (b"null", "须为 JSON 对象"),
        (b'"text"', "须为 JSON 对象"),
        (b"{}", "都是空的"),
        (b'{"text": " \\n", "title": ""}', "都是空的"),
        (b'{"text": 1}', "text 须为字符串"),
        (b'{"text": null}', "text 须为字符串"),
        (b'{"text": "a", "title": ["a"]}', "title 须为字符串"),
        (b'{"text": "a", "draft": "true"}', "draft 须为布尔值 true 或 false"),
        (b'{"text": "a", "draft": 1}', "draft 须为布尔值 true 或 false"),
        (b'{"text": "a", "size": 0}', "size 须为从 1 到 50 的整数"),
        (b'{"text": "a", "size": 51}', "size 须为从 1 到 50 的整数"),
        (b'{"text": "a", "size": true}', "size 须为从 1 到 50 的整数"),
        (b'{"text": "a", "size": 3.0}', "size 须为从 1 到 50 的整数"),
        (b'{"text": "a", "size": 1e999}', "size 须为从 1 到 50 的整数"),
        (b'{"text": "a", "Text": "b"}', "不认识的键 Text。可用的键：title、text、draft、size。"),
        (b'{"text": "a", "\\ud800": "b"}', "不认识的键 \ufffd。"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(
    client: FlaskClient, body: bytes, told: str
) -> None:
    answer = client.post(URL, data=body, content_type="application/json")
    assert answer.status_code == 400
    error = answer.get_json()["error"]
    assert error["code"] == "bad_body"
    assert told in error["message"]


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_only_json_is_read(client: FlaskClient, kind: str) -> None:
    answer = client.post(URL, data=b'{"text": "a"}', content_type=kind)
    assert answer.status_code == 400
    assert "application/json" in answer.get_json()["error"]["message"]
    whole = client.post(URL, data=b'{"text": "a"}', content_type="application/json; charset=utf-8")
    assert whole.status_code == 200


@pytest.mark.parametrize("length", [20_001, draft_input.MAX_BODY])
def test_what_is_too_long_is_refused(send: Callable[..., TestResponse], length: int) -> None:
    answer = send(text="a" * length)
    assert answer.status_code == 413
    assert answer.get_json()["error"] == {
        "code": "request_entity_too_large",
        "message": "内容太长，标题与正文合计最多 20,000 字。",
        "detail": {},
    }


def test_the_longest_text_fits_however_it_is_written(client: FlaskClient) -> None:
    body = json.dumps({"text": "𠮷" * 20_000, "draft": True}).encode()  # twelve bytes a character
    assert client.post(URL, data=body, content_type="application/json").status_code == 200
    assert client.post("/draft", data={"text": "𠮷" * 20_000}).status_code == 200


@pytest.mark.parametrize(
    ("method", "url", "methods"),
    [("GET", URL, "POST"), ("PUT", "/draft", "GET、POST"), ("POST", "/api/v1/search", "GET")],
)
def test_another_method_is_told_which_to_use(
    client: FlaskClient, method: str, url: str, methods: str
) -> None:
    answer = client.open(url, method=method)
    assert answer.status_code == 405
    assert f"请用 {methods}。" in answer.get_data(as_text=True)


# What a draft comes to


def passage(start: int, end: int) -> Passage:
    return Passage(start=start, end=end, text="", highlight=(0, 0))


def test_passages_that_overlap_are_marked_once() -> None:
    passages = [passage(8, 12), passage(0, 3), passage(2, 5), passage(12, 13)]
    assert merged(passages) == ((0, 5), (8, 13))
    assert merged([]) == ()


def test_a_draft_of_one_empty_paragraph_has_a_strip() -> None:
    paragraph = DraftParagraph(number=1, text="", mark="short")
    report = DraftReport(
        articles=0, took_ms=0, paragraphs=(paragraph,), names=(), unseen=(), related=()
    )
    told = verdict(report)
    assert [(bar.x, bar.width) for bar in told.bars] == [(0, 1)]
    assert told.counts == (("short", "太短 1 段"),)


# At the prompt


def test_the_command_marks_the_paragraphs_of_a_draft(
    crafted: CraftedSearcher, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.cli_reading.open_searcher", lambda _: crafted)
    result = CliRunner().invoke(main, ["related", "-", "--draft"], input=DRAFT)
    assert result.exit_code == 0, result.output
    head, *_ = lines = result.stdout.splitlines()
    assert head == (
        "5 段，222 字：新写 2 段，已报 1 段，雷同 1 段，共 56 字，太短 1 段（库中 42 篇）"
    )
    at = lines.index("第 3 段  雷同")
    assert lines[at + 2 : at + 5] == [
        "  → 灰鹭借远程运维平台漏洞投放勒索软件",
        "    听潮网安 2026-03-18，第 2 段，连续 56 字相同  https://tingchao.example/p/1",
        f"    相同：“{COPIED}”",
    ]
    assert "  青梧机电  2026-03-24 听潮网安（共 12 篇）" in lines
    assert "  槐州市智造服务中心  第 1、4 段，近似：槐州市中心医院（6 篇）" in lines
    written = CliRunner().invoke(main, ["related", "-", "--draft", "--json"], input=DRAFT)
    asked = client.post(URL, json={"text": DRAFT, "draft": True}).get_json()
    assert json.loads(written.stdout) == asked
