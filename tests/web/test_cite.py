"""References: the three forms, whatever a page prints as title and author."""

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from index.document import BEIJING, Article
from tests.conftest import make_article
from tests.web.html import Page
from web.cite import references, today

READ = date(2026, 6, 18)
WHEN = datetime(2026, 3, 18, 9, 36, tzinfo=BEIJING)


def cited(**values: object) -> dict[str, str]:
    defaults: dict[str, object] = {
        "id": "f4e6a0a2c4ed5d02",
        "title": "灰鹭借远程运维平台漏洞投放勒索软件",
        "author": "沈既白",
        "source": "听潮网安",
        "published": WHEN,
        "url": "https://tingchao.example/p/20260318-0936",
    }
    return asdict(references(make_article(**(defaults | values)), READ))


def test_an_article_is_cited_in_three_forms() -> None:
    assert cited() == {
        "gb_t_7714": (
            "沈既白. 灰鹭借远程运维平台漏洞投放勒索软件[EB/OL]. 听潮网安, "
            "2026(2026-03-18)[2026-06-18]. https://tingchao.example/p/20260318-0936."
        ),
        "plain": (
            "《灰鹭借远程运维平台漏洞投放勒索软件》，沈既白，听潮网安，2026年3月18日，"
            "https://tingchao.example/p/20260318-0936"
        ),
        "bibtex": (
            "@online{anwen-f4e6a0a2c4ed5d02,\n"
            "  author = {沈既白},\n"
            "  title = {灰鹭借远程运维平台漏洞投放勒索软件},\n"
            "  organization = {听潮网安},\n"
            "  date = {2026-03-18},\n"
            "  url = {https://tingchao.example/p/20260318-0936},\n"
            "  urldate = {2026-06-18}\n"
            "}"
        ),
    }


def test_what_is_not_known_is_left_out() -> None:
    assert cited(author=None, published=None, url=None, title="通报") == {
        "gb_t_7714": "通报[EB/OL]. 听潮网安[2026-06-18].",
        "plain": "《通报》，听潮网安",
        "bibtex": (
            "@online{anwen-f4e6a0a2c4ed5d02,\n  title = {通报},\n  organization = {听潮网安}\n}"
        ),
    }


def test_an_address_that_is_none_is_not_cited() -> None:
    assert "javascript" not in "".join(cited(url="javascript:alert(1)").values())


@pytest.mark.parametrize(
    ("author", "gb", "plain", "bibtex"),
    [
        ("曹思颀、张勇毅", "曹思颀, 张勇毅. ", "，曹思颀、张勇毅，", "{曹思颀 and 张勇毅}"),
        ("曹明 任望", "曹明, 任望. ", "，曹明、任望，", "{曹明 and 任望}"),
        (
            "甲一，乙二;丙三",
            "甲一, 乙二, 丙三. ",
            "，甲一、乙二、丙三，",
            "{甲一 and 乙二 and 丙三}",
        ),
        # Of more than three the first three; BibTeX has them all, the style cuts.
        (
            "甲一、乙二、丙三、丁四",
            "甲一, 乙二, 丙三, 等. ",
            "，甲一、乙二、丙三等，",
            "{甲一 and 乙二 and 丙三 and 丁四}",
        ),
        ("Bill Toulas", "Bill Toulas. ", "，Bill Toulas，", "{{Bill Toulas}}"),
        (
            "A B, C D, E F and G H",
            "A B, C D, E F, et al. ",
            "，A B、C D、E F et al，",
            "{{A B} and",
        ),
        # A space inside a name of another kind parts nothing.
        ("总体技术部 林涛", "总体技术部 林涛. ", "，总体技术部 林涛，", "{{总体技术部 林涛}}"),
        ("W&M", "W&M. ", "，W&M，", r"{W\&M}"),
    ],
)
def test_authors_are_told_apart(author: str, gb: str, plain: str, bibtex: str) -> None:
    found = cited(author=author)
    assert found["gb_t_7714"].startswith(gb)
    assert plain in found["plain"]
    assert f"author = {bibtex}" in found["bibtex"]


def test_an_outlet_is_not_its_own_author() -> None:
    assert cited(author="听潮网安") == cited(author=None)


def test_a_day_is_that_of_beijing() -> None:
    late = datetime.fromisoformat("2026-03-17T20:00:00+00:00")
    assert cited(published=late) == cited(published=WHEN, published_precision="day")


@pytest.mark.parametrize(
    ("title", "gb", "plain", "bibtex"),
    [
        # A stop at the end would stand beside the form's own; a question mark says more.
        ("标题。", "标题[EB/OL]", "《标题》", "{标题}"),
        ("Title.", "Title[EB/OL]", "《Title》", "{{Title}}"),
        ("谁之过？", "谁之过？[EB/OL]", "《谁之过？》", "{谁之过？}"),
        ("未完...", "未完...[EB/OL]", "《未完...》", "{未完...}"),
        ("。", "。[EB/OL]", "《。》", "{。}"),
        (
            "解读《数据安全法》",
            "解读《数据安全法》[EB/OL]",
            "《解读〈数据安全法〉》",
            "{解读《数据安全法》}",
        ),
        ("所谓“免杀”", "所谓“免杀”[EB/OL]", "《所谓“免杀”》", "{所谓“免杀”}"),
        ("断\n\t行", "断 行[EB/OL]", "《断 行》", "{断 行}"),
        (
            'a}b{c\\d "e" 5% $_ #1 ~^',
            'a}b{c\\d "e" 5% $_ #1 ~^[EB/OL]',
            '《a}b{c\\d "e" 5% $_ #1 ~^》',
            r"{a\textbraceright{}b\textbraceleft{}c\textbackslash{}d "
            r'"e" 5\% \$\_ \#1 \textasciitilde{}\textasciicircum{}}',
        ),
        ("长" * 300, "长" * 300 + "[EB/OL]", "《" + "长" * 300 + "》", "{" + "长" * 300 + "}"),
    ],
)
def test_a_title_stands_as_the_form_wants_it(title: str, gb: str, plain: str, bibtex: str) -> None:
    found = cited(title=title, author=None)
    assert found["gb_t_7714"].startswith(f"{gb}. 听潮网安")
    assert found["plain"].startswith(f"{plain}，听潮网安")
    assert f"  title = {bibtex},\n" in found["bibtex"]


def test_an_address_stays_one_piece() -> None:
    found = cited(url=' https://tingchao.example/a b/{c}?q=漏洞&r=5%25_#"x" ')
    address = "https://tingchao.example/a%20b/%7Bc%7D?q=漏洞&r=5%25_#%22x%22"
    assert found["gb_t_7714"].endswith(f". {address}.")
    assert f"  url = {{{address}}},\n" in found["bibtex"]


@given(st.text(), st.text(), st.text())
def test_bibtex_balances_its_braces_whatever_is_cited(title: str, author: str, url: str) -> None:
    entry = cited(title=title, author=author, url=f"https://a.example/{url}")["bibtex"]
    depth = 0
    for sign in entry:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert entry.count("\n") == len(re.findall(r"(?m)^  \w+ = \{.*\},?$", entry)) + 1


@given(st.text(min_size=1), st.text())
def test_a_reference_is_one_line(title: str, author: str) -> None:
    found = cited(title=title, author=author)
    for form in ("gb_t_7714", "plain"):
        assert found[form].splitlines() == [found[form]]


@pytest.mark.parametrize("number", [7, 14, 15])
def test_the_interface_and_the_page_have_the_same_references(
    news: list[Article], client: FlaskClient, visit: Callable[..., Page], number: int
) -> None:
    article = news[number]
    answer = client.get(f"/api/v1/articles/{article.id}").json["citations"]
    # Midnight may have passed since.
    days = (today(), today() - timedelta(days=1))
    assert answer in [asdict(references(article, day)) for day in days]
    page = visit(f"/article/{article.id}")
    shown = {element.attributes.get("id"): element.text for element in page.find("pre")}
    assert shown == {
        "cite-gbt": answer["gb_t_7714"],
        "cite-bibtex": answer["bibtex"],
        "cite-plain": answer["plain"],
    }
    copied = [element.attributes.get("data-copy") for element in page.find("button", "copy")]
    assert copied == list(shown)


def test_what_is_cited_is_escaped_on_the_page(client: FlaskClient) -> None:
    page = client.get("/article/" + "f" * 16).get_data(as_text=True)
    assert "<script>alert(" not in page
    assert "<u>作者" not in page
