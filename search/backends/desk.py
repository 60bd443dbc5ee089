"""The editors' desk: what the searcher answers of one state about an article, a text or a draft."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from time import perf_counter

from index.document import BEIJING, Article
from index.duplicates import agreement, fingerprints
from index.errors import BadParameter
from search.backends.draft_names import DraftNames
from search.backends.drafts import DraftChecker
from search.backends.nearness import Subject
from search.backends.related import Found, RelatedFinder, reasons
from search.related import MAX_DRAFT, MAX_PARAGRAPHS, Coverage, DraftReport, RelatedHit, Report
from search.results import Hit

__all__ = ["Desk", "Shown", "as_article"]

Shown = tuple[Article, Hit]
"""An article, and the hit that shows it on a list."""

_MOST_REPORTS = 60  # of one event
_NEAREST = 10  # articles near a whole draft whose text it is compared with
_SPARE = 5  # found beyond what is wanted, for some turn out to be copies
_COPY = 0.8  # containment from which a text is a copy, whatever it is called
_LIKELY_COPY = 0.4  # nearness of texts below which no copy is
_TITLE = 80  # characters; a longer first line is no title, and neither is a sentence
_SENTENCE_ENDS = ("。", "！", "？", "!", "?", ".", "…", "；", "：", "”")


class Desk:
    """Answers editors from one state.

    `shown` reads documents as articles and hits, without those that are gone.
    """

    def __init__(
        self, finder: RelatedFinder, shown: Callable[[Sequence[int]], Mapping[int, Shown]]
    ) -> None:
        self._view = finder.view
        self._finder = finder
        self._shown = shown

    def related(self, article: Article, size: int) -> tuple[RelatedHit, ...]:
        """Return what is related to an article, of the archive or not, without copies of it."""
        subject = Subject.of(article, self._view.document(article.id))
        found = self._finder.related(subject, size + _SPARE)
        return self._told(article, subject, found, size)

    def check(
        self, draft: Article, checker: DraftChecker, names: DraftNames, size: int
    ) -> DraftReport:
        """Mark the paragraphs of a draft, look its names up, and find what is related to it."""
        started = perf_counter()
        subject = Subject.of(draft)
        found = self._finder.related(subject, max(size, _NEAREST) + _SPARE)
        paragraphs = checker.check(draft, [each.document for each in found[:_NEAREST]])
        known, unseen = names.look_up(draft, [paragraph.text for paragraph in paragraphs])
        related = self._told(draft, subject, found, size)
        return DraftReport(
            articles=self._view.article_count,
            took_ms=round((perf_counter() - started) * 1000, 2),
            paragraphs=paragraphs,
            names=known,
            unseen=unseen,
            related=related,
        )

    def _told(
        self, article: Article, subject: Subject, found: Sequence[Found], size: int
    ) -> tuple[RelatedHit, ...]:
        """Return the first of what was found, with reasons: none without, and no copy."""
        told: list[RelatedHit] = []
        while found and len(told) < size:
            # Mostly as many are read as are wanted; the others take the place of copies.
            some, found = found[: size - len(told)], found[size - len(told) :]
            shown = self._shown([each.document for each in some])
            copies = self._copies(article, some, shown)
            for each in some:
                if each.document in shown and each.document not in copies:
                    why = reasons(each, subject, shown[each.document][0])
                    if why:
                        hit = replace(shown[each.document][1], score=round(each.nearness, 4))
                        told.append(RelatedHit(hit=hit, reasons=why))
        return tuple(told)

    def coverage(self, article: Article) -> Coverage:
        """Return the reports of an article's event, itself among them."""
        own = self._view.document(article.id)
        subject = Subject.of(article, own)
        shown = self._shown(self._finder.event(subject, _MOST_REPORTS))
        hits = [hit for _, hit in shown.values()]
        if own is None:
            return Coverage(article=article.id, reports=())  # added a moment ago; the index follows
        return Coverage(article=article.id, reports=tuple(_report(hit, hits[0]) for hit in hits))

    def _copies(
        self, article: Article, found: Iterable[Found], shown: Mapping[int, Shown]
    ) -> frozenset[int]:
        """Return what of some found documents is the same text, though under another headline."""
        likely = [
            each.document for each in found if each.text >= _LIKELY_COPY and each.document in shown
        ]
        if not likely:
            return frozenset()
        own, *others = fingerprints([article, *(shown[document][0] for document in likely)])
        return frozenset(
            document
            for document, other in zip(likely, others, strict=True)
            if agreement(own, other).containment >= _COPY
        )


def _report(hit: Hit, first: Hit) -> Report:
    if hit is first or "day" in (hit.published_precision, first.published_precision):
        return Report(hit=hit, lag=None)
    if hit.published is None or first.published is None:
        return Report(hit=hit, lag=None)
    return Report(hit=hit, lag=hit.published - first.published)


def as_article(title: str, text: str) -> Article:
    """Return a text as an article of today that no page has; its first line may be a title too.

    Raises BadParameter for one without a letter or digit, and one that is too long. Neither quotes
    the text: it is nobody else's.
    """
    if len(title) + len(text) > MAX_DRAFT:
        raise BadParameter("text", "", f"最多 {MAX_DRAFT:,} 字，请分开核对")
    if not any(map(str.isalnum, title + text)):
        raise BadParameter("text", "", "稿件里没有文字，请粘贴要核对的内容")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_PARAGRAPHS:
        raise BadParameter("text", "", f"最多 {MAX_PARAGRAPHS} 段，请分开核对")
    first = lines[0] if len(lines) > 1 and not title.strip() else ""
    if len(first) <= _TITLE and not first.endswith(_SENTENCE_ENDS):
        title = title.strip() or first
    return Article(
        id="",
        url=None,
        title=title.strip(),
        published=datetime.now(BEIJING),
        published_precision="minute",
        category=None,
        category_printed=None,
        source="",
        author=None,
        tags=(),
        lead="",
        body="\n".join(lines),
        views=None,
        images=(),
        truncated=False,
        fetched=None,
    )
