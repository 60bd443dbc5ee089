"""The index's fields, and the document that holds one article's share of them."""

from dataclasses import dataclass

from index.analysis import Analyzer, FieldTerms
from index.document import Article

__all__ = [
    "SCHEMA_VERSION",
    "TEXT_FIELDS",
    "UNDATED",
    "IndexDocument",
    "decode_length",
    "encode_length",
    "index_document",
]

SCHEMA_VERSION = 1

TEXT_FIELDS = ("title", "lead", "body")

UNDATED = -(2**62)
"""The published time of an article without one, in the index's column."""

_EXACT_LENGTHS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDocument:
    """What the index holds of an article: analysed text fields and the values of its columns.

    `published` is in seconds since 1970, UNDATED where unknown; `day_only` says that only the
    crawl's day is known.
    """

    id: str
    title: FieldTerms
    lead: FieldTerms
    body: FieldTerms
    published: int
    day_only: bool
    category: str
    source: str
    organisations: tuple[str, ...]


def index_document(article: Article, analyzer: Analyzer) -> IndexDocument:
    """Analyse an article for the index."""
    published = article.published
    return IndexDocument(
        id=article.id,
        title=analyzer.terms(article.title),
        # What stands on the page twice must not count twice.
        lead=analyzer.terms("" if article.lead_is_repeated else article.lead),
        body=analyzer.terms(article.body),
        published=int(published.timestamp()) if published else UNDATED,
        day_only=article.published_precision == "day",
        category=article.category or "",
        source=article.source,
        organisations=article.organisations,
    )


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
