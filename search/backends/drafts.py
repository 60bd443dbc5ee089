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

_OF_PARAGRAPH = 6  # likely articles of each paragraph
_OF_DRAFT = 10  # and of the whole
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


class DraftChecker:
    """Marks the paragraphs of drafts over one state."""

    def __init__(self, relater: Relater, shown: Callable[[Sequence[int]], _Shown]) -> None:
        """Take what measures nearness, and what reads documents as articles and hits."""
        self._relater, self._shown = relater, shown

    def check(self, draft: Article, nearest: Sequence[int]) -> tuple[DraftParagraph, ...]:
        """Mark the paragraphs of a draft; `nearest` are the documents nearest to all of it."""
        paragraphs = paragraphs_of(draft)
        words = self._weighted_words(paragraphs)
        likely = dict.fromkeys(nearest[:_OF_DRAFT])
        for text, weights in zip(paragraphs, words, strict=True):
            likely |= dict.fromkeys(self._likely(text, weights))
        shown = self._shown(list(likely))
        names = [surface for mention in draft.mentions for surface in mention.surfaces]
        own = [Letters.of(text, _names_in(text, names)) for text in paragraphs]
        texts = {document: _parts(article) for document, (article, _) in shown.items()}
        shares = self._shares(words, texts)
        common = common_runs(own, ["\n".join(texts[each]) for each in texts])
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
        if relater.view.live is not None:
            scores = scores * relater.view.live
        count = min(_OF_PARAGRAPH, len(scores))
        best = np.argpartition(-scores, count - 1)[:count] if count else np.empty(0, np.int64)
        return [int(document) for document in best[np.argsort(-scores[best])] if scores[document]]

    def _shares(
        self, words: Sequence[Mapping[str, float]], texts: Mapping[int, Sequence[str]]
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
        parts = [part for each in texts.values() for part in each]
        tokens = self._relater.analyzer.field_tokens(parts)
        numbers = np.array([vocabulary.get(word, -1) for word in tokens.vocabulary], np.int64)
        known = numbers[tokens.terms] if len(numbers) else np.empty(0, np.int64)
        held = np.zeros((len(parts), len(vocabulary)), np.bool_)
        held[tokens.documents[known >= 0], known[known >= 0]] = True
        found: dict[int, _Shares] = {}
        first = 0
        for document, of_article in texts.items():
            rows = held[first : first + len(of_article)]
            first += len(of_article)
            windows = [rows[start:end].any(axis=0) for start, end in _windows(of_article)]
            found[document] = np.array(windows, np.float32) @ weights
        return found

    def _matches(
        self,
        own: Sequence[Letters],
        texts: Mapping[int, Sequence[str]],
        common: Sequence[Sequence[tuple[Run, ...]]],
        shares: Mapping[int, _Shares],
    ) -> Iterator[list[_Match]]:
        """Give what each paragraph has in common with each article, the best first."""
        for column, letters in enumerate(own):
            found = []
            for place, (document, parts) in enumerate(texts.items()):
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
                        numbers=tuple(range(*_windows(parts)[best])),
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
        texts: Mapping[int, Sequence[str]],
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
                self._source(text, letters, match, shown, texts[match.document])
                for match in sources[:_SOURCES]
            ),
            others=max(0, len(sources) - _SOURCES),
        )

    def _source(
        self, text: str, letters: Letters, match: _Match, shown: _Shown, parts: Sequence[str]
    ) -> DraftSource:
        article, hit = shown[match.document]
        passages, numbers = [], set(match.numbers)
        if match.is_copy:
            numbers = set()
            theirs = "\n".join(parts)
            for run in match.runs:
                found = _passage(text, letters, run, theirs)
                if found is not None:
                    passage, place = found
                    passages.append(passage)
                    numbers.add(theirs.count("\n", 0, place))
        ahead = len(parts) - len(_body_parts(article))  # title and lead
        return DraftSource(
            hit=hit,
            paragraphs=tuple(sorted({max(1, number - ahead + 1) for number in numbers})),
            passages=tuple(passages),
        )


def paragraphs_of(draft: Article) -> list[str]:
    """Return the paragraphs of a draft, none of them empty."""
    return [text for line in draft.body.split("\n") if (text := line.strip())]


def _words_of(words: Sequence[Mapping[str, float]]) -> Iterator[str]:
    for each in words:
        yield from each


def _body_parts(article: Article) -> list[str]:
    return [part for part in article.body.split("\n") if part.strip()]


def _parts(article: Article) -> list[str]:
    """Return an article's title, its lead and the paragraphs of its body."""
    lead = [] if article.lead_is_repeated or not article.lead else [article.lead]
    return [article.title, *lead, *_body_parts(article)]


def _windows(parts: Sequence[str]) -> list[tuple[int, int]]:
    """Return from each part as many as make a window, as first and end."""
    found = []
    for first in range(len(parts)):
        size, end = 0, first
        while end < len(parts) and size < _WINDOW:
            size += len(parts[end])
            end += 1
        found.append((first, end))
    return found


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
