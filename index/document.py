"""The document of this field: an article, cut out of a crawled page."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

__all__ = [
    "BEIJING",
    "Article",
    "Evidence",
    "FieldName",
    "Image",
    "Indicator",
    "IndicatorType",
    "Mention",
    "OrganisationType",
    "Precision",
]

# The portals print Chinese time without saying so. China has had no daylight saving time since
# 1991, so a fixed offset serves and needs no time-zone database.
BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")

FieldName = Literal["title", "lead", "body"]
Precision = Literal["minute", "day"]
OrganisationType = Literal[
    "company", "government", "institute", "association", "media", "group", "other"
]
IndicatorType = Literal["ip", "domain", "hash", "url"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of the article's own; its caption is empty where the page prints none."""

    url: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One sentence that names an organisation, at characters `start` to `end` of a field.

    `text` is the sentence, or as much of it as stands beside the name.
    """

    field: FieldName
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """An organisation named in an article, under its canonical name.

    `surfaces` are the forms that stand in the text, longest first; `salient` says whether the
    organisation acts in the story or is only mentioned in passing. `evidence` holds each sentence
    that names it, the most telling one first. `defined` are the short names that the article gives
    it for its own length: （以下简称“…”）.
    """

    name: str
    type: OrganisationType
    salient: bool
    surfaces: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    defined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """A trace of an attack that an article names, refanged and canonical.

    What shows it defangs it: see `index.entities.defang`.
    """

    type: IndicatorType
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What a page says, without what the site hangs around it.

    `url` is as the page gave it, `id` is derived from it (see `index.identity`). `published` is
    aware, in Beijing time; with precision "day" it is midnight of the crawl's day. `category` is
    one of `index.categories.categories()`, `category_printed` what the page calls it. `body` holds
    paragraphs separated by one newline. `truncated` says that the crawl cut the body short.
    """

    id: str
    url: str | None
    title: str
    published: datetime | None
    published_precision: Precision | None
    category: str | None
    category_printed: str | None
    category_predicted: bool = False
    source: str
    author: str | None
    tags: tuple[str, ...]
    lead: str
    body: str
    views: int | None
    images: tuple[Image, ...]
    truncated: bool
    fetched: datetime | None
    mentions: tuple[Mention, ...] = ()
    identifiers: tuple[str, ...] = ()
    indicators: tuple[Indicator, ...] = ()

    @property
    def lead_is_repeated(self) -> bool:
        """Whether the body says what the lead says: many pages print a paragraph twice."""
        # Whole sentences only: inside a word or an identifier the same letters mean something else.
        ends = self.lead.endswith(("。", "！", "？", "…"))
        return bool(self.lead) and any(
            line == self.lead or (ends and line.startswith(self.lead))
            for line in self.body.split("\n")
        )

    @property
    def organisations(self) -> tuple[str, ...]:
        """Canonical names, salient ones first."""
        ranked = sorted(self.mentions, key=lambda mention: not mention.salient)
        return tuple(mention.name for mention in ranked)
