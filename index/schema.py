"""The index's fields, and the batch that holds some articles' share of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from index.analysis import Analyzer, FieldTokens
from index.document import Article, Mention, OrganisationType
from index.record import write_article

__all__ = [
    "SCHEMA_VERSION",
    "TEXT_FIELDS",
    "UNDATED",
    "IndexBatch",
    "IndexDocument",
    "Naming",
    "decode_length",
    "encode_length",
    "index_batch",
    "newest_first",
    "oldest_first",
]

SCHEMA_VERSION = 5

TEXT_FIELDS = ("title", "lead", "body")

UNDATED = -(2**62)
"""The published time of an article without one, in the index's column."""

_DAY = 86_400  # seconds
_EXACT_LENGTHS = 24
_SALIENT = "+"
_ALONE: Mapping[str, str] = MappingProxyType({})


class Naming(NamedTuple):
    """That an article names an organisation: its name and type, and whether it acts there."""

    name: str
    type: OrganisationType
    salient: bool

    @classmethod
    def of(cls, mention: Mention) -> "Naming":
        """Return what a mention says without its evidence."""
        return cls(mention.name, mention.type, mention.salient)

    @classmethod
    def read(cls, text: str) -> "Naming":
        """Return the naming that `str` has written."""
        type_, mark, name = text.split("\t", 2)
        return cls(name, cast("OrganisationType", type_), mark == _SALIENT)

    def __str__(self) -> str:
        return f"{self.type}\t{_SALIENT if self.salient else ''}\t{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDocument:
    """The values of an article's columns.

    `published` is in seconds since 1970, UNDATED where unknown; `day_only` says that only the
    crawl's day is known. Organisations that act come first. `cluster` is shared by near-duplicates,
    empty where there are none; `size` is the body's in characters.
    """

    id: str
    url: str | None
    title: str
    published: int
    day_only: bool
    category: str
    source: str
    author: str
    organisations: tuple[Naming, ...]
    identifiers: tuple[str, ...]
    cluster: str
    size: int


@dataclass(frozen=True, slots=True)
class IndexBatch:
    """Some articles for the index: their columns, and each text field of all of them, analysed.

    `records` are the articles whole, for an index that keeps them.
    """

    documents: tuple[IndexDocument, ...]
    fields: dict[str, FieldTokens]
    records: tuple[str, ...] = ()


def index_batch(
    articles: Sequence[Article],
    analyzer: Analyzer,
    clusters: Mapping[str, str] = _ALONE,
    *,
    with_records: bool = False,
) -> IndexBatch:
    """Analyse articles for the index; `clusters` names those of near-duplicates, by article."""
    texts = {
        "title": [article.title for article in articles],
        # What stands on the page twice must not count twice.
        "lead": ["" if article.lead_is_repeated else article.lead for article in articles],
        "body": [article.body for article in articles],
    }
    return IndexBatch(
        tuple(_document(article, clusters.get(article.id, "")) for article in articles),
        {name: analyzer.field_tokens(texts[name]) for name in TEXT_FIELDS},
        tuple(map(write_article, articles)) if with_records else (),
    )


def _document(article: Article, cluster: str) -> IndexDocument:
    published = article.published
    return IndexDocument(
        id=article.id,
        url=article.url,
        title=article.title,
        published=int(published.timestamp()) if published else UNDATED,
        day_only=article.published_precision == "day",
        category=article.category or "",
        source=article.source,
        author=article.author or "",
        organisations=_namings(article.mentions),
        identifiers=article.identifiers,
        cluster=cluster,
        size=len(article.body),
    )


def _namings(mentions: Iterable[Mention]) -> tuple[Naming, ...]:
    """Return what an article names, each organisation once, whatever the case of its name."""
    found: dict[str, Naming] = {}
    for naming in sorted(map(Naming.of, mentions), key=lambda naming: not naming.salient):
        found.setdefault(naming.name.casefold(), naming)
    return tuple(found.values())


def newest_first(published: ArrayLike, day_only: ArrayLike) -> NDArray[np.int64]:
    """Return what orders articles by time: smaller is newer, undated ones last.

    Where only the crawl's day is known the article may be a day older: it must not stand before a
    printed time of that day or the day before.
    """
    seconds = np.asarray(published, np.int64)
    return -np.where(day_only, seconds - _DAY - 1, seconds)


def oldest_first(published: ArrayLike, day_only: ArrayLike) -> NDArray[np.int64]:
    """Return what orders articles by time: smaller is older, undated ones last."""
    seconds = np.asarray(published, np.int64)
    keys = np.where(day_only, seconds + _DAY, seconds)
    return np.where(seconds == UNDATED, np.iinfo(np.int64).max, keys)


def encode_length(length: int) -> int:
    """Return a field's length in one byte: exact up to 40, then with four significant bits.

    This is the code of Lucene's `SmallFloat.intToByte4`, so that scores agree with OpenSearch's.
    """
    if length < _EXACT_LENGTHS:
        return length
    rest = length - _EXACT_LENGTHS
    shift = rest.bit_length() - 4
    if shift < 0:
        return _EXACT_LENGTHS + rest
    return _EXACT_LENGTHS + ((rest >> shift) & 7 | (shift + 1) << 3)


def decode_length(code: int) -> int:
    """Return the length that a byte stands for: Lucene's `SmallFloat.byte4ToInt`."""
    if code < _EXACT_LENGTHS:
        return code
    rest = code - _EXACT_LENGTHS
    bits, shift = rest & 7, (rest >> 3) - 1
    return _EXACT_LENGTHS + (bits if shift < 0 else (bits | 8) << shift)
