"""The draft check: for each paragraph of a draft, which articles say it, in which words.

A few articles are likely for each paragraph, by the words it has, and some for the whole draft.
Each is compared with each paragraph twice. A passage that stands in both makes it copied; else a
few paragraphs of the article that hold enough of its words make it covered.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.analysis import Analyzer
from index.document import Article
from search import similarity
from search.backends.draft_names import places_of
from search.backends.letters import CommonRun, Letters, common_runs
from search.backends.nearness import counted_words
from search.backends.quoting import QuotedText
from search.related import DraftMark, DraftParagraph, DraftSource
from search.results import Hit

__all__ = ["DraftChecker"]

_OF_PARAGRAPH = 4  # likely articles of each paragraph
_OF_DRAFT = 8  # and of the whole
_BATCH = 50  # articles whose parts are compared at once; each takes a megabyte of a long draft
_SOURCES = 3  # articles shown for a paragraph

_TITLES = re.compile(r"《[^《》]{1,60}》")

_Shown = Mapping[int, tuple[Article, Hit]]


@dataclass(frozen=True, slots=True)
class _Copy:
    """The passages of a paragraph that stand in an article, and their weight in units."""

    document: int
    runs: tuple[CommonRun, ...]
    weight: float


class LikelyFinder(Protocol):
    """Weighs words, and finds the articles that a paragraph is likely to be from."""

    analyzer: Analyzer

    def learn(self, field: str, words: Iterable[str]) -> None:
        """Hear of words that will be asked about."""

    def idf(self, field: str, word: str) -> float:
        """Return the inverse document frequency of a word in a field."""

    def likely(
        self, texts: Sequence[str], weights: Sequence[Mapping[str, float]], count: int
    ) -> list[list[int]]:
        """Return articles for each text; see `Relater.likely`."""


class DraftChecker:
    """Marks the paragraphs of drafts over one state."""

    def __init__(self, relater: LikelyFinder, shown: Callable[[Sequence[int]], _Shown]) -> None:
        """Take what measures nearness, and what reads documents as articles and hits."""
        self._relater, self._shown = relater, shown

    def check(self, draft: Article, nearest: Sequence[int]) -> tuple[DraftParagraph, ...]:
        """Mark the paragraphs of a draft; `nearest` are the documents nearest to all of it."""
        paragraphs = _paragraphs(draft)
        names: list[list[tuple[int, int]]] = [
            [match.span() for match in _TITLES.finditer(text)] for text in paragraphs
        ]
        for mention in draft.mentions:
            for number, start, end in places_of(mention, paragraphs):
                names[number - 1].append((start, end))
        # To share a name, or the title of a law, is not to copy.
        own = [Letters.of(text, spans) for text, spans in zip(paragraphs, names, strict=True)]
        words = self._weighted_words(paragraphs)
        told = [n for n, each in enumerate(own) if each.weight >= similarity.DRAFT_LEAST]
        found = self._relater.likely(
            [paragraphs[each] for each in told], [words[each] for each in told], _OF_PARAGRAPH
        )
        likely: list[list[int]] = [[] for _ in paragraphs]
        for number, documents in zip(told, found, strict=True):
            likely[number] = documents
        shown = self._shown(list(dict.fromkeys(chain(nearest[:_OF_DRAFT], *likely))))
        texts = {document: QuotedText(article) for document, (article, _) in shown.items()}
        copies = _copies(own, texts)
        # The words of what is copied need not be looked for.
        rest = [
            number
            for number, letters in enumerate(own)
            if not copies[number] and letters.weight >= similarity.DRAFT_LEAST
        ]
        wanted = {*nearest[:_OF_DRAFT], *(each for number in rest for each in likely[number])}
        some = {document: text for document, text in texts.items() if document in wanted}
        covering = self._covering([words[each] for each in rest], some)
        of_rest = dict(zip(rest, covering, strict=True))
        return tuple(
            self._marked(number, text, own[number], copies[number], of_rest, shown, texts)
            for number, text in enumerate(paragraphs)
        )

    def _weighted_words(self, paragraphs: Sequence[str]) -> list[dict[str, float]]:
        """Return the words of each paragraph with their idf, words of several weighing less.

        What the whole draft repeats says what it is about, not whether a paragraph is new.
        """
        analyzer = self._relater.analyzer
        tokens = analyzer.field_tokens(paragraphs)
        found = []
        for number, text in enumerate(paragraphs):
            probable = analyzer.probable_words(text)
            words = counted_words(tokens, number)
            found.append([word for word in words if word.isascii() or word in probable])
        repeated = Counter(word for words in found for word in words)
        self._relater.learn("body", repeated)
        return [
            {word: self._relater.idf("body", word) / repeated[word] ** 0.5 for word in words}
            for words in found
        ]

    def _covering(
        self, words: Sequence[Mapping[str, float]], texts: Mapping[int, QuotedText]
    ) -> list[list[tuple[int, tuple[int, ...]]]]:
        """Return for the words of each paragraph the articles that cover it, the best first.

        Each with the places of the parts, near each other, that have most of the words.
        """
        if not words or not texts:
            return [[] for _ in words]
        vocabulary = {word: number for number, word in enumerate(dict.fromkeys(_words_of(words)))}
        weights = np.zeros((len(vocabulary), len(words)), np.float32)
        for column, each in enumerate(words):
            for word, weight in each.items():
                weights[vocabulary[word], column] = weight
        weights /= np.maximum(weights.sum(axis=0), 1e-6)
        found: list[list[tuple[float, int, tuple[int, ...]]]] = [[] for _ in words]
        for first in range(0, len(texts), _BATCH):
            some = dict(islice(texts.items(), first, first + _BATCH))
            held = self._held(vocabulary, [part for text in some.values() for part in text.parts])
            begin = 0
            for document, text in some.items():
                starts, ends = begin + np.array(text.windows).T
                # A window has a word that more parts have before its end than before its start.
                shares = (held[ends] > held[starts]).astype(np.float32) @ weights
                begin += len(text.parts)
                best = shares.argmax(axis=0)
                covered = shares.max(axis=0) >= similarity.COVERED_SHARE
                for column in np.flatnonzero(covered).tolist():
                    window = text.windows[best[column]]
                    share = float(shares[best[column], column])
                    found[column].append((share, document, tuple(range(*window))))
        return [
            [(document, places) for _, document, places in sorted(each, key=lambda one: -one[0])]
            for each in found
        ]

    def _held(self, vocabulary: Mapping[str, int], parts: Sequence[str]) -> NDArray[np.int32]:
        """Return how many parts before each, and before the end, have each word."""
        tokens = self._relater.analyzer.field_tokens(parts)
        numbers = np.array([vocabulary.get(word, -1) for word in tokens.vocabulary], np.int64)
        known = numbers[tokens.terms]
        held = np.zeros((len(parts) + 1, len(vocabulary)), np.int32)
        held[tokens.documents[known >= 0] + 1, known[known >= 0]] = 1
        counted: NDArray[np.int32] = np.cumsum(held, axis=0, out=held)
        return counted

    def _marked(
        self,
        place: int,
        text: str,
        letters: Letters,
        copies: Sequence[_Copy],
        covering: Mapping[int, Sequence[tuple[int, tuple[int, ...]]]],
        shown: _Shown,
        texts: Mapping[int, QuotedText],
    ) -> DraftParagraph:
        mark: DraftMark = "short"
        sources: list[DraftSource] = []
        count = 0
        if copies:
            mark, count = "copied", len(copies)
            for copy in copies[:_SOURCES]:
                of_article = texts[copy.document]
                passages, places = of_article.passages(text, letters, copy.runs)
                sources.append(
                    DraftSource(
                        hit=shown[copy.document][1],
                        paragraphs=of_article.numbers(places),
                        passages=passages,
                    )
                )
        elif place in covering:
            found = covering[place]
            mark, count = "covered" if found else "new", len(found)
            sources = [
                DraftSource(
                    hit=shown[document][1],
                    paragraphs=texts[document].numbers(places),
                    passages=(),
                )
                for document, places in found[:_SOURCES]
            ]
        return DraftParagraph(
            number=place + 1,
            text=text,
            mark=mark,
            sources=tuple(sources),
            others=count - len(sources),
        )


def _copies(own: Sequence[Letters], texts: Mapping[int, QuotedText]) -> list[list[_Copy]]:
    """Return for each paragraph the articles that it is copied from, the most copied first."""
    found: list[list[_Copy]] = [[] for _ in own]
    common = common_runs(own, [text.whole for text in texts.values()])
    for document, of_document in zip(texts, common, strict=True):
        for letters, copies, runs in zip(own, found, of_document, strict=True):
            weight = sum(run.weight for run in runs)
            share = max(similarity.COPIED_LEAST, similarity.COPIED_SHARE * letters.weight)
            if weight >= share or any(run.weight >= similarity.COPIED_RUN for run in runs):
                copies.append(_Copy(document, runs, weight))
    return [sorted(copies, key=lambda copy: -copy.weight) for copies in found]


def _paragraphs(draft: Article) -> list[str]:
    """Return the paragraphs of a draft, none of them empty."""
    return [text for line in draft.body.split("\n") if (text := line.strip())]


def _words_of(words: Sequence[Mapping[str, float]]) -> Iterator[str]:
    for each in words:
        yield from each
