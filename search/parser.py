"""The parser: a query string to a query tree. It never fails; what it cannot read it reports.

words          all must match, or most of them where the list widens
“…” "…" 「…」   an exact substring
-word          must not match; also -"…" and -field:value
title:word     in the title only; also 标题:
word*          any term that begins so
organisation:  category:  source:        also 机构: 分类: 来源:
after:2024-04  from that day, month or year on      before:2024-04  earlier than it
"""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from index.analysis import Analyzer
from index.errors import QueryError
from search.query import (
    TEXT_FIELDS,
    BooleanQuery,
    KeywordQuery,
    PhraseQuery,
    PrefixQuery,
    Query,
    RangeQuery,
    TermQuery,
)
from search.results import Notice

__all__ = ["MAX_CLAUSES", "MAX_LENGTH", "ParsedQuery", "parse_query"]

MAX_LENGTH = 800  # characters: as many Chinese ones as an address has room for
MAX_CLAUSES = 64  # words and phrases; each costs a walk over its postings

_FIELDS = {
    "title": "title",
    "标题": "title",
    "標題": "title",
    "organisation": "organisation",
    "organization": "organisation",
    "机构": "organisation",
    "機構": "organisation",
    "category": "category",
    "分类": "category",
    "分類": "category",
    "类别": "category",
    "source": "source",
    "来源": "source",
    "來源": "source",
    "after": "after",
    "before": "before",
}

_CLOSING = {
    "“": '”“"＂',
    '"': '"”“＂',
    "＂": '＂"”',
    "”": '”"＂',
    "「": "」",
    "『": "』",
    "〝": "〞〟",
}
_OPENING = "".join(_CLOSING)

_CLAUSE = re.compile(
    rf"(?P<minus>[-－−])?"
    rf"(?:(?P<field>{'|'.join(_FIELDS)})\s?[:：])?"
    rf"(?:(?P<open>[{_OPENING}])|(?P<bare>[^\s\u3000{_OPENING}]+))?",
    re.IGNORECASE,
)
_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedQuery:
    """A query tree, and what of the query string did not enter it."""

    query: BooleanQuery
    notices: tuple[Notice, ...]


@dataclass(slots=True)
class _Parts:
    must: list[Query] = field(default_factory=list)
    filter: list[Query] = field(default_factory=list)
    must_not: list[Query] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def note(self, code: str, message: str, start: int, end: int) -> None:
        self.notices.append(Notice(code=code, message=message, start=start, end=end))


def parse_query(text: str, analyzer: Analyzer) -> ParsedQuery:
    """Read a query string. Raises QueryError where it is longer than MAX_LENGTH characters."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"检索式有 {len(text)} 个字符，最多 {MAX_LENGTH} 个。请缩短后再试。")
    parts = _Parts()
    position = 0
    while position < len(text):
        match = _CLAUSE.match(text, position)
        if match is None or match.end() == position:
            position += 1
            continue
        position = _read_clause(text, match, analyzer, parts)
        clauses = len(parts.must) + len(parts.must_not) + len(parts.filter)
        if clauses >= MAX_CLAUSES and text[position:].strip():
            parts.note(
                "too_many_words", f"只用了前 {MAX_CLAUSES} 个词，其余未计入。", position, len(text)
            )
            break
    query = BooleanQuery(
        must=tuple(dict.fromkeys(parts.must[:MAX_CLAUSES])),
        filter=tuple(parts.filter),
        must_not=tuple(parts.must_not),
    )
    return ParsedQuery(query=query, notices=tuple(parts.notices))


def _read_clause(text: str, match: re.Match[str], analyzer: Analyzer, parts: _Parts) -> int:
    """Read one clause and return where the next one begins."""
    start, end = match.span()
    quoted = match["open"] is not None
    if quoted:
        closing = _CLOSING[match["open"]]
        close = next((at for at in range(end, len(text)) if text[at] in closing), None)
        if close is None:
            parts.note("unbalanced_quote", "引号没有配对，已读到末尾。", end - 1, end)
            value, end = text[end:], len(text)
        else:
            value, end = text[end:close], close + 1
    else:
        value = match["bare"] or ""
    name = _FIELDS[match["field"].lower()] if match["field"] else None
    if name and not value.strip():
        parts.note("empty_field", f"“{match['field']}:”后面没有内容，已忽略。", start, end)
        return end
    excluded = match["minus"] is not None
    if name in {"after", "before"}:
        found = _period(name, value)
        if found is None:
            parts.note(
                "bad_date",
                f"“{value}”不是日期，已忽略。写作 2024、2024-04 或 2024-04-30。",
                start,
                end,
            )
        else:
            (parts.must_not if excluded else parts.filter).append(found)
        return end
    if name and name != "title":
        keyword = KeywordQuery(field=name, values=(value.strip(),))
        (parts.must_not if excluded else parts.filter).append(keyword)
        return end
    fields = ("title",) if name else TEXT_FIELDS
    optional = not (name or excluded or quoted)
    queries = (
        _phrase(value, analyzer, fields) if quoted else _words(value, analyzer, fields, optional)
    )
    if not queries:
        if text[start:end].strip('"“”「」 '):
            parts.note("nothing_to_search", f"“{text[start:end]}”里没有可检索的字词。", start, end)
    elif excluded:
        whole = queries[0] if len(queries) == 1 else BooleanQuery(must=tuple(queries))
        parts.must_not.append(whole)
    else:
        parts.must += queries
    return end


def _phrase(value: str, analyzer: Analyzer, fields: tuple[str, ...]) -> list[Query]:
    units = analyzer.phrase(value)
    return [PhraseQuery(units=units, surface=value, fields=fields)] if units else []


def _words(value: str, analyzer: Analyzer, fields: tuple[str, ...], optional: bool) -> list[Query]:
    terms = analyzer.query_terms(value)
    queries: list[Query] = []
    for term in terms:
        surface = value[term.start : term.end]
        if term is terms[-1] and value.endswith("*") and value[term.end :].strip("*") == "":
            queries.append(
                PrefixQuery(text=term.text, units=term.units, surface=surface + "*", fields=fields)
            )
        elif term.is_term:
            queries.append(
                TermQuery(
                    text=term.text,
                    units=term.units,
                    surface=surface,
                    optional=optional and not term.is_identifier,
                    fields=fields,
                )
            )
        else:
            queries.append(
                PhraseQuery(units=term.units, surface=surface, optional=optional, fields=fields)
            )
    return list(dict.fromkeys(queries))


def _period(name: str, value: str) -> RangeQuery | None:
    match = _DATE.fullmatch(value.strip())
    if match is None:
        return None
    year, month, day = (int(group) if group else None for group in match.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
        if name == "after":
            return RangeQuery(first=first)
        return RangeQuery(last=first - timedelta(days=1))
    except (ValueError, OverflowError):  # the month 13, or the day before the first day of all
        return None
