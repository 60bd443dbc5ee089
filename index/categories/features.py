"""What the prediction of a category sees of an article: counts of words, and the text's shape.

Only the title, the lead and the body are read: neither the site nor the author, nor tags.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.analysis import WordTrie, normalise
from index.document import Article

__all__ = ["LATIN", "VIEWS", "Counts", "WordCounter", "normal_texts", "shape", "shape_pairs"]

VIEWS = ("title", "opening", "body")
_OPENING = 300  # characters: news say what happened, others introduce
_LONGEST = 8_000  # characters: where the crawl cuts, and what bounds the time of a page

LATIN = re.compile(r"(?<![a-z0-9_])[a-z][a-z0-9]+(?![a-z0-9_])")
"""A Latin word in normal form; numbers and single letters are none."""

_LENGTHS = (100, 300, 500, 700, 900, 1200, 1600, 2000, 2500, 3000, 4000, 5000, 6000)
_TITLE_LENGTHS = (10, 15, 20, 25, 30, 35, 40, 50)
_LATIN_SHARES = (0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3)
_TITLE_SIGNS = ("|｜", "？?", "！!", "：:", "；;", "，,", "《", "“", "0123456789", "【", "…")
_BODY_SIGNS = "“、。，！？：；《（"
_IDENTIFIER = re.compile(r"\b(?:CVE|CNVD|CNNVD)-", re.ASCII)
_LETTER = re.compile("[A-Za-z]")
_FARTHEST = 3.0  # from the mean, in spreads: other sites' pages may be odd


Counts = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Numbers of words, and how often each stands."""


class WordCounter:
    """Counts the words it was built from, wherever they are visible in a text."""

    def __init__(self, words: Sequence[str]) -> None:
        """Words are in normal form; those with Han characters are all Han."""
        self._size = len(words)
        self._latin = {word: number for number, word in enumerate(words) if word.isascii()}
        self._trie = WordTrie(words)
        self._numbers = np.zeros(self._trie.size, np.int64)
        # The trie numbers words as it likes: reading the list itself tells which is which.
        lengths = np.array([len(word) for word in words], np.int64)
        begins = np.cumsum(lengths + 1) - lengths - 1
        number_at = np.full(int((lengths + 1).sum()) + 1, -1)
        number_at[begins] = np.arange(self._size)
        places, sizes, found = self._trie.find(_codes("\n".join(words)))
        numbers = number_at[places]
        is_whole = (numbers >= 0) & (lengths[numbers] == sizes)
        self._numbers[found[is_whole]] = numbers[is_whole]

    def count(self, title: str, text: str) -> tuple[Counts, ...]:
        """Return the counts of each view of an article, whose texts are in normal form."""
        # One walk for all views: most of its time does not depend on the text's length.
        places, numbers = self._find(f"{title}\n{text}")
        begin = len(title) + 1
        in_text = places >= begin
        in_views = (~in_text, in_text & (places < begin + _OPENING), in_text)
        return tuple(np.unique(numbers[inside], return_counts=True) for inside in in_views)

    def _find(self, normal: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where words begin, and their numbers."""
        places, _, found = self._trie.find(_codes(normal))
        known = self._latin
        latin = [
            (match.start(), known[match[0]])
            for match in LATIN.finditer(normal)
            if match[0] in known
        ]
        begins, numbers = zip(*latin, strict=True) if latin else ((), ())
        return (
            np.concatenate((places, np.array(begins, np.int64))),
            np.concatenate((self._numbers[found], np.array(numbers, np.int64))),
        )


def _codes(text: str) -> NDArray[np.uint32]:
    # The trie asks that the last character be no Han character.
    return np.frombuffer(f"{text}\n".encode("utf-32-le", "surrogatepass"), "<u4")


def normal_texts(article: Article) -> tuple[str, str]:
    """Return the title, and lead and body together, in normal form."""
    return normalise(article.title).text, normalise(_text(article)).text


def _text(article: Article) -> str:
    """Return lead and body: a lead that the body repeats is not counted twice."""
    if not article.lead or article.lead_is_repeated:
        return article.body[:_LONGEST]
    return f"{article.lead}\n{article.body}"[:_LONGEST]


def shape(article: Article) -> NDArray[np.float64]:
    """Return numbers on how an article is written: lengths, paragraphs, letters and signs."""
    title, text = article.title, _text(article)
    size = len(text) + 1
    lines = np.array([len(line) for line in text.split("\n")])
    latin = len(_LETTER.findall(text)) / size
    values = [
        np.log(size),
        np.log(len(lines)),
        np.log1p(lines.mean()),
        np.log1p(np.median(lines)),
        (lines < 15).mean(),
        (lines < 30).mean(),
        (lines > 150).mean(),
        np.log1p(lines[0]),
        np.log1p(lines[-1]),
        len(_LETTER.findall(title)) / (len(title) + 1),
        np.log1p(len(_IDENTIFIER.findall(text))),
        _IDENTIFIER.search(title) is not None,
        *(size <= most for most in _LENGTHS),
        *(len(title) < most for most in _TITLE_LENGTHS),
        *(latin < most for most in _LATIN_SHARES),
        *(any(sign in title for sign in signs) for signs in _TITLE_SIGNS),
        *(np.log1p(1000 * text.count(sign) / size) for sign in _BODY_SIGNS),
    ]
    return np.array(values, np.float64)


def shape_pairs(
    values: NDArray[np.float64], mean: NDArray[np.float32], spread: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the shape in spreads from the mean, and the products of any two of its numbers.

    A short text with an identifier in its title is something else than either.
    """
    far = np.clip((values - mean) / spread, -_FARTHEST, _FARTHEST)
    products = np.outer(far, far)[np.triu_indices(far.size)]
    # Both halves weigh alike, however many products there are.
    return np.concatenate((far / np.sqrt(far.size), products / far.size))
