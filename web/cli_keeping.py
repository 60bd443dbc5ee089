"""The commands that keep a data folder: whether it is sound, copies of it, and back again."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from index.backup import Restored, backup, restore
from index.build import build
from index.settings import Settings, load_settings
from index.verify import Verdict, verify
from web.cli_base import echo, json_option, print_json, reports_errors
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
        echo(f"{each.where}: {each.what}")
        echo(f"  {each.repair}")
    count = len(verdict.differences)
    echo(
        f"{verdict.pages} pages, {verdict.articles} articles and {verdict.sections} sections of "
        f"the index read: {count or 'no'} difference{'' if count == 1 else 's'}"
    )
    if verdict.behind:
        echo(f"Changes still to come into index or folder: {verdict.behind}. Run: anwen index PATH")


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE where it is there already.")
@json_option
@click.pass_obj
@reports_errors
def backup_command(settings: Settings, file: Path, force: bool, as_json: bool) -> None:
    """Write articles, own tables and settings to FILE, as they are at this moment.

    Other processes may serve and write meanwhile. The index is not in it: anwen restore makes it
    anew. Settings that are secret are left out.
    """
    with progress_on(sys.stderr) as progress:
        written = backup(settings, file, force=force, progress=progress)
    if as_json:
        print_json(asdict(written))
    else:
        echo(
            f"{click.format_filename(file)}: {written.articles} articles of {written.pages} pages, "
            f"{written.size:,} bytes"
        )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Set aside the articles that the data folder has.")
@click.option("--jobs", type=click.IntRange(1), help="Worker processes; default one a core.")
@json_option
@click.pass_obj
@reports_errors
def restore_command(
    settings: Settings, file: Path, force: bool, jobs: int | None, as_json: bool
) -> None:
    """Bring a backup's articles, tables and settings into the data folder, and index them.

    A backup that is damaged, or of a newer version, is refused before anything is changed. What
    was in the folder is kept beside it.
    """
    restored = restore(settings, file, force=force)
    generation = None
    try:
        with progress_on(sys.stderr) as progress:
            there = load_settings(data=settings.data)
            built = build(there, [], rebuild=True, jobs=jobs, progress=progress)
        generation = built.generation
    finally:  # where the index cannot be made, the articles are there all the same
        _tell(restored, generation, as_json=as_json)


def _tell(restored: Restored, generation: int | None, *, as_json: bool) -> None:
    names = {"replaced": restored.replaced, "settings": restored.settings}
    paths = {name: path and click.format_filename(path) for name, path in names.items()}
    if as_json:
        print_json(asdict(restored) | paths | {"generation": generation})
        return
    about = restored.backup
    echo(f"{about.articles} articles of {about.pages} pages, as of {about.created}")
    if restored.replaced:
        echo(f"What was there before: {paths['replaced']}")
    if restored.settings:
        echo(f"Settings of the backup: {paths['settings']}")
    for name in restored.left_out:
        echo(f"Setting {name} is not known here and was left out.", err=True)


KEEPING = (verify_command, backup_command, restore_command)
