"""Snippets: the window of a text that shows most of a query, and what is marked in it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analysis import Analyzer
from index.entities import OrganisationTable
from search.parser import parse_query
from search.results import Snippet
from search.rewrite import Rewriter
from search.snippet import Highlighter, snippet
from search.synonyms import Synonyms

ANALYZER = Analyzer()
REWRITER = Rewriter(ANALYZER, Synonyms((), OrganisationTable(())))
LATIN = re.compile(r"[0-9A-Za-z.,/-]")
FILLER = "各单位应当核对资产清单并保存日志"


def found_in(query: str, body: str) -> Snippet:
    rewritten = REWRITER.rewrite(parse_query(query, ANALYZER).query)
    return snippet(Highlighter(rewritten, ANALYZER), "", body)


def shown(query: str, body: str) -> str:
    """The snippet of a text, with what is marked in brackets."""
    found = found_in(query, body)
    text = found.text
    for start, end in reversed(found.highlights):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


@pytest.mark.parametrize("name", ["Vanilla Tempest", "CVE-2026-90001", "3,200,000"])
@pytest.mark.parametrize("behind", range(4, 26, 3))
def test_a_window_does_not_begin_inside_a_latin_word_or_a_number(name: str, behind: int) -> None:
    body = FILLER * 8 + name + FILLER[:behind] + "勒索软件" + FILLER * 12
    text = shown("勒索软件", body).removeprefix("……")
    assert "[勒索软件]" in text
    start = body.index(text.partition("[")[0] + "勒索软件")
    assert start > 100
    assert not (LATIN.match(body[start - 1]) and LATIN.match(body[start])), text
    assert not text.startswith(" ")


def test_a_window_does_not_end_inside_a_latin_word() -> None:
    for shift in range(40):
        body = "勒索软件" + "。" + "核" * (90 + shift % 30) + "Microsoft Exchange" + FILLER * 9
        text = shown("勒索软件", body)
        assert re.search(r"核+(Microsoft ?)?(Exchange.*)?……$", text), text


def test_a_word_that_is_longer_than_the_window_is_cut() -> None:
    body = "f" * 900
    assert shown("勒索软件", body) == "f" * 120 + "……"
    assert shown("勒索软件", "。" + "f" * 500 + "勒索软件" + "0" * 500).count("[勒索软件]") == 1


@given(
    st.text(st.sampled_from("勒索软件漏洞Aa1.-/ ，。\n０Ｂ①"), max_size=400),
    st.sampled_from(["勒索软件", "漏洞 勒索", "a1", '"软件漏洞"', "a*"]),
)
def test_what_is_shown_stands_in_the_text_and_marks_are_in_order(body: str, query: str) -> None:
    found = found_in(query, body)
    text = found.text
    if body.strip():
        assert text.removeprefix("……").removesuffix("……") in body.replace("\n", " ")
    last = 0
    for start, end in found.highlights:
        assert last <= start < end <= len(text)
        last = end
