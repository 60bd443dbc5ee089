"""Near-duplicates: which articles are copies of one text, found without reading the archive."""

from index.duplicates.clusters import SCHEMA, Clusters
from index.duplicates.comparison import Agreement, agreement, is_duplicate
from index.duplicates.fingerprint import Fingerprint, fingerprints, fingerprints_version

__all__ = [
    "SCHEMA",
    "Agreement",
    "Clusters",
    "Fingerprint",
    "agreement",
    "fingerprints",
    "fingerprints_version",
    "is_duplicate",
]
