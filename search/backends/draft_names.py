"""Names in a draft: their latest coverage, and those that no article has."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Protocol

from index.analysis import Analyzer
from index.document import Article, Mention, OrganisationType
from index.entities.identifiers import identifiers
from search.related import DraftName, UnseenName
from search.results import Hit, Organisation

__all__ = ["DraftNames", "Holdings", "places_of"]

_NEAR = 2  # names shown beside one that no article has
_QUOTED = re.compile(r"[“「『\"]([^\W_]{2,10})[”」』\"]")
_MOST = 100  # organisations, and identifiers, and quoted words, that are looked up

_Named = tuple[str, OrganisationType | None, int, int, tuple[int, ...]]
"""A name, its type, how many articles have it, the newest of them, and the paragraphs."""

_Hits = Callable[[Sequence[int]], Mapping[int, tuple[Article, Hit]]]


class Holdings(Protocol):
    """Says what articles of one state hold."""

    def newest(self, field: str, name: str) -> tuple[int, int]:
        """Return how many articles have a name in a field, and the newest; (0, 0) for none."""

    def count(self, units: Sequence[str]) -> int:
        """Return in how many articles some units stand in a row."""


class DraftNames:
    """Looks up the names of drafts in one state.

    `find` knows organisations by their names, `shown` reads documents as hits; `near` gives names
    of the archive that are like another.
    """

    def __init__(
        self,
        holdings: Holdings,
        analyzer: Analyzer,
        find: Callable[[str], Organisation | None],
        shown: _Hits,
        near: Callable[[str], Iterable[str]],
    ) -> None:
        self._holdings, self._analyzer, self._find = holdings, analyzer, find
        self._shown, self._near = shown, near

    def look_up(
        self, draft: Article, paragraphs: Sequence[str]
    ) -> tuple[tuple[DraftName, ...], tuple[UnseenName, ...]]:
        """Return the names in a draft that articles have, most telling first, and the others."""
        named: list[_Named] = []
        unseen: list[UnseenName] = []
        for mention in sorted(draft.mentions, key=lambda mention: not mention.salient)[:_MOST]:
            places = tuple(sorted({number for number, _, _ in places_of(mention, paragraphs)}))
            count, newest = self._holdings.newest("organisation", mention.name)
            if count:
                named.append((mention.name, mention.type, count, newest, places))
            elif not any(map(self._count, mention.surfaces)):
                near = tuple(
                    (known.name, known.count)
                    for name in self._near(mention.name)
                    if (known := self._find(name))
                )
                unseen.append(UnseenName(name=mention.name, paragraphs=places, near=near[:_NEAR]))
        of_paragraphs = list(map(identifiers, paragraphs))
        for identifier in draft.identifiers[:_MOST]:
            places = _places(identifier in found for found in of_paragraphs)
            count, newest = self._holdings.newest("identifier", identifier)
            if count:
                named.append((identifier, None, count, newest, places))
            else:
                unseen.append(UnseenName(name=identifier, paragraphs=places, near=()))
        return self._with_latest(named), (*unseen, *self._unseen_words(draft, paragraphs))

    def _with_latest(self, named: Sequence[_Named]) -> tuple[DraftName, ...]:
        shown = self._shown([newest for _, _, _, newest, _ in named])
        return tuple(
            DraftName(
                name=name, type=type_, paragraphs=places, count=count, latest=shown[newest][1]
            )
            for name, type_, count, newest, places in named
            if newest in shown
        )

    def _unseen_words(self, draft: Article, paragraphs: Sequence[str]) -> Iterable[UnseenName]:
        """Give the words in quotation marks, such as names of products, that no article has."""
        known = {surface for mention in draft.mentions for surface in mention.surfaces}
        quoted = [_QUOTED.findall(text) for text in paragraphs]
        for word in list(dict.fromkeys(chain.from_iterable(quoted)))[:_MOST]:
            # A phrase of everyday words in quotation marks is no name.
            is_name = not all(term.is_term for term in self._analyzer.query_terms(word))
            if word in known or not is_name or self._count(word):
                continue
            shorter = (word[:size] for size in range(len(word) - 1, 1, -1))
            near = next(((part, count) for part in shorter if (count := self._count(part))), None)
            yield UnseenName(
                name=word,
                paragraphs=_places(word in words for words in quoted),
                near=(near,) if near else (),
            )

    def _count(self, text: str) -> int:
        """Return how many articles hold a text."""
        units = self._analyzer.phrase(text)
        return self._holdings.count(units) if units else 0


def _places(holds: Iterable[bool]) -> tuple[int, ...]:
    """Return the numbers, from 1, of the paragraphs of which something holds."""
    return tuple(number for number, each in enumerate(holds, 1) if each)


def places_of(mention: Mention, paragraphs: Sequence[str]) -> list[tuple[int, int, int]]:
    """Return where a draft names an organisation: number of the paragraph from 1, start and end.

    The draft's body are the paragraphs, each on a line.
    """
    starts = list(accumulate((len(text) + 1 for text in paragraphs), initial=0))
    found = []
    for evidence in mention.evidence:
        if evidence.field == "body":
            number = bisect_right(starts, evidence.start)
            first = starts[number - 1]
            found.append((number, evidence.start - first, evidence.end - first))
    return found
