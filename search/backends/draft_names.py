"""Names in a draft: their latest coverage, and those that no article has."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from index.analysis import Analyzer, normalise
from index.document import Article, OrganisationType
from search.backends.directory import OrganisationDirectory
from search.backends.view import IndexView
from search.related import DraftName, UnseenName
from search.results import Hit

__all__ = ["DraftNames"]

_NEAR = 2  # names shown beside one that no article has
_QUOTED = re.compile(r"“([^“”\W_]{2,10})”")
_MOST_QUOTED = 30  # quoted words that are looked up
_FIELDS = ("title", "body")

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
        named: list[tuple[str, OrganisationType | None, NDArray[np.int64], tuple[int, ...]]] = []
        unseen: list[UnseenName] = []
        mentions = sorted(draft.mentions, key=lambda mention: not mention.salient)
        for mention in mentions:
            places = _paragraphs_with(mention.surfaces, paragraphs)
            documents = self._having("organisation", mention.name)
            if len(documents):
                named.append((mention.name, mention.type, documents, places))
            elif not self._stands_somewhere(mention.surfaces):
                near = tuple(
                    (known.name, known.count)
                    for name in self._near(mention.name)
                    if (known := self._directory.find(name))
                )
                unseen.append(UnseenName(name=mention.name, paragraphs=places, near=near[:_NEAR]))
        for identifier in draft.identifiers:
            places = _paragraphs_with((identifier,), paragraphs)
            documents = self._having("identifier", identifier)
            if len(documents):
                named.append((identifier, None, documents, places))
            else:
                unseen.append(UnseenName(name=identifier, paragraphs=places, near=()))
        return self._with_latest(named), (*unseen, *self._unseen_words(draft, paragraphs))

    def _with_latest(
        self,
        named: Sequence[tuple[str, OrganisationType | None, NDArray[np.int64], tuple[int, ...]]],
    ) -> tuple[DraftName, ...]:
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
        quoted = dict.fromkeys(word for text in paragraphs for word in _QUOTED.findall(text))
        for word in list(quoted)[:_MOST_QUOTED]:
            # A phrase of everyday words in quotation marks is no name.
            is_name = not all(term.is_term for term in self._analyzer.query_terms(word))
            if word in known or not is_name or self._count(word):
                continue
            shorter = (word[:size] for size in range(len(word) - 1, 1, -1))
            near = next(((part, count) for part in shorter if (count := self._count(part))), None)
            yield UnseenName(
                name=word,
                paragraphs=_paragraphs_with((word,), paragraphs),
                near=(near,) if near else (),
            )

    def _stands_somewhere(self, surfaces: Iterable[str]) -> bool:
        return any(map(self._count, surfaces))

    def _count(self, text: str) -> int:
        """Return how many documents hold a text in their title or body."""
        units = [unit.encode() for unit in self._analyzer.phrase(text)]
        if not units:
            return 0
        count = 0
        for segment in self._view.segments:
            found = [segment.phrase(field, units).documents for field in _FIELDS]
            count += len(np.unique(np.concatenate(found)))
        return count


def _paragraphs_with(names: Iterable[str], paragraphs: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of the paragraphs, from 1, that hold one of some names."""
    wanted = [normalise(name).text for name in names]
    return tuple(
        number
        for number, text in enumerate(map(normalise, paragraphs), 1)
        if any(name in text.text for name in wanted)
    )
