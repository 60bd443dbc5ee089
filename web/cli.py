"""The command `anwen`: what an operator does, beside the commands of `cli_reading`."""

import socket
import sys
from contextlib import closing
from dataclasses import asdict, replace
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

import click
from rich.console import Console

from index.analysis import Analyzer
from index.build import build, open_index, remove
from index.corpus import Unreadable, read_pages
from index.document import Article
from index.entities import Denials, OrganisationTable, annotate
from index.errors import IndexUnavailable, NotAnArticle, StoreError
from index.extract import extract
from index.settings import Settings, load_settings, read_settings
from index.stages import stages_fingerprint
from index.store import STORE_FILE, ArticleStore
from index.summary import Summary
from search import SearchRequest, open_searcher
from search.evaluation import compare, evaluate, read_judgements, read_run, write_run
from web.cli_base import Text, echo, json_option, print_json, reports_errors
from web.cli_cluster import CLUSTER
from web.cli_keeping import KEEPING
from web.cli_reading import READING
from web.cli_settings import print_settings, settings_object
from web.cli_watch import watch_command
from web.cli_widget import widget_command
from web.evaluate import print_run, run_object
from web.plain import visible
from web.progress import progress_on
from web.wire import indicators_object

__all__ = ["main"]

_FREE_PORTS = 20  # how many ports after the wanted one are tried


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("anwen"), prog_name="anwen")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The data folder (or ANWEN_DATA; default ./anwen-data).",
)
@click.pass_context
@reports_errors
def main(context: click.Context, data: Path | None) -> None:
    """安闻: search over Chinese security news."""
    context.obj = load_settings(data=data)


for _command in (*READING, *KEEPING, *CLUSTER, watch_command, widget_command):
    main.add_command(_command)


@main.command("index")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--rebuild", is_flag=True, help="Read stale pages again and build a new generation.")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes; default one a core.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every skipped and failed page with its reason to FILE, tab-separated.",
)
@json_option
@click.pass_obj
@reports_errors
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
        print_json(_summary_object(summary))
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
            echo(f"    {reason:<20} {count:>7}")


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
    return visible(" ".join(text.split()))


@main.command("remove")
@click.argument("articles", metavar="ID|URL...", nargs=-1, required=True)
@click.option("--undo", is_flag=True, help="Forget the removal; the next run reads the page again.")
@click.pass_obj
@reports_errors
def remove_command(settings: Settings, articles: tuple[str, ...], undo: bool) -> None:
    """Remove articles from the store and the index for good."""
    for identifier in remove(settings, articles, undo=undo):
        echo(f"{identifier} {'may be read again' if undo else 'removed'}")


@main.command("extract")
@click.argument(
    "paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a page, one a line.")
@click.pass_obj
@reports_errors
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
            print_json(found)
        else:
            for name, value in found.items():
                for number, line in enumerate(str(value).split("\n")):
                    echo(f"  {line}" if number else f"{name}: {line}")
            echo()


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


@main.command("evaluate")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the run.")
@click.option(
    "--against", type=click.Path(dir_okay=False, path_type=Path), help="Compare with a saved run."
)
@json_option
@click.pass_obj
@reports_errors
def evaluate_command(
    settings: Settings, folder: Path, save: Path | None, against: Path | None, as_json: bool
) -> None:
    """Measure relevance on judged queries: nDCG@10, MRR@10, Recall@50, Judged@10.

    FOLDER holds queries.jsonl (objects with id, query and perhaps kind) and qrels.tsv (query id,
    article and grade between tabs; an article is named by address, id or the path of its page).
    """
    former = read_run(against) if against else None
    with ArticleStore(settings.data / STORE_FILE, read_only=True) as store:
        judgements = read_judgements(folder, store.find)
    with closing(open_searcher(settings)) as searcher:
        run = evaluate(searcher, judgements)
    comparison = compare(run, former) if former else None
    if as_json:
        print_json(run_object(run, comparison))
    else:
        print_run(Console(), run, comparison)
    if save:  # last, so that a path that cannot be written does not cost the figures
        write_run(run, save)


@main.command("info")
@json_option
@click.pass_obj
@reports_errors
def info_command(settings: Settings, as_json: bool) -> None:
    """Tell what is in force, stored and indexed, and whether it fits the running code."""
    loaded = read_settings(data=click.get_current_context().find_root().params["data"])
    in_force = settings_object(loaded)
    if not as_json:  # first, since it does not depend on what may be missing below
        print_settings(in_force, loaded.ignored)
    analyzer = Analyzer(settings.terms)
    index = open_index(settings, analyzer)
    stored: dict[str, object] = {}
    # A machine that only serves from a cluster has no store.
    if not index.is_shared or (settings.data / STORE_FILE).exists():
        with ArticleStore(settings.data / STORE_FILE, read_only=True) as store:
            stored = {
                **store.statistics(stages_fingerprint(settings)),
                "revision": store.revision,
                "indexed_revision": index.revision,
            }
    about: dict[str, object] = {
        "version": version("anwen"),
        "data": click.format_filename(settings.data),
        **stored,
        "generation": index.generation,
        "analyzer": analyzer.fingerprint,
        "out_of_date": index.out_of_date() if index.generation else None,
        "fault": index.fault(),
    }
    if as_json:
        print_json(about | {"settings": in_force, "ignored_variables": list(loaded.ignored)})
        return
    for name, value in about.items():
        echo(f"{name:<17} {value if value is not None else 'no'}")
    if about.get("stale") or about["out_of_date"]:
        click.echo("Run: anwen index --rebuild")
    elif not about["generation"]:
        click.echo("There is no index. Run: anwen index --rebuild")


@main.command("serve")
@click.option("--host", type=Text(), default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1), help="Processes; default the setting's, 2.")
@click.pass_obj
@reports_errors
def serve_command(settings: Settings, host: str, port: int, workers: int | None) -> None:
    """Serve the site; without --port at the first free one from 8000 on, which is printed."""
    source = click.get_current_context().get_parameter_source("port")
    ports = _FREE_PORTS if source is click.core.ParameterSource.DEFAULT else 1
    _serve(replace(settings, workers=workers or settings.workers), host, port, ports)


@main.command("demo")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--no-serve", is_flag=True, help="Only index the sample.")
@click.pass_obj
@reports_errors
def demo_command(settings: Settings, port: int, no_serve: bool) -> None:
    """Index the bundled sample of invented news into DATA/demo, and serve it."""
    settings = replace(settings, data=settings.data / "demo")
    with as_file(files("web") / "sample") as sample, progress_on(sys.stderr) as progress:
        # Built anew, so that the sample of an older version leaves nothing behind.
        summary = build(settings, [sample], rebuild=True, progress=progress)
    _print_summary(summary)
    if not no_serve:
        _serve(settings, "127.0.0.1", port, _FREE_PORTS)


def _serve(settings: Settings, host: str, port: int, ports: int) -> None:
    from web.server import run

    _tell_what_fails(settings)
    free = _free_port(host, port, ports)
    if free != port:
        click.echo(f"Port {port} is in use.", err=True)
    click.echo(f"http://{f'[{host}]' if ':' in host else host}:{free}/", err=True)
    run(settings, host, free)


def _tell_what_fails(settings: Settings) -> None:
    """Search once before readers do: a server without an index starts, but not silently."""
    searcher = open_searcher(settings)
    try:
        searcher.search(SearchRequest(size=1))
    except (IndexUnavailable, StoreError) as error:
        echo(str(error), err=True)
        echo("Until then searches are answered with 503.", err=True)
    finally:
        searcher.close()


def _free_port(host: str, wanted: int, ports: int) -> int:
    for port in range(wanted, min(wanted + ports, 65536)):
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
    which = f"Port {wanted}" if ports == 1 else f"No port from {wanted} on"
    can = "cannot" if ports == 1 else "can"
    raise click.ClickException(
        f"{which} {can} be used at {host}: {getattr(reason, 'strerror', None) or reason}. "
        "Name another with --port, or an address of this machine with --host."
    )
