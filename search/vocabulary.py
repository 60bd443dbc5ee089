"""The vocabulary of an archive: what its headlines say, for suggestions and corrections."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["MOST_HEADLINES", "Headline", "Vocabulary"]

MOST_HEADLINES: Final = 200_000
"""The newest, which are suggested and corrected by."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The title of an article, as it is and in normal form."""

    id: str
    title: str
    normal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What a backend knows of its articles.

    `words` are the words of headlines in normal form, with the number of headlines that hold each;
    `organisations` and `categories` the articles of each; `headlines` come newest first.
    `frequency` gives the number of articles that hold a word or a string of units; `learn` is
    told the texts that it will be asked about, where to ask at once costs less. `terms` gives the
    terms that begin with a prefix, each with its number of articles.
    """

    articles: int
    words: Mapping[str, int]
    organisations: Mapping[str, int]
    categories: Mapping[str, int]
    headlines: Sequence[Headline]
    frequency: Callable[[str], int]
    terms: Callable[[str], Mapping[str, int]]
    learn: Callable[[Iterable[str]], None] | None = None
