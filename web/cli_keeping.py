"""The commands that keep a data folder: whether it is sound, copies of it, and back again."""

import sys
from dataclasses import asdict

import click

from index.settings import Settings
from index.verify import Verdict, verify
from web.cli_base import json_option, print_json, reports_errors
from web.progress import progress_on

__all__ = ["KEEPING"]


@click.command("verify")
@json_option
@click.pass_obj
@reports_errors
def verify_command(settings: Settings, as_json: bool) -> None:
    """Check store, index and files against each other, down to the last byte.

    Other processes may serve and write meanwhile; nothing is written.
    """
    with progress_on(sys.stderr) as progress:
        verdict = verify(settings, progress)
    if as_json:
        print_json({"sound": verdict.is_sound, **asdict(verdict)})
    else:
        _print_verdict(verdict)
    if not verdict.is_sound:
        sys.exit(1)


def _print_verdict(verdict: Verdict) -> None:
    for each in verdict.differences:
        click.echo(f"{each.where}: {each.what}\n  {each.repair}")
    count = len(verdict.differences)
    click.echo(
        f"{verdict.pages} pages, {verdict.articles} articles and {verdict.sections} sections of "
        f"the index read: {count or 'no'} difference{'' if count == 1 else 's'}"
    )
    if verdict.behind:
        click.echo(f"The index is {verdict.behind} changes behind; the next anwen index follows.")


KEEPING = (verify_command,)
