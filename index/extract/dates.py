"""Reading the times that Chinese pages print, in the manners that they print them."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from index.document import BEIJING, Precision

__all__ = ["PrintedTime", "find_time", "parse_iso"]

_DATE = (
    r"(?P<year>(?:19|20)\d\d)\s?(?:[-/.]\s?(?P<month>\d{1,2})\s?[-/.]\s?(?P<day>\d{1,2})(?!\d|\.\d)"
    r"|年\s?(?P<month_>\d{1,2})\s?月\s?(?P<day_>\d{1,2})\s?日?)"
)
_CLOCK = (
    r"(?:\s?[T，,-]?\s{0,2}(?:星期.|周.|[（(]?(?:星期|周).[)）]?)?\s{0,2}"
    r"(?P<half>上午|下午|晚上?|中午|凌晨|[AaPp][Mm])?\s?"
    r"(?P<hour>\d{1,2})\s?[:：时點点]\s?(?P<minute>\d{1,2})(?:\s?[:：分]\s?(?P<second>\d{2}))?(?!\d)"
    r"\s?(?P<half_>[AaPp][Mm])?)?"
)
_TIME = re.compile(rf"(?<![\d/.\-]){_DATE}{_CLOCK}")
_AGO = re.compile(
    r"(?P<count>\d{1,3}|一|半)\s?(?P<unit>分钟|小时|天|个月|周)\s?之?前|(?P<word>刚刚|昨天|前天)"
)
_DAYS = {"分钟": 1 / 1440, "小时": 1 / 24, "天": 1.0, "周": 7.0, "个月": 30.0}
_WORDS = {"刚刚": 0.0, "昨天": 1.0, "前天": 2.0}
_ISO_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")


@dataclass(frozen=True, slots=True)
class PrintedTime:
    """A time that a page prints, in Beijing, and how exactly."""

    moment: datetime
    precision: Precision


def find_time(text: str, fetched: datetime | None = None) -> PrintedTime | None:
    """Return the first time in a text that has a clock, else the first day, or None.

    A time without a clock, or one told from `fetched` (3 小时前), is exact to the day.
    """
    read = [found for match in _TIME.finditer(text) if (found := _read(match))]
    if read:
        return next((found for found in read if found.precision == "minute"), read[0])
    if fetched and (match := _AGO.search(text)):
        days = _WORDS.get(match["word"] or "")
        if days is None:
            count = {"一": 1.0, "半": 0.5}.get(match["count"]) or float(match["count"])
            days = count * _DAYS[match["unit"]]
        return PrintedTime(_midnight(fetched - timedelta(days=days)), "day")
    return None


def parse_iso(text: str) -> PrintedTime | None:
    """Return a machine-readable time in Beijing; one without a zone is Beijing's already."""
    value = text.strip()
    if _ISO_ZONE.search(value) and ":" in value:
        try:
            return PrintedTime(datetime.fromisoformat(value).astimezone(BEIJING), "minute")
        except (ValueError, OverflowError):
            pass
    return find_time(value)


def _read(match: re.Match[str]) -> PrintedTime | None:
    year, month = int(match["year"]), int(match["month"] or match["month_"])
    day = int(match["day"] or match["day_"])
    try:
        if match["hour"] is None:
            return PrintedTime(datetime(year, month, day, tzinfo=BEIJING), "day")
        hour, half = int(match["hour"]), (match["half"] or match["half_"] or "").lower()
        if half in {"下午", "晚上", "晚", "pm"} and hour < 12:
            hour += 12
        second = int(match["second"] or 0)
        moment = datetime(year, month, day, hour, int(match["minute"]), second, tzinfo=BEIJING)
    except ValueError:
        return None
    return PrintedTime(moment, "minute")


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
