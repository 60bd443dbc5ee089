"""Names that articles agree on: a short name that three define alike holds in all of them."""

from collections.abc import Mapping
from dataclasses import replace

from index.document import Article, Mention

__all__ = ["AGREEING", "fold_learned"]

AGREEING = 3
"""Articles that must define a short name for the same organisation, and none for another."""


def fold_learned(article: Article, learned: Mapping[str, str]) -> Article:
    """Return the article with what it names by a learned short name under the full one."""
    if not any(mention.name in learned for mention in article.mentions):
        return article
    folded: dict[str, Mention] = {}
    for mention in article.mentions:
        name = learned.get(mention.name, mention.name)
        same = folded.get(name)
        folded[name] = _merged(same, mention) if same else replace(mention, name=name)
    return replace(article, mentions=tuple(folded.values()))


def _merged(one: Mention, other: Mention) -> Mention:
    surfaces = {*one.surfaces, *other.surfaces}
    return replace(
        one,
        salient=one.salient or other.salient,
        surfaces=tuple(sorted(surfaces, key=lambda surface: (-len(surface), surface))),
        evidence=one.evidence + other.evidence,
        defined=tuple(dict.fromkeys((*one.defined, *other.defined))),
    )
