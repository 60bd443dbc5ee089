"""Lists of hits to be kept: CSV, JSON Lines and Markdown, written hit by hit."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import StringIO

from search.results import Hit
from web.markup import clock, day, web_address
from web.plain import one_line, written_out
from web.wire import hit_object

__all__ = ["FORMATS", "ListFormat"]

_BOM = "\ufeff"  # without it Excel reads UTF-8 as the system's own encoding
_COLUMNS: dict[str, Callable[[Hit], str]] = {
    "id": lambda hit: hit.id,
    "title": lambda hit: hit.title,
    "url": lambda hit: (web_address(hit.url) or "").replace(";", "%3B"),
    "source": lambda hit: hit.source,
    "published": lambda hit: clock(hit.published, hit.published_precision) if hit.published else "",
    "published_precision": lambda hit: hit.published_precision or "",
    "category": lambda hit: hit.category or "",
    "category_predicted": lambda hit: str(hit.category_predicted).lower(),
    "author": lambda hit: hit.author or "",
    "organisations": lambda hit: "; ".join(hit.organisations),
    "identifiers": lambda hit: "; ".join(hit.identifiers),
    "duplicate_count": lambda hit: str(hit.duplicate_count),
}
_OF_A_QUERY: dict[str, Callable[[Hit], str]] = {
    "snippet": lambda hit: hit.snippet.text,
    "missing": lambda hit: "; ".join(hit.missing),
}

# A cell that begins so is run as a formula when a spreadsheet opens the file (OWASP, CSV
# injection); Chinese and Japanese input methods write the signs in full width, which count too.
# Before the sign may stand what is trimmed or not seen, and where a spreadsheet parts cells by
# semicolons, as much of Europe's do, a cell begins after each of these as well.
_FORMULA = re.compile(
    '(?:^|;)[\\s"\u00ad\u061c\u200b-\u200f\u2060-\u2064\ufeff]*(?=[=+\\-@＝＋－＠])'
)

_MARKS = re.compile(r"([\\`*_\[\]<>&~|$])")  # what Markdown, or a common extension, reads in a text
_NO_DESTINATION = re.compile(r"[\s\x00-\x20\x7f()<>\\`\"\ud800-\udfff]")
_ENTITY = re.compile(r"&(?=#?\w+;)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFormat:
    """One form of a list of hits.

    `write` gives the text in pieces; with its second argument snippets and missing words too,
    which only a query has.
    """

    name: str
    label: str
    mimetype: str
    write: Callable[[Iterable[Hit], bool], Iterator[str]]


def _write_csv(hits: Iterable[Hit], is_queried: bool) -> Iterator[str]:
    """Give the lines of RFC 4180, behind a byte order mark."""
    columns = _COLUMNS | _OF_A_QUERY if is_queried else _COLUMNS
    yield _BOM + _csv_line(columns)
    for hit in hits:
        yield _csv_line(_cell(read(hit)) for read in columns.values())


def _csv_line(cells: Iterable[str]) -> str:
    line = StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def _cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe says that it is text."""
    return _FORMULA.sub(lambda before: f"{before[0]}'", one_line(text))


def _write_json_lines(hits: Iterable[Hit], _: bool) -> Iterator[str]:
    for hit in hits:
        line = json.dumps(hit_object(hit), ensure_ascii=False, separators=(",", ":"))
        yield written_out(line.encode("utf-8", "replace")).decode() + "\n"


def _write_markdown(hits: Iterable[Hit], _: bool) -> Iterator[str]:
    """Give an item of a list for each hit: a link, the outlet and the day."""
    for hit in hits:
        title, address = _marks_escaped(hit.title), web_address(hit.url)
        # A title without a link could begin as a heading or a list does; 《 begins nothing.
        name = f"[{title}]({_destination(address)})" if address else f"《{title}》"
        published = day(hit.published) if hit.published else ""
        parts = (name, _marks_escaped(hit.source), published)
        yield f"- {'，'.join(part for part in parts if part)}\n"


def _marks_escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", one_line(text))


def _destination(address: str) -> str:
    """Return an address as the destination of a link: one piece, and read as it stands."""
    one_piece = _NO_DESTINATION.sub(
        lambda sign: "".join(f"%{byte:02X}" for byte in sign[0].encode("utf-8", "replace")),
        address,
    )
    return _ENTITY.sub("&amp;", one_piece)


FORMATS: dict[str, ListFormat] = {
    made.name: made
    for made in (
        ListFormat(name="csv", label="CSV", mimetype="text/csv", write=_write_csv),
        ListFormat(
            name="jsonl",
            label="JSON Lines",
            mimetype="application/x-ndjson",
            write=_write_json_lines,
        ),
        ListFormat(name="md", label="Markdown", mimetype="text/markdown", write=_write_markdown),
    )
}
"""The forms by the name that `format` has in an address."""
