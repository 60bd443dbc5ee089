"""The draft check: for each paragraph of a draft, which articles say it, in which words.

A few articles are likely for each paragraph, by the words it has, and some for the whole draft.
Each is compared with each paragraph twice. A passage that stands in both makes it copied; else a
few paragraphs of the article that hold enough of its words make it covered.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest

import numpy as np

from index.document import Article
from search import similarity
from search.backends.letters import Letters, Run, common_runs
from search.backends.relating import Relater, counted_words
from search.related import DraftMark, DraftParagraph, DraftSource, Passage
from search.results import Hit

__all__ = ["DraftChecker", "paragraphs_of"]

_OF_PARAGRAPH = 4  # likely articles of each paragraph
_OF_DRAFT = 8  # and of the whole
_WINDOW = 300  # characters of an article in which the facts of a paragraph may stand
_MOST = 150  # articles that one draft is compared with
_SOURCES = 3  # articles shown for a paragraph
_CONTEXT = 40  # characters shown beside a passage at most

_STOPS = "。！？!?；;\n"
_TITLES = re.compile(r"《[^《》]{1,60}》")

_Shown = Mapping[int, tuple[Article, Hit]]


@dataclass(frozen=True, slots=True)
class _Copy:
    """The passages of a paragraph that stand in an article, and their weight in units."""

    document: int
    runs: tuple[Run, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class _Text:
    """An article as it is compared: its title, its lead and the paragraphs of its body.

    `ahead` says how many parts come before the body; `windows` from each part as many as make a
    window, as first and end.
    """

    parts: tuple[str, ...]
    ahead: int
    windows: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, article: Article) -> "_Text":
        ahead = (article.title, article.lead) if _has_own_lead(article) else (article.title,)
        parts = (*ahead, *(part for part in article.body.split("\n") if part.strip()))
        windows, end, size = [], 0, 0
        for first, part in enumerate(parts):
            while end < len(parts) and (size < _WINDOW or end <= first):
                size += len(parts[end])
                end += 1
            windows.append((first, end))
            size -= len(part)
        return cls(parts, len(ahead), tuple(windows))

    def numbers(self, places: Iterable[int]) -> tuple[int, ...]:
        """Return the numbers in the body, from 1, of parts; what is before it belongs to 1."""
        return tuple(sorted({max(1, place - self.ahead + 1) for place in places}))

    @property
    def whole(self) -> str:
        """All parts as one text."""
        return "\n".join(self.parts)


def _has_own_lead(article: Article) -> bool:
    return bool(article.lead) and not article.lead_is_repeated


class DraftChecker:
    """Marks the paragraphs of drafts over one state."""

    def __init__(self, relater: Relater, shown: Callable[[Sequence[int]], _Shown]) -> None:
        """Take what measures nearness, and what reads documents as articles and hits."""
        self._relater, self._shown = relater, shown

    def check(self, draft: Article, nearest: Sequence[int]) -> tuple[DraftParagraph, ...]:
        """Mark the paragraphs of a draft; `nearest` are the documents nearest to all of it."""
        paragraphs = paragraphs_of(draft)
        names = [surface for mention in draft.mentions for surface in mention.surfaces]
        own = [Letters.of(text, _names_in(text, names)) for text in paragraphs]
        words = self._weighted_words(paragraphs)
        likely = [
            self._likely(text, weights) if letters.weight >= similarity.DRAFT_LEAST else []
            for text, weights, letters in zip(paragraphs, words, own, strict=True)
        ]
        shown = self._shown(_first_of_each([list(nearest[:_OF_DRAFT]), *likely]))
        texts = {document: _Text.of(article) for document, (article, _) in shown.items()}
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
        return [
            {word: self._relater.idf("body", word) / repeated[word] ** 0.5 for word in words}
            for words in found
        ]

    def _likely(self, text: str, weights: Mapping[str, float]) -> list[int]:
        relater = self._relater
        words = relater.weighted("body", dict.fromkeys(weights, 1))
        scores = relater.cosine("body", words, len(text))
        # A window of an article has no more than the whole of it.
        scores[relater.held("body", weights) < similarity.COVERED_SHARE] = 0
        if relater.view.live is not None:
            scores *= relater.view.live
        count = min(_OF_PARAGRAPH, len(scores))
        best = np.argpartition(-scores, count - 1)[:count] if count else np.empty(0, np.int64)
        return [int(document) for document in best[np.argsort(-scores[best])] if scores[document]]

    def _covering(
        self, words: Sequence[Mapping[str, float]], texts: Mapping[int, _Text]
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
        parts = [part for text in texts.values() for part in text.parts]
        tokens = self._relater.analyzer.field_tokens(parts)
        numbers = np.array([vocabulary.get(word, -1) for word in tokens.vocabulary], np.int64)
        known = numbers[tokens.terms]
        held = np.zeros((len(parts), len(vocabulary)), np.bool_)
        held[tokens.documents[known >= 0], known[known >= 0]] = True
        # A window has a word where more parts have it before its end than before its beginning.
        before = np.zeros((len(parts) + 1, len(vocabulary)), np.int32)
        np.cumsum(held, axis=0, out=before[1:])
        found: list[list[tuple[float, int, tuple[int, ...]]]] = [[] for _ in words]
        first = 0
        for document, text in texts.items():
            starts, ends = first + np.array(text.windows).T
            shares = (before[ends] > before[starts]).astype(np.float32) @ weights
            first += len(text.parts)
            best = shares.argmax(axis=0)
            for column in np.flatnonzero(shares.max(axis=0) >= similarity.COVERED_SHARE).tolist():
                window = text.windows[best[column]]
                share = float(shares[best[column], column])
                found[column].append((share, document, tuple(range(*window))))
        return [
            [(document, places) for _, document, places in sorted(each, key=lambda one: -one[0])]
            for each in found
        ]

    def _marked(
        self,
        place: int,
        text: str,
        letters: Letters,
        copies: Sequence[_Copy],
        covering: Mapping[int, Sequence[tuple[int, tuple[int, ...]]]],
        shown: _Shown,
        texts: Mapping[int, _Text],
    ) -> DraftParagraph:
        mark: DraftMark = "short"
        sources: list[DraftSource] = []
        count = 0
        if copies:
            mark, count = "copied", len(copies)
            sources = [
                _copied_source(text, letters, copy, shown[copy.document][1], texts[copy.document])
                for copy in copies[:_SOURCES]
            ]
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


def _first_of_each(lists: Sequence[Sequence[int]]) -> list[int]:
    """Return different members of some lists, at most _MOST: the first of each, the second..."""
    ranks = (each for rank in zip_longest(*lists) for each in rank if each is not None)
    return list(islice(dict.fromkeys(ranks), _MOST))


def _copies(own: Sequence[Letters], texts: Mapping[int, _Text]) -> list[list[_Copy]]:
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


def _copied_source(
    text: str, letters: Letters, copy: _Copy, hit: Hit, article: _Text
) -> DraftSource:
    """Return an article with the passages that a paragraph has of it."""
    theirs = Letters.of(article.whole)
    passages, places = [], set()
    for run in copy.runs:
        place = theirs.text.find(letters.text[run.start : run.end])
        if place >= 0:
            start, end = theirs.span(
                article.whole, replace(run, start=place, end=place + run.end - run.start)
            )
            passages.append(_passage(letters.span(text, run), article.whole, start, end))
            places.add(article.whole.count("\n", 0, start))
    return DraftSource(hit=hit, paragraphs=article.numbers(places), passages=tuple(passages))


def paragraphs_of(draft: Article) -> list[str]:
    """Return the paragraphs of a draft, none of them empty."""
    return [text for line in draft.body.split("\n") if (text := line.strip())]


def _words_of(words: Sequence[Mapping[str, float]]) -> Iterator[str]:
    for each in words:
        yield from each


def _names_in(text: str, names: Sequence[str]) -> list[tuple[int, int]]:
    """Return where names stand, and titles of works: to share them is not to copy."""
    found = [match.span() for match in _TITLES.finditer(text)]
    for name in names:
        found += [match.span() for match in re.finditer(re.escape(name), text)]
    return found


def _passage(own: tuple[int, int], theirs: str, start: int, end: int) -> Passage:
    """Return a passage with what of the sentence stands around it in the article."""
    before = max(theirs.rfind(stop, 0, start) for stop in _STOPS) + 1
    after = min(
        (place + 1 for stop in _STOPS if (place := theirs.find(stop, end)) >= 0),
        default=len(theirs),
    )
    before, after = max(before, start - _CONTEXT), min(after, end + _CONTEXT)
    return Passage(
        start=own[0],
        end=own[1],
        text=theirs[before:after].rstrip("\n").replace("\n", " "),
        highlight=(start - before, end - before),
    )
