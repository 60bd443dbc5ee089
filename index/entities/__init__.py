"""Entities: the organisations and identifiers that an article names."""

from index.entities.annotate import annotate, entities_fingerprint
from index.entities.denials import Denials
from index.entities.identifiers import identifiers
from index.entities.learning import AGREEING, fold_learned
from index.entities.recognise import recognise
from index.entities.table import Organisation, OrganisationTable

__all__ = [
    "AGREEING",
    "Denials",
    "Organisation",
    "OrganisationTable",
    "annotate",
    "entities_fingerprint",
    "fold_learned",
    "identifiers",
    "recognise",
]
