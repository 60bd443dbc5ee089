"""The commands of those who read and edit: search, suggest, related, analyze."""

import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from typing import Any

import click

from index.analysis import Analyzer
from index.entities import OrganisationTable
from index.settings import Settings
from search import SearchRequest, open_searcher
from search.explanation import HitExplanation
from search.parser import parse_query
from search.results import Hit
from search.rewrite import Rewriter, explain_query
from search.synonyms import Synonyms
from web.cli_base import Text, echo, json_option, print_json, reports_errors
from web.draft_input import MAX_DRAFT, MAX_RELATED
from web.export import whole_list
from web.formats import FORMATS
from web.markup import number_of_copies, web_address
from web.params import LIST_FORMATS, MAX_SIZE, parse_day
from web.plain import visible
from web.related_text import draft_lines, related_lines
from web.wire import results_object, suggestions_object
from web.wire_related import draft_object, related_object

__all__ = ["READING"]


@click.command("search")
@click.argument("query", type=Text())
@click.option("--category", multiple=True, type=Text())
@click.option("--organisation", multiple=True, type=Text())
@click.option("--source", multiple=True, type=Text())
@click.option("--from", "first", metavar="DAY", help="Published on this day or later (YYYY-MM-DD).")
@click.option("--to", "last", metavar="DAY", help="Published on this day or earlier.")
@click.option("--match", type=click.Choice(["auto", "all"]), default="auto", show_default=True)
@click.option(
    "--sort",
    type=click.Choice(["relevance", "newest", "oldest"]),
    default="relevance",
    show_default=True,
)
@click.option(
    "--duplicates",
    type=click.Choice(["fold", "show"]),
    default="fold",
    show_default=True,
    help="Whether near-duplicates are one hit.",
)
@click.option("--page", type=click.IntRange(1), default=1)
@click.option("--size", type=click.IntRange(1, MAX_SIZE), default=10, show_default=True)
@click.option("--explain", is_flag=True, help="Tell what each score is made of.")
@click.option("--cursor", type=Text(), help="`next` of the last answer, in place of --page.")
@click.option(
    "--format",
    "form",
    type=click.Choice(LIST_FORMATS),
    help="Write every hit, not a page of them, in this form.",
)
@json_option
@click.pass_obj
@reports_errors
def search_command(
    settings: Settings,
    /,
    query: str,
    first: str | None,
    last: str | None,
    form: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Search, and print hits with their snippets."""
    if form and as_json:
        raise click.UsageError("--json prints a page and --format all hits: give one of them.")
    request = SearchRequest(
        query=query,
        first=parse_day("--from", first) if first else None,
        last=parse_day("--to", last) if last else None,
        **options,
    )
    with closing(open_searcher(settings)) as searcher:
        if form:
            _write_list(whole_list(searcher, request), form, query)
            return
        results = searcher.search(request)
    if as_json:
        print_json(results_object(results))
        return
    for notice in results.notices:
        echo(notice.message, err=True)
    for read in results.understood:
        echo(f"时间：“{read.text}”读作 {read.first} 至 {read.last}", err=True)
    if meant := results.did_you_mean:
        told = "没有结果，已按此检索" if meant.applied else "您是不是要找"
        echo(f"{told}：{meant.query}（{meant.total} 篇）", err=True)
    for hit in results.hits:
        day = hit.published.date().isoformat() if hit.published else "日期不详"
        click.echo(f"{day}  {visible(hit.source)}  {_marked(hit.title, hit.title_highlights)}")
        click.echo(f"  {_marked(hit.snippet.text, hit.snippet.highlights)}")
        if hit.duplicate_count:
            echo(f"  另有 {number_of_copies(hit.source, hit.duplicate_count, hit.copies)}转载")
        if hit.missing:
            echo(f"  不含：{'、'.join(hit.missing)}")
        if hit.explanation:
            echo(f"  {_made_of(hit.score, hit.explanation)}")
        echo(f"  {web_address(hit.url) or hit.id}")
    widened = f"，放宽条件 {results.widened} 篇" if results.widened else ""
    about = "" if results.groups_exact else "约"
    folded = f"，合并转载后{about} {results.groups} 条" if results.groups < results.total else ""
    echo(f"共 {results.total} 篇{folded}{widened}，用时 {results.took_ms} 毫秒")


def _write_list(hits: Iterable[Hit], form: str, query: str) -> None:
    """Write hits to stdout, byte for byte what the interface sends."""
    out = sys.stdout.buffer
    for piece in FORMATS[form].write(hits, bool(query.strip())):
        out.write(piece.encode("utf-8", "replace"))
    out.flush()


def _made_of(score: float, told: HitExplanation) -> str:
    """Write what a score is made of in one line."""
    words = [
        f"{word.word} {word.score:.2f} ("
        + ", ".join(f"{each.field} {each.text} × {each.count}" for each in word.occurrences)
        + ")"
        for word in told.words
        if word.occurrences
    ]
    others = [f"{name} {value:.2f}" for name, value in told.evidence]
    factors = f"coverage {told.coverage:.2f}, freshness {told.freshness:.3f}"
    return f"{score:.2f} = {' + '.join([*words, *others])}; {factors}"


def _marked(text: str, highlights: Iterable[tuple[int, int]]) -> str:
    text = text.replace("\n", " ")
    pieces, last = [], 0
    for start, end in highlights:
        marked = click.style(visible(text[start:end]), fg="red", bold=True)
        pieces += [visible(text[last:start]), marked]
        last = end
    return "".join([*pieces, visible(text[last:])])


@click.command("related")
@click.argument("article", metavar="ID|URL|-", type=Text())
@click.option("--draft", is_flag=True, help="Mark the paragraphs of the text on stdin.")
@click.option("--size", type=click.IntRange(1, MAX_RELATED), default=10, show_default=True)
@json_option
@click.pass_obj
@reports_errors
def related_command(
    settings: Settings, article: str, draft: bool, size: int, as_json: bool
) -> None:
    """Show articles related to one of the archive, or with - to the text on stdin."""
    from_stdin = article == "-"
    if draft and not from_stdin:
        raise click.UsageError("--draft reads the draft from stdin: anwen related - --draft")
    text = _read_stdin() if from_stdin else ""
    with closing(open_searcher(settings)) as searcher:
        if draft:
            report = searcher.check_draft("", text, size=size)
            answer, lines = draft_object(report), draft_lines(report)
        else:
            found = (
                searcher.related_to("", text, size=size)
                if from_stdin
                else searcher.related(searcher.article_by_url(article).id, size=size)
            )
            answer, lines = related_object(found), related_lines(found)
    if as_json:
        print_json(answer)
        return
    for line in lines:
        echo(line)


def _read_stdin() -> str:
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.UsageError("The text on stdin is not UTF-8.") from None
    if len(text) > MAX_DRAFT:
        raise click.UsageError(
            f"The text has {len(text):,} characters, the most are {MAX_DRAFT:,}."
        )
    return text


@click.command("analyze")
@click.argument("text", type=Text())
@json_option
@click.pass_obj
@reports_errors
def analyze_command(settings: Settings, text: str, as_json: bool) -> None:
    """Show the terms of a text with their positions and offsets, and how it is read as a query."""
    analyzer = Analyzer(settings.terms)
    tokens = analyzer.tokens(text)
    synonyms = Synonyms.load(OrganisationTable.load(settings.entities), settings.synonyms)
    parsed = parse_query(text, analyzer)
    told = explain_query(parsed.query, Rewriter(analyzer, synonyms))
    if as_json:
        read = asdict(told)
        print_json({"text": text, "tokens": [token._asdict() for token in tokens], "query": read})
        return
    for token in tokens:
        echo(f"{token.position:>5} {token.start:>5}–{token.end:<5} {token.text}")
    echo()
    echo(f"Read as a query: {told.read_as}")
    for word in told.words:
        others = [f"{each.text} ({each.weight}, {each.origin})" for each in word.variants[1:]]
        echo(f"  {word.word}{' = ' if others else ''}{', '.join(others)}")
    if told.ignored:
        echo(f"  left out: {', '.join(told.ignored)}")
    for notice in parsed.notices:
        echo(notice.message, err=True)


@click.command("suggest")
@click.argument("prefix", type=Text())
@json_option
@click.pass_obj
@reports_errors
def suggest_command(settings: Settings, prefix: str, as_json: bool) -> None:
    """Show what a typed text may become: words, organisations, identifiers, headlines."""
    with closing(open_searcher(settings)) as searcher:
        groups = searcher.suggest(prefix)
    if as_json:
        print_json(suggestions_object(prefix, groups))
        return
    for group in groups:
        echo(group.name)
        for found in group.suggestions:
            echo(f"  {found.text}" + ("" if found.count is None else f"  {found.count}"))


READING = (analyze_command, related_command, search_command, suggest_command)
