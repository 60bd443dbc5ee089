"""The documentation: it names what there is, with its numbers, and what it tells to run runs."""

import re
import shlex
import tarfile
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import click
import pytest
from click.testing import CliRunner
from werkzeug.datastructures import MultiDict

from index.corpus import MAX_PAGE_BYTES
from index.settings import Settings
from search import open_searcher, similarity
from search.backends.whoosh.evaluator import MAX_EXPANSIONS
from search.parser import MAX_CLAUSES, MAX_DEPTH, MAX_LENGTH, MAX_NEAR, MAX_PREFIXES
from search.request import FACET_SIZE, MAX_WINDOW, Match, SearchRequest, Sort
from web import create_app
from web.cli import main
from web.draft_input import MAX_DRAFT, MAX_RELATED
from web.excerpt import MAX_EXTRACT
from web.export import MAX_CHOSEN
from web.params import MAX_SIZE, MAX_VALUES, MAX_VALUES_LENGTH, read_request

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(name: str, heading: str) -> dict[str, str]:
    """The table below a heading of a page: each row under its first cell."""
    section = f"\n{text_of(name)}".partition(f"\n{heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table, f"{name} has no table under {heading!r}"
    lines = table[0].splitlines()[2:]
    return {re.split(r"(?<!\\)\|", line)[1].strip(): line for line in lines}


COMMANDS = {
    cells.split()[1].strip("`"): line
    for cells, line in rows("docs/settings.md", "## Commands").items()
}


def test_every_command_is_described_and_no_other() -> None:
    assert set(COMMANDS) == set(main.commands)


@pytest.mark.parametrize("name", main.commands)
def test_every_option_of_a_command_is_described_and_no_other(name: str) -> None:
    options = {
        option
        for parameter in main.commands[name].params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    assert set(re.findall(r"--[a-z-]+", COMMANDS[name])) == options


def test_the_options_before_the_command_are_described() -> None:
    for parameter in main.params:
        assert parameter.opts[0] in text_of("docs/settings.md")


def test_every_setting_is_described_with_its_default_and_no_other() -> None:
    described = rows("docs/settings.md", "# Settings and commands")
    assert set(described) == {f"`{field.name}`" for field in fields(Settings)}
    for field in fields(Settings):
        default = described[f"`{field.name}`"].split("|")[2].strip(" `")
        assert default == ("none" if field.default in (None, ()) else str(field.default))


class Recorder(MultiDict[str, str]):
    """Parameters of no request, which remember what they were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, key: str, *_: object) -> str:  # type: ignore[override]
        self.names.add(key)
        return ""

    def getlist(self, key: str, *_: object) -> list[str]:  # type: ignore[override]
        self.names.add(key)
        return []


def test_every_parameter_of_an_address_is_described_and_no_other() -> None:
    recorder = Recorder()
    read_request(recorder)
    described = rows("docs/http-api.md", "## `GET /api/v1/search`")
    names = [name for cell in described for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(names) == sorted(recorder.names)
    for name, values in (("match", get_args(Match)), ("sort", get_args(Sort))):
        assert set(re.findall(r"`(\w+)`", described[f"`{name}`"])) == {name, *values}


def test_every_field_of_a_query_is_described() -> None:
    for name in ("title", "organisation", "category", "source", "after", "before"):
        assert f"`{name}:" in text_of("docs/query-syntax.md")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("docs/query-syntax.md", f"where fewer than {similarity.WIDEN_BELOW} do"),
        ("docs/query-syntax.md", f"{MAX_LENGTH} characters and {MAX_CLAUSES} words"),
        ("docs/query-syntax.md", f"{MAX_DEPTH} deep, {MAX_PREFIXES} prefixes"),
        ("docs/query-syntax.md", f"more than {MAX_NEAR} characters or words in all"),
        ("docs/query-syntax.md", f"each of at most {MAX_EXPANSIONS:,} terms"),
        ("docs/http-api.md", f"`size` 1 to {MAX_SIZE}, default {SearchRequest().size}"),
        ("docs/http-api.md", f"`page` × `size` at most {MAX_WINDOW:,}"),
        (
            "docs/http-api.md",
            f"at most {MAX_VALUES} values of {MAX_VALUES_LENGTH:,} characters",
        ),
        ("docs/http-api.md", f"its {FACET_SIZE} most frequent values"),
        ("docs/http-api.md", f"at most {MAX_EXTRACT} characters"),
        ("docs/http-api.md", f"at most {MAX_CHOSEN} in one address"),
        ("docs/http-api.md", f"together at most {MAX_DRAFT:,} characters"),
        ("docs/http-api.md", f"`size` 1 to {MAX_RELATED}, default 10"),
        ("docs/editors.md", f"up to {MAX_DRAFT:,} characters"),
        ("docs/settings.md", f"at most {MAX_DRAFT:,} characters"),
        ("docs/settings.md", f"over {MAX_PAGE_BYTES // 2**20} MiB"),
    ],
)
def test_a_number_in_the_documentation_is_that_of_the_code(page: str, words: str) -> None:
    assert words in " ".join(text_of(page).split())


def test_half_of_the_words_is_what_the_code_calls_enough() -> None:
    assert similarity.WIDEN_SHARE == 0.5
    assert "weigh at least half" in text_of("docs/query-syntax.md")


@pytest.mark.parametrize(
    "words",
    [
        f"不足 {similarity.WIDEN_BELOW} 篇",
        f"最多 {MAX_LENGTH} 个字符、{MAX_CLAUSES} 个词",
        f"以同一前缀开头的词最多 {MAX_EXPANSIONS:,} 个",
    ],
)
def test_a_number_on_the_help_page_is_that_of_the_code(tmp_path: Path, words: str) -> None:
    client = create_app(Settings(data=tmp_path)).test_client()
    assert words in client.get("/help/query").get_data(as_text=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


# The README


def read_me_commands() -> list[list[str]]:
    blocks = re.findall(r"^```\n(.*?)^```$", text_of("README.md"), re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def test_the_readme_names_targets_that_make_knows() -> None:
    targets = re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE)
    named = [words[1] for words in read_me_commands() if words[0] == "make"]
    assert named
    assert set(named) <= set(targets)


def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Settings] = []
    monkeypatch.setattr("web.server.run", lambda settings, *_: served.append(settings))
    monkeypatch.chdir(tmp_path)
    sample = sorted((ROOT / "web" / "sample").iterdir())
    Path("crawl").symlink_to(sample[0].parent)
    with tarfile.open("archive.tar.xz", "w:xz") as archive:
        archive.add(sample[0], arcname=sample[0].name)

    def run_anwen(arguments: list[str]) -> None:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output

    def run_curl(arguments: list[str]) -> None:
        address = urlsplit(arguments[-1])
        with closing(open_searcher(served[-1])) as searcher:
            client = create_app(served[-1], searcher).test_client()
            answer = client.get(f"{address.path}?{address.query}")
        assert answer.status_code == 200
        assert answer.get_json()["total"] > 0

    for program, *arguments in read_me_commands():
        match program:
            case "anwen":
                run_anwen(arguments)
            case "curl":
                run_curl(arguments)
            case _:
                assert program == "make"
    assert served
