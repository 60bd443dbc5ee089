"""Settings: read once at the edge, passed down as one frozen value."""

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from index.errors import SettingsError

__all__ = ["LoadedSettings", "Network", "Secret", "Settings", "load_settings", "read_settings"]

Network = IPv4Network | IPv6Network

_ORIGIN = re.compile(r"https?://[^/\s?#@,]+")
_RATE = r"[1-9]\d{0,8} ?(?:/|per) ?(?:[1-9]\d{0,5} ?)?(?:second|minute|hour|day)s?"
_RATES = re.compile(rf"{_RATE}(?: ?[,;|] ?{_RATE})*")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,99}")
_BACKENDS = ("whoosh", "opensearch")
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Secret(str):
    """A text that is nobody else's: nothing prints it by accident."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "a secret"


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

    trusted_proxies: tuple[Network, ...] = ()
    """Addresses or networks of proxies whose forwarded headers are believed."""

    metrics_readers: tuple[Network, ...] = ()
    """Addresses or networks that may read /metrics, beside this machine itself."""

    rate_limit: str | None = None
    """Requests that a client may make of API, feeds and drafts, such as 60/minute; per process."""

    request_seconds: int = 30
    """Seconds that a request may take before it is answered with 503."""

    drain_seconds: int | None = None
    """Seconds after SIGTERM in which /readyz answers 503 and everything else goes on."""

    log_queries: bool = False
    """Whether the log may hold what readers ask: query strings, and the words of errors."""

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

    backend: str = "whoosh"
    """Where the index is: `whoosh` in the data folder, `opensearch` on a cluster."""

    opensearch_url: tuple[str, ...] = ()
    """Nodes of the cluster, such as https://node1.example:9200; several with commas."""

    opensearch_index: str = "anwen"
    """The alias of the index on the cluster; its generations are called so with a number behind."""

    opensearch_auth: Secret | None = None
    """`user:password`, or what follows `Authorization:`, such as `Bearer TOKEN`."""

    opensearch_auth_file: Path | None = None
    """A file that holds `opensearch_auth` in its first line, instead of that."""

    opensearch_ca: Path | None = None
    """A file of certificates of authorities in PEM, instead of the usual ones."""

    opensearch_shards: int = 1
    """Shards of an index that is built anew."""

    opensearch_replicas: int = 1
    """Copies of each shard, beside itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """Settings, and where each came from."""

    settings: Settings
    sources: Mapping[str, str]
    """For each field "default", "command line", or the name of a variable or a file."""
    ignored: tuple[str, ...]
    """Variables of the environment that look like settings and are none."""


def load_settings(
    environment: Mapping[str, str] | None = None, *, data: Path | None = None
) -> Settings:
    """Return the settings in force; see `read_settings`."""
    return read_settings(environment, data=data).settings


def read_settings(
    environment: Mapping[str, str] | None = None, *, data: Path | None = None
) -> LoadedSettings:
    """Read settings from `ANWEN_<FIELD>`, then `anwen.toml`, then the defaults.

    The file is the one named in `ANWEN_CONFIG`, or `anwen.toml` in the data folder. `data` (the
    command line's `--data`) goes before all of them. Raises SettingsError for an unknown field or
    a value that cannot be used; its message names the right ones.
    """
    environment = os.environ if environment is None else environment
    names = [field.name for field in fields(Settings)]
    folder = data or Path(environment.get("ANWEN_DATA") or Settings().data)
    config = environment.get("ANWEN_CONFIG")
    file = Path(config) if config else folder / "anwen.toml"
    values = _read_file(file, required=bool(config))
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise SettingsError(
            f"Unknown setting {unknown[0]!r} in {file}. Settings: {', '.join(sorted(names))}."
        )
    values = {name: _KINDS[name](name, value) for name, value in values.items()}
    sources = {name: str(file) if name in values else "default" for name in names}
    for name in names:
        variable = f"ANWEN_{name.upper()}"
        if value := environment.get(variable):
            values[name] = _KINDS[name](name, _Text(value))
            sources[name] = variable
    if data:
        values["data"] = data
        sources["data"] = "command line"
    if (path := values.get("opensearch_auth_file")) and "opensearch_auth" not in values:
        values["opensearch_auth"] = _first_line("opensearch_auth_file", path)
        sources["opensearch_auth"] = str(path)
    known = {f"ANWEN_{name.upper()}" for name in names} | {"ANWEN_CONFIG"}
    return LoadedSettings(
        settings=Settings(**values),
        sources=sources,
        ignored=tuple(sorted(n for n in environment if n.startswith("ANWEN_") and n not in known)),
    )


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        if required:
            raise SettingsError(f"ANWEN_CONFIG names {path}, which does not exist.") from None
        return {}
    except (OSError, ValueError) as error:  # the latter of TOML, and of bytes that are no UTF-8
        raise SettingsError(f"{path} cannot be read: {error}.") from error


# How a value is read, by the kind of its field


class _Text(str):
    """A value of the environment or the command line, where everything is text."""

    __slots__ = ()


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise SettingsError(f"{name} is {value!r}; it must be a text in quotation marks.")
    if "\0" in value or not value.isprintable():
        raise SettingsError(f"{name} is {value!r}; it must be one line that can be printed.")
    return value


def _path(name: str, value: object) -> Path:
    if not isinstance(value, str):
        raise SettingsError(f"{name} is {value!r}; it must be a path in quotation marks.")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise SettingsError(
            f"{name} is {value!r}; there is no such user on this machine."
        ) from None


def _file(name: str, value: object) -> Path:
    path = _path(name, value)
    try:
        is_file = path.is_file()
    except OSError as error:  # a folder above it may not be entered, or the name is too long
        raise SettingsError(
            f"{name} names {path}, which cannot be read: {error.strerror}."
        ) from None
    if not is_file:
        raise SettingsError(f"{name} names {path}, which is no file. Correct it, or leave it out.")
    return path


def _first_line(name: str, path: Path) -> Secret:
    try:
        with path.open(encoding="utf-8") as file:
            return Secret(file.readline().strip())
    except (OSError, ValueError) as error:
        raise SettingsError(f"{name} names {path}, which cannot be read: {error}.") from None


def _secret(name: str, value: object) -> Secret:
    if not isinstance(value, str) or not value.isprintable():
        raise SettingsError(f"{name} cannot be used; it must be one line that can be printed.")
    return Secret(value)


def _backend(name: str, value: object) -> str:
    if value not in _BACKENDS:
        raise SettingsError(f"{name} is {value!r}; it must be {' or '.join(_BACKENDS)}.")
    return str(value)


def _alias(name: str, value: object) -> str:
    text = _text(name, value)
    if not _ALIAS.fullmatch(text):
        raise SettingsError(
            f"{name} is {value!r}; it must be made of a-z, 0-9, - and _, and begin with a letter."
        )
    return text


def _nodes(name: str, value: object) -> tuple[str, ...]:
    return tuple(_base_url(name, item).rstrip("/") for item in _items(name, value))


def _count(name: str, value: object) -> int:
    return 0 if str(value).strip() == "0" else _number(name, value)


def _number(name: str, value: object) -> int:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if (is_number or isinstance(value, _Text)) and _NUMBER.fullmatch(str(value).strip()):
        return int(str(value))
    raise SettingsError(f"{name} is {value!r}; it must be a whole number from 1 to 999999999.")


def _truth(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, _Text) and value.strip().lower() in _TRUTHS:
        return _TRUTHS[value.strip().lower()]
    raise SettingsError(f"{name} is {value!r}; it must be true or false.")


def _items(name: str, value: object) -> Iterable[str]:
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SettingsError(f"{name} is {value!r}; it must be a text, or a list of texts.")
    return [item.strip() for item in value if item.strip()]


def _base_url(name: str, value: object) -> str:
    text = _text(name, value)
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or parts.query or parts.fragment or "@" in parts.netloc or " " in text:
        # Not quoted: who writes a user there may have written a password.
        raise SettingsError(
            f"{name} cannot be used; it must be written https://news.example, perhaps with a port "
            "and a path, without a user and without ? or #."
        )
    return text


def _rate(name: str, value: object) -> str:
    text = _text(name, value).strip()
    if not _RATES.fullmatch(text):
        raise SettingsError(
            f"{name} is {value!r}; it must be a number of requests and a unit, such as 60/minute, "
            "1000/hour or 10/second;300/hour."
        )
    return text


def _networks(name: str, value: object) -> tuple[Network, ...]:
    return tuple(_network(name, item) for item in _items(name, value))


def _network(name: str, text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise SettingsError(
            f"{name} names {text!r} ({error}); it must be an address such as 10.0.0.5 or fd00::5, "
            "or a network such as 10.0.0.0/8."
        ) from None


def _origins(name: str, value: object) -> tuple[str, ...]:
    return tuple(_origin(name, item) for item in _items(name, value))


def _origin(name: str, text: str) -> str:
    """Return an origin as a browser writes it (RFC 6454): scheme, host and perhaps a port."""
    origin = text.lower().rstrip("/")
    if origin != "*" and not _ORIGIN.fullmatch(origin):
        raise SettingsError(
            f"{name} names {text!r}; an origin is written https://portal.example, "
            "without a path, or * for every site."
        )
    return origin


_KINDS: dict[str, Callable[[str, object], Any]] = {
    "data": _path,
    "site_name": _text,
    "base_url": _base_url,
    "allowed_origins": _origins,
    "trusted_proxies": _networks,
    "metrics_readers": _networks,
    "rate_limit": _rate,
    "request_seconds": _number,
    "drain_seconds": _number,
    "log_queries": _truth,
    "workers": _number,
    "memory": _number,
    "cache": _number,
    "terms": _file,
    "synonyms": _file,
    "entities": _file,
    "denials": _file,
    "backend": _backend,
    "opensearch_url": _nodes,
    "opensearch_index": _alias,
    "opensearch_auth": _secret,
    "opensearch_auth_file": _file,
    "opensearch_ca": _file,
    "opensearch_shards": _number,
    "opensearch_replicas": _count,
}
