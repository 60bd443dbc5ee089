"""Annotating an article with its organisations, identifiers and indicators."""

from dataclasses import replace
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from importlib.resources import files

from index.document import Article
from index.entities.denials import Denials
from index.entities.identifiers import identifiers
from index.entities.indicators import indicators
from index.entities.recognise import recognise
from index.entities.table import OrganisationTable

__all__ = ["annotate", "entities_fingerprint"]

_NOTHING_DENIED = Denials()


def annotate(
    article: Article, table: OrganisationTable, denials: Denials = _NOTHING_DENIED
) -> Article:
    """Return the article with its mentions, identifiers and indicators."""
    text = "\n".join((article.title, article.lead, article.body))
    annotated = replace(
        article,
        mentions=recognise(article.title, article.lead, article.body, table),
        identifiers=identifiers(text),
        indicators=indicators(text),
    )
    return denials.apply(annotated, table)


def entities_fingerprint(table: OrganisationTable, denials: Denials = _NOTHING_DENIED) -> str:
    """Return a short hash of all that decides what `annotate` finds."""
    content = f"{_source_digest()} {table.fingerprint} {denials.fingerprint}"
    return blake2b(content.encode(), digest_size=8).hexdigest()


@cache
def _source_digest() -> str:
    package = files("index.entities")
    digest = blake2b(version("jieba").encode(), digest_size=16)
    for folder in (package, package / "tagging", package / "data", files("index.analysis")):
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if file.name.endswith((".py", ".txt", ".npz")):
                digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()
