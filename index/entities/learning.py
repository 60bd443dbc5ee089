"""Names that articles agree on: a short name that three define alike holds in all of them."""

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import NamedTuple

from index.document import Article, Mention, OrganisationType
from index.entities.table import fold_name

__all__ = ["AGREEING", "Learned", "fold_learned"]

AGREEING = 3
"""Articles of different text that must define a short name alike, and none otherwise."""


class Learned(NamedTuple):
    """What a short name stands for."""

    name: str
    type: OrganisationType


def fold_learned(
    article: Article, learned: Mapping[str, Learned], denied: Set[str] = frozenset()
) -> Article:
    """Return the article with what it names by a learned short name under the full one.

    A full name that is `denied`, folded, takes the short one away with it.
    """
    if not any(mention.name in learned for mention in article.mentions):
        return article
    folded: dict[str, Mention] = {}
    for mention in article.mentions:
        whole = learned.get(mention.name)
        if whole and fold_name(whole.name) in denied:
            continue
        full = replace(mention, name=whole.name, type=whole.type) if whole else mention
        same = folded.get(full.name)
        folded[full.name] = _merged(same, full) if same else full
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
