"""Text analysis: what a term is, in an article and in a query alike."""

from index.analysis.analyzer import Analyzer, QueryTerm, Token
from index.analysis.charfilter import normalise
from index.analysis.fields import FieldTokens

__all__ = ["Analyzer", "FieldTokens", "QueryTerm", "Token", "normalise"]
