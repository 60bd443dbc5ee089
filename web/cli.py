"""The command `anwen`: everything an operator does, and a search at the prompt."""

import json
import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, replace
from datetime import datetime
from functools import wraps
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from rich.console import Console

from index.analysis import Analyzer
from index.build import Summary, build, open_index, remove, stages_fingerprint
from index.corpus import Unreadable, read_pages
from index.document import Article
from index.entities import Denials, OrganisationTable, annotate
from index.errors import (
    AnwenError,
    IndexUnavailable,
    JudgementsError,
    NotAnArticle,
    QueryError,
    SettingsError,
    StoreError,
)
from index.extract import extract
from index.settings import Settings, load_settings
from index.store import ArticleStore
from search import SearchRequest, open_searcher
from search.evaluation import compare, evaluate, read_judgements, read_run, write_run
from search.explanation import HitExplanation
from search.parser import parse_query
from search.results import Hit
from search.rewrite import Rewriter, explain_query
from search.synonyms import Synonyms
from web.draft_input import MAX_DRAFT, MAX_RELATED
from web.evaluate import print_run, run_object
from web.export import whole_list
from web.formats import FORMATS
from web.markup import number_of_copies
from web.params import LIST_FORMATS, MAX_SIZE, parse_day
from web.progress import progress_on
from web.related_text import draft_lines, related_lines
from web.wire import indicators_object, results_object, suggestions_object
from web.wire_related import draft_object, related_object

__all__ = ["main"]

P = ParamSpec("P")
R = TypeVar("R")

_FREE_PORTS = 20  # how many ports after the wanted one are tried


def _reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the project's errors into one line on stderr: exit 2 for wrong usage, 1 for the rest."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (JudgementsError, QueryError, SettingsError) as error:
            raise click.UsageError(str(error)) from error
        except AnwenError as error:
            raise click.ClickException(str(error)) from error

    return wrapped


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


class _Text(click.types.StringParamType):
    """Text; an argument whose bytes are no UTF-8 is refused, because nothing could print it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text: str = super().convert(value, param, ctx)
        try:
            text.encode()
        except UnicodeEncodeError:
            self.fail(f"{text!r} is not UTF-8.", param, ctx)
        return text


_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("anwen"), prog_name="anwen")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The data folder (or ANWEN_DATA; default ./anwen-data).",
)
@click.pass_context
@_reports_errors
def main(context: click.Context, data: Path | None) -> None:
    """安闻: search over Chinese security news."""
    context.obj = load_settings(data=data)


@main.command("index")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--rebuild", is_flag=True, help="Read stale pages again and build a new generation.")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes; default one a core.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every skipped and failed page with its reason to FILE, tab-separated.",
)
@_json_option
@click.pass_obj
@_reports_errors
def index_command(
    settings: Settings,
    paths: tuple[Path, ...],
    rebuild: bool,
    jobs: int | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Read pages from folders, files and archives and bring the index up to date.

    PATH: folders; .md .html .htm files; .tar(.gz|.xz) and .zip archives of those; .jsonl(.gz)
    with a "raw" field.
    """
    if not paths and not rebuild:
        raise click.UsageError("Name a PATH to read, or --rebuild to build the index anew.")
    with progress_on(sys.stderr) as progress:
        summary = build(settings, paths, rebuild=rebuild, jobs=jobs, progress=progress)
    if report:
        _write_report(report, summary)
    if as_json:
        _print_json(_summary_object(summary))
    else:
        _print_summary(summary)


def _summary_object(summary: Summary) -> dict[str, object]:
    names = ("pages", "added", "updated", "unchanged", "repeated", "removed", "skipped", "failed")
    counts: dict[str, object] = {name: getattr(summary, name) for name in names}
    return counts | {"seconds": round(summary.seconds, 2), "generation": summary.generation}


def _print_summary(summary: Summary) -> None:
    click.echo(f"{summary.pages} pages in {summary.seconds:.1f} s")
    for name in ("added", "updated", "unchanged", "repeated", "removed"):
        click.echo(f"  {name:<10} {getattr(summary, name):>7}")
    for name, counter in (("skipped", summary.skipped), ("failed", summary.failed)):
        click.echo(f"  {name:<10} {counter.total():>7}")
        for reason, count in counter.most_common():
            click.echo(f"    {reason:<20} {count:>7}")


def _write_report(path: Path, summary: Summary) -> None:
    try:
        with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
            for problem in summary.problems:
                print(*(_one_line(part) for part in problem), sep="\t", file=file)
    except OSError as error:
        raise click.ClickException(
            f"The index is built, but {path} cannot be written: {error}."
        ) from error


def _one_line(text: str) -> str:
    return " ".join(text.split())


@main.command("remove")
@click.argument("articles", metavar="ID|URL...", nargs=-1, required=True)
@click.option("--undo", is_flag=True, help="Forget the removal; the next run reads the page again.")
@click.pass_obj
@_reports_errors
def remove_command(settings: Settings, articles: tuple[str, ...], undo: bool) -> None:
    """Remove articles from the store and the index for good."""
    for identifier in remove(settings, articles, undo=undo):
        click.echo(f"{identifier} {'may be read again' if undo else 'removed'}")


@main.command("search")
@click.argument("query", type=_Text())
@click.option("--category", multiple=True, type=_Text())
@click.option("--organisation", multiple=True, type=_Text())
@click.option("--source", multiple=True, type=_Text())
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
@click.option("--cursor", type=_Text(), help="`next` of the last answer, in place of --page.")
@click.option(
    "--format",
    "form",
    type=click.Choice(LIST_FORMATS),
    help="Write every hit, not a page of them, in this form.",
)
@_json_option
@click.pass_obj
@_reports_errors
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
        _print_json(results_object(results))
        return
    for notice in results.notices:
        click.echo(notice.message, err=True)
    for read in results.understood:
        click.echo(f"时间：“{read.text}”读作 {read.first} 至 {read.last}", err=True)
    if meant := results.did_you_mean:
        told = "没有结果，已按此检索" if meant.applied else "您是不是要找"
        click.echo(f"{told}：{meant.query}（{meant.total} 篇）", err=True)
    for hit in results.hits:
        day = hit.published.date().isoformat() if hit.published else "日期不详"
        click.echo(f"{day}  {hit.source}  {_marked(hit.title, hit.title_highlights)}")
        click.echo(f"  {_marked(hit.snippet.text, hit.snippet.highlights)}")
        if hit.duplicate_count:
            click.echo(
                f"  另有 {number_of_copies(hit.source, hit.duplicate_count, hit.copies)}转载"
            )
        if hit.missing:
            click.echo(f"  不含：{'、'.join(hit.missing)}")
        if hit.explanation:
            click.echo(f"  {_made_of(hit.score, hit.explanation)}")
        click.echo(f"  {hit.url or hit.id}")
    widened = f"，放宽条件 {results.widened} 篇" if results.widened else ""
    folded = f"，合并转载后 {results.groups} 条" if results.groups < results.total else ""
    click.echo(f"共 {results.total} 篇{folded}{widened}，用时 {results.took_ms} 毫秒")


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
    pieces, last = [], 0
    for start, end in highlights:
        pieces += [text[last:start], click.style(text[start:end], fg="red", bold=True)]
        last = end
    return "".join([*pieces, text[last:]])


@main.command("related")
@click.argument("article", metavar="ID|URL|-", type=_Text())
@click.option("--draft", is_flag=True, help="Mark the paragraphs of the text on stdin.")
@click.option("--size", type=click.IntRange(1, MAX_RELATED), default=10, show_default=True)
@_json_option
@click.pass_obj
@_reports_errors
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
        _print_json(answer)
        return
    for line in lines:
        click.echo(line)


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


@main.command("extract")
@click.argument(
    "paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a page, one a line.")
@click.pass_obj
@_reports_errors
def extract_command(settings: Settings, paths: tuple[Path, ...], as_json: bool) -> None:
    """Show what extraction and entities find in pages, without storing anything."""
    table = OrganisationTable.load(settings.entities)
    denials = Denials.load(settings.denials)
    for page in read_pages(paths):
        found: dict[str, object]
        if isinstance(page, Unreadable):
            found = {"file": page.path, "skipped": page.reason}
        else:
            try:
                article = annotate(extract(page), table, denials)
                found = _extracted_object(page.path, article)
            except NotAnArticle as error:
                found = {"file": page.path, "skipped": error.reason}
        if as_json:
            _print_json(found)
        else:
            for name, value in found.items():
                click.echo(f"{name}: {value}")
            click.echo()


def _extracted_object(path: str, article: Article) -> dict[str, object]:
    return {
        "file": path,
        "url": article.url,
        "title": article.title,
        "published": article.published,
        "published_precision": article.published_precision,
        "category": article.category_printed,
        "source": article.source,
        "author": article.author,
        "lead": article.lead,
        "body": article.body,
        "tags": article.tags,
        "views": article.views,
        "images": [asdict(image) for image in article.images],
        "organisations": [
            {
                "name": mention.name,
                "surfaces": mention.surfaces,
                "type": mention.type,
                "salient": mention.salient,
            }
            for mention in article.mentions
        ],
        "identifiers": article.identifiers,
        "indicators": indicators_object(article),
        "skipped": None,
    }


@main.command("analyze")
@click.argument("text", type=_Text())
@_json_option
@click.pass_obj
@_reports_errors
def analyze_command(settings: Settings, text: str, as_json: bool) -> None:
    """Show the terms of a text with their positions and offsets, and how it is read as a query."""
    analyzer = Analyzer(settings.terms)
    tokens = analyzer.tokens(text)
    synonyms = Synonyms.load(OrganisationTable.load(settings.entities), settings.synonyms)
    parsed = parse_query(text, analyzer)
    told = explain_query(parsed.query, Rewriter(analyzer, synonyms))
    if as_json:
        read = asdict(told)
        _print_json({"text": text, "tokens": [token._asdict() for token in tokens], "query": read})
        return
    for token in tokens:
        click.echo(f"{token.position:>5} {token.start:>5}–{token.end:<5} {token.text}")
    click.echo(f"\nRead as a query: {told.read_as}")
    for word in told.words:
        others = [f"{each.text} ({each.weight}, {each.origin})" for each in word.variants[1:]]
        click.echo(f"  {word.word}{' = ' if others else ''}{', '.join(others)}")
    if told.ignored:
        click.echo(f"  left out: {', '.join(told.ignored)}")
    for notice in parsed.notices:
        click.echo(notice.message, err=True)


@main.command("suggest")
@click.argument("prefix", type=_Text())
@_json_option
@click.pass_obj
@_reports_errors
def suggest_command(settings: Settings, prefix: str, as_json: bool) -> None:
    """Show what a typed text may become: words, organisations, identifiers, headlines."""
    with closing(open_searcher(settings)) as searcher:
        groups = searcher.suggest(prefix)
    if as_json:
        _print_json(suggestions_object(prefix, groups))
        return
    for group in groups:
        click.echo(group.name)
        for found in group.suggestions:
            click.echo(f"  {found.text}" + ("" if found.count is None else f"  {found.count}"))


@main.command("evaluate")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the run.")
@click.option(
    "--against", type=click.Path(dir_okay=False, path_type=Path), help="Compare with a saved run."
)
@_json_option
@click.pass_obj
@_reports_errors
def evaluate_command(
    settings: Settings, folder: Path, save: Path | None, against: Path | None, as_json: bool
) -> None:
    """Measure relevance on judged queries: nDCG@10, MRR@10, Recall@50, Judged@10.

    FOLDER holds queries.jsonl (objects with id, query and perhaps kind) and qrels.tsv (query id,
    article and grade between tabs; an article is named by address, id or the path of its page).
    """
    former = read_run(against) if against else None
    with ArticleStore(settings.data / "articles.sqlite3", read_only=True) as store:
        judgements = read_judgements(folder, store.find)
    with closing(open_searcher(settings)) as searcher:
        run = evaluate(searcher, judgements)
    comparison = compare(run, former) if former else None
    if as_json:
        _print_json(run_object(run, comparison))
    else:
        print_run(Console(), run, comparison)
    if save:  # last, so that a path that cannot be written does not cost the figures
        write_run(run, save)


@main.command("info")
@_json_option
@click.pass_obj
@_reports_errors
def info_command(settings: Settings, as_json: bool) -> None:
    """Tell what is stored and indexed, and whether it fits the running code."""
    analyzer = Analyzer(settings.terms)
    index = open_index(settings, analyzer)
    with ArticleStore(settings.data / "articles.sqlite3", read_only=True) as store:
        about: dict[str, object] = {
            "version": version("anwen"),
            "data": click.format_filename(settings.data),
            **store.statistics(stages_fingerprint(settings)),
            "revision": store.revision,
            "generation": index.generation,
            "indexed_revision": index.revision,
            "analyzer": analyzer.fingerprint,
            "out_of_date": index.out_of_date() if index.generation else None,
        }
    if as_json:
        _print_json(about)
        return
    for name, value in about.items():
        click.echo(f"{name:<17} {value if value is not None else 'no'}")
    if about["stale"] or about["out_of_date"]:
        click.echo("Run: anwen index --rebuild")


@main.command("serve")
@click.option("--host", type=_Text(), default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1), help="Processes; default the setting's, 2.")
@click.pass_obj
@_reports_errors
def serve_command(settings: Settings, host: str, port: int, workers: int | None) -> None:
    """Serve the site; a port in use gives way to the next free one, which is printed."""
    _serve(replace(settings, workers=workers or settings.workers), host, port)


@main.command("demo")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--no-serve", is_flag=True, help="Only index the sample.")
@click.pass_obj
@_reports_errors
def demo_command(settings: Settings, port: int, no_serve: bool) -> None:
    """Index the bundled sample of invented news into DATA/demo, and serve it."""
    settings = replace(settings, data=settings.data / "demo")
    with as_file(files("web") / "sample") as sample, progress_on(sys.stderr) as progress:
        # Built anew, so that the sample of an older version leaves nothing behind.
        summary = build(settings, [sample], rebuild=True, progress=progress)
    _print_summary(summary)
    if not no_serve:
        _serve(settings, "127.0.0.1", port)


def _serve(settings: Settings, host: str, port: int) -> None:
    from web.server import run

    free = _free_port(host, port)
    if free != port:
        click.echo(f"Port {port} is in use.", err=True)
    click.echo(f"http://{host}:{free}/", err=True)
    _tell_what_fails(settings)
    run(settings, host, free)


def _tell_what_fails(settings: Settings) -> None:
    """Search once before readers do: a server without an index starts, but not silently."""
    searcher = open_searcher(settings)
    try:
        searcher.search(SearchRequest(size=1))
    except (IndexUnavailable, StoreError) as error:
        click.echo(f"{error}\nUntil then searches are answered with 503.", err=True)
    finally:
        searcher.close()


def _free_port(host: str, wanted: int) -> int:
    for port in range(wanted, min(wanted + _FREE_PORTS, 65536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except PermissionError as error:
                raise click.ClickException(f"Port {port} is not allowed: {error}.") from error
            except (OSError, UnicodeError) as error:  # the latter of a name too long for a host
                reason = error
                continue
            return port
    raise click.ClickException(
        f"No free port from {wanted} on at {host}: {reason}. Name another with --port."
    )
