"""The command that follows crawl folders."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT, SIGTERM, signal
from threading import Event

import click

from index.settings import Settings
from index.summary import Summary
from index.watch import Watcher
from web.cli_base import echo, json_option, print_json, reports_errors

__all__ = ["watch_command"]

_COUNTS = ("added", "updated", "unchanged", "repeated", "removed")


@click.command("watch")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--interval",
    type=click.FloatRange(0),
    default=2.0,
    show_default=True,
    help="Least seconds from one commit to the next.",
)
@click.option("--jobs", type=click.IntRange(1), help="Worker processes; default one a core.")
@click.option(
    "--poll",
    is_flag=True,
    help="Look through the folders all the time, for file systems without notifications (NFS).",
)
@json_option
@click.pass_obj
@reports_errors
def watch_command(
    settings: Settings,
    paths: tuple[Path, ...],
    interval: float,
    jobs: int | None,
    poll: bool,
    as_json: bool,
) -> None:
    """Follow folders and files and index what is new in them, until a signal ends it."""
    with _stopped_by_signals() as stop:
        watcher = Watcher(
            settings,
            paths,
            interval=interval,
            jobs=jobs,
            poll=poll,
            stop=stop,
            reporter=_Objects() if as_json else _Lines(),
        )
        watcher.run()


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    stop = Event()
    former = [(each, signal(each, lambda *_: stop.set())) for each in (SIGINT, SIGTERM)]
    try:
        yield stop
    finally:
        for each, handler in former:
            signal(each, handler)


class _Lines:
    """Lines on stderr."""

    def committed(self, summary: Summary) -> None:
        counts = [
            f"{name} {getattr(summary, name)}"
            for name in _COUNTS
            if getattr(summary, name) or name in ("added", "updated")
        ]
        counts += [f"skipped {summary.skipped.total()}", f"failed {summary.failed.total()}"]
        self.noted(f"{', '.join(counts)}; generation {summary.generation}; {summary.seconds:.1f} s")
        for page, outcome, reason in summary.problems:
            if outcome == "failed":
                self.noted(f"failed: {page}: {reason}")

    def waiting(self, reason: str, seconds: float) -> None:
        self.noted(f"{reason} Next attempt in {seconds:.0f} s.")

    def noted(self, message: str) -> None:
        echo(" ".join(message.split()), err=True)


class _Objects:
    """JSON, an object a line, on stdout."""

    def committed(self, summary: Summary) -> None:
        print_json(
            {
                "event": "commit",
                "pages": summary.pages,
                **{name: getattr(summary, name) for name in _COUNTS},
                "skipped": summary.skipped,
                "failed": summary.failed,
                "seconds": round(summary.seconds, 2),
                "generation": summary.generation,
                "problems": [
                    {"page": page, "outcome": outcome, "reason": reason}
                    for page, outcome, reason in summary.problems
                ],
            }
        )

    def waiting(self, reason: str, seconds: float) -> None:
        print_json({"event": "waiting", "reason": reason, "seconds": seconds})

    def noted(self, message: str) -> None:
        print_json({"event": "note", "message": message})
