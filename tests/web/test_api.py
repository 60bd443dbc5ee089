"""The JSON interface: its shape, its errors, and how little of an article it gives away."""

import json
import logging
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from index.document import Article, Evidence, Mention
from index.identity import article_id, article_key
from index.settings import Settings
from search import Searcher, similarity
from web import create_app
from web.excerpt import MAX_EXTRACT, excerpt

RESULT_KEYS = [
    *("query", "total", "groups", "widened", "page", "size", "next", "took_ms"),
    *("hits", "facets", "relaxed", "did_you_mean", "notices", "understood"),
]
HIT_KEYS = [
    *("id", "url", "title", "title_highlights", "snippet", "published", "published_precision"),
    *("category", "category_predicted", "source", "author", "organisations", "identifiers"),
    *("score", "duplicate_count", "missing"),
]
ARTICLE_KEYS = [
    *HIT_KEYS,
    *(
        "category_printed",
        "lead",
        "tags",
        "extract",
        "views",
        "mentions",
        "duplicates",
        "indicators",
        "citations",
    ),
]


def search(client: FlaskClient, **parameters: object) -> TestResponse:
    return client.get("/api/v1/search?" + urlencode(parameters, doseq=True))


def test_an_answer_has_the_keys_of_the_interface_in_their_order(client: FlaskClient) -> None:
    answer = search(client, q="勒索软件")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    found = json.loads(answer.data)
    assert list(found) == RESULT_KEYS
    assert list(found["facets"]) == ["category", "organisation", "source", "month"]
    assert [list(hit) for hit in found["hits"]] == [HIT_KEYS] * len(found["hits"])
    assert list(found["hits"][0]["snippet"]) == ["text", "highlights"]
    assert list(found["facets"]["category"][0]) == ["value", "count", "selected"]
    assert (found["query"], found["total"], found["groups"]) == ("勒索软件", 16, 16)
    assert (found["page"], found["size"], found["widened"]) == (1, 10, 0)
    assert found["did_you_mean"] is None


def test_highlights_are_the_words_that_matched(client: FlaskClient) -> None:
    for hit in search(client, q="勒索软件").json["hits"]:
        assert [hit["title"][start:end] for start, end in hit["title_highlights"]] == ["勒索软件"]
        snippet = hit["snippet"]
        assert {snippet["text"][start:end] for start, end in snippet["highlights"]} == {"勒索软件"}


def test_json_is_readable_utf_8(client: FlaskClient) -> None:
    assert "勒索软件".encode() in search(client, q="勒索软件").data


def test_times_are_those_of_beijing_with_their_precision(client: FlaskClient) -> None:
    hits = {hit["id"]: hit for hit in search(client, sort="oldest", size=10).json["hits"]}
    assert hits["0" * 16]["published"] == "2023-01-09T09:36:00+08:00"
    assert hits["0" * 16]["published_precision"] == "minute"
    assert hits[f"{4:016x}"]["published_precision"] == "day"


def test_undated_articles_have_no_time(client: FlaskClient) -> None:
    last = search(client, sort="oldest", size=100).json["hits"][-1]
    assert (last["id"], last["published"], last["published_precision"]) == ("f" * 16, None, None)


def test_a_query_without_words_lists_the_newest_first(client: FlaskClient) -> None:
    hits = search(client).json["hits"]
    assert hits == search(client, sort="newest").json["hits"]
    assert all(a["published"] >= b["published"] for a, b in pairwise(hits))


def test_filters_and_pages_are_those_of_the_url(client: FlaskClient) -> None:
    found = search(
        client, category=["漏洞", "新闻"], exclude_source="数防周刊", size=5, page=2
    ).json
    assert {hit["category"] for hit in found["hits"]} <= {"漏洞", "新闻"}
    assert "数防周刊" not in {hit["source"] for hit in found["hits"]}
    assert [b["value"] for b in found["facets"]["category"] if b["selected"]] == ["漏洞", "新闻"]
    assert (found["page"], found["size"], len(found["hits"])) == (2, 5, 5)


def test_the_cursor_leads_on_where_the_page_ends(client: FlaskClient) -> None:
    first = search(client, size=30).json
    rest = search(client, size=30, cursor=first["next"]).json
    assert len(first["hits"]) + len(rest["hits"]) == first["total"] == 42
    assert rest["next"] is None
    assert not {hit["id"] for hit in first["hits"]} & {hit["id"] for hit in rest["hits"]}


def test_missing_words_are_named(client: FlaskClient) -> None:
    found = search(client, q="勒索软件 私钥 槐州").json
    assert found["widened"] > 0
    assert all(hit["missing"] for hit in found["hits"][found["total"] :])
    assert set(found["relaxed"]) == {word for hit in found["hits"] for word in hit["missing"]}


def test_what_was_not_understood_is_noticed(client: FlaskClient) -> None:
    (notice,) = search(client, q="漏洞 “勒索").json["notices"]
    assert list(notice) == ["code", "message", "start", "end"]
    assert notice["code"] == "unbalanced_quote"


def test_an_article_has_the_fields_of_a_hit_and_more(client: FlaskClient) -> None:
    found = json.loads(client.get(f"/api/v1/articles/{7:016x}").data)
    assert list(found) == ARTICLE_KEYS
    assert found["title"].endswith("青梧机电发布第7号说明")
    assert found["tags"] == ["勒索", "运维"]
    assert found["views"] is None or found["views"] == 700
    assert found["duplicates"] == []
    assert found["score"] == 0
    assert [mention["name"] for mention in found["mentions"]] == ["青梧机电", "玄圃实验室"]
    assert list(found["mentions"][0]) == ["name", "type", "salient", "surfaces", "evidence"]
    assert list(found["mentions"][0]["evidence"][0]) == ["field", "start", "end", "text"]


def test_an_article_is_found_by_its_address_in_another_form(
    article_maker: Callable[..., Article],
    searcher_over: Callable[[list[Article]], object],
) -> None:
    url = "https://tingchao.example/p/1"
    identifier = article_id(article_key(url, ""))
    searcher = searcher_over([article_maker(id=identifier, url=url, title="标题")])
    client = create_app(Settings(), searcher).test_client()
    answer = client.get(
        "/api/v1/articles",
        query_string={"url": "http://TINGCHAO.example:80/p/1/?utm_source=x#top"},
    )
    assert answer.json["id"] == identifier


def leaves(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in leaves(part)]
    if isinstance(value, list):
        return [text for part in value for text in leaves(part)]
    return [value] if isinstance(value, str) else []


def shown_of(body: str, texts: list[str]) -> int:
    """Count the characters of a body that stand in any of the texts, in runs of eight or more."""
    shown = set()
    for text in texts:
        for start in range(len(text) - 7):
            at = body.find(text[start : start + 8])
            while at >= 0:
                shown |= set(range(at, at + 8))
                at = body.find(text[start : start + 8], at + 1)
    return len(shown)


@pytest.mark.parametrize(
    ("paragraphs", "length"),
    [(1, 0), (1, 7), (1, 60), (1, 900), (2, 900), (5, 1), (5, 60), (5, 900), (40, 7), (40, 60)],
)
def test_an_article_never_gives_away_more_than_a_third_of_its_body(
    article_maker: Callable[..., Article],
    searcher_over: Callable[[list[Article]], object],
    paragraphs: int,
    length: int,
) -> None:
    characters = (chr(0x4E00 + number % 20_000) for number in range(100_000))
    body = "\n".join("".join(next(characters) for _ in range(length)) for _ in range(paragraphs))
    mentions = tuple(
        Mention(
            name=f"机构{start}",
            type="company",
            salient=True,
            surfaces=(body[start : start + 3],),
            evidence=(
                Evidence(
                    field="body",
                    start=start,
                    end=start + 3,
                    text=body[max(0, start - 50) : start + 50],
                ),
            ),
        )
        for start in range(0, max(1, len(body) - 3), 40)
    )
    article = article_maker(id="a" * 16, body=body, mentions=mentions)
    client = create_app(Settings(), searcher_over([article])).test_client()
    found = client.get("/api/v1/articles/" + "a" * 16).json
    assert len(found["extract"]) <= min(MAX_EXTRACT, len(body) // 3)
    assert shown_of(body, leaves(found)) <= len(body) // 3
    page = client.get("/article/" + "a" * 16).get_data(as_text=True)
    assert shown_of(body, [page]) <= len(body) // 3


def test_the_extract_is_whole_paragraphs_where_they_fit(
    article_maker: Callable[..., Article],
) -> None:
    article = article_maker(body="\n".join(["一二三四五六七八。"] * 9))
    assert excerpt(article).paragraphs == ("一二三四五六七八。",) * 3
    assert excerpt(article).left == 6


def test_a_long_first_paragraph_ends_with_a_sentence_or_an_ellipsis(
    article_maker: Callable[..., Article],
) -> None:
    assert excerpt(article_maker(body="甲乙丙。丁戊己庚辛壬癸子丑寅卯。")).text == "甲乙丙。"
    assert excerpt(article_maker(body="甲乙丙丁戊己庚辛壬癸子丑寅卯辰")).text == "甲乙丙……"


@pytest.mark.parametrize(
    ("method", "url", "status", "code"),
    [
        ("GET", "/api/v1/search?page=0", 400, "bad_parameter"),
        ("GET", "/api/v1/search?format=xml", 400, "bad_parameter"),
        ("GET", "/api/v1/search?cursor=%21%21", 400, "bad_parameter"),
        ("GET", "/api/v1/search?q=" + "a" * 1001, 400, "bad_query"),
        ("GET", "/api/v1/search?cursor=OS45LjEw", 410, "cursor_expired"),
        ("GET", "/api/v1/articles/0123456789abcdef", 404, "unknown_article"),
        ("GET", "/api/v1/articles?url=https://nobody.example/", 404, "unknown_article"),
        ("GET", "/api/v1/articles", 400, "bad_parameter"),
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/", 404, "not_found"),
        ("POST", "/api/v1/search", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/articles/0123456789abcdef", 405, "method_not_allowed"),
    ],
)
def test_every_error_has_one_shape(
    client: FlaskClient, method: str, url: str, status: int, code: str
) -> None:
    answer = client.open(url, method=method)
    assert answer.status_code == status
    assert answer.mimetype == "application/json"
    found = json.loads(answer.data)
    assert list(found) == ["error"]
    assert list(found["error"]) == ["code", "message", "detail"]
    assert found["error"]["code"] == code
    assert found["error"]["message"]
    assert isinstance(found["error"]["detail"], dict)


def test_a_wrong_method_is_told_the_right_ones(client: FlaskClient) -> None:
    allowed = client.post("/api/v1/search").headers["Allow"].split(", ")
    assert set(allowed) == {"GET", "HEAD", "OPTIONS"}


def test_head_and_options_are_answered(client: FlaskClient) -> None:
    head = client.head("/api/v1/search?q=漏洞")
    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0
    assert client.options("/api/v1/search").status_code == 200


def test_without_an_index_the_answer_is_503_and_names_the_repair_but_no_path(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = create_app(Settings(data=tmp_path / "nothing")).test_client()
    for url in ("/api/v1/search?q=a", "/api/v1/articles/0123456789abcdef"):
        with caplog.at_level(logging.ERROR):
            answer = client.get(url)
        assert answer.status_code == 503
        assert "anwen" in answer.json["error"]["message"]
        assert str(tmp_path) not in answer.get_data(as_text=True)
    assert str(tmp_path) in caplog.text


@pytest.mark.parametrize("backend", ["whoosh"], indirect=True, scope="session")  # a store's
def test_a_damaged_store_is_a_503_that_names_the_repair_but_no_path(
    tmp_path: Path,
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, list[Article]], Searcher],
    caplog: pytest.LogCaptureFixture,
) -> None:
    searcher = fill_folder(tmp_path, [article_maker(id="a" * 16, title="漏洞")])
    path = tmp_path / "articles.sqlite3"
    path.write_bytes(path.read_bytes()[:4096].ljust(path.stat().st_size, b"\xee"))
    client = create_app(Settings(data=tmp_path), searcher).test_client()
    for url in ("/api/v1/search?q=漏洞", "/search?q=漏洞", "/article/" + "a" * 16):
        with caplog.at_level(logging.ERROR):
            answer = client.get(url)
        assert answer.status_code == 503
        assert "anwen info" in answer.get_data(as_text=True)
        assert str(tmp_path) not in answer.get_data(as_text=True)
    assert "anwen index PATH" in caplog.text
    assert str(path) in caplog.text
    searcher.close()


def test_a_bug_is_a_logged_500_without_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        def search(self, _: object) -> object:
            raise RuntimeError("the secret reason")

        def version(self) -> None:
            return None

        def word_boundaries(self, _: str) -> tuple[int, ...]:
            return ()

    client = create_app(Settings(), Broken()).test_client()  # type: ignore[arg-type]
    for url in ("/api/v1/search", "/search"):
        answer = client.get(url)
        assert answer.status_code == 500
        assert "secret" not in answer.get_data(as_text=True)
    assert client.get("/api/v1/search").json["error"]["code"] == "internal_server_error"
    assert "the secret reason" in caplog.text


def test_explain_tells_how_each_part_was_evaluated(client: FlaskClient, backend: str) -> None:
    how = {"whoosh": "arrays", "opensearch": "script_score"}[backend]
    plain, told = search(client, q="勒索软件"), search(client, q="勒索软件 -漏洞", explain=1)
    assert "explain" not in plain.get_json()
    answer = told.get_json()
    assert list(answer) == [*RESULT_KEYS, "explain"]
    told = answer["explain"]
    assert list(told) == ["read_as", "words", "ignored", "evaluation"]
    assert told["read_as"] == "勒索软件 -漏洞"
    assert any("勒索软件" in line and how in line for line in told["evaluation"])
    (word,) = told["words"]
    assert word["articles"] >= answer["total"]
    assert {"text": "ransomware", "weight": 0.9, "origin": "general"} in word["variants"]
    assert search(client, q="a", explain="yes").status_code == 400


@pytest.mark.parametrize(
    ("query", "sort", "lowered"),
    [
        ("勒索软件 -漏洞", "relevance", False),
        ("勒索软件 -漏洞", "newest", False),
        ("漏洞 医院", "relevance", True),
        ("通报 AND 设备 勒索软件 固件", "relevance", True),
    ],
)
def test_explain_tells_what_a_score_is_made_of(
    client: FlaskClient, query: str, sort: str, *, lowered: bool
) -> None:
    hits = search(client, q=query, sort=sort, explain=1, size=50).get_json()["hits"]
    assert hits
    for hit in hits:
        made_of = hit["explain"]
        assert made_of["rest"] == 0
        by_words = sum(each["score"] for each in made_of["words"])
        by_evidence = sum(value for _, value in made_of["evidence"])
        score = (by_words + by_evidence) * made_of["freshness"]
        assert score == pytest.approx(hit["score"], abs=0.01)
    assert any(hit["explain"]["coverage"] < 1 for hit in hits) == lowered


def test_explain_is_right_past_what_evidence_reorders(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity, "RESCORED", 2)
    hits = search(client, q="勒索软件 攻击", explain=1).get_json()["hits"]
    assert [hit["explain"]["freshness"] > 1 for hit in hits[:4]] == [True, True, False, False]
    assert all(hit["explain"]["rest"] == 0 for hit in hits)


@pytest.mark.parametrize("backend", ["whoosh"], indirect=True, scope="session")  # a store's
def test_a_store_that_was_restored_answers_the_next_request(
    tmp_path: Path,
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, list[Article]], Searcher],
) -> None:
    searcher = fill_folder(tmp_path, [article_maker(id="a" * 16, title="漏洞")])
    path = tmp_path / "articles.sqlite3"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096].ljust(len(whole), b"\xee"))
    client = create_app(Settings(data=tmp_path), searcher).test_client()
    urls = ("/api/v1/articles/" + "a" * 16, "/api/v1/search?q=漏洞")
    assert [client.get(url).status_code for url in urls] == [503, 503]
    path.unlink()
    path.write_bytes(whole)
    assert [client.get(url).status_code for url in urls] == [200, 200]
    searcher.close()
