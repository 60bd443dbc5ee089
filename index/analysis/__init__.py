"""Text analysis: what a term is, in an article and in a query alike."""

from index.analysis.analyzer import Analyzer, FieldTerms, QueryTerm, Token
from index.analysis.charfilter import normalise

__all__ = ["Analyzer", "FieldTerms", "QueryTerm", "Token", "normalise"]
