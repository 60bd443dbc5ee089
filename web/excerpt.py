"""How much of an article may be shown: the body is the publisher's and never leaves the server."""

import re
from dataclasses import dataclass, replace

from index.document import Article, Evidence, Mention

__all__ = ["MAX_EXTRACT", "Excerpt", "excerpt"]

MAX_EXTRACT = 600  # characters
_SHARE = 3  # all that is shown of a body is at most one part in so many

_SENTENCE_END = re.compile(r"[。！？!?；;\n]")
_ELLIPSIS = "……"


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """What may be shown of an article's body.

    `text` is its leading paragraphs, separated by one newline, at most MAX_EXTRACT characters and
    at most a third of the body; `left` counts the paragraphs that follow. `mentions` are the
    article's: where the extract is left behind they quote no more than stays within the third,
    and only the name after that.
    """

    text: str
    left: int
    mentions: tuple[Mention, ...]

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The paragraphs of `text`."""
        return tuple(self.text.split("\n")) if self.text else ()


def excerpt(article: Article) -> Excerpt:
    """Return what may be shown of an article's body."""
    body = article.body
    allowance = len(body) // _SHARE
    text, end = _leading(body, min(MAX_EXTRACT, allowance))
    quotes = _Quotes(article, end, allowance - len(text))
    for mention in article.mentions:  # each is proved once before any is proved twice
        for evidence in mention.evidence[:1]:
            quotes.clip(evidence)
    return Excerpt(
        text=text,
        left=sum(1 for paragraph in body[end:].split("\n") if paragraph.strip()),
        mentions=tuple(
            replace(mention, evidence=tuple(map(quotes.clip, mention.evidence)))
            for mention in article.mentions
        ),
    )


def _leading(body: str, limit: int) -> tuple[str, int]:
    """Return the leading paragraphs within a limit, and where they end in the body.

    Where the first one is longer by itself, it ends after a sentence, or with an ellipsis.
    """
    if len(body) <= limit:
        return body, len(body)
    end = body.rfind("\n", 0, limit + 1)
    if end > 0:
        return body[:end], end
    sentences = [match.end() for match in _SENTENCE_END.finditer(body, 0, limit)]
    if sentences:
        return body[: sentences[-1]], sentences[-1]
    end = limit - len(_ELLIPSIS)
    return (body[:end] + _ELLIPSIS, end) if end > 0 else ("", 0)


class _Quotes:
    """Clips evidence, so that the quotes of an article never add up to its body."""

    def __init__(self, article: Article, shown: int, spare: int) -> None:
        self._article = article
        self._shown = article.body[:shown]
        self._spare = spare
        self._quoted: set[str] = set()

    def clip(self, evidence: Evidence) -> Evidence:
        """Return the evidence with as much of its text as may be shown."""
        text = evidence.text
        if evidence.field != "body" or text in self._shown or text in self._quoted:
            return evidence
        if len(text) <= self._spare:
            self._spare -= len(text)
            self._quoted.add(text)
            return evidence
        return replace(evidence, text=self._article.body[evidence.start : evidence.end])
