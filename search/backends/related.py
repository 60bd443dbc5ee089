"""Related coverage: which of the nearest articles are shown, why, and which report one event."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.document import Article
from search import similarity
from search.backends.clusters import Clusters
from search.backends.nearness import Nearness, Subject
from search.related import Reason

__all__ = ["Found", "RelatedFinder", "reasons"]

_CONSIDERED = 2  # times as many as are wanted, so that there is a choice
_VERSIONS = 2  # articles of one story, the subject's own apart
_NUMBERED = ("CVE-", "CNVD-", "CNNVD-")  # identifiers of a single vulnerability
_DIGITS = re.compile(r"[0-9]+")
_DAY = 86_400  # seconds
_FEW = 5  # articles; what no more have is rare in a small archive too
_SHOWN = 3  # shared names or words of one kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A related article: its document, how near it is in all, how near its text alone is.

    `words` are the subject's telling words that it has too.
    """

    document: int
    nearness: float
    text: float
    same_event: bool
    words: tuple[str, ...]


class _Column(Protocol):
    """The values of a field of each document."""

    @property
    def values(self) -> Sequence[str]:
        """Every value, once."""

    def mask(self, wanted: Iterable[str]) -> NDArray[np.bool_]:
        """Return which documents have any of some values, whatever their case."""


class Documents(Protocol):
    """The documents among which related ones are chosen, by number."""

    @property
    def article_count(self) -> int:
        """How many articles the whole archive has."""

    @property
    def published(self) -> NDArray[np.int64]:
        """When each was published, in seconds."""

    @property
    def newest_first(self) -> NDArray[np.int64]:
        """What puts them in order, the newest first."""

    @property
    def oldest_first(self) -> NDArray[np.int64]:
        """What puts them in order, the oldest first."""

    @property
    def clusters(self) -> Clusters:
        """Which of them are near-duplicates."""

    @property
    def keywords(self) -> Mapping[str, _Column]:
        """Their values of a field, by its name."""

    def title(self, document: int) -> str:
        """Return the title of one."""

    def document(self, identifier: str) -> int | None:
        """Return the number of an id, None where there is none."""


class Measurer(Protocol):
    """Measures how near documents are to a subject."""

    @property
    def view(self) -> Documents:
        """The documents."""

    def nearness(self, subject: Subject) -> Nearness:
        """Return how near each document is."""

    def frequency(self, field: str, word: str) -> int:
        """Return how many articles hold a word in a field."""

    def holders(self, word: str, documents: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which of some documents, in ascending order, hold a word in their text."""


class RelatedFinder:
    """Finds related articles and the reports of an event in one state."""

    def __init__(self, relater: Measurer) -> None:
        self.relater = relater
        self.view = relater.view
        self._last: tuple[int | None, Nearness] | None = None

    def related(self, subject: Subject, size: int) -> tuple[Found, ...]:
        """Return the most related articles, the nearest first.

        Of near-duplicates the nearest one stands for all; those of the subject are left out. Of a
        story, other than the subject's own, further versions come last.
        """
        nearness = self._nearness(subject)
        documents = self._nearest(nearness, subject, _CONSIDERED * size)
        same_event = self._same_event(nearness, subject)
        is_event = same_event[documents]
        chosen = self._diverse(documents, is_event)[:size]
        held = self._held(nearness, chosen)
        return tuple(
            Found(
                document=document,
                nearness=float(nearness.total[document]),
                text=float(nearness.text[document]),
                same_event=bool(same_event[document]),
                words=held[place],
            )
            for place, document in enumerate(chosen)
        )

    def event(self, subject: Subject, size: int) -> tuple[int, ...]:
        """Return the first documents that report the event of a subject, the earliest first.

        Of near-duplicates it is the canonical one. The subject's own document is among them.
        """
        nearness = self._nearness(subject)
        scores = np.where(self._same_event(nearness, subject), nearness.total, 0)
        found = set(self._canonical(self._top(scores, subject, int(np.count_nonzero(scores)))))
        own = set() if subject.document is None else {subject.document}
        if found:  # else nobody reports it but those that copy one another
            found |= set(self._canonical(own))
        found |= own
        order = self.view.oldest_first
        reports = sorted(found, key=lambda document: (order[document], document))
        return tuple(each for place, each in enumerate(reports) if place < size or each in own)

    def _nearness(self, subject: Subject) -> Nearness:
        """Measure nearness, once for all that a page tells of one article; drafts are not kept."""
        if subject.document is None:
            return self.relater.nearness(subject)
        if self._last is None or self._last[0] != subject.document:
            self._last = subject.document, self.relater.nearness(subject)
        return self._last[1]

    def _same_event(self, nearness: Nearness, subject: Subject) -> NDArray[np.bool_]:
        """Say of each document whether it reports the event of the subject, perhaps otherwise."""
        least = np.full(len(nearness.total), similarity.EVENT_NEARNESS, np.float32)
        least[~nearness.shares_names] = similarity.EVENT_NEARNESS_UNNAMED
        least[nearness.is_own_source] = similarity.EVENT_NEARNESS_OF_SOURCE
        least[nearness.is_own_source & ~nearness.shares_names] = np.inf
        found: NDArray[np.bool_] = (
            (nearness.total >= least)
            & (nearness.text >= similarity.EVENT_TEXT)
            & (nearness.days <= similarity.EVENT_DAYS)
        )
        own = [each for each in subject.identifiers if each.startswith(_NUMBERED)]
        if own:
            # One advisory is written like the next; other vulnerabilities are other events.
            column = self.view.keywords["identifier"]
            found &= column.mask(own) | ~self._has_numbered
        # The next issue of a column has the same title, with another number or day.
        title = _DIGITS.sub("", subject.title)
        for document in np.flatnonzero(found & nearness.is_own_source).tolist():
            if document != subject.document and _DIGITS.sub("", self.view.title(document)) == title:
                found[document] = False
        return found

    @cached_property
    def _has_numbered(self) -> NDArray[np.bool_]:
        """Which documents name a vulnerability by its number."""
        column = self.view.keywords["identifier"]
        return column.mask(each for each in column.values if each.startswith(_NUMBERED))

    def _nearest(self, nearness: Nearness, subject: Subject, count: int) -> list[int]:
        scores = np.where(nearness.total >= similarity.RELATED_LEAST, nearness.total, 0)
        return self._top(scores, subject, count)

    def _top(self, scores: NDArray[np.float32], subject: Subject, count: int) -> list[int]:
        """Return the best documents, one of each cluster, and none of the subject's own."""
        clusters = self.view.clusters
        scores = scores.copy()
        if subject.document is not None:
            scores[[subject.document, *clusters.members(subject.document)]] = 0
        found: list[int] = []
        wanted = 2 * count  # some will be folded away
        while True:
            wanted = min(wanted, len(scores))
            best = np.argpartition(-scores, wanted - 1)[:wanted] if wanted else np.empty(0, int)
            best = best[np.lexsort((self.view.newest_first[best], -scores[best]))]
            best = best[scores[best] > 0]
            numbers = clusters.numbers[best]
            is_first = numbers == 0
            is_first[np.unique(numbers, return_index=True)[1]] = True
            found = best[is_first].tolist()
            if len(found) >= count or len(best) < wanted or wanted == len(scores):
                return found[:count]
            wanted *= 2

    def _canonical(self, documents: Iterable[int]) -> list[int]:
        clusters = self.view.clusters
        return [
            int(clusters.canonical[clusters.numbers[document]])
            if clusters.numbers[document]
            else document
            for document in documents
        ]

    def _diverse(self, documents: Sequence[int], is_event: NDArray[np.bool_]) -> list[int]:
        """Return documents in their order, but the third version of a story and more at the end."""
        if not documents:
            return []
        alike = self._one_story(documents)
        kept: list[int] = []
        later: list[int] = []
        for place in range(len(documents)):
            versions = sum(alike[place, other] and not is_event[other] for other in kept)
            too_many = not is_event[place] and versions >= _VERSIONS
            (later if too_many else kept).append(place)
        return [documents[place] for place in (*kept, *later)]

    def _one_story(self, documents: Sequence[int]) -> NDArray[np.bool_]:
        """Say of each two documents whether they tell one story: of one time, titled alike."""
        days = self.view.published[documents] / _DAY
        alike: NDArray[np.bool_] = np.abs(days[:, None] - days) <= similarity.EVENT_DAYS
        (some,) = np.nonzero(alike.sum(axis=1) > 1)
        pairs = {place: _pairs(self.view.title(documents[place])) for place in some.tolist()}
        for place, other in combinations(pairs, 2):
            if alike[place, other]:
                few, many = sorted((pairs[place], pairs[other]), key=len)
                told = len(few & many) >= similarity.STORY_TITLES * max(1, len(few))
                alike[place, other] = alike[other, place] = told
        return alike

    def _held(self, nearness: Nearness, documents: Sequence[int]) -> list[tuple[str, ...]]:
        """Return which of the telling words each of some documents has; common ones for want."""
        order = np.argsort(documents)
        ascending = np.array(documents, np.int64)[order]
        held: list[list[str]] = [[] for _ in documents]
        rare: list[list[str]] = [[] for _ in documents]
        most = max(similarity.TELLING * self.view.article_count, _FEW)
        for word, _ in nearness.words:
            kind = rare if self.relater.frequency("body", word) <= most else held
            for place in order[self.relater.holders(word, ascending)].tolist():
                kind[place].append(word)
        return [tuple(few or many) for few, many in zip(rare, held, strict=True)]


def _pairs(title: str) -> frozenset[str]:
    """Return the pairs of letters that stand side by side in a title."""
    letters = [letter for letter in title.casefold() if letter.isalnum()]
    return frozenset(map("".join, pairwise(letters)))


def reasons(found: Found, subject: Subject, article: Article) -> tuple[Reason, ...]:
    """Return why an article is related to a subject, the most telling first."""
    shared = [mention for mention in article.mentions if mention.name in subject.organisations]
    # Who acts in both comes before who is only mentioned.
    shared.sort(key=lambda mention: -(subject.organisations[mention.name] + mention.salient))
    groups = tuple(mention.name for mention in shared if mention.type == "group")
    others = tuple(mention.name for mention in shared if mention.type != "group")
    identifiers = tuple(each for each in article.identifiers if each in subject.identifiers)
    told = "".join((*groups, *others, *identifiers)).casefold()
    words = _separate(word for word in found.words if word not in told)
    candidates = (
        Reason(kind="identifier", values=identifiers[:_SHOWN]),
        Reason(kind="group", values=groups[:_SHOWN]),
        Reason(kind="organisation", values=others[:_SHOWN]),
        Reason(kind="words", values=words[:_SHOWN]),
    )
    some = tuple(reason for reason in candidates if reason.values)
    return (Reason(kind="event"), *some) if found.same_event else some


def _separate(words: Iterable[str]) -> tuple[str, ...]:
    """Return words of which none is part of another: of 供应链 and 供应 the longer one."""
    found: list[str] = []
    for word in words:
        if not any(word in other for other in found):
            found = [other for other in found if other not in word] + [word]
    return tuple(found)
