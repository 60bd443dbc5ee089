"""The tokens of the collection: cut once, kept as arrays in the cache, given to every engine.

A field's tokens stand by document and position, at each position the unit first. So the first
token of a position is its unit, and what is not a single Han character is a word.
"""

import gzip
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from collection import Document, documents, first_articles, repeated
from numpy.typing import NDArray

from index.analysis import Analyzer
from index.document import Article
from index.schema import TEXT_FIELDS

__all__ = ["BATCH", "Batch", "FieldSlice", "Tokens", "batches", "documents_of", "prepare_tokens"]

BATCH = 4096  # documents an engine is given at once

_CHUNK = 256
_CHARACTER = re.compile("[\u3005-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")

Numbers = NDArray[np.uint32]


class FieldSlice(NamedTuple):
    """Tokens of one field of some documents: document number n owns bounds[n] to bounds[n + 1]."""

    terms: Numbers
    positions: Numbers
    bounds: NDArray[np.int64]

    def of(self, first: int, last: int) -> "FieldSlice":
        """Return the tokens of documents from `first` up to `last`."""
        bounds = self.bounds[first : last + 1]
        start, end = bounds[0], bounds[-1]
        return FieldSlice(self.terms[start:end], self.positions[start:end], bounds - start)

    @property
    def is_unit(self) -> NDArray[np.bool_]:
        """Which tokens are the first of their position."""
        first = np.ones(len(self.terms), dtype=np.bool_)
        first[1:] = self.positions[1:] != self.positions[:-1]
        first[self.bounds[:-1][self.bounds[:-1] < len(first)]] = True
        return first


@dataclass(frozen=True)
class Tokens:
    """All tokens of the collection; `terms` of a field are numbers of `vocabulary`."""

    vocabulary: list[str]
    fields: dict[str, FieldSlice]

    @classmethod
    def load(cls, folder: Path) -> "Tokens":
        """Map the arrays that `prepare_tokens` left in a folder."""
        vocabulary = gzip.decompress((folder / "vocabulary.gz").read_bytes()).decode().split("\n")
        fields = {
            name: FieldSlice(
                *(
                    np.load(folder / f"{name}.{part}.npy", mmap_mode="r")
                    for part in FieldSlice._fields
                )
            )
            for name in TEXT_FIELDS
        }
        return cls(vocabulary, fields)

    @cached_property
    def is_character(self) -> NDArray[np.bool_]:
        """Which terms are one Han character."""
        return np.array([_is_character(term) for term in self.vocabulary])

    @cached_property
    def strings(self) -> NDArray[np.object_]:
        """The vocabulary as an array."""
        return np.array(self.vocabulary, dtype=np.object_)

    def parts(self) -> NDArray[np.bool_]:
        """Return which terms are a word, or part of an identifier, anywhere: not the unit."""
        found = np.zeros(len(self.vocabulary), dtype=np.bool_)
        for part in self.fields.values():
            found[part.terms[~part.is_unit]] = True
        return found

    def frequencies(self, name: str, count: int) -> NDArray[np.int64]:
        """Return how many of the first documents hold each term in a field."""
        part = self.fields[name].of(0, count)
        owners = np.repeat(np.arange(count), np.diff(part.bounds))
        pairs = np.unique(owners * len(self.vocabulary) + part.terms.astype(np.int64))
        return np.bincount(pairs % len(self.vocabulary), minlength=len(self.vocabulary))


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents in a row with their tokens."""

    documents: Sequence[Document]
    fields: dict[str, FieldSlice]
    tokens: Tokens = field(repr=False)


def batches(
    records: Sequence[Document], tokens: Tokens, count: int, size: int = BATCH
) -> Iterator[Batch]:
    """Give the first documents, repeated with other ids and dates where there are fewer."""
    given = 0
    while given < count:
        repetition, first = divmod(given, len(records))
        last = min(first + size, len(records), first + count - given)
        yield Batch(
            [repeated(record, repetition) for record in records[first:last]],
            {name: part.of(first, last) for name, part in tokens.fields.items()},
            tokens,
        )
        given += last - first


def prepare_tokens(articles: Path, *, jobs: int) -> Path:
    """Return the folder of tokens beside a file of articles, made first where it is missing."""
    folder = articles.with_name(f"{articles.name.partition('.')[0]}-{Analyzer().fingerprint}")
    if folder.exists():
        return folder
    scratch = folder.with_suffix(".new")
    scratch.mkdir(exist_ok=True)
    numbers: dict[str, int] = {}
    parts: dict[str, list[FieldSlice]] = {name: [] for name in TEXT_FIELDS}
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for analysed in pool.map(_analyse, _chunks(first_articles(articles))):
            for name, (vocabulary, part) in analysed.items():
                known = np.array(
                    [numbers.setdefault(term, len(numbers)) for term in vocabulary], np.uint32
                )
                parts[name].append(part._replace(terms=known[part.terms]))
    for name, slices in parts.items():
        bounds = np.cumsum([0] + [size for part in slices for size in np.diff(part.bounds)])
        np.save(scratch / f"{name}.bounds.npy", bounds)
        np.save(scratch / f"{name}.terms.npy", np.concatenate([part.terms for part in slices]))
        places = np.concatenate([part.positions for part in slices])
        np.save(scratch / f"{name}.positions.npy", places)
    # Fails loudly if a term ever held a line break.
    assert not any("\n" in term or " " in term for term in numbers)
    (scratch / "vocabulary.gz").write_bytes(gzip.compress("\n".join(numbers).encode(), 3))
    return scratch.rename(folder)


def documents_of(articles: Path, count: int | None = None) -> list[Document]:
    """Return the documents of the first articles."""
    return list(documents(first_articles(articles, count)))


# What runs in the worker processes


def _chunks(articles: Iterator[Article]) -> Iterator[list[tuple[str, str, str]]]:
    while chunk := list(islice(articles, _CHUNK)):
        # The lead of many pages is the body's first paragraph, which the index counts once.
        yield [
            (article.title, "" if article.lead_is_repeated else article.lead, article.body)
            for article in chunk
        ]


@cache
def _analyzer() -> Analyzer:
    return Analyzer()


def _is_character(term: str) -> bool:
    return len(term) == 1 and bool(_CHARACTER.match(term))


def _analyse(chunk: list[tuple[str, str, str]]) -> dict[str, tuple[list[str], FieldSlice]]:
    columns = zip(*chunk, strict=True)
    return {name: _field_slice(texts) for name, texts in zip(TEXT_FIELDS, columns, strict=True)}


def _field_slice(texts: Sequence[str]) -> tuple[list[str], FieldSlice]:
    cut = _analyzer().field_tokens(texts)
    # An identifier is longer than any of its parts, a character comes before the words it begins.
    ranks = np.array(
        [0 if _is_character(term) else 1_000_000 - len(term) for term in cut.vocabulary], np.int64
    )
    order = np.lexsort((ranks[cut.terms], cut.positions, cut.documents))
    bounds = np.searchsorted(cut.documents, np.arange(len(texts) + 1))
    return cut.vocabulary, FieldSlice(cut.terms[order], cut.positions[order], bounds)
