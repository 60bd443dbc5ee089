"""Periods: the days that `2024-04` or words such as 最近一周 and 2024年4月 stand for.

A period is read from plain words only where they can mean nothing else. 2024年 alone is no period:
a report on 2024 appears in 2025.
"""

import calendar
import re
from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta

from search.query import RangeQuery

__all__ = ["Period", "find_period", "read_date", "read_span"]

_DATE = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|年)?")
_SPAN = "(?:\\.\\.|至|到|~|～)"

_DIGITS = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8}
_DIGITS |= {"九": 9, "十": 10, "半": 0}
_COUNT = rf"(?:\d{{1,3}}|[{''.join(_DIGITS)}])"
_UNITS = r"(?:天|日|周|星期|个?月|年)"
_NAMED = "今天|今日|昨天|昨日|本周|这周|这一周|上周|本月|这个月|上个月|上月|今年|本年度|去年|前年"
_MONTH = r"\d{4}\s?年\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?[日号])?"
_WORDS = re.compile(
    rf"(?P<recent>(?:最近|近|过去|这)\s?(?P<count>{_COUNT})\s?(?P<unit>{_UNITS})(?:内|以来|来)?)"
    rf"|(?P<named>{_NAMED})(?:以来)?"
    rf"|(?<!\d)(?P<month>{_MONTH})"
    rf"(?:\s?(?:至|到|-|—|~|～)\s?(?P<until>(?:{_MONTH})|\d{{1,2}}\s?月))?"
)
_YEAR = re.compile(r"(?<![\d.-])(?:19|20)\d{2}(?![\d.-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Words of a query that name a period, where they stand, and its days."""

    text: str
    start: int
    end: int
    query: RangeQuery


def read_date(value: str) -> RangeQuery | None:
    """Return the days of a year, a month or a day, None where the text is none of these."""
    match = _DATE.fullmatch("".join(value.split()))
    return _days(*match.groups()) if match else None


def read_span(value: str) -> RangeQuery | None:
    """Return the days of a date, or from one date to another: 2024-04..2024-06."""
    first, *rest = re.split(_SPAN, value, maxsplit=1)
    start, end = read_date(first), read_date(rest[0] if rest else first)
    if start is None or end is None or start.first is None or end.last is None:
        return None
    return RangeQuery(first=start.first, last=end.last) if start.first <= end.last else None


def find_period(text: str, today: date, boundaries: Container[int]) -> Period | None:
    """Return the period that plain words name; None where there is none, or more than one.

    `boundaries` are the offsets inside `text` where one word ends and the next begins: 今年 inside
    今年会 is none. A year written beside words such as 今年 contradicts them.
    """
    found = []
    for match in _WORDS.finditer(text):
        if not _is_whole(match, text, boundaries):
            continue
        query = _read(match, today)
        if query is None:
            return None
        found.append(Period(text=match[0], start=match.start(), end=match.end(), query=query))
    if len(found) != 1:
        return None
    (period,) = found
    rest = text[: period.start] + " " + text[period.end :]
    is_relative = not period.text[:1].isdigit()
    if is_relative and any(_YEAR.finditer(rest)):
        return None
    return period


def _is_whole(match: re.Match[str], text: str, boundaries: Container[int]) -> bool:
    return all(
        offset in (0, len(text))
        or offset in boundaries
        or not (_is_han(text[offset - 1]) and _is_han(text[offset]))
        for offset in match.span()
    )


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _read(match: re.Match[str], today: date) -> RangeQuery | None:
    try:
        if match["recent"]:
            return _recent(match["count"], match["unit"], today)
        if match["named"]:
            return _named(match["named"], today)
        return _months(match["month"], match["until"])
    except (ValueError, OverflowError):
        return None


def _recent(count: str, unit: str, today: date) -> RangeQuery | None:
    number = _DIGITS[count] if count in _DIGITS else int(count)
    days = {"天": 1, "日": 1, "周": 7, "星期": 7, "月": 30, "个月": 30, "年": 365}[unit]
    span = number * days if number else days // 2  # 半 is half of one
    return RangeQuery(first=today - timedelta(days=span - 1), last=today) if span else None


def _named(word: str, today: date) -> RangeQuery:
    monday = today - timedelta(days=today.weekday())
    first_of_month = today.replace(day=1)
    match word:
        case "今天" | "今日":
            return RangeQuery(first=today, last=today)
        case "昨天" | "昨日":
            yesterday = today - timedelta(days=1)
            return RangeQuery(first=yesterday, last=yesterday)
        case "本周" | "这周" | "这一周":
            return RangeQuery(first=monday, last=today)
        case "上周":
            return RangeQuery(first=monday - timedelta(days=7), last=monday - timedelta(days=1))
        case "本月" | "这个月":
            return RangeQuery(first=first_of_month, last=today)
        case "上个月" | "上月":
            last = first_of_month - timedelta(days=1)
            return RangeQuery(first=last.replace(day=1), last=last)
        case _:
            year = today.year - {"去年": 1, "前年": 2}.get(word, 0)
            return RangeQuery(first=date(year, 1, 1), last=min(today, date(year, 12, 31)))


def _months(first: str, until: str | None) -> RangeQuery | None:
    start = read_date(first.replace("号", "日"))
    if start is None or until is None:
        return start
    if "年" not in until:
        until = f"{first[:4]}年{until}"
    end = read_date(until.replace("号", "日"))
    if end is None or start.first is None or end.last is None or start.first > end.last:
        return None
    return RangeQuery(first=start.first, last=end.last)


def _days(year: str, month: str | None, day: str | None) -> RangeQuery | None:
    try:
        if day:
            only = date(int(year), int(month or 1), int(day))
            return RangeQuery(first=only, last=only)
        first = date(int(year), int(month or 1), 1)
        last_month = first.month if month else 12
        last = date(first.year, last_month, calendar.monthrange(first.year, last_month)[1])
    except ValueError:  # the month 13
        return None
    return RangeQuery(first=first, last=last)
