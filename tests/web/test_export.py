"""Exports: whole lists and chosen articles, as CSV, JSON Lines and Markdown."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path
from urllib.parse import unquote, urlencode

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from index.document import BEIJING, Article
from index.errors import CursorExpired
from index.settings import Settings
from search import Searcher, SearchRequest
from search.results import Hit, SearchResults, Snippet
from tests.web.html import Page
from web import create_app
from web.cite import today
from web.cli import main
from web.export import MAX_CHOSEN, whole_list
from web.formats import FORMATS
from web.params import LIST_FORMATS
from web.plain import one_line

COLUMNS = [
    *("id", "title", "url", "source", "published", "published_precision", "category"),
    *("category_predicted", "author", "organisations", "identifiers", "duplicate_count"),
]
WITH_QUERY = [*COLUMNS, "snippet", "missing"]


def a_hit(**values: object) -> Hit:
    defaults: dict[str, object] = {
        "id": "f4e6a0a2c4ed5d02",
        "url": "https://tingchao.example/p/1?a=1&b=2",
        "title": "网关固件签名私钥外泄",
        "title_highlights": ((0, 2),),
        "snippet": Snippet(text="……私钥，“外泄”……", highlights=((2, 4),)),
        "published": datetime(2026, 3, 18, 9, 36, tzinfo=BEIJING),
        "published_precision": "minute",
        "category": "漏洞",
        "category_predicted": True,
        "source": "听潮网安",
        "author": "沈既白",
        "organisations": ("衡岳智联", "灰鹭"),
        "salient_count": 1,
        "identifiers": ("CVE-2026-31337", "T1486"),
        "score": 1.5,
        "duplicate_count": 2,
        "missing": ("槐州",),
    }
    return Hit(**(defaults | values))  # type: ignore[arg-type]


def written(form: str, *hits: Hit, is_queried: bool = True) -> str:
    return "".join(FORMATS[form].write(hits, is_queried))


def rows(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text[1:], newline="")))


# The forms


def test_a_hit_in_every_form() -> None:
    hit = a_hit()
    assert written("csv", hit) == (
        "\ufeffid,title,url,source,published,published_precision,category,category_predicted,"
        "author,organisations,identifiers,duplicate_count,snippet,missing\r\n"
        "f4e6a0a2c4ed5d02,网关固件签名私钥外泄,https://tingchao.example/p/1?a=1&b=2,听潮网安,"
        "2026-03-18 09:36,minute,漏洞,true,沈既白,衡岳智联; 灰鹭,CVE-2026-31337; T1486,2,"
        "……私钥，“外泄”……,槐州\r\n"
    )
    assert written("md", hit) == (
        "- [网关固件签名私钥外泄](https://tingchao.example/p/1?a=1&b=2)，听潮网安，2026-03-18\n"
    )
    line = written("jsonl", hit)
    assert line.endswith("}\n")
    found = json.loads(line)
    assert found["published"] == "2026-03-18T09:36:00+08:00"
    assert found["snippet"] == {"text": "……私钥，“外泄”……", "highlights": [[2, 4]]}


def test_what_is_not_known_is_empty() -> None:
    hit = a_hit(
        url=None, published=None, published_precision=None, category=None, author=None,
        organisations=(), identifiers=(), missing=(),
    )  # fmt: skip
    (_, row) = rows(written("csv", hit, is_queried=False))
    assert row == [hit.id, hit.title, "", "听潮网安", "", "", "", "true", "", "", "", "2"]
    assert written("md", hit) == "- 《网关固件签名私钥外泄》，听潮网安\n"


def test_a_day_alone_is_a_day() -> None:
    (_, row) = rows(written("csv", a_hit(published_precision="day"), is_queried=False))
    assert row[4:6] == ["2026-03-18", "day"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
def test_a_cell_is_never_a_formula(sign: str) -> None:
    title = f'{sign}HYPERLINK("https://huilu.example","看")'
    (_, row) = rows(written("csv", a_hit(title=title)))
    assert row[1] == f"'{title}"


@pytest.mark.parametrize("before", ["\t", "\r", "\n", " \u00a0", "\x01", "\u200b", "\ufeff"])
def test_nothing_unseen_hides_the_sign_of_a_formula(before: str) -> None:
    (_, row) = rows(written("csv", a_hit(title=f"{before}=7*7")))
    assert row[1].strip("\u200b\ufeff") == "'=7*7"


@pytest.mark.parametrize("before", ["a;", "a; ", 'a";', 'a;"'])
def test_no_cell_of_a_list_parted_by_semicolons_is_a_formula(before: str) -> None:
    (_, row) = rows(
        written("csv", a_hit(title=f"{before}=7*7", url="https://tingchao.example/;=7"))
    )
    assert row[1:3] == [f"{before}'=7*7", "https://tingchao.example/%3B=7"]


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=4))
def test_csv_reads_back_as_it_was(texts: list[tuple[str, str, str]]) -> None:
    hits = [a_hit(title=a, source=b, snippet=Snippet(text=c, highlights=())) for a, b, c in texts]
    text = written("csv", *hits)
    header, *found = rows(text)
    assert header == WITH_QUERY
    for (title, source, snippet), row in zip(texts, found, strict=True):
        for was, cell in ((title, row[1]), (source, row[3]), (snippet, row[12])):
            assert cell.replace("'", "") == one_line(was).replace("'", "")
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def inline(markdown: str) -> list[Token]:
    """What stands in the one item of the one list that the text is."""
    tokens = MarkdownIt("commonmark").enable(["strikethrough", "table"]).parse(markdown)
    assert [token.type for token in tokens] == [
        *("bullet_list_open", "list_item_open", "paragraph_open", "inline"),
        *("paragraph_close", "list_item_close", "bullet_list_close"),
    ]
    return tokens[3].children or []


AWKWARD = st.text(st.sampled_from("\\`*_[]<>&~|$#!-+()\"'=:; \n1.a《》，x漏"), max_size=12)


@given(AWKWARD | st.text(), AWKWARD | st.text(), AWKWARD | st.text(max_size=20))
def test_markdown_shows_what_the_page_says(title: str, source: str, path: str) -> None:
    url = f"https://tingchao.example/{path}"
    children = inline(written("md", a_hit(title=title, source=source, url=url)))
    assert {token.type for token in children} <= {"link_open", "link_close", "text"}
    assert children[0].type == "link_open"
    closing = [token.type for token in children].index("link_close")
    shown = "".join(token.content for token in children[:closing])
    after = "".join(token.content for token in children[closing:])

    def plain(text: str) -> str:
        return "".join(c for c in text if c.isprintable() and not c.isspace())

    assert plain(shown) == plain(title)
    assert plain(after) in (f"，{plain(source)}，2026-03-18", f"{plain(source)}，2026-03-18")


@given(AWKWARD)
def test_a_title_without_an_address_begins_nothing(title: str) -> None:
    children = inline(written("md", a_hit(title=title, url=None)))
    assert {token.type for token in children} == {"text"}


def test_an_address_leads_where_it_led() -> None:
    url = "https://a.example/x_(y)?q=a b&copy;=<1>&c=*漏洞*"
    (link, *_) = inline(written("md", a_hit(url=url)))
    assert unquote(str(link.attrs["href"])) == url


# The whole list


def exported(client: FlaskClient, form: str, **parameters: object) -> str:
    answer = client.get("/api/v1/search?" + urlencode([*parameters.items(), ("format", form)]))
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "parameters",
    [
        {"q": "勒索软件"},
        {"q": "勒索软件 私钥 槐州"},
        {"sort": "oldest"},
        {"q": "漏洞", "category": "漏洞", "sort": "newest", "size": "3", "page": "2"},
        {"q": "没有这回事的词"},
    ],
)
def test_every_form_has_all_hits_in_the_order_of_the_pages(
    client: FlaskClient, parameters: dict[str, str]
) -> None:
    asked = {name: value for name, value in parameters.items() if name not in ("size", "page")}
    hits = client.get("/api/v1/search?" + urlencode(asked | {"size": "100"})).json["hits"]
    lines = exported(client, "jsonl", **parameters).splitlines()
    assert [json.loads(line) for line in lines] == hits
    header, *found = rows(exported(client, "csv", **parameters))
    assert header == (WITH_QUERY if "q" in parameters else COLUMNS)
    assert [row[0] for row in found] == [hit["id"] for hit in hits]
    items = exported(client, "md", **parameters).splitlines()
    assert len(items) == len(hits)


@pytest.mark.parametrize("form", LIST_FORMATS)
def test_a_file_has_its_type_and_name(client: FlaskClient, form: str) -> None:
    url = "/api/v1/search?" + urlencode({"q": '勒索/"软件\r\n"', "format": form})
    for answer in (client.get(url), client.head(url)):
        assert answer.status_code == 200
        assert (
            answer.headers["Content-Type"]
            == {
                "csv": "text/csv; charset=utf-8",
                "jsonl": "application/x-ndjson",
                "md": "text/markdown; charset=utf-8",
            }[form]
        )
        plain, full = answer.headers["Content-Disposition"].split("; ")[1:]
        assert plain == f'filename="anwen-{today()}.{form}"'
        assert unquote(full) == f"filename*=UTF-8''安闻-勒索-软件-{today()}.{form}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.head(url).data == b""


@pytest.mark.parametrize(
    "query", ["format=xml", "format=csv&size=101", "format=md&from=x", "format=csv&q=" + "a" * 2000]
)
def test_a_mistake_is_an_error_and_no_file(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/v1/search?{query}")
    assert answer.status_code == 400
    assert list(answer.json["error"]) == ["code", "message", "detail"]
    assert "Content-Disposition" not in answer.headers


def test_the_body_stays_on_the_server(client: FlaskClient, news: list[Article]) -> None:
    body = news[1].body.split("\n")[-1]
    for form in LIST_FORMATS:
        assert body not in exported(client, form, q="勒索软件")


class Changing:
    """A searcher over numbered articles, whose index changes at some of the searches."""

    def __init__(self, count: int, *changes: int) -> None:
        self.ids = [f"{number}" for number in range(count)]
        self.changes = set(changes)
        self.searches = 0
        self.state = 0

    def version(self) -> str:
        return str(self.state)

    def word_boundaries(self, _: str) -> tuple[int, ...]:
        return ()

    def search(self, asked: SearchRequest) -> SearchResults:
        self.searches += 1
        if self.searches in self.changes:
            self.state += 1
            self.ids.insert(0, f"new{self.state}")
        state, offset = (asked.cursor or f"{self.state} 0").split()
        if int(state) != self.state:
            raise CursorExpired
        end = int(offset) + asked.size
        return SearchResults(
            query="", total=len(self.ids), groups=len(self.ids), widened=0,
            pageable=len(self.ids), page=1, size=asked.size,
            next=f"{self.state} {end}" if end < len(self.ids) else None, took_ms=0.0,
            hits=tuple(a_hit(id=name) for name in self.ids[int(offset) : end]), facets={},
            relaxed=(), did_you_mean=None, notices=(), understood=(),
        )  # fmt: skip


def given_by(searcher: Changing) -> Iterator[str]:
    hits = whole_list(searcher, SearchRequest(page=3, size=7))  # type: ignore[arg-type]
    return (hit.id for hit in hits)


def test_a_list_longer_than_the_window_is_whole() -> None:
    searcher = Changing(10_250)
    assert list(given_by(searcher)) == searcher.ids
    assert searcher.searches == 103


def test_a_change_on_the_way_loses_nothing_and_repeats_nothing() -> None:
    searcher = Changing(450, 3, 6)
    found = list(given_by(searcher))
    assert len(found) == len(set(found))
    assert set(found) == set(searcher.ids)
    assert found[:200] == [f"{number}" for number in range(200)]


def test_an_index_that_keeps_changing_is_an_error_and_no_short_list() -> None:
    hits = given_by(Changing(450, *range(2, 1000)))
    assert next(hits) == "0"
    with pytest.raises(CursorExpired):
        list(hits)


def test_a_broken_list_breaks_the_answer() -> None:
    searcher = Changing(450, *range(2, 1000))
    client = create_app(Settings(), searcher).test_client()  # type: ignore[arg-type]
    with pytest.raises(CursorExpired):
        client.get("/api/v1/search?format=csv").get_data()


# Chosen articles


def test_chosen_articles_come_in_the_order_of_their_ids(client: FlaskClient) -> None:
    ids = [f"{number:016x}" for number in (7, 3, 12)]
    answer = client.get("/export?" + urlencode({"id": [*ids, ids[0]], "format": "csv"}, doseq=True))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    header, *found = rows(answer.get_data(as_text=True))
    assert header == COLUMNS
    assert [row[0] for row in found] == ids
    lines = client.get("/export?" + urlencode({"id": ids, "format": "jsonl"}, doseq=True))
    for line, identifier in zip(lines.get_data(as_text=True).splitlines(), ids, strict=True):
        article = client.get(f"/api/v1/articles/{identifier}").json
        hit = json.loads(line)
        assert hit == {name: article[name] for name in hit}


def test_without_a_form_the_chosen_are_csv(client: FlaskClient) -> None:
    assert client.get(f"/export?id={7:016x}").mimetype == "text/csv"


def test_who_chose_nothing_is_told_what_to_do(visit: Callable[..., Page]) -> None:
    for url in ("/export", "/export?id=&format=csv"):
        assert "请退回结果页，勾选要导出的文章" in visit(url, 400).find("main")[0].text
    visit(f"/export?id={7:016x}&format=json", 400)


def test_unknown_articles_are_named(visit: Callable[..., Page]) -> None:
    page = visit(f"/export?id=none&id={7:016x}&id=other", 404)
    assert "没有这篇文章：none、other。" in page.find("main")[0].text
    many = "&".join(f"id=unknown{number}" for number in range(30))
    assert "unknown9 等 30 篇" in visit(f"/export?{many}", 404).find("main")[0].text


def test_no_more_are_chosen_than_an_address_holds(visit: Callable[..., Page]) -> None:
    ids = [f"id={number:016x}" for number in range(MAX_CHOSEN + 1)]
    assert len("GET /export? HTTP/1.1" + "&".join(ids[1:]) + "&format=jsonl") < 8190
    assert (
        f"最多导出 {MAX_CHOSEN} 篇" in visit(f"/export?{'&'.join(ids)}", 400).find("main")[0].text
    )


# The page and the command


def test_the_page_of_results_leads_to_its_own_list(
    client: FlaskClient, search: Callable[..., Page]
) -> None:
    page = search(query="勒索软件", category=("漏洞", "新闻"), sort="newest", size=20, page=1)
    links = [link for link in page.find("a") if "format=" in link.href]
    assert [link.text for link in links] == [form.label for form in FORMATS.values()]
    shown = [
        box.attributes["value"] for box in page.find("input") if box.attributes["name"] == "id"
    ]
    assert shown
    (as_csv, as_lines, _) = (client.get(link.href).get_data(as_text=True) for link in links)
    assert [row[0] for row in rows(as_csv)[1:]] == shown
    assert [json.loads(line)["id"] for line in as_lines.splitlines()] == shown


def test_every_hit_can_be_chosen_and_says_so(search: Callable[..., Page]) -> None:
    page = search(query="勒索软件 私钥 槐州")
    (form,) = (form for form in page.find("form") if form.attributes["action"] == "/export")
    labels = page.find("label", "pick")
    assert len(labels) == len(page.find("li", "hit"))
    for label in labels:
        (box, *_) = label.inside
        assert box.attributes["form"] == form.attributes["id"]
        assert label.text.startswith("勾选：")
    buttons = [e.attributes for e in form.inside if e.tag == "button"]
    assert [(b["name"], b["value"]) for b in buttons] == [("format", name) for name in FORMATS]


def test_the_forms_are_those_of_the_address() -> None:
    assert tuple(FORMATS) == LIST_FORMATS


def test_the_command_writes_what_the_interface_sends(
    tmp_path: Path,
    news: list[Article],
    fill_folder: Callable[[Path, list[Article]], Searcher],
    environment_for: Callable[[Path], dict[str, str]],
    client: FlaskClient,
) -> None:
    fill_folder(tmp_path, news).close()
    environment = environment_for(tmp_path)
    asked = ["--data", str(tmp_path), "search", "勒索软件", "--sort", "oldest"]
    for form in LIST_FORMATS:
        result = CliRunner().invoke(main, [*asked, "--format", form], env=environment)
        assert result.exit_code == 0, result.output
        assert result.stdout_bytes.decode() == exported(client, form, q="勒索软件", sort="oldest")
    assert CliRunner().invoke(main, [*asked, "--format", "md", "--json"]).exit_code == 2
