"""The fingerprint of an article: what is kept of its text to find its copies and to judge them.

A text is the set of its shingles: five characters in a row, of its letters and digits in normal
form. Each shingle is hashed to 32 bits; everything else is read off the sorted hashes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from index.analysis.charfilter import normalise, normalise_batch
from index.document import Article

__all__ = ["Fingerprint", "fingerprints", "fingerprints_version", "headline"]

_SHINGLE = 5
# A band of three agrees at Jaccard 0.5 once in eight; that none of 48 does happens to 2 pairs in
# 1,000. Of two rows there would be fewer bands, and ten times as many strangers to compare.
_ROWS = 3
_BANDS = 48
_BINS = _ROWS * _BANDS
_BORROWINGS = 64  # tries to find a bin that is not empty; a text of five characters may need many
_KEPT = 400  # hashes, the least: shares of them are known to about 0.02
_KEPT_SHARE = 8  # of a long text one in eight, so that a short one inside it can be judged

_Codes = NDArray[np.uint64]
_Hashes = NDArray[np.uint32]

_SEPARATORS = re.compile(r"[\[\]【】|丨]|[-—_]{2,}")
_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fingerprint:
    """What is kept of an article: `title` in normal form, source, day, and its text as hashes.

    `day` counts from 1970, None where the article has no time. `kept` are the smallest hashes, in
    their order, of `count` different ones. Two articles that share a number among their `bands` are
    to be compared.
    """

    title: str
    source: str
    day: int | None
    count: int
    kept: _Hashes
    bands: tuple[int, ...]


def fingerprints(articles: Sequence[Article]) -> list[Fingerprint]:
    """Return the fingerprints of articles; many at once cost less each."""
    hashes = _hashes([article.body for article in articles])
    bands = _bands(hashes)
    found = []
    for article, own, proposed in zip(articles, hashes, bands, strict=True):
        title = _whole(normalise(article.title).text)
        numbers = proposed if len(own) else []
        if name := headline(title):
            # A short text inside a long one shares too few hashes; the headline proposes it.
            numbers = [*numbers, int.from_bytes(_digest(name), "little", signed=True)]
        found.append(
            Fingerprint(
                title=title,
                source=_whole(article.source),
                day=int(article.published.timestamp() // 86400) if article.published else None,
                count=len(own),
                kept=own[: max(_KEPT, len(own) // _KEPT_SHARE)].copy(),
                bands=tuple(numbers),
            )
        )
    return found


def headline(title: str) -> str:
    """Return what a title in normal form says without columns and brands: its longest part."""
    parts = [_SIGNS.sub("", part) for part in _SEPARATORS.split(title)]
    return max(parts, key=len)


@cache
def fingerprints_version() -> str:
    """Return a short hash of all that decides what a fingerprint says and who is a duplicate."""
    digest = blake2b(digest_size=8)
    for package, name in (
        ("index.duplicates", "fingerprint.py"),
        ("index.duplicates", "comparison.py"),
        ("index.analysis", "charfilter.py"),
    ):
        digest.update((files(package) / name).read_bytes())
    return digest.hexdigest()


def _whole(text: str) -> str:
    """Return text that SQLite takes, which half of a character is not."""
    return text.encode("utf-8", "replace").decode()


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()


def _hashes(texts: Sequence[str]) -> list[_Hashes]:
    """Return the different hashes of the shingles of each text, in their order."""
    batch = normalise_batch(texts)
    counted = _counted()[batch.codes]
    codes = batch.codes[counted].astype(np.uint64)
    bounds = np.concatenate(([0], np.cumsum(counted)))[batch.bounds].tolist()
    if len(codes) < _SHINGLE:
        return [np.empty(0, np.uint32) for _ in texts]
    rolled = np.zeros(len(codes) - _SHINGLE + 1, np.uint64)
    for place in range(_SHINGLE):
        rolled *= np.uint64(0x9E3779B97F4A7C15)
        rolled += codes[place : place + len(rolled)]
    hashes = (_mixed(rolled) >> np.uint64(32)).astype(np.uint32)
    return [
        _different(hashes[start : max(start, end - _SHINGLE + 1)])
        for start, end in pairwise(bounds)
    ]


def _different(hashes: _Hashes) -> _Hashes:
    """Return what `np.unique` would, in half the time."""
    ordered = np.sort(hashes)
    return (
        ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if len(ordered) else hashes
    )


def _mixed(numbers: _Codes) -> _Codes:
    """Spread numbers over all 64 bits (the finalizer of MurmurHash3)."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        numbers = (numbers ^ (numbers >> np.uint64(33))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(33))


def _bands(texts: Sequence[_Hashes]) -> list[list[int]]:
    """Return a number for each band of each text's MinHash signature.

    The signature is of one permutation: the least hash in each of equal intervals. It costs no more
    than looking the intervals up, since the hashes are sorted. An empty interval borrows from
    another, in an order of its own (Shrivastava, Optimal Densification, 2017).
    """
    edges = (np.arange(_BINS, dtype=np.uint64) << np.uint64(32)) // np.uint64(_BINS)
    signatures = np.zeros((len(texts), _BINS), np.uint64)
    for signature, hashes in zip(signatures, texts, strict=True):
        if not len(hashes):
            continue
        places = np.searchsorted(hashes, edges.astype(np.uint32))
        filled = places < np.append(places[1:], len(hashes))
        signature[filled] = hashes[places[filled]]
        if not filled.all():
            empty = np.flatnonzero(~filled)
            orders = _orders()[empty]
            lent = orders[np.arange(len(empty)), filled[orders].argmax(axis=1)]
            signature[empty] = signature[lent]
    folded = np.broadcast_to(np.arange(_BANDS, dtype=np.uint64), (len(texts), _BANDS))
    for row in range(_ROWS):
        folded = _mixed(folded ^ signatures[:, row::_ROWS]) + np.uint64(row)
    numbers: list[list[int]] = folded.astype(np.int64).tolist()
    return numbers


@cache
def _orders() -> NDArray[np.int64]:
    """Return, for each interval, those it tries to borrow from."""
    return np.random.default_rng(7).integers(0, _BINS, (_BINS, _BORROWINGS))


@cache
def _counted() -> NDArray[np.bool_]:
    """Return which code points are letters or digits."""
    counted = np.zeros(0x110000, np.bool_)
    counted[[point for point in range(0x32000) if chr(point).isalnum()]] = True
    return counted
