"""Quoting: an article as a draft is compared with it, and how little of it is shown."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property

from index.document import Article
from search.backends.letters import CommonRun, Letters
from search.related import Passage

__all__ = ["QuotedText"]

_WINDOW = 300  # characters of an article in which the facts of a paragraph may stand
_CONTEXT = 40  # characters shown beside a passage at most
_STOPS = "。！？!?；;\n"

# What a reader may see of a body anyway: see web.excerpt. With what stands beside the passages it
# is never more than one part in three, or a draft of guesses would draw an article out.
_SHARE = 3
_EXTRACT = 600


class QuotedText:
    """The title of an article, its lead and the paragraphs of its body: its parts.

    `windows` has for each part as many as make a window, as first and end.
    """

    def __init__(self, article: Article) -> None:
        """Take the article."""
        has_lead = bool(article.lead) and not article.lead_is_repeated
        ahead = (article.title, article.lead) if has_lead else (article.title,)
        self.parts = (*ahead, *(part for part in article.body.split("\n") if part.strip()))
        self.whole = "\n".join(self.parts)
        self.windows = _windows(self.parts)
        self._ahead = len(ahead)
        allowed = len(article.body) // _SHARE
        seen = min(_EXTRACT, allowed)
        self._seen = sum(len(part) + 1 for part in ahead) + seen
        self._spare = allowed - seen

    def numbers(self, places: Iterable[int]) -> tuple[int, ...]:
        """Return the numbers in the body, from 1, of those parts that are paragraphs of it."""
        return tuple(sorted({place - self._ahead + 1 for place in places if place >= self._ahead}))

    def passages(
        self, paragraph: str, letters: Letters, runs: Sequence[CommonRun]
    ) -> tuple[tuple[Passage, ...], tuple[int, ...]]:
        """Return runs of a paragraph's letters as passages, and the places of their parts."""
        passages, places = [], []
        for run in runs:
            place = self._letters.text.find(letters.text[run.start : run.end])
            if place >= 0:
                own = replace(run, start=place, end=place + run.end - run.start)
                start, end = self._letters.span(self.whole, own)
                passages.append(self._passage(letters.span(paragraph, run), start, end))
                places.append(self.whole.count("\n", 0, start))
        return tuple(passages), tuple(places)

    @cached_property
    def _letters(self) -> Letters:
        return Letters.of(self.whole)

    def _passage(self, own: tuple[int, int], start: int, end: int) -> Passage:
        """Return a passage with as much of its sentence around it as may be shown."""
        before, after = self._context(start, end)
        unseen = max(0, start - max(before, self._seen)) + max(0, after - max(end, self._seen))
        if unseen > self._spare:
            before, after = start, end
        else:
            self._spare -= unseen
        return Passage(
            start=own[0],
            end=own[1],
            text=self.whole[before:after].rstrip("\n").replace("\n", " "),
            highlight=(start - before, end - before),
        )

    def _context(self, start: int, end: int) -> tuple[int, int]:
        before = max(self.whole.rfind(stop, 0, start) for stop in _STOPS) + 1
        after = min(
            (place + 1 for stop in _STOPS if (place := self.whole.find(stop, end)) >= 0),
            default=len(self.whole),
        )
        return max(before, start - _CONTEXT), min(after, end + _CONTEXT)


def _windows(parts: Sequence[str]) -> list[tuple[int, int]]:
    found, end, size = [], 0, 0
    for first, part in enumerate(parts):
        while end < len(parts) and (size < _WINDOW or end <= first):
            size += len(parts[end])
            end += 1
        found.append((first, end))
        size -= len(part)
    return found
