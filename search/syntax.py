"""The query language: what its signs and names are, and a query tree written in it."""

import re
from datetime import timedelta

from search.query import (
    TEXT_FIELDS,
    BooleanQuery,
    KeywordQuery,
    MatchAllQuery,
    MatchQuery,
    PhraseQuery,
    PrefixQuery,
    Query,
    RangeQuery,
)

__all__ = ["CLOSING", "FIELDS", "OPERATORS", "QUOTES", "quoted", "to_text"]

FIELDS = {
    **dict.fromkeys(("title", "标题", "標題"), "title"),
    **dict.fromkeys(("organisation", "organization", "org", "机构", "機構"), "organisation"),
    **dict.fromkeys(("category", "分类", "分類", "类别", "類別"), "category"),
    **dict.fromkeys(("source", "来源", "來源", "媒体"), "source"),
    **dict.fromkeys(("author", "作者"), "author"),
    **dict.fromkeys(("acting", "主角"), "acting"),
    **dict.fromkeys(("cve",), "cve"),
    **dict.fromkeys(("identifier", "编号", "編號"), "identifier"),
    **dict.fromkeys(("date", "日期", "时间", "時間"), "date"),
    **dict.fromkeys(("after", "自"), "after"),
    **dict.fromkeys(("before", "早于", "早於"), "before"),
}

OPERATORS = {
    **dict.fromkeys(("OR", "或", "或者", "|", "||"), "or"),
    **dict.fromkeys(("AND", "且", "并且", "&&"), "and"),
    **dict.fromkeys(("NOT", "非", "不含"), "not"),
}

CLOSING = {
    "“": '”“"＂',
    '"': '"”“＂',
    "＂": '＂"”',
    "”": '”"＂',
    "「": "」",
    "『": "』",
    "〝": "〞〟",
}
"""What ends the string that a sign opens; readers mix the signs of a pair."""

QUOTES = frozenset("".join(CLOSING) + "".join(CLOSING.values()))

_STYLES = ('"', "“", "「", "『")
_NEEDS_QUOTES = re.compile(rf"[\s()（）:：,，、；。！？…*＊~～{''.join(QUOTES)}]|^[-－−+＋|&!]")


def quoted(value: str) -> str:
    """Return a value as the query language reads it whole, in quotes only where it needs them."""
    if value and value not in OPERATORS and not _NEEDS_QUOTES.search(value):
        return value
    for opening in _STYLES:
        if not set(value) & set(CLOSING[opening]):
            return f"{opening}{value}{CLOSING[opening][0]}"
    return f'"{"".join(" " if sign in QUOTES else sign for sign in value)}"'


def to_text(query: Query) -> str:
    """Return a query string that the parser reads as this query."""
    if isinstance(query, BooleanQuery):
        return " ".join(_parts(query))
    return _operand(query)


def _parts(query: BooleanQuery) -> list[str]:
    parts = [
        part.text if _is_plain(part) and isinstance(part, MatchQuery) else _operand(part)
        for part in query.must
    ]
    if query.should:
        # As one clause among others an alternative needs no brackets: it binds its neighbours.
        parts.append(" OR ".join(_operand(part) for part in query.should))
    parts += [_operand(part) for part in query.filter]
    parts += [f"-{_operand(part, negated=True)}" for part in query.must_not]
    return parts


def _operand(query: Query, *, negated: bool = False) -> str:
    match query:
        case MatchQuery():
            text = f"({query.text})" if " " in query.text else query.text
            return f"{'+' if query.is_required else ''}{_field(query.fields)}{text}"
        case PhraseQuery():
            slop = "" if query.slop is None else f"~{query.slop}"
            return f'{_field(query.fields)}"{query.text}"{slop}'
        case PrefixQuery():
            return f"{_field(query.fields)}{query.text}*"
        case KeywordQuery(values=(value,)):
            return f"{query.field}:{quoted(value)}"
        case KeywordQuery():
            return f"{query.field}:({' OR '.join(map(quoted, query.values))})"
        case RangeQuery(first=None, last=None) | MatchAllQuery():
            return ""
        case RangeQuery(last=None):
            return f"after:{query.first}"
        case RangeQuery(first=None, last=last) if last:
            return f"before:{last + timedelta(days=1)}"
        case RangeQuery():
            return f"date:{query.first}..{query.last}"
        case BooleanQuery():
            parts = _parts(query)
            is_negation = len(parts) == 1 and bool(query.must_not)
            if is_negation and not negated:
                return parts[0]
            return f"({' '.join(parts)})"
        case _:
            raise TypeError(f"{type(query).__name__} is no part of the language")


def _is_plain(query: Query) -> bool:
    return isinstance(query, MatchQuery) and query.fields == TEXT_FIELDS and not query.is_required


def _field(fields: tuple[str, ...]) -> str:
    return "" if fields == TEXT_FIELDS else f"{fields[0]}:"
