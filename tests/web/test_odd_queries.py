"""Whatever is typed gives results or a clear message, never a 500 and never a traceback."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from index.document import Article
from index.settings import Settings
from search import Searcher
from web import create_app


@pytest.fixture(scope="module")
def client(
    article_maker: Callable[..., Article],
    fill_folder: Callable[[Path, Iterable[Article]], Searcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FlaskClient]:
    folder = tmp_path_factory.mktemp("odd")
    searcher = fill_folder(
        folder,
        [
            article_maker(
                id="1" * 16, title="勒索软件 AND 漏洞", body="标题: 的 “引号” * title 🙂"
            ),
            article_maker(id="2" * 16, title="CVE-2026-90001", body="NOT OR (a) [b] {c} ~ ^ \\"),
        ],
    )
    app = create_app(Settings(data=folder), searcher)
    app.config["PROPAGATE_EXCEPTIONS"] = False  # as in production: a bug becomes a 500
    yield app.test_client()
    searcher.close()


NAMED = [
    *("", " ", "“", '"', "「」", '""', "“勒索", "AND", "OR NOT", "*", "**", "-", "--", "－", "-*"),
    *("title:", "标题：", "title:“", "-title:", "after:", "after:x", "before:2024-13", "机构:"),
    *(
        "after:0001",
        "before:0001-01-01",
        "before:9999-12-31",
        "\x00",
        "\x1f\x7f",
        "🙂",
        "👩‍👩‍👧",
        "的",
    ),
    *(
        "的 了 和",
        "a" * 5000,
        "勒索 " * 1600,
        "(" * 500,
        "%",
        "%00",
        "\\",
        "<script>",
        "';--",
        "../",
    ),
    *(
        "\u202e勒索",
        "\ufeff",
        "e\u0301",
        "ﷺ",
        "㈱",
        "𝐀",
        "\ud7ff",
        "勒" * 799,
        "1.2.3.4.5.6",
        "a-" * 300,
    ),
    *(
        "hxxp://",
        "http://[",
        "[.]",
        "c++",
        ".net",
        "title:title:title:",
        "“”“”",
        "category:*",
        "x:y",
    ),
]


def check(client: FlaskClient, query: str) -> None:
    page = client.get("/search", query_string={"q": query})
    assert page.status_code in {200, 400}, query
    answer = client.get("/api/v1/search", query_string={"q": query})
    assert answer.status_code == page.status_code, query
    if answer.status_code == 200:
        assert answer.json["query"] == query
        assert isinstance(answer.json["total"], int)
    else:
        assert answer.json["error"]["message"]


@pytest.mark.parametrize("query", NAMED, ids=range(len(NAMED)))
def test_an_odd_query_is_answered(client: FlaskClient, query: str) -> None:
    check(client, query)


QUERIES = st.text(max_size=60) | st.lists(
    st.sampled_from([*NAMED[:60], "勒索软件", "漏洞", "CVE-2026-90001"]) | st.text(max_size=5),
    max_size=6,
).map("".join)


@pytest.mark.slow  # many more are asked by tests/reliability/hostile_queries.py
@settings(max_examples=200, deadline=None, derandomize=True)
@given(query=QUERIES)
def test_random_queries_are_answered(client: FlaskClient, query: str) -> None:
    check(client, query)
