"""Text analysis: what a term is, in an article and in a query alike."""

from index.analysis.analyzer import Analyzer, QueryTerm, Token
from index.analysis.charfilter import normalise, normalise_batch
from index.analysis.fields import FieldTokens
from index.analysis.segmenter import dictionary_words
from index.analysis.trie import WordTrie

__all__ = [
    "Analyzer",
    "FieldTokens",
    "QueryTerm",
    "Token",
    "WordTrie",
    "dictionary_words",
    "normalise",
    "normalise_batch",
]
