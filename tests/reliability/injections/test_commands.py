"""Hostile texts in what commands print: none gives orders to a terminal."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from search.evaluation import QueryRun, Run
from tests.reliability.injections.harmless import STEERING, check_terminal
from tests.reliability.injections.injecting import FILLING, PAYLOADS, Payload, hostile_pages
from web.cli import main
from web.evaluate import print_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def command(folder: Path) -> Callable[..., str]:
    def run(*arguments: str, stdin: str = "") -> str:
        given = ["--data", str(folder), *arguments]
        found = CliRunner().invoke(main, given, input=stdin, color=True, catch_exceptions=False)
        check_terminal(found.output)
        return found.output

    return run


def test_no_title_gives_orders_to_a_terminal(command: Callable[..., str]) -> None:
    for sort in ("relevance", "newest", "oldest"):
        for page in ("1", "2", "3"):
            command("search", "漏洞", "--size", "100", "--page", page, "--sort", sort, "--explain")
    command("search", "漏洞", "--size", "100", "--duplicates", "show")


def test_a_hit_has_its_own_lines_and_no_others(command: Callable[..., str]) -> None:
    for line in command("search", "漏洞", "--size", "100").splitlines():
        assert not re.match(r"2026-01-01", line), line


TERMINAL = [payload for payload in PAYLOADS if payload.kind in {"terminal", "unicode"}]


@pytest.mark.parametrize(
    "payloads",
    [TERMINAL[::27], pytest.param(PAYLOADS[::3], marks=pytest.mark.soak)],  # a second a command
    ids=["some", "more"],
)
def test_no_text_of_an_article_or_a_query_gives_orders_to_a_terminal(
    command: Callable[..., str], payloads: list[Payload]
) -> None:
    for payload in payloads:
        # What a shell can pass: no NUL, no half of a pair; in one, what all of them steer by.
        text = payload.text.replace("\0", "").encode("utf-8", "replace").decode()
        text += "\u001b[2J\u009b31m\u202e\u2028\r\n2026-01-01 伪造"
        for json_too in ([], ["--json"]):
            command("suggest", *json_too, "--", text)
            command("related", payload.article_id, *json_too)
            command("analyze", *json_too, "--", text)
            command("search", *json_too, "--source", text, "--", text)
            draft = f"{text}漏洞{text}\n{text}\n{FILLING}"
            command("related", "-", "--draft", *json_too, stdin=draft)
        command("search", "--cursor", text, "--", text)
        command("search", "--from", text, "--", "漏洞")
        command("related", "--", text)
    command("suggest", "a")
    command("info")
    command("remove", "\u001b[2Jx\n2026-01-01 伪造")


def test_lists_written_to_a_terminal_are_checked_as_files_are(command: Callable[..., str]) -> None:
    for form in ("csv", "jsonl", "md"):
        command("search", "漏洞", "--format", form)


def test_a_crawled_page_gives_no_orders_when_it_is_looked_at(
    tmp_path: Path, command: Callable[..., str]
) -> None:
    hostile_pages(tmp_path, 6)
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    command("extract", *files)
    for line in command("extract", "--json", *files).split("\n"):
        if line:
            check_json_of_an_operator(line)


def check_json_of_an_operator(line: str) -> None:
    assert not STEERING.search(line)
    json.loads(line)


def test_a_table_of_figures_shows_titles_as_they_are() -> None:
    payloads = [
        *("[bold]粗[/bold]", "[/x]", "[link=https://huilu.example]看[/link]"),
        *(payload.text for payload in PAYLOADS),
    ]
    out = io.StringIO()
    for text in payloads:
        query = QueryRun(
            id=text, query=text, kind=text, hits=(), measures={"nDCG@10": 0.5},
            unjudged=((text, text),),
        )  # fmt: skip
        run = Run(queries=(query,), measures={"nDCG@10": 0.5}, kinds={text: {}}, missing=())
        print_run(Console(file=out, width=200), run, None)
    check_terminal(out.getvalue())
    assert "[bold]粗[/bold]" in out.getvalue()
