"""The parser: a query string to a query tree. What it cannot read it reports.

It fails only where a query asks for more than it may.

    query       = alternative+                    all of them
    alternative = conjunct (OR conjunct)*
    conjunct    = clause (AND clause)*
    clause      = (NOT | - | +)* (FIELD :)? (word | word* | "…" | "…"~n | "(" query ")")

So OR binds its neighbours, as on the web: 微软 漏洞 OR 补丁 is 微软 and one of the two. The names
and signs stand in `search.syntax`. A bracket that touches the word before it is punctuation.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from index.analysis import Analyzer
from index.document import BEIJING
from index.errors import QueryError, QueryTooLong
from search.identifiers import read_identifier
from search.periods import Period, find_period, read_date, read_span
from search.query import (
    TEXT_FIELDS,
    BooleanQuery,
    KeywordQuery,
    MatchQuery,
    PhraseQuery,
    PrefixQuery,
    Query,
    RangeQuery,
)
from search.results import Notice, Understood
from search.syntax import CLOSING, FIELDS, OPERATORS, QUOTES

__all__ = [
    "MAX_CLAUSES",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_NEAR",
    "MAX_PREFIXES",
    "ParsedQuery",
    "parse_query",
]

MAX_LENGTH = 800  # characters: as many Chinese ones as an address has room for
MAX_CLAUSES = 64  # words and phrases; each costs a walk over its postings
MAX_DEPTH = 16  # brackets inside brackets
MAX_NEAR = 16  # units in all of "A B"~n: 16 common ones take 0.1 s over 21,738 articles
MAX_PREFIXES = 16  # each may be thousands of terms
MAX_SLOP = 100  # units between the words of "A B"~n

_OPENING = "".join(CLOSING)
_SPACES = r"\s\u3000，、；。！？…"
_SPACE = re.compile(f"[{_SPACES}]+")
# In ASCII: elsewhere ſ is an s in another case, and ı an i.
_NAME = re.compile(
    rf"((?ai:{'|'.join(sorted(map(re.escape, FIELDS), key=len, reverse=True))}))\s?[:：]"
)
_TOKEN = re.compile(rf"[^{_SPACES}{_OPENING}()（）]+")
_SIGN = re.compile(r"[-－−+＋]")
# A bracketed stretch without spaces belongs to the word that it touches.
_BARE = re.compile(
    rf"(?:[^{_SPACES}{_OPENING}()（）]|(?<![{_SPACES}()（）])[(（][^{_SPACES}{_OPENING}()（）]*[)）])+"
)
_CVE = re.compile(r"(?:CVE)?[-－ ]*(\d{4})[-－ ]+(\d{3,7})", re.IGNORECASE | re.ASCII)
_SLOP = re.compile(r"[~～](\d{1,4})")
_NOISE = ":：~～*＊|&!-－−+＋"  # signs that say nothing where they open a clause
_PREFIX = re.compile(r"(.*?)[*＊]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedQuery:
    """A query tree, what of the query string did not enter it, and what was read from words.

    `without_period` is the query as it is where no period is read from words.
    """

    query: BooleanQuery
    notices: tuple[Notice, ...] = ()
    understood: tuple[Understood, ...] = ()
    without_period: BooleanQuery | None = None


def parse_query(
    text: str, analyzer: Analyzer, *, today: date | None = None, reads_periods: bool = True
) -> ParsedQuery:
    """Read a query string; raises QueryError where it is longer or asks for more than it may.

    It may have MAX_LENGTH characters and MAX_CLAUSES words, else it is QueryTooLong; MAX_PREFIXES
    prefixes, brackets MAX_DEPTH deep, and MAX_NEAR units that are looked for near each other.

    `today` is the day from which words such as 最近一周 count, by default today in Beijing.
    """
    if len(text) > MAX_LENGTH:
        raise QueryTooLong(f"检索式有 {len(text)} 个字符，最多 {MAX_LENGTH} 个。请缩短后再试。")
    parser = _Parser(text, analyzer)
    query = _top(parser.query())
    notices = tuple(sorted(parser.notices, key=lambda notice: notice.start))
    if not reads_periods or any(isinstance(part, RangeQuery) for part in query.filter):
        return ParsedQuery(query=query, notices=notices)
    found = _with_period(query, analyzer, today or datetime.now(BEIJING).date())
    if found is None:
        return ParsedQuery(query=query, notices=notices)
    dated, period = found
    # As it was typed: the tree has a space where the query string may have a comma.
    words = re.search(_SPACE.pattern.join(map(re.escape, period.text.split())), text)
    understood = Understood(
        text=words[0] if words else period.text,
        field="published",
        first=period.query.first,
        last=period.query.last,
    )
    return ParsedQuery(query=dated, notices=notices, understood=(understood,), without_period=query)


class _Parser:
    """Recursive descent over the query string; `at` is where it has come to."""

    def __init__(self, text: str, analyzer: Analyzer) -> None:
        self.text, self.at, self.depth = text, 0, 0
        self.analyzer = analyzer
        self.notices: list[Notice] = []
        self._left = MAX_CLAUSES
        self._prefixes = self._near = 0

    def note(self, code: str, message: str, start: int, end: int) -> None:
        self.notices.append(Notice(code=code, message=message, start=start, end=end))

    def query(self, fields: tuple[str, ...] = TEXT_FIELDS, keyword: str = "") -> Query | None:
        """Read alternatives up to the end or to the bracket that closes this group."""
        parts: list[Query] = []
        while not self._at_end():
            part = self._alternative(fields, keyword)
            if part is not None:
                parts.append(part)
        return _all_of(parts)

    def _alternative(self, fields: tuple[str, ...], keyword: str) -> Query | None:
        parts = [self._conjunct(fields, keyword)]
        while operator := self._operator("or"):
            self._check_sides(operator, parts[-1])
            parts.append(self._conjunct(fields, keyword))
        return _any_of([part for part in parts if part is not None])

    def _conjunct(self, fields: tuple[str, ...], keyword: str) -> Query | None:
        parts = [self._clause(fields, keyword)]
        while operator := self._operator("and"):
            self._check_sides(operator, parts[-1])
            parts.append(self._clause(fields, keyword))
        known = [part for part in parts if part is not None]
        return _all_of([_required(part) for part in known] if len(known) > 1 else known)

    def _check_sides(self, operator: tuple[int, int], before: Query | None) -> None:
        if self._at_end() or before is None:
            self._note_lone(operator)

    def _at_end(self) -> bool:
        """Pass over spaces and brackets that close nothing; say whether this group ends here."""
        while True:
            if match := _SPACE.match(self.text, self.at):
                self.at = match.end()
            if self.at >= len(self.text):
                return True
            if self.text[self.at] not in ")）":
                return False
            if self.depth:
                return True
            self.at += 1

    def _operator(self, *wanted: str) -> tuple[int, int] | None:
        """Pass over one of some operators and return where it stands, None where none does."""
        if self._at_end():
            return None
        match = _TOKEN.match(self.text, self.at)
        if match is None or OPERATORS.get(match[0]) not in wanted:
            return None
        self.at = match.end()
        return match.span()

    def _clause(self, fields: tuple[str, ...], keyword: str) -> Query | None:
        """Read one clause with its signs; None where nothing of it can be searched."""
        negated = required = False
        while True:
            if self._at_end():
                return None
            start = self.at
            if self._operator("not"):
                negated = not negated
            elif (sign := _SIGN.match(self.text, start)) and not self._is_lone(start):
                self.at = sign.end()
                negated, required = (negated, True) if sign[0] in "+＋" else (not negated, required)
            elif lone := self._operator("or", "and"):
                self._note_lone(lone)
            elif self.text[start] in _NOISE:
                self.at += 1
            else:
                break
        clause = self._atom(fields, keyword)
        if clause is None:
            return None
        if required:
            clause = _required(clause)
        return BooleanQuery(must_not=(clause,)) if negated else clause

    def _note_lone(self, operator: tuple[int, int]) -> None:
        message = f"“{self.text[slice(*operator)]}”的两边都要有词，已忽略。"
        self.note("lone_operator", message, *operator)

    def _at_word_end(self) -> bool:
        return self.at >= len(self.text) or bool(_SPACE.match(self.text, self.at))

    def _is_lone(self, at: int) -> bool:
        return at + 1 >= len(self.text) or bool(_SPACE.match(self.text, at + 1))

    def _atom(self, fields: tuple[str, ...], keyword: str) -> Query | None:
        start = self.at
        name = _NAME.match(self.text, start)
        if name:
            self.at = name.end()
            field = FIELDS.get(name[1]) or FIELDS[name[1].lower()]
            fields, keyword = ((field,), "") if field == "title" else (TEXT_FIELDS, field)
            while self.at < len(self.text) and self.text[self.at] in _NOISE:
                self.at += 1
            if self._at_word_end():
                self._note_empty(f"{name[1]}:", start)
                return None
            if _NAME.match(self.text, self.at):
                return self._atom(fields, keyword)
            if self.text[self.at] not in ")）" and (lone := self._operator(*OPERATORS.values())):
                self._note_lone(lone)
                return None
        sign = self.text[self.at]
        if sign in "(（":
            return self._group(fields, keyword)
        if sign in CLOSING:
            return self._quoted(fields, keyword, start)
        match = _BARE.match(self.text, self.at)
        if match is None:  # a closing bracket behind a field's name
            self._note_empty(self.text[start : self.at], start)
            return None
        self.at = match.end()
        if keyword:
            return self._keyword(keyword, match[0], start)
        return self._bare(match[0], fields, start)

    def _group(self, fields: tuple[str, ...], keyword: str) -> Query | None:
        start = self.at
        self.at += 1
        if self.depth >= MAX_DEPTH:
            raise QueryError(f"括号最多套 {MAX_DEPTH} 层。请减少后再试。")
        self.depth += 1
        found = self.query(fields, keyword)
        self.depth -= 1
        if self.at < len(self.text):
            self.at += 1
        else:
            self.note("unbalanced_bracket", "括号没有配对，已读到末尾。", start, start + 1)
        return found

    def _quoted(self, fields: tuple[str, ...], keyword: str, start: int) -> Query | None:
        opening = self.at
        closing = CLOSING[self.text[opening]]
        self.at = next(
            (at for at in range(opening + 1, len(self.text)) if self.text[at] in closing),
            len(self.text),
        )
        value = self.text[opening + 1 : self.at]
        if self.at == len(self.text):
            self.note("unbalanced_quote", "引号没有配对，已读到末尾。", opening, opening + 1)
        self.at = min(self.at + 1, len(self.text))
        if keyword:
            return self._keyword(keyword, value, start)
        value = " ".join("".join(" " if sign in QUOTES else sign for sign in value).split())
        slop = _SLOP.match(self.text, self.at)
        if slop:
            self.at = slop.end()
        self._take(1)
        if not self.analyzer.phrase(value):
            if value:
                self._note_nothing(start)
            return None
        if slop:
            self._near += len(self.analyzer.phrase(value))
            if self._near > MAX_NEAR:
                raise QueryError(f"带 ~ 的短语合计最多 {MAX_NEAR} 个字或词。请减少后再试。")
        return PhraseQuery(
            text=value, slop=min(int(slop[1]), MAX_SLOP) if slop else None, fields=fields
        )

    def _bare(self, typed: str, fields: tuple[str, ...], start: int) -> Query | None:
        prefix = _PREFIX.fullmatch(typed)
        text = prefix[1] if prefix else typed
        terms = self.analyzer.query_terms(text)
        if not terms:
            self._note_nothing(start)
            return None
        self._take(len(terms))
        if prefix:
            self._prefixes += 1
            if self._prefixes > MAX_PREFIXES:
                raise QueryError(f"以 * 结尾的词最多 {MAX_PREFIXES} 个。请减少后再试。")
            return PrefixQuery(text=text, fields=fields)
        return MatchQuery(text=text, fields=fields)

    def _keyword(self, field: str, typed: str, start: int) -> Query | None:
        value = typed.strip()
        if not value:
            self._note_empty(self.text[start : self.at], start)
            return None
        self._take(1)
        if field in {"after", "before", "date"}:
            return self._dates(field, value, start)
        if field == "cve":
            number = _CVE.fullmatch(value)
            if number is None:
                message = f"“{value}”不是 CVE 编号，已忽略。写作 CVE-2024-3400。"
                self.note("bad_identifier", message, start, self.at)
                return None
            return PhraseQuery(text=f"CVE-{number[1]}-{number[2]}")
        if field == "identifier":
            found = read_identifier(value)
            if found is None:
                message = (
                    f"“{value}”不是编号，已忽略。写作 CVE-2024-3400、CNVD-2024-12345 或 T1059。"
                )
                self.note("bad_identifier", message, start, self.at)
                return None
            value = found
        return KeywordQuery(field=field, values=(value,))

    def _dates(self, field: str, value: str, start: int) -> Query | None:
        found = read_span(value) if field == "date" else read_date(value)
        if found and field == "after":
            found = RangeQuery(first=found.first)
        elif found and found.first and field == "before":
            # Nothing is earlier than the first day of all.
            day = found.first
            found = RangeQuery(last=day - timedelta(days=1)) if day > date.min else None
        if found is None:
            message = f"“{value}”不是日期，已忽略。写作 2024、2024-04 或 2024-04-30。"
            self.note("bad_date", message, start, self.at)
        return found

    def _take(self, words: int) -> None:
        """Count words towards the most that a query may have."""
        self._left -= words
        if self._left < 0:
            raise QueryTooLong(f"检索式最多 {MAX_CLAUSES} 个词。请留下要紧的几个再试。")

    def _note_empty(self, name: str, start: int) -> None:
        self.note("empty_field", f"“{name}”后面没有内容，已忽略。", start, self.at)

    def _note_nothing(self, start: int) -> None:
        typed = self.text[start : self.at]
        if typed.strip("".join(QUOTES) + " "):
            self.note("nothing_to_search", f"“{typed}”里没有可检索的字词。", start, self.at)


# Building the tree in its one normal form, so that a printed query reads back as the same


def _all_of(parts: Sequence[Query]) -> Query | None:
    must: list[Query] = []
    filters: list[Query] = []
    must_not: list[Query] = []
    for part in parts:
        if isinstance(part, BooleanQuery) and not part.should:
            must += part.must
            filters += part.filter
            must_not += part.must_not
        elif isinstance(part, KeywordQuery | RangeQuery):
            filters.append(part)
        else:
            must.append(part)
    while (normal := list(_joined(_distinct(must)))) != must:
        must = normal
    filters, must_not = list(dict.fromkeys(filters)), list(dict.fromkeys(must_not))
    if len(must) == 1 and not filters and not must_not:
        return must[0]
    if len(filters) == 1 and not must and not must_not:
        return filters[0]
    if not (must or filters or must_not):
        return None
    return BooleanQuery(must=tuple(must), filter=tuple(filters), must_not=tuple(must_not))


def _any_of(parts: Sequence[Query]) -> Query | None:
    found: list[Query] = []
    for part in parts:
        found += part.should if isinstance(part, BooleanQuery) and part.should else [part]
    found = list(dict.fromkeys(found))
    if len(found) < 2:
        return found[0] if found else None
    keywords = [part for part in found if isinstance(part, KeywordQuery)]
    if len(keywords) == len(found) and len({part.field for part in keywords}) == 1:
        values = dict.fromkeys(value for part in keywords for value in part.values)
        return KeywordQuery(field=keywords[0].field, values=tuple(values))
    return BooleanQuery(should=tuple(found))


def _distinct(parts: Iterable[Query]) -> Iterable[Query]:
    """Leave out what has come before, but for plain words: what they join to may differ."""
    known: set[Query] = set()
    for part in parts:
        if part not in known:
            yield part
        if not isinstance(part, MatchQuery):
            known.add(part)


def _joined(parts: Iterable[Query]) -> Iterable[Query]:
    """Join plain words of the same fields that stand side by side: together they may be a name."""
    last: Query | None = None
    for part in parts:
        if (
            isinstance(part, MatchQuery)
            and isinstance(last, MatchQuery)
            and not (part.is_required or last.is_required)
            and part.fields == last.fields
        ):
            last = replace(last, text=f"{last.text} {part.text}")
            continue
        if last is not None:
            yield last
        last = part
    if last is not None:
        yield last


def _required(query: Query) -> Query:
    if isinstance(query, MatchQuery):
        return replace(query, is_required=True)
    if isinstance(query, BooleanQuery):
        return replace(query, must=tuple(map(_required, query.must)))
    return query


def _top(query: Query | None) -> BooleanQuery:
    match query:
        case None:
            return BooleanQuery()
        case BooleanQuery():
            return query
        case KeywordQuery() | RangeQuery():
            return BooleanQuery(filter=(query,))
        case _:
            return BooleanQuery(must=(query,))


def _with_period(
    query: BooleanQuery, analyzer: Analyzer, today: date
) -> tuple[BooleanQuery, Period] | None:
    """Return the query with the period that its plain words name as a filter, None without one."""
    texts = [
        part
        for part in query.must
        if isinstance(part, MatchQuery) and part.fields == TEXT_FIELDS and not part.is_required
    ]
    periods = [
        (part, period)
        for part in texts
        if (period := find_period(part.text, today, analyzer.word_boundaries(part.text)))
    ]
    if len(periods) != 1:
        return None
    ((source, period),) = periods
    rest = " ".join((source.text[: period.start] + " " + source.text[period.end :]).split())
    kept = replace(source, text=rest) if analyzer.query_terms(rest) else None
    if kept and parse_query(rest, analyzer, reads_periods=False).query.must != (kept,):
        return None  # what stood beside the period would be an operator without it
    must = [kept if part is source else part for part in query.must]
    dated = replace(
        query,
        must=tuple(part for part in must if part is not None),
        filter=(*query.filter, period.query),
    )
    return dated, period
