"""Names in a draft: their latest coverage, and those that no article has."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, chain

import numpy as np
from numpy.typing import NDArray

from index.analysis import Analyzer
from index.document import Article, Mention, OrganisationType
from index.entities.identifiers import identifiers
from search.backends.directory import OrganisationDirectory
from search.backends.view import IndexView
from search.related import DraftName, UnseenName
from search.results import Hit

__all__ = ["DraftNames", "places_of"]

_NEAR = 2  # names shown beside one that no article has
_QUOTED = re.compile(r"[“「『\"]([^\W_]{2,10})[”」』\"]")
_MOST = 100  # organisations, and identifiers, and quoted words, that are looked up
_FIELDS = ("title", "lead", "body")

_Named = tuple[str, OrganisationType | None, NDArray[np.int64], tuple[int, ...]]
"""A name, its type, the documents that have it, and the paragraphs."""

_Hits = Callable[[Sequence[int]], Mapping[int, tuple[Article, Hit]]]


class DraftNames:
    """Looks up the names of drafts in one state.

    `shown` reads documents as hits; `near` gives names of the archive that are like another.
    """

    def __init__(
        self,
        view: IndexView,
        analyzer: Analyzer,
        directory: OrganisationDirectory,
        shown: _Hits,
        near: Callable[[str], Iterable[str]],
    ) -> None:
        self._view, self._analyzer, self._directory = view, analyzer, directory
        self._shown, self._near = shown, near

    def look_up(
        self, draft: Article, paragraphs: Sequence[str]
    ) -> tuple[tuple[DraftName, ...], tuple[UnseenName, ...]]:
        """Return the names in a draft that articles have, most telling first, and the others."""
        named: list[_Named] = []
        unseen: list[UnseenName] = []
        for mention in sorted(draft.mentions, key=lambda mention: not mention.salient)[:_MOST]:
            places = tuple(sorted({number for number, _, _ in places_of(mention, paragraphs)}))
            documents = self._having("organisation", mention.name)
            if len(documents):
                named.append((mention.name, mention.type, documents, places))
            elif not any(map(self._count, mention.surfaces)):
                near = tuple(
                    (known.name, known.count)
                    for name in self._near(mention.name)
                    if (known := self._directory.find(name))
                )
                unseen.append(UnseenName(name=mention.name, paragraphs=places, near=near[:_NEAR]))
        of_paragraphs = list(map(identifiers, paragraphs))
        for identifier in draft.identifiers[:_MOST]:
            places = _places(identifier in found for found in of_paragraphs)
            documents = self._having("identifier", identifier)
            if len(documents):
                named.append((identifier, None, documents, places))
            else:
                unseen.append(UnseenName(name=identifier, paragraphs=places, near=()))
        return self._with_latest(named), (*unseen, *self._unseen_words(draft, paragraphs))

    def _with_latest(self, named: Sequence[_Named]) -> tuple[DraftName, ...]:
        newest = self._view.newest_first
        latest = [int(documents[np.argmin(newest[documents])]) for _, _, documents, _ in named]
        shown = self._shown(latest)
        return tuple(
            DraftName(
                name=name,
                type=type_,
                paragraphs=places,
                count=len(documents),
                latest=shown[document][1],
            )
            for (name, type_, documents, places), document in zip(named, latest, strict=True)
            if document in shown
        )

    def _having(self, column: str, name: str) -> NDArray[np.int64]:
        mask = self._view.keywords[column].mask([name])
        if self._view.live is not None:
            mask = mask & self._view.live
        return np.flatnonzero(mask)

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
        """Return how many live documents hold a text."""
        units = [unit.encode() for unit in self._analyzer.phrase(text)]
        if not units:
            return 0
        live, count = self._view.live, 0
        for base, segment in zip(self._view.bases, self._view.segments, strict=True):
            found = [segment.phrase(field, units).documents for field in _FIELDS]
            documents = np.unique(np.concatenate(found))
            count += len(documents) if live is None else int(live[base + documents].sum())
        return count


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
