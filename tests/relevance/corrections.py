"""Corrections measured: slips that are repaired in first place, and correct queries left alone."""

from pathlib import Path
from time import perf_counter
from typing import Any

from slips import correct_pairs, slips

from index.settings import Settings
from search import open_searcher

__all__ = ["measure"]

_SLIPS, _PAIRS, _SEED = 600, 1000, 1


def measure(settings: Settings, corpus: Path) -> dict[str, float]:
    """Return the share of slips repaired, of correct queries left alone, and of suggestions' time.

    A slip is repaired where the speller gives what was meant; the time is the share of typed
    beginnings that are answered within 3 ms.
    """
    searcher: Any = open_searcher(settings)
    try:
        searcher.suggest("a")
        aids = searcher._aids.of(searcher._current().archive)
        vocabulary, speller = aids.vocabulary, aids.speller
        made = list(slips(vocabulary, corpus / "vocabulary", _SLIPS, _SEED))
        repaired = [(speller.correct(slip.typed) or "").lower() == slip.meant for slip in made]
        pairs = list(correct_pairs(vocabulary, _PAIRS, _SEED))
        alone = [speller.correct(pair) is None for pair in pairs]
        quick = []
        for pair in pairs:
            for size in (1, 2, 3, len(pair)):
                started = perf_counter()
                searcher.suggest(pair[:size])
                quick.append((perf_counter() - started) * 1000 <= 3)
    finally:
        searcher.close()
    return {
        "corrections/repaired": sum(repaired) / len(repaired),
        "corrections/left_alone": sum(alone) / len(alone),
        "suggestions/within_3_ms": sum(quick) / len(quick),
    }
