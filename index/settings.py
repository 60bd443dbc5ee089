"""Settings: read once at the edge, passed down as one frozen value."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from index.errors import SettingsError

__all__ = ["Settings", "load_settings"]

_ORIGIN = re.compile(r"https?://[^/\s?#@,]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator may choose; docs/settings.md describes each field."""

    data: Path = Path("anwen-data")
    """The folder that holds everything: the article store and the index."""

    site_name: str = "安闻"
    """The name in page titles."""

    base_url: str | None = None
    """The address that readers see, such as https://news.example; for canonical links."""

    allowed_origins: tuple[str, ...] = ()
    """Sites whose pages may ask the API, such as https://portal.example; several with commas."""

    workers: int = 2
    """Processes of `anwen serve`."""

    memory: int = 400
    """MB of tokens that `anwen index` holds before it writes them out."""

    cache: int = 96
    """MB of decoded postings and scores that each process of `anwen serve` keeps at least.

    Of an index above twice that size it keeps half of the size. As much again is kept for related
    articles and drafts, once somebody asks for them.
    """

    terms: Path | None = None
    """A file of words that the analyzer must not cut, one a line; adds to the built-in list."""

    synonyms: Path | None = None
    """A file of synonyms that adds to the built-in ones, `a = b` or `a => b` a line."""

    entities: Path | None = None
    """A table of organisations that adds to the built-in one or overrules it."""

    denials: Path | None = None
    """A file of organisations that articles do not name, `article<tab>organisation` a line."""


def load_settings(
    environment: Mapping[str, str] | None = None, *, data: Path | None = None
) -> Settings:
    """Read settings from `ANWEN_<FIELD>`, then `anwen.toml`, then the defaults.

    The file is the one named in `ANWEN_CONFIG`, or `anwen.toml` in the data folder. `data` (the
    command line's `--data`) goes before all of them. Raises SettingsError for an unknown field or
    a value of the wrong type.
    """
    environment = os.environ if environment is None else environment
    known = {field.name for field in fields(Settings)}
    folder = data or Path(environment.get("ANWEN_DATA") or Settings().data)
    config = environment.get("ANWEN_CONFIG")
    values = _read_file(Path(config) if config else folder / "anwen.toml", required=bool(config))
    unknown = sorted(set(values) - known)
    if unknown:
        raise SettingsError(
            f"Unknown setting {unknown[0]!r} in the configuration file. "
            f"Settings: {', '.join(sorted(known))}."
        )
    for name in known:
        if value := environment.get(f"ANWEN_{name.upper()}"):
            values[name] = value
    if data:
        values["data"] = data
    return Settings(**{name: _convert(name, value) for name, value in values.items()})


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        if required:
            raise SettingsError(f"ANWEN_CONFIG names {path}, which does not exist.") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from error


def _convert(name: str, value: object) -> Any:
    if name in {"data", "terms", "synonyms", "entities", "denials"}:
        return Path(str(value)).expanduser()
    if name == "allowed_origins":
        origins = value if isinstance(value, list) else str(value).split(",")
        return tuple(_origin(str(origin)) for origin in origins if str(origin).strip())
    if name in {"workers", "memory", "cache"}:
        try:
            number = int(str(value))
        except ValueError:
            number = 0
        if number < 1:
            raise SettingsError(f"{name} is {value!r}; it must be a whole number from 1 up.")
        return number
    return str(value)


def _origin(text: str) -> str:
    """Return an origin as a browser writes it (RFC 6454): scheme, host and perhaps a port."""
    origin = text.strip().lower().rstrip("/")
    if origin != "*" and not _ORIGIN.fullmatch(origin):
        raise SettingsError(
            f"allowed_origins names {text.strip()!r}; an origin is written https://portal.example, "
            "without a path, or * for every site."
        )
    return origin
