"""The commands of an index on a cluster: the way there, and back to the generation before."""

import sys

import click

from index.build import migrate, rollback
from index.settings import Settings
from web.cli_base import echo, json_option, print_json, reports_errors
from web.progress import progress_on

__all__ = ["CLUSTER"]


@click.command("migrate")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes; default one a core.")
@json_option
@click.pass_obj
@reports_errors
def migrate_command(settings: Settings, jobs: int | None, as_json: bool) -> None:
    """Build an index on the cluster that opensearch_url names, from the articles of this folder.

    What answers now goes on answering, and may go on being written. Afterwards set backend to
    opensearch and restart anwen serve; the next anwen index PATH brings what came meanwhile.
    """
    with progress_on(sys.stderr) as progress:
        moved = migrate(settings, jobs=jobs, progress=progress)
    if as_json:
        print_json({"articles": moved.articles, "generation": moved.generation})
    else:
        echo(
            f"{moved.articles} articles in generation {moved.generation} of "
            f'{settings.opensearch_index}. Now set backend = "opensearch", and restart anwen watch '
            "and anwen serve."
        )


@click.command("rollback")
@json_option
@click.pass_obj
@reports_errors
def rollback_command(settings: Settings, as_json: bool) -> None:
    """Let the generation of the index before the live one answer again; on a cluster only."""
    generation = rollback(settings)
    if as_json:
        print_json({"generation": generation})
    else:
        echo(f"Generation {generation} answers now.")


CLUSTER = (migrate_command, rollback_command)
