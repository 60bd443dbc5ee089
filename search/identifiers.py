"""Identifiers as readers type them."""

import re

from index.entities import identifiers

__all__ = ["read_identifier"]

_SIGNS = re.compile(r"[\W_]")


def read_identifier(typed: str) -> str | None:
    """Return the identifier that a text is, in the one form that articles are kept under.

    None where it is none, or has more in it. Case and signs may be any.
    """
    for text in (typed, typed.upper()):  # in a running text t1059 would be a word
        found = identifiers(text)
        if len(found) == 1 and len(_SIGNS.sub("", text)) == len(_SIGNS.sub("", found[0])):
            return found[0]
    return None
