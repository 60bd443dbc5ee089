"""The log: one JSON object a line, or a plain line where a person reads it in a terminal."""

import json
import logging
import sys
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Any

import orjson

from web.exchange import current

__all__ = ["SERVER", "RequestRecord", "configuration"]

SERVER = "anwen.server"
"""The logger of requests."""

_BELONGS = ("index", "search", "web", "anwen", "_granian", "granian.access")
_QUIET = ("Configuration allows spawning up to", "Configured number of")
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=str)  # it writes in ASCII


def configuration(*, queries: bool) -> dict[str, Any]:
    """Return the configuration of logging, for `logging.config`; it holds plain values alone.

    With `queries` lines may hold what readers ask: query strings, and the words of errors.
    """
    form = "web.logs.PlainLines" if sys.stderr.isatty() else "web.logs.JsonLines"
    loggers = {name: {"level": "INFO", "propagate": True} for name in _BELONGS}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"advice": {"()": "web.logs.NoAdvice"}},
        "formatters": {"lines": {"()": form, "queries": queries}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "lines",
                "filters": ["advice"],
            }
        },
        "loggers": loggers,
        "root": {"level": "WARNING", "handlers": ["stderr"]},
    }


class RequestRecord(logging.LogRecord):
    """The record of a request, in one dictionary of what its line holds.

    It knows no line of a program: to look for that takes as long as all the rest.
    """

    def __init__(self, level: int, request: dict[str, Any]) -> None:
        self.__dict__.update(_ALIKE)
        self.levelno, self.levelname = level, logging.getLevelName(level)
        self.created = time.time()
        self.request = request


_ALIKE = vars(logging.LogRecord(SERVER, logging.INFO, "", 0, "request", None, None))


class NoAdvice(logging.Filter):
    """Leaves out what the server says of numbers that are chosen on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is to be written."""
        return not (record.name == "_granian" and str(record.msg).startswith(_QUIET))


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object in ASCII: nothing in it can begin another line."""

    def __init__(self, *, queries: bool = False) -> None:
        super().__init__()
        self._queries = queries

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        entry = _entry(record, queries=self._queries)
        with suppress(TypeError, UnicodeDecodeError):  # half of a surrogate pair, as of a bad path
            line = orjson.dumps(entry).decode()
            if line.isascii():
                return line
        return _ENCODER.encode(entry)


class PlainLines(logging.Formatter):
    """Writes a record for a person's eyes; what cannot be printed is escaped."""

    def __init__(self, *, queries: bool = False) -> None:
        super().__init__()
        self._queries = queries

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and those of a traceback below it."""
        entry = _entry(record, queries=self._queries)
        clock = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        if "status" in entry:
            asked = f"{entry['method']} {entry['path']}"
            if entry.get("query"):
                asked += f"?{entry['query']}"
            parts = (clock, asked, entry["status"], f"{entry['duration_ms']} ms", entry["client"])
            return " ".join(_printable(str(part)) for part in parts)
        lines = [f"{clock} {entry['level']}: {_printable(entry['message'])}"]
        if "request_id" in entry:
            lines[0] += f" (request {entry['request_id']})"
        lines += [f"  {_printable(line)}" for line in entry.get("traceback", ())]
        if "exception" in entry:
            lines.append(f"  {_printable(entry['exception'])}")
        return "\n".join(lines)


def _entry(record: logging.LogRecord, *, queries: bool) -> dict[str, Any]:
    second, rest = divmod(record.created, 1)
    moment = f"{_second(int(second))}.{int(rest * 1000):03}Z"
    entry: dict[str, Any] = {"time": moment, "level": record.levelname.lower()}
    if isinstance(record, RequestRecord):
        return entry | record.request
    exchange = current()
    if exchange:
        entry["request_id"] = exchange.id
    entry |= {"logger": record.name, "process": record.process, "message": record.getMessage()}
    if record.exc_info and record.exc_info[1]:
        entry |= _exception(record.exc_info[1], record.exc_info[2], queries=queries)
    return entry


@lru_cache(4)
def _second(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _exception(
    error: BaseException, place: TracebackType | None, *, queries: bool
) -> dict[str, Any]:
    """Tell where an error came from; its words, which may quote a reader, only with `queries`."""
    if queries:
        lines = "".join(traceback.format_exception(type(error), error, place)).splitlines()
        return {"exception": f"{type(error).__name__}: {error}", "traceback": lines}
    chain, seen = [error], {id(error)}
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and id(cause) not in seen:
        chain.append(cause)
        seen.add(id(cause))
    lines = []
    for number, each in enumerate(reversed(chain)):
        lines += ["in the course of which:"] if number else []
        found = place if each is error else each.__traceback__
        lines += "".join(traceback.format_tb(found)).splitlines()
        lines.append(type(each).__name__)
    return {"exception": type(error).__name__, "traceback": lines}


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
