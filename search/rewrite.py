"""Rewriting: from the query as it was typed to the one that a backend evaluates.

Text is cut into words, each with its synonyms; words inside words, and pairs of words that stand
side by side, become evidence, which orders articles and selects none.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

from index.analysis import Analyzer, QueryTerm, normalise
from search import similarity
from search.explanation import QueryExplanation, VariantExplanation, WordExplanation
from search.query import (
    BooleanQuery,
    MatchQuery,
    PhraseQuery,
    PrefixQuery,
    Query,
    Variant,
    WordQuery,
)
from search.synonyms import Synonym, Synonyms
from search.syntax import to_text

__all__ = ["Rewriter", "explain_query"]

_LONGEST = 5  # words that a synonym may take the place of
_ASIDE = re.compile(r"[(（][^()（）]*[)）]")
_LETTERS_DIGITS = re.compile(r"([a-z]{2,})(\d{1,4})")


@dataclass(slots=True)
class _Word:
    """A word of a text, with what else stands for it by the text of it."""

    term: QueryTerm
    surface: str
    synonyms: dict[str, Synonym] = field(default_factory=dict)


class Rewriter:
    """Rewrites queries with one analyzer and one table of synonyms."""

    def __init__(self, analyzer: Analyzer, synonyms: Synonyms) -> None:
        self._analyzer, self._synonyms = analyzer, synonyms
        self.stop_words = frozenset(_stop_words())
        self._synonym_variant = lru_cache(maxsize=5000)(self._analysed)

    def rewrite(self, query: BooleanQuery) -> BooleanQuery:
        """Return the query that backends evaluate.

        The words of its plain text are optional, but for identifiers; those in brackets behind a
        word, as pasted headlines have them, are optional too.
        """
        must: list[Query] = []
        evidence: list[tuple[WordQuery, float]] = []
        pairs: list[tuple[WordQuery, WordQuery]] = []
        for part in query.must:
            if isinstance(part, MatchQuery):
                words = self._words(part)
                must += [self._word(part, word, is_optional=True) for word in words]
                evidence += self._parts(part, words)
                pairs += self._pairs(part, words)
            else:
                must.append(self._rewritten(part))
        return BooleanQuery(
            must=tuple(dict.fromkeys(must)),
            should=tuple(map(self._rewritten, query.should)),
            filter=tuple(map(self._rewritten, query.filter)),
            must_not=tuple(map(self._rewritten, query.must_not)),
            evidence=tuple(dict.fromkeys(evidence)),
            pairs=tuple(dict.fromkeys(pairs)),
        )

    def ignored(self, query: BooleanQuery) -> tuple[str, ...]:
        """Return the words of the query's plain text that are left out of it."""
        found: dict[str, None] = {}
        for part in query.must:
            if isinstance(part, MatchQuery):
                kept = {word.term for word in self._words(part)}
                for term in self._analyzer.query_terms(part.text):
                    if term not in kept:
                        found[part.text[term.start : term.end]] = None
        return tuple(found)

    def _rewritten(self, query: Query) -> Query:
        match query:
            case MatchQuery():
                words = [self._word(query, word, is_optional=False) for word in self._words(query)]
                return words[0] if len(words) == 1 else BooleanQuery(must=tuple(words))
            case PhraseQuery(slop=None):
                return replace(query, parts=(self._analyzer.phrase(query.text),))
            case PhraseQuery():
                terms = self._analyzer.query_terms(query.text)
                return replace(query, parts=tuple(dict.fromkeys(term.units for term in terms)))
            case PrefixQuery():
                return self._prefix(query)
            case BooleanQuery():
                return BooleanQuery(
                    must=tuple(map(self._rewritten, query.must)),
                    should=tuple(map(self._rewritten, query.should)),
                    filter=tuple(map(self._rewritten, query.filter)),
                    must_not=tuple(map(self._rewritten, query.must_not)),
                )
            case _:
                return query

    def _prefix(self, query: PrefixQuery) -> Query:
        *before, last = self._analyzer.query_terms(query.text)
        prefix = replace(query, text=last.text, units=last.units)
        if not before:
            return prefix
        words = [self._plain(term, query.text, query.fields) for term in before]
        return BooleanQuery(must=(*words, prefix))

    def _words(self, query: MatchQuery) -> list[_Word]:
        """Cut the text into words with their synonyms; stop words go where others remain."""
        terms = self._analyzer.query_terms(query.text)
        words = [_Word(term, query.text[term.start : term.end]) for term in terms]
        for first in range(len(words)):
            for last in range(first + 1, min(first + _LONGEST, len(words)) + 1):
                span = words[first:last]
                text = normalise(query.text[span[0].term.start : span[-1].term.end]).text
                for synonym in (*self._synonyms.of(text), *_respelt(text)):
                    for word in span:
                        other = self._synonym_variant(synonym)
                        if other.units and not _is_inside(word.term, other):
                            word.synonyms.setdefault(synonym.text, synonym)
        return [word for word in words if word.term.text not in self.stop_words] or words

    def _word(self, query: MatchQuery, word: _Word, *, is_optional: bool) -> WordQuery:
        is_aside = any(
            start < word.term.start < end
            for start, end in (match.span() for match in _ASIDE.finditer(query.text))
            if start
        )
        return WordQuery(
            surface=word.surface,
            variants=(_variant(word.term), *map(self._synonym_variant, word.synonyms.values())),
            optional=is_optional
            and not query.is_required
            and query.fields != ("title",)
            and (is_aside or not word.term.is_identifier),
            fields=query.fields,
        )

    def _analysed(self, synonym: Synonym) -> Variant:
        terms = self._analyzer.query_terms(synonym.text)
        is_term = len(terms) == 1 and terms[0].is_term
        return Variant(
            units=self._analyzer.phrase(synonym.text),
            term=terms[0].text if is_term else None,
            weight=synonym.weight,
            origin=synonym.origin,
        )

    def _plain(self, term: QueryTerm, text: str, fields: tuple[str, ...]) -> WordQuery:
        return WordQuery(
            surface=text[term.start : term.end], variants=(_variant(term),), fields=fields
        )

    def _parts(
        self, query: MatchQuery, words: Sequence[_Word]
    ) -> Iterator[tuple[WordQuery, float]]:
        """Give the dictionary's words inside and across the words, and pairs of characters.

        The latter of a word that no dictionary knows, which is an exact string otherwise.
        """
        whole = {word.term.text for word in words}
        for text in self._analyzer.inner_words(query.text):
            if text not in whole:
                yield self._part(Variant(units=tuple(text), term=text), query.fields)
        for word in words:
            units = word.term.units
            if not word.term.is_term and len(units) > 2:
                for pair in pairwise(units):
                    yield self._part(Variant(units=pair, term=None), query.fields)

    def _part(self, variant: Variant, fields: tuple[str, ...]) -> tuple[WordQuery, float]:
        word = WordQuery(surface="".join(variant.units), variants=(variant,), fields=fields)
        return word, similarity.PART_WEIGHT

    def _pairs(
        self, query: MatchQuery, words: Sequence[_Word]
    ) -> Iterator[tuple[WordQuery, WordQuery]]:
        for first, second in pairwise(words):
            yield (
                self._plain(first.term, query.text, query.fields),
                self._plain(second.term, query.text, query.fields),
            )


def _stop_words() -> Iterator[str]:
    text = (files("search") / "data/stopwords.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            yield from line.split()


def _is_inside(term: QueryTerm, other: Variant) -> bool:
    """Say whether every place of the other is one of the term: it would find nothing more."""
    units, size = other.units, len(term.units)
    is_same = units == term.units
    return is_same or (
        term.is_term
        and any(units[start : start + size] == term.units for start in range(len(units) - size + 1))
    )


def _variant(term: QueryTerm) -> Variant:
    return Variant(units=term.units, term=term.text if term.is_term else None)


def _respelt(text: str) -> Iterator[Synonym]:
    """Give the other spelling of letters with a number behind: struts2 and struts 2."""
    dense = text.replace(" ", "", 1)
    if match := _LETTERS_DIGITS.fullmatch(dense):
        for spelling in (dense, f"{match[1]} {match[2]}"):
            if spelling != text:
                yield Synonym(text=spelling, weight=similarity.NAME_WEIGHT, origin="spelling")
    if "-" in text and text.replace("-", "").isalpha() and text.isascii():
        joined = text.replace("-", "")
        yield Synonym(text=joined, weight=similarity.NAME_WEIGHT, origin="spelling")


def explain_query(
    query: BooleanQuery,
    rewriter: Rewriter,
    articles: Callable[[WordQuery], int] | None = None,
    total: int = 0,
) -> QueryExplanation:
    """Say how a query as it was typed is read; `articles` counts a word's, of `total` in all."""
    words = []
    for word in rewriter.rewrite(query).must:
        if isinstance(word, WordQuery):
            count = articles(word) if articles else None
            words.append(
                WordExplanation(
                    word=word.surface,
                    variants=tuple(
                        VariantExplanation(
                            text=variant.text,
                            weight=variant.weight,
                            origin=variant.origin,
                        )
                        for variant in word.variants
                    ),
                    optional=word.optional,
                    articles=count,
                    idf=None if count is None else similarity.idf(total, count),
                )
            )
    return QueryExplanation(
        read_as=to_text(query), words=tuple(words), ignored=rewriter.ignored(query), evaluation=()
    )
