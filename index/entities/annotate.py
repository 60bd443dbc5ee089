"""Annotating an article with its organisations, identifiers and indicators."""

from dataclasses import replace
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from index.document import Article
from index.entities.identifiers import identifiers
from index.entities.indicators import indicators
from index.entities.recognise import recognise
from index.entities.table import OrganisationTable

__all__ = ["annotate", "entities_fingerprint"]


def annotate(article: Article, table: OrganisationTable) -> Article:
    """Return the article with its mentions, identifiers and indicators."""
    text = "\n".join((article.title, article.lead, article.body))
    return replace(
        article,
        mentions=recognise(article.title, article.lead, article.body, table),
        identifiers=identifiers(text),
        indicators=indicators(text),
    )


def entities_fingerprint(table: OrganisationTable) -> str:
    """Return a short hash of all that decides what `annotate` finds."""
    return blake2b(f"{_source_digest()} {table.fingerprint}".encode(), digest_size=8).hexdigest()


@cache
def _source_digest() -> str:
    package = files("index.entities")
    digest = blake2b(digest_size=16)
    for folder, ending in ((package, ".py"), (package / "data", ".txt")):
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if file.name.endswith(ending):
                digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()
