"""URL parameters: read into a request and written from one, so that every link reads back."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote, urlencode

from werkzeug.datastructures import MultiDict

from index.errors import BadParameter
from search.request import FACETS, Duplicates, Match, SearchRequest, Sort

__all__ = [
    "CHOICES",
    "DAY",
    "EXCLUDABLE",
    "LIST_FORMATS",
    "MAX_SIZE",
    "MAX_VALUES",
    "MAX_VALUES_LENGTH",
    "MONTH",
    "REPEATED",
    "adding",
    "adding_url",
    "around",
    "article_url",
    "changed",
    "export_url",
    "feed_url",
    "identifier_url",
    "organisation_url",
    "pairs",
    "parse_day",
    "query_url",
    "read_choice",
    "read_format",
    "read_number",
    "read_request",
    "read_values",
    "removing",
    "search_url",
    "trends_url",
]

EXCLUDABLE = ("category", "organisation", "source")
MAX_SIZE = 100  # hits on one page
# A page of results has some hundred links, and each has all values: of a thousand values it would
# have megabytes and take seconds.
MAX_VALUES = 100  # values of all filters together
MAX_VALUES_LENGTH = 4000  # characters of these together
_SHOWN = 40  # characters of a value that a message quotes
LIST_FORMATS = ("csv", "jsonl", "md")  # of the whole list; web.formats writes them

_DEFAULT = SearchRequest()
REPEATED = (*FACETS, *(f"exclude_{name}" for name in EXCLUDABLE))
CHOICES = {
    "match": ("auto", "all"),
    "sort": ("relevance", "newest", "oldest"),
    "duplicates": ("fold", "show"),
    "format": ("json", *LIST_FORMATS),
    "explain": ("0", "1"),
    "correct": ("0", "1"),
    "periods": ("0", "1"),
}
_SWITCHES = (("correct", "corrects"), ("periods", "reads_periods"))  # on, unless the value is 0
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MONTH = re.compile(r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])")
_NUMBER = re.compile(r"[0-9]{1,9}")


def read_request(parameters: MultiDict[str, str]) -> SearchRequest:
    """Return what the parameters of a URL ask for.

    Unknown parameters are ignored, and so are empty ones, which a form sends for an empty field.
    Raises BadParameter, whose message tells what would be right.
    """
    chosen = {name: read_choice(parameters, name, known) for name, known in CHOICES.items()}
    filters = {name: read_values(parameters, name) for name in REPEATED}
    _check_values(filters)
    for month in filters["month"]:
        if not MONTH.fullmatch(month):
            raise BadParameter("month", month, "月份写作 2024-04")
    size = _number(parameters, "size", _DEFAULT.size)
    if size > MAX_SIZE:
        raise BadParameter("size", str(size), f"每页最多 {MAX_SIZE} 条")
    return SearchRequest(
        query=parameters.get("q", ""),
        category=filters["category"],
        organisation=filters["organisation"],
        source=filters["source"],
        month=filters["month"],
        exclude_category=filters["exclude_category"],
        exclude_organisation=filters["exclude_organisation"],
        exclude_source=filters["exclude_source"],
        first=_day(parameters, "from"),
        last=_day(parameters, "to"),
        match=cast("Match", chosen["match"] or _DEFAULT.match),
        sort=cast("Sort", chosen["sort"] or _DEFAULT.sort),
        duplicates=cast("Duplicates", chosen["duplicates"] or _DEFAULT.duplicates),
        page=_number(parameters, "page", _DEFAULT.page),
        size=size,
        cursor=parameters.get("cursor", "").strip() or None,
        explain=chosen["explain"] == "1",
        corrects=chosen["correct"] != "0",
        reads_periods=chosen["periods"] != "0",
    )


def _check_values(filters: Mapping[str, tuple[str, ...]]) -> None:
    values = [(name, value) for name, found in filters.items() for value in found]
    if len(values) > MAX_VALUES:
        name, value = values[MAX_VALUES]
        raise BadParameter(name, value[:_SHOWN], f"所有筛选合计最多 {MAX_VALUES} 个值")
    if sum(len(value) for _, value in values) > MAX_VALUES_LENGTH:
        name, value = max(values, key=lambda each: len(each[1]))
        expected = f"所有筛选的值合计最多 {MAX_VALUES_LENGTH:,} 个字符"
        raise BadParameter(name, value[:_SHOWN], expected)


def read_number(parameters: MultiDict[str, str], name: str, default: int, most: int) -> int:
    """Return a number from 1 to `most`, or raise BadParameter."""
    number = _number(parameters, name, default)
    if number > most:
        raise BadParameter(name, str(number), f"最多 {most:,}")
    return number


def read_choice(parameters: MultiDict[str, str], name: str, known: tuple[str, ...]) -> str | None:
    """Return one of the known values, None where there is none, or raise BadParameter."""
    value = parameters.get(name, "").strip()
    if value and value not in known:
        raise BadParameter(name, value, f"可用的值：{'、'.join(known)}")
    return value or None


def read_values(parameters: MultiDict[str, str], name: str) -> tuple[str, ...]:
    """Return the values of a repeated parameter, each once and none of them empty."""
    values = (value.strip() for value in parameters.getlist(name))
    return tuple(dict.fromkeys(value for value in values if value))


def read_format(parameters: MultiDict[str, str]) -> str | None:
    """Return the form in which the whole list is asked for, None where it is a page of JSON."""
    found = read_choice(parameters, "format", CHOICES["format"])
    return None if found == "json" else found


def parse_day(name: str, value: str) -> date:
    """Return the day that `value` names as YYYY-MM-DD; BadParameter for anything else."""
    text = value.strip()
    try:
        if DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # 2024-02-30 has the form of a day and is none
    raise BadParameter(name, value, "日期写作 2024-04-30")


def pairs(request: SearchRequest) -> list[tuple[str, str]]:
    """Return the request as names and values of parameters, defaults left out."""
    found: list[tuple[str, str]] = []
    if request.query:
        found.append(("q", request.query))
    for name in REPEATED:
        found += [(name, value) for value in getattr(request, name)]
    if request.first:
        found.append(("from", request.first.isoformat()))
    if request.last:
        found.append(("to", request.last.isoformat()))
    for name in ("match", "sort", "duplicates", "page", "size", "cursor"):
        value = getattr(request, name)
        if value != getattr(_DEFAULT, name):
            found.append((name, str(value)))
    found += [(name, "0") for name, attribute in _SWITCHES if not getattr(request, attribute)]
    return found


def search_url(request: SearchRequest = _DEFAULT) -> str:
    """Return the address of the page that answers a request; by default, of every article."""
    found = pairs(request)
    return f"/search?{'&'.join(map(_encoded, found))}" if found else "/search"


def trends_url(request: SearchRequest = _DEFAULT) -> str:
    """Return the address of the pictures of what a request finds."""
    found = pairs(changed(request))
    return f"/trends?{urlencode(found)}" if found else "/trends"


def feed_url(request: SearchRequest, *, size: int | None = None) -> str:
    """Return the address of the feed of what a request finds, perhaps with a number of entries."""
    found = pairs(changed(request, sort="relevance", size=_DEFAULT.size))
    if size:
        found = [*found, ("size", str(size))]
    return f"/feed.atom?{urlencode(found)}" if found else "/feed.atom"


def export_url(request: SearchRequest, form: str) -> str:
    """Return the address of the whole list of what a request finds, in one of LIST_FORMATS."""
    found = pairs(changed(request, size=_DEFAULT.size))
    return f"/api/v1/search?{urlencode([*found, ('format', form)])}"


def query_url(query: str) -> str:
    """Return the address of the page that answers a query string without filters."""
    return search_url(SearchRequest(query=query))


def article_url(article_id: str) -> str:
    """Return the address of an article's page."""
    return f"/article/{_quoted(article_id)}"


def organisation_url(name: str) -> str:
    """Return the address of an organisation's page."""
    return f"/organisation/{_quoted(name)}"


def identifier_url(identifier: str) -> str:
    """Return the address of an identifier's page."""
    return f"/identifier/{_quoted(identifier)}"


def adding_url(request: SearchRequest, name: str) -> Callable[[str], str]:
    """Return what gives `search_url(adding(request, name, value))` for one value after another.

    A page of results has a hundred such links that differ in the value alone.
    """
    opposite = name.removeprefix("exclude_") if name.startswith("exclude_") else f"exclude_{name}"
    present = {*getattr(request, name), *getattr(request, opposite, ())}
    head, tail = around(pairs(changed(request)), name)

    def url(value: str) -> str:
        if value in present:
            return search_url(adding(request, name, value))
        return f"/search?{head}{_encoded((name, value))}{tail}"

    return url


def around(found: Sequence[tuple[str, str]], name: str) -> tuple[str, str]:
    """Return what stands before and after a parameter in an address that has others as well."""
    end = REPEATED.index(name) + 1 if name in REPEATED else len(REPEATED)
    before = ("q", *REPEATED[:end])
    at = sum(key in before for key, _ in found)
    head = "".join(f"{pair}&" for pair in map(_encoded, found[:at]))
    return head, "".join(f"&{pair}" for pair in map(_encoded, found[at:]))


def _quoted(part: str) -> str:
    return quote(part, safe="", errors="replace")


@lru_cache(maxsize=10_000)
def _encoded(pair: tuple[str, str]) -> str:
    return urlencode((pair,))


# The steps from one request to another; each begins again at the first page.


def changed(request: SearchRequest, **values: Any) -> SearchRequest:
    """Return the request with other values, on its first page."""
    return replace(request, **{"page": 1, "cursor": None, **values})


def adding(request: SearchRequest, name: str, *values: str) -> SearchRequest:
    """Return the request with more values of a repeated parameter.

    What is chosen is no longer excluded, and what is excluded no longer chosen.
    """
    kept = tuple(value for value in getattr(request, name) if value not in values)
    if name in EXCLUDABLE:
        request = removing(request, f"exclude_{name}", *values)
    elif name.startswith("exclude_"):
        request = removing(request, name.removeprefix("exclude_"), *values)
    return changed(request, **{name: (*kept, *values)})


def removing(request: SearchRequest, name: str, *values: str) -> SearchRequest:
    """Return the request without these values of a repeated parameter."""
    kept = tuple(value for value in getattr(request, name) if value not in values)
    return changed(request, **{name: kept})


# Reading


def _day(parameters: MultiDict[str, str], name: str) -> date | None:
    value = parameters.get(name, "").strip()
    return parse_day(name, value) if value else None


def _number(parameters: MultiDict[str, str], name: str, default: int) -> int:
    value = parameters.get(name, "").strip()
    if not value:
        return default
    if not _NUMBER.fullmatch(value) or int(value) < 1:
        raise BadParameter(name, value, "须为从 1 起的整数")
    return int(value)
