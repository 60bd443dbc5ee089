"""Text as the pages print it: highlights, places where a line may break, days and numbers."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from index.document import BEIJING, Evidence, Precision
from search.results import Copy, Highlight

__all__ = [
    "clock",
    "day",
    "lag",
    "marked",
    "named",
    "number",
    "number_of_copies",
    "period",
    "web_address",
]


def marked(
    text: str, highlights: Iterable[Highlight] = (), boundaries: Iterable[int] = ()
) -> Markup:
    """Return the text with <mark> around each highlight and <wbr> at each boundary."""
    starts, ends = {start for start, _ in highlights}, {end for _, end in highlights}
    breaks = set(boundaries)
    pieces: list[str] = []
    last = 0
    for offset in sorted(starts | ends | breaks):
        pieces.append(escape(text[last:offset]))
        if offset in ends:
            pieces.append("</mark>")
        if offset in breaks:
            pieces.append("<wbr>")
        if offset in starts:
            pieces.append("<mark>")
        last = offset
    return Markup("".join([*pieces, escape(text[last:])]))  # noqa: S704  each slice is escaped


def named(evidence: Evidence, surfaces: Iterable[str]) -> Markup:
    """Return a quotation with the name that it proves underlined."""
    surface = next((surface for surface in surfaces if surface in evidence.text), None)
    if not surface:
        return escape(evidence.text)
    before, name, after = evidence.text.partition(surface)
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


def web_address(url: str | None) -> str | None:
    """Return an address that may become a link, None for any other scheme or none."""
    if url is None:
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return url.strip() if parts.scheme in {"http", "https"} and parts.hostname else None


def _ends_month(last: date) -> bool:
    return last == date.max or (last + timedelta(days=1)).day == 1
