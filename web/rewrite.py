"""Other ways to ask: a word required or left out, and what a search without results may become."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.errors import QueryError
from search.backends.base import Searcher
from search.request import SearchRequest
from search.results import SearchResults
from search.syntax import OPERATORS
from web.facets import LABELS, unfiltered
from web.params import EXCLUDABLE, changed, search_url

__all__ = ["Alternative", "alternatives", "settled", "without_word", "word_required"]

_MOST_SEARCHES = 10  # each costs as much as the one that found nothing

# A clause as it was typed: with its minus and field, quoted or not.
_CLAUSE = re.compile(
    r'[-－+]?(?:[^\s"“”「」:：]+[:：])?'
    r'(?:"[^"]*"|“[^”]*”|「[^」]*」|[(（][^()（）]*[)）]|[^\s"“「(（]+)'
)
_QUOTED = re.compile(r'("[^"]*"|“[^”]*”|「[^」]*」)')
_QUOTES = re.compile(r'["“”「」]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A looser request: what it leaves out, and how many articles it finds."""

    change: str
    subject: str
    total: int
    url: str


def settled(request: SearchRequest, results: SearchResults) -> SearchRequest:
    """Return the request with what was read from its words told in parameters.

    It finds the same, and goes on to do so where another filter is added: a period that is read
    from words gives way to one that is chosen, and a spelling is corrected only where nothing is
    found.
    """
    better = results.did_you_mean
    if better and better.applied:
        return changed(request, query=better.query)
    for found in results.understood:
        rest = " ".join(request.query.replace(found.text, " ", 1).split())
        request = changed(request, query=rest, first=found.first, last=found.last)
    for notice in results.notices:
        if notice.code == "period_ignored":
            rest = f"{request.query[: notice.start]} {request.query[notice.end :]}"
            request = changed(request, query=" ".join(rest.split()))
    return request


def word_required(query: str, word: str) -> str:
    """Return the query string with a plain word of it in quotes, so that it must stand."""
    return _replaced(query, word, f' "{word}" ')


def without_word(query: str, word: str) -> str:
    """Return the query string without a plain word of it."""
    return _replaced(query, word, " ")


def alternatives(
    searcher: Searcher, request: SearchRequest, words: Sequence[str] = ()
) -> list[Alternative]:
    """Return looser requests with the totals they would give, those that find nothing last.

    `words` are those that the query was cut into.
    """
    found = []
    for number, (change, subject, looser) in enumerate(_looser(request, words)):
        if number == _MOST_SEARCHES:
            break
        try:
            total = searcher.search(looser).total
        except QueryError:  # such as a prefix that was in quotes and is too short without
            continue
        found.append(
            Alternative(change=change, subject=subject, total=total, url=search_url(looser))
        )
    return sorted(found, key=lambda way: not way.total)


def _looser(
    request: SearchRequest, words: Sequence[str]
) -> Iterator[tuple[str, str, SearchRequest]]:
    """Give requests that leave one thing out: likely remedies first, the words one by one last."""
    filters = list(_filters(request))
    if request.match == "all":
        yield "不再须含", "全部词", changed(request, match="auto")
    if len(filters) > 1:
        yield "去掉", "全部筛选", changed(unfiltered(request), match=request.match)
    for name, looser in filters:
        yield "去掉筛选", name, looser
    if _QUOTED.search(request.query):
        plain = " ".join(_QUOTES.sub(" ", request.query).split())
        if plain:
            yield "去掉引号", plain, changed(request, query=plain)
    clauses = _CLAUSE.findall(request.query)
    dropped = set()
    if len(clauses) > 1 and not any(clause in OPERATORS for clause in clauses):
        for number, clause in enumerate(clauses):
            rest = " ".join((*clauses[:number], *clauses[number + 1 :]))
            dropped.add(clause)
            yield "去掉", clause, changed(request, query=rest)
    for word in words:  # of a clause that is written without spaces
        rest = without_word(request.query, word)
        if word not in dropped and rest and rest != request.query:
            yield "去掉", word, changed(request, query=rest)


def _filters(request: SearchRequest) -> Iterator[tuple[str, SearchRequest]]:
    if request.first or request.last or request.month:
        yield LABELS["month"], changed(request, first=None, last=None, month=())
    for name in EXCLUDABLE:
        if getattr(request, name):
            yield LABELS[name], changed(request, **{name: ()})
        if getattr(request, f"exclude_{name}"):
            yield f"不含{LABELS[name]}", changed(request, **{f"exclude_{name}": ()})


def _replaced(query: str, word: str, replacement: str) -> str:
    """Replace the word where it first stands outside quotes, neither excluded nor in a field."""
    plain = re.compile(rf"(?<![-－:：]){re.escape(word)}")
    parts = _QUOTED.split(query)
    for at in range(0, len(parts), 2):  # what was captured, the quoted, is at the odd places
        if plain.search(parts[at]):
            parts[at] = plain.sub(lambda _: replacement, parts[at], count=1)
            break
    return " ".join("".join(parts).split())
