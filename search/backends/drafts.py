"""The draft check: for each paragraph of a draft, which articles say it, in which words.

A few articles are likely for each paragraph, by the words it has, and some for the whole draft.
Each is compared with each paragraph twice. A passage that stands in both makes it copied; else a
few paragraphs of the article that hold enough of its words make it covered.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.analysis import normalise
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
_SOURCES = 3  # articles shown for a paragraph
_CONTEXT = 40  # characters shown beside a passage at most

_STOPS = "。！？!?；;\n"
_TITLES = re.compile(r"《[^《》]{1,60}》")

_Shares = NDArray[np.float32]
_Shown = Mapping[int, tuple[Article, Hit]]


@dataclass(frozen=True, slots=True)
class _Match:
    """What a paragraph and an article have in common.

    `copied` is the weight of the common passages in units, `share` that of the paragraph's words
    which stand near each other in the article, in the paragraphs `numbers`.
    """

    document: int
    runs: tuple[Run, ...]
    copied: float
    is_copy: bool
    share: float
    numbers: tuple[int, ...]


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
        words = self._weighted_words(paragraphs)
        if not paragraphs:
            return ()
        likely = dict.fromkeys(nearest[:_OF_DRAFT])
        for text, weights in zip(paragraphs, words, strict=True):
            likely |= dict.fromkeys(self._likely(text, weights))
        shown = self._shown(list(likely))
        names = [surface for mention in draft.mentions for surface in mention.surfaces]
        own = [Letters.of(text, _names_in(text, names)) for text in paragraphs]
        texts = {document: _Text.of(article) for document, (article, _) in shown.items()}
        shares = self._shares(words, texts)
        common = common_runs(own, [text.whole for text in texts.values()])
        return tuple(
            self._marked(number, text, letters, matches, shown, texts)
            for number, (text, letters, matches) in enumerate(
                zip(paragraphs, own, self._matches(own, texts, common, shares), strict=True), 1
            )
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
            {word: self._idf(word) / repeated[word] ** 0.5 for word in words} for words in found
        ]

    def _idf(self, word: str) -> float:
        frequency = self._relater.frequency("body", word)
        return similarity.idf(self._relater.view.article_count, frequency)

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

    def _shares(
        self, words: Sequence[Mapping[str, float]], texts: Mapping[int, _Text]
    ) -> dict[int, _Shares]:
        """Return for each article how much of each paragraph's words its windows have.

        A share has a row for each part of the article, where a window begins, and a column for each
        paragraph.
        """
        vocabulary = {word: number for number, word in enumerate(dict.fromkeys(_words_of(words)))}
        weights = np.zeros((len(vocabulary), len(words)), np.float32)
        for column, each in enumerate(words):
            for word, weight in each.items():
                weights[vocabulary[word], column] = weight
        weights /= np.maximum(weights.sum(axis=0), 1e-6)
        parts = [part for text in texts.values() for part in text.parts]
        tokens = self._relater.analyzer.field_tokens(parts)
        numbers = np.array([vocabulary.get(word, -1) for word in tokens.vocabulary], np.int64)
        known = numbers[tokens.terms] if len(numbers) else np.empty(0, np.int64)
        held = np.zeros((len(parts), len(vocabulary)), np.bool_)
        held[tokens.documents[known >= 0], known[known >= 0]] = True
        # What a window has: as many parts as have a word before its end as before its beginning,
        # or more.
        before = np.zeros((len(parts) + 1, len(vocabulary)), np.int32)
        np.cumsum(held, axis=0, out=before[1:])
        starts, ends, first = [], [], 0
        for text in texts.values():
            starts += [first + start for start, _ in text.windows]
            ends += [first + end for _, end in text.windows]
            first += len(text.parts)
        shares = (before[ends] > before[starts]).astype(np.float32) @ weights
        sizes = [len(text.parts) for text in texts.values()]
        return dict(zip(texts, np.split(shares, np.cumsum(sizes)), strict=False))

    def _matches(
        self,
        own: Sequence[Letters],
        texts: Mapping[int, _Text],
        common: Sequence[Sequence[tuple[Run, ...]]],
        shares: Mapping[int, _Shares],
    ) -> Iterator[list[_Match]]:
        """Give what each paragraph has in common with each article, the best first."""
        for column, letters in enumerate(own):
            found = []
            for place, (document, text) in enumerate(texts.items()):
                runs = common[place][column]
                copied = sum(run.weight for run in runs)
                longest = max((run.weight for run in runs), default=0.0)
                share = shares[document][:, column]
                best = int(share.argmax())
                found.append(
                    _Match(
                        document=document,
                        runs=runs,
                        copied=copied,
                        is_copy=longest >= similarity.COPIED_RUN
                        or copied
                        >= max(similarity.COPIED_LEAST, similarity.COPIED_SHARE * letters.weight),
                        share=float(share[best]),
                        numbers=tuple(range(*text.windows[best])),
                    )
                )
            yield sorted(found, key=lambda each: (-each.copied * each.is_copy, -each.share))

    def _marked(
        self,
        number: int,
        text: str,
        letters: Letters,
        matches: Sequence[_Match],
        shown: _Shown,
        texts: Mapping[int, _Text],
    ) -> DraftParagraph:
        copies = [match for match in matches if match.is_copy]
        mark: DraftMark
        if copies:
            mark, sources = "copied", copies
        elif letters.weight < similarity.DRAFT_LEAST:
            mark, sources = "short", []
        else:
            sources = [match for match in matches if match.share >= similarity.COVERED_SHARE]
            mark = "covered" if sources else "new"
        return DraftParagraph(
            number=number,
            text=text,
            mark=mark,
            sources=tuple(
                self._source(text, letters, match, shown[match.document][1], texts[match.document])
                for match in sources[:_SOURCES]
            ),
            others=max(0, len(sources) - _SOURCES),
        )

    def _source(
        self, text: str, letters: Letters, match: _Match, hit: Hit, article: _Text
    ) -> DraftSource:
        passages, numbers = [], set(match.numbers)
        if match.is_copy:
            numbers = set()
            theirs = article.whole
            for run in match.runs:
                found = _passage(text, letters, run, theirs)
                if found is not None:
                    passage, place = found
                    passages.append(passage)
                    numbers.add(theirs.count("\n", 0, place))
        return DraftSource(
            hit=hit,
            paragraphs=tuple(sorted({max(1, number - article.ahead + 1) for number in numbers})),
            passages=tuple(passages),
        )


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


def _passage(text: str, letters: Letters, run: Run, theirs: str) -> tuple[Passage, int] | None:
    """Return a run as a passage with what stands around it in the article, and where it begins."""
    start, end = letters.span(text, run)
    normal = normalise(theirs)
    pattern = r"[\W_]*".join(map(re.escape, letters.text[run.start : run.end]))
    found = re.search(pattern, normal.text)
    if found is None:
        return None
    first, last = normal.span(*found.span())
    before = max(theirs.rfind(stop, 0, first) for stop in _STOPS) + 1
    after = min(
        (place + 1 for stop in _STOPS if (place := theirs.find(stop, last)) >= 0),
        default=len(theirs),
    )
    before, after = max(before, first - _CONTEXT), min(after, last + _CONTEXT)
    shown = theirs[before:after].rstrip("\n")
    return (
        Passage(
            start=start,
            end=end,
            text=shown.replace("\n", " "),
            highlight=(first - before, last - before),
        ),
        first,
    )
