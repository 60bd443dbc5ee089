"""Text as the pages print it: highlights, places where a line may break, days and numbers."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote, urlsplit

from markupsafe import Markup, escape

from index.document import BEIJING, Evidence, Precision
from search.results import Copy, Highlight
from web.plain import plain

__all__ = [
    "clock",
    "day",
    "lag",
    "marked",
    "named",
    "number",
    "number_of_copies",
    "period",
    "printed",
    "web_address",
]

_DROPPED = re.compile(r"[\t\r\n]")  # as browsers do, and urlsplit
_PLACE = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\u00a1-\U0010ffff-]+)(?P<port>(?::[0-9]*)?)"
)
# White space, what markup or a running text would read, and what is not seen.
_ENCODED = re.compile(
    r"[\x00-\x20\x7f-\xa0\"<>\\^`{|}\u200b-\u200f\u2028-\u202f\u205f-\u206f\ufeff"
    r"\ud800-\udfff]|\s"
)


def marked(
    text: str, highlights: Iterable[Highlight] = (), boundaries: Iterable[int] = ()
) -> Markup:
    """Return the text with <mark> around each highlight and <wbr> at each boundary."""
    starts, ends = {start for start, _ in highlights}, {end for _, end in highlights}
    breaks = set(boundaries)
    pieces: list[str] = []
    last = 0
    for offset in sorted(starts | ends | breaks):
        pieces.append(escape(plain(text[last:offset])))
        if offset in ends:
            pieces.append("</mark>")
        if offset in breaks:
            pieces.append("<wbr>")
        if offset in starts:
            pieces.append("<mark>")
        last = offset
    return Markup("".join([*pieces, escape(plain(text[last:]))]))  # noqa: S704  each slice is escaped


def printed(value: object) -> object:
    """Return a value as a template prints it: of a text, what is no markup, without what steers."""
    return plain(value) if type(value) is str else value


def named(evidence: Evidence, surfaces: Iterable[str]) -> Markup:
    """Return a quotation with the name that it proves underlined."""
    surface = next((surface for surface in surfaces if surface in evidence.text), None)
    if not surface:
        return escape(plain(evidence.text))
    before, name, after = map(plain, evidence.text.partition(surface))
    return Markup('{}<span class="name">{}</span>{}').format(before, name, after)


def day(moment: datetime) -> str:
    """Return the day in Beijing."""
    return moment.astimezone(BEIJING).date().isoformat()


def clock(moment: datetime, precision: Precision | None, beside: datetime | None = None) -> str:
    """Return day and minute in Beijing, or the day alone where no more is known.

    The year is left out where it is that of the moment `beside`.
    """
    if precision == "day":
        text = day(moment)
    else:
        text = moment.astimezone(BEIJING).isoformat(" ", "minutes")[:16]
    return text[5:] if beside and day(beside)[:5] == text[:5] else text


def number(value: int) -> str:
    """Return a number with its thousands set apart."""
    return f"{value:,}"


def number_of_copies(source: str, count: int, copies: Sequence[Copy]) -> str:
    """Return how many copies an article has: 3 家 where each is another outlet's, or else 3 篇.

    `copies` may be some of them only.
    """
    outlets = {source, *(copy.source for copy in copies)}
    return f"{count:,} {'家' if len(outlets) == count + 1 else '篇'}"


def lag(behind: timedelta) -> str:
    """Return a time behind the first report: +9 小时 48 分, +1 天 8 小时, after ten days +17 天."""
    minutes = int(behind.total_seconds()) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if not minutes:
        return "同时"
    if days >= 10:
        return f"+{days:,} 天"
    if days:
        return f"+{days} 天 {hours} 小时" if hours else f"+{days} 天"
    if hours:
        return f"+{hours} 小时 {rest} 分" if rest else f"+{hours} 小时"
    return f"+{rest} 分"


def period(first: date | None, last: date | None) -> str:
    """Return a period in the shortest form that says it: 2024, 2024-04, or its days."""
    if first is None or last is None:
        return f"{first} 起" if first else f"{last} 止"
    ends = first.isoformat(), last.isoformat()
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        ends = ends[0][:4], ends[1][:4]
    elif first.day == 1 and _ends_month(last):
        ends = ends[0][:7], ends[1][:7]
    return ends[0] if ends[0] == ends[1] else " 至 ".join(ends)


@lru_cache(4096)
def web_address(url: str | None) -> str | None:
    """Return an address that may become a link, None for any other scheme or none.

    Its host is in ASCII, so that no letter passes for another, and has no name before it that
    passes for the host. What could end the address where it is printed, or hide a part of it, is
    encoded.
    """
    if url is None:
        return None
    address = _DROPPED.sub("", url.strip())
    try:
        parts = urlsplit(address)
        found, _ = _PLACE.fullmatch(parts.netloc), parts.port
        if parts.scheme not in {"http", "https"} or not found:
            return None
        host = found["host"] if address.isascii() else found["host"].encode("idna").decode()
    except ValueError:  # no port, or no name of a host
        return None
    rest = address.partition("//")[2][len(parts.netloc) :]
    return f"{parts.scheme}://{host}{found['port']}{_ENCODED.sub(_quoted, rest)}"


def _quoted(sign: re.Match[str]) -> str:
    return quote(sign[0], safe="", errors="replace")


def _ends_month(last: date) -> bool:
    return last == date.max or (last + timedelta(days=1)).day == 1
