"""The settings in force as `anwen info` tells them: values, and where they came from."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from index.settings import LoadedSettings, Secret

__all__ = ["print_settings", "settings_object"]


def settings_object(loaded: LoadedSettings) -> dict[str, Any]:
    """Return each setting with its value and source; of a secret no more than that it is set."""
    told: dict[str, Any] = {
        field.name: {
            "value": _plain(getattr(loaded.settings, field.name)),
            "source": loaded.sources[field.name],
        }
        for field in fields(loaded.settings)
    }
    workers = loaded.settings.workers
    told["rate_limit"]["note"] = (
        f"Each process of `anwen serve` counts for itself: {workers} processes allow a client up "
        f"to {workers} times as much."
    )
    return told


def print_settings(settings: Mapping[str, Mapping[str, Any]], ignored: tuple[str, ...]) -> None:
    """Print what `settings_object` has returned, and variables that are no settings."""
    click.echo("settings")
    for name, told in settings.items():
        value = told["value"]
        if isinstance(value, list):
            value = ", ".join(value)
        click.echo(f"  {name:<16} {'none' if value in (None, '') else value} ({told['source']})")
    click.echo(f"  {settings['rate_limit']['note']}")
    for name in ignored:
        click.echo(f"  {name} is no setting and is ignored")


def _plain(value: object) -> object:
    if isinstance(value, Secret):
        return repr(value)
    if isinstance(value, Path):
        return click.format_filename(value)
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return value
