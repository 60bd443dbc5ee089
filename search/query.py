"""The query tree: what a query string means, before any backend sees it.

The parser makes one of texts as they were typed. `search.rewrite` puts analysed clauses in the
place of MatchQuery, and gives phrases and prefixes their units; that tree is what backends compile.
"""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

__all__ = [
    "TEXT_FIELDS",
    "BooleanQuery",
    "KeywordQuery",
    "MatchAllQuery",
    "MatchQuery",
    "PhraseQuery",
    "PrefixQuery",
    "Query",
    "RangeQuery",
    "Variant",
    "WordQuery",
]

TEXT_FIELDS = ("title", "lead", "body")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchQuery:
    """Text whose words are wanted; only the parser makes it.

    Where it `is_required` no word of it may be missing, however far the list widens.
    """

    text: str
    fields: tuple[str, ...] = TEXT_FIELDS
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseQuery:
    """An exact substring along unit borders.

    With a `slop` the words of `text` in any order, at most so many other units between them.
    `parts` are what must stand there: all the units, or the units of each word.
    """

    text: str
    slop: int | None = None
    fields: tuple[str, ...] = TEXT_FIELDS
    parts: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixQuery:
    """Any term that begins with `text`; `units` are those of `text`, for highlighting."""

    text: str
    fields: tuple[str, ...] = TEXT_FIELDS
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One spelling of a word: a term of the index, or else a phrase of units.

    `weight` is what one occurrence counts beside one of the word as it was typed, `origin` who
    holds the two equal; nobody for the word itself.
    """

    units: tuple[str, ...]
    term: str | None
    weight: float = 1.0
    origin: str = ""

    @property
    def text(self) -> str:
        """The spelling, with spaces only between what is written with them."""
        text = self.units[0]
        for before, unit in pairwise(self.units):
            text += unit if before > "\u2e80" or unit > "\u2e80" else f" {unit}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class WordQuery:
    """A word and its synonyms: any of the variants, their occurrences counted together.

    `surface` is what the reader typed. A word that is `optional` may go unanswered where the
    request allows the list to widen.
    """

    surface: str
    variants: tuple[Variant, ...]
    optional: bool = False
    fields: tuple[str, ...] = TEXT_FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordQuery:
    """Any of `values` in a keyword field.

    These are category, organisation, acting (an organisation that acts), source, author and
    identifier.
    """

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeQuery:
    """Published on a day from `first` to `last`, both included; None leaves that side open."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchAllQuery:
    """Every article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BooleanQuery:
    """All of `must` and `filter`, none of `must_not`, and where it has `should` one of them.

    `filter` is not scored. `evidence` and `pairs` add to the score of what matches, and match
    nothing themselves: words with their weights, and words that should stand near each other.
    """

    must: tuple["Query", ...] = ()
    should: tuple["Query", ...] = ()
    filter: tuple["Query", ...] = ()
    must_not: tuple["Query", ...] = ()
    evidence: tuple[tuple[WordQuery, float], ...] = ()
    pairs: tuple[tuple[WordQuery, WordQuery], ...] = ()


Query = (
    MatchQuery
    | PhraseQuery
    | PrefixQuery
    | WordQuery
    | KeywordQuery
    | RangeQuery
    | MatchAllQuery
    | BooleanQuery
)
