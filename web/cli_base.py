"""What every command of `anwen` shares: how it takes text, prints, and reports errors."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from index.errors import AnwenError, JudgementsError, QueryError, SettingsError
from web.plain import visible, written_out

__all__ = ["Text", "echo", "json_option", "print_json", "reports_errors"]

P = ParamSpec("P")
R = TypeVar("R")


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the project's errors into one line on stderr: exit 2 for wrong usage, 1 for the rest."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (JudgementsError, QueryError, SettingsError) as error:
            raise click.UsageError(visible(str(error))) from error
        except AnwenError as error:
            raise click.ClickException(visible(str(error))) from error

    return wrapped


def echo(line: str = "", *, err: bool = False) -> None:
    """Print one line, in which no text of a page or a reader gives orders to the terminal."""
    click.echo(visible(line), err=err)


def print_json(value: object) -> None:
    """Print a value as one line of JSON; times are written in ISO 8601."""
    line = json.dumps(value, ensure_ascii=False, default=_plain)
    click.echo(written_out(line.encode("utf-8", "replace")).decode())


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Text(click.types.StringParamType):
    """Text; an argument whose bytes are no UTF-8 is refused, because nothing could print it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text, or fail as click wants it."""
        text: str = super().convert(value, param, ctx)
        try:
            text.encode()
        except UnicodeEncodeError:
            self.fail(f"{text!r} is not UTF-8.", param, ctx)
        return text


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
