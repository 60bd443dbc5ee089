"""Related coverage: what comes out when an editor asks about an article or a draft."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from index.document import OrganisationType
from search.results import Hit

__all__ = [
    "MAX_DRAFT",
    "MAX_PARAGRAPHS",
    "Coverage",
    "DraftMark",
    "DraftName",
    "DraftParagraph",
    "DraftReport",
    "DraftSource",
    "Passage",
    "Reason",
    "ReasonKind",
    "RelatedHit",
    "Report",
    "UnseenName",
]

ReasonKind = Literal["event", "identifier", "group", "organisation", "words"]
DraftMark = Literal["new", "covered", "copied", "short"]

MAX_DRAFT = 20_000  # characters of title and text together
MAX_PARAGRAPHS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an article is related: what it shares, the most telling first.

    Of kind "event", the same event, there are no values.
    """

    kind: ReasonKind
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedHit:
    """An article related to another one or to a text, with the reasons."""

    hit: Hit
    reasons: tuple[Reason, ...]

    @property
    def same_event(self) -> bool:
        """Whether it reports the same event."""
        return any(reason.kind == "event" for reason in self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One article of an event's coverage, its reposts folded behind it.

    `lag` is the time behind the first report; None for the first itself, and where only the
    crawl's day is known of either.
    """

    hit: Hit
    lag: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How an event was covered, the earliest report first, the article asked about among them."""

    article: str
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A passage that stands in a draft's paragraph and in an article.

    `start` and `end` are characters of the paragraph; `text` is the article's sentence or as much
    of it as stands around, in which the passage is at `highlight`.
    """

    start: int
    end: int
    text: str
    highlight: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSource:
    """An article that says what a paragraph says; `paragraphs` are numbers in its body, from 1."""

    hit: Hit
    paragraphs: tuple[int, ...]
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftParagraph:
    """One paragraph of a draft with its mark.

    "new": no article says it; "covered": some do, in other words; "copied": a passage of it stands
    in one; "short": too short to tell. `sources` are the best articles, the best first; `others`
    counts those beyond.
    """

    number: int
    text: str
    mark: DraftMark
    sources: tuple[DraftSource, ...] = ()
    others: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftName:
    """An organisation (with its type) or an identifier (without) that a draft names.

    `count` articles name it too, `latest` is the newest of them.
    """

    name: str
    type: OrganisationType | None
    paragraphs: tuple[int, ...]
    count: int
    latest: Hit


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenName:
    """A name in a draft that no article has, and those in the archive that are written like it."""

    name: str
    paragraphs: tuple[int, ...]
    near: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftReport:
    """What the archive has of a draft; `articles` is how many were looked through."""

    articles: int
    took_ms: float
    paragraphs: tuple[DraftParagraph, ...]
    names: tuple[DraftName, ...]
    unseen: tuple[UnseenName, ...]
    related: tuple[RelatedHit, ...]
