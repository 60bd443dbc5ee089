"""Whether two articles are copies of one text, decided from their fingerprints alone."""

import re
from dataclasses import dataclass

import numpy as np

from index.duplicates.fingerprint import Fingerprint, headline

__all__ = ["Agreement", "agreement", "is_duplicate"]

# Under one headline: of a text that is cut, has furniture around it and a word in twenty replaced
# half of the shingles are left. What keeps less than 0.8 may also be the next issue of a column.
_SAME_HEADLINE = 0.5
_SAME_TEXT = 0.8
_ISSUE_DAYS = 10  # a repost is days late, and the next issue of most columns weeks
_AGAIN_DAYS = 1  # an outlet's own next issue of a column is a day late at least
# Under another headline the whole must agree, or a digest would tie all that it quotes together.
# A text cut at 60 % and its whole share 0.6 of their union.
_WHOLE = 0.9  # of another outlet that gave it a headline of its own, whatever it says
_LIKE_JACCARD = 0.5
_OTHER_JACCARD = 0.6
_RETITLED_DAYS = 30  # advertisements come back under new titles for years
# What one outlet prints under different titles are most often issues of one form: notices of
# vulnerabilities, weekly reports. Its own copies have titles that differ by a word.
_LIKE_TITLE = 0.6
_LEAST = 100  # shingles; less is a caption and a disclaimer, which agree with any other of its kind

_NUMBER = re.compile(r"[0-9]+")
_LATIN = re.compile(r"[a-z0-9]+")
_SIGNS = re.compile(r"[\W_]+")
_ALL = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Agreement:
    """The share of the shorter text that the longer has too, and what both share of their union."""

    containment: float
    jaccard: float


def agreement(one: Fingerprint, other: Fingerprint) -> Agreement:
    """Compare two texts, over the hashes that both would have kept; exact where both kept all."""
    limit = min(_limit(one), _limit(other))
    # Of two texts of one length the sample decides, so that the order of the two never does.
    samples = [
        (print_.count, print_.kept[: np.searchsorted(print_.kept, limit, side="right")])
        for print_ in (one, other)
    ]
    few, many = (kept for _, kept in sorted(samples, key=lambda each: (each[0], len(each[1]))))
    if not len(few) or not len(many):
        return Agreement(0.0, 0.0)
    places = np.searchsorted(many, few)
    shared = int((many[np.minimum(places, len(many) - 1)] == few).sum())
    return Agreement(shared / len(few), shared / (len(few) + len(many) - shared))


def _limit(print_: Fingerprint) -> int:
    return int(print_.kept[-1]) if print_.count > len(print_.kept) else _ALL


def is_duplicate(one: Fingerprint, other: Fingerprint) -> bool:
    """Say whether two articles are copies of one text."""
    found = agreement(one, other)
    apart = abs(one.day - other.day) if one.day is not None and other.day is not None else 0
    is_telling = min(one.count, other.count) >= _LEAST and apart <= _RETITLED_DAYS
    if one.source != other.source and is_telling and found.jaccard >= _WHOLE:
        return True
    if found.containment < _SAME_HEADLINE or _differ(_NUMBER, one.title, other.title):
        return False
    if headline(one.title) and headline(one.title) == headline(other.title):
        is_repost = one.source != other.source and apart <= _ISSUE_DAYS
        return found.containment >= _SAME_TEXT or is_repost or apart <= _AGAIN_DAYS
    if not is_telling or found.containment < _SAME_TEXT:
        return False
    if _differ(_LATIN, one.title, other.title):
        return False
    if _likeness(one.title, other.title) >= _LIKE_TITLE:
        return found.jaccard >= _LIKE_JACCARD
    return one.source != other.source and found.jaccard >= _OTHER_JACCARD


def _differ(pattern: re.Pattern[str], one: str, other: str) -> bool:
    """Say whether each title has what the other has not: the number of an issue, a product."""
    marks, others = set(pattern.findall(one)), set(pattern.findall(other))
    return bool(marks - others and others - marks)


def _likeness(one: str, other: str) -> float:
    """Return the share of the shorter title's pairs of characters that the other has."""
    few, many = sorted((_pairs(one), _pairs(other)), key=len)
    return len(few & many) / len(few) if few else 0.0


def _pairs(title: str) -> set[str]:
    letters = _SIGNS.sub("", title)
    return {letters[place : place + 2] for place in range(len(letters) - 1)}
