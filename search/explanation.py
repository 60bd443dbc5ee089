"""Explanations: how a query was read, and what a hit's score is made of."""

from dataclasses import dataclass

__all__ = [
    "HitExplanation",
    "Occurrences",
    "QueryExplanation",
    "VariantExplanation",
    "WordExplanation",
    "WordScore",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantExplanation:
    """A spelling that counts as a word: `weight` for each occurrence, and who holds them equal."""

    text: str
    weight: float
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WordExplanation:
    """A word of a query. `articles` hold a variant of it; None where no index was asked."""

    word: str
    variants: tuple[VariantExplanation, ...]
    optional: bool
    articles: int | None
    idf: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryExplanation:
    """How a query string was read.

    `read_as` is the query in canonical form, `ignored` its words that say nothing of the subject,
    `evaluation` a line for each part: how it was evaluated, and how many documents it gave.
    """

    read_as: str
    words: tuple[WordExplanation, ...]
    ignored: tuple[str, ...]
    evaluation: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrences:
    """How often a variant stands in a field of an article, and what one occurrence counts."""

    text: str
    field: str
    count: int
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WordScore:
    """idf · frequency / (frequency + norm), `frequency` being the weighted sum of occurrences.

    The score of a word that may be missing is that times the coverage of the hit.
    """

    word: str
    score: float
    idf: float
    frequency: float
    norm: float
    occurrences: tuple[Occurrences, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HitExplanation:
    """(sum of words + sum of evidence + rest) · freshness; see `search.similarity`.

    `coverage` is the factor for missing words, 1 where there are none. Evidence and freshness
    count for the best hits by words alone: elsewhere there is none, and freshness is 1. `rest` is
    what clauses other than plain words add.
    """

    words: tuple[WordScore, ...]
    coverage: float
    evidence: tuple[tuple[str, float], ...]
    freshness: float
    rest: float
