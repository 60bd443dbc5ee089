"""What a search without results shows: how it was read, what to drop, which spelling is near."""

from dataclasses import dataclass

from search.backends.base import Searcher
from search.request import SearchRequest
from search.results import DidYouMean, SearchResults
from web.params import changed, search_url
from web.rewrite import Alternative, alternatives, settled

__all__ = ["Spelling", "Word", "Zero", "zero"]

_MOST_WORDS = 8  # each is searched for by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word as the query was cut, and how many articles have it."""

    text: str
    count: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """The query with a likelier spelling, and how many articles it finds."""

    query: str
    total: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Zero:
    """What helps on; `ignored` are words of the query that say nothing of its subject."""

    words: tuple[Word, ...]
    ignored: tuple[str, ...]
    spelling: Spelling | None
    alternatives: tuple[Alternative, ...]


def zero(searcher: Searcher, asked: SearchRequest, results: SearchResults) -> Zero:
    """Return what helps a reader whose request found nothing, each way with its own count."""
    plain = settled(asked, results)
    told = searcher.search(changed(plain, explain=True, size=1)).explanation
    texts = list(dict.fromkeys(word.word for word in told.words)) if told else []
    words, meant = [], {}
    for text in texts[:_MOST_WORDS]:
        alone = SearchRequest(query=text, corrects=False, reads_periods=False)
        found = searcher.search(changed(alone, size=1))
        words.append(Word(text=text, count=found.total, url=search_url(alone)))
        if found.did_you_mean and not found.total:
            meant[text] = found.did_you_mean
    return Zero(
        words=tuple(words),
        ignored=told.ignored if told else (),
        spelling=_spelling(searcher, plain, results.did_you_mean, meant),
        alternatives=tuple(alternatives(searcher, plain, texts)),
    )


def _spelling(
    searcher: Searcher,
    request: SearchRequest,
    better: DidYouMean | None,
    meant: dict[str, DidYouMean],
) -> Spelling | None:
    """Return the likelier spelling of all words, or of those that stand in no article."""
    if better:
        spelt = changed(request, query=better.query)
        return Spelling(query=better.query, total=better.total, url=search_url(spelt))
    spelt = request
    for text, found in meant.items():
        spelt = changed(spelt, query=spelt.query.replace(text, found.query, 1))
    if spelt == request:
        return None
    total = searcher.search(changed(spelt, size=1)).total
    return Spelling(query=spelt.query, total=total, url=search_url(spelt)) if total else None
