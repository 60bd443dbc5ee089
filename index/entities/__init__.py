"""Entities: the organisations, identifiers and indicators that an article names."""

from index.entities.annotate import annotate, entities_fingerprint
from index.entities.defang import defang
from index.entities.denials import Denials
from index.entities.identifiers import identifiers
from index.entities.indicators import MOST_INDICATORS, indicators
from index.entities.learning import AGREEING, Learned, fold_learned
from index.entities.recognise import recognise
from index.entities.table import Organisation, OrganisationTable

__all__ = [
    "AGREEING",
    "MOST_INDICATORS",
    "Denials",
    "Learned",
    "Organisation",
    "OrganisationTable",
    "annotate",
    "defang",
    "entities_fingerprint",
    "fold_learned",
    "identifiers",
    "indicators",
    "recognise",
]
