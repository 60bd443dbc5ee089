"""What stands out in some articles: what they have more often than chance would give them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["surprising"]

_Numbers = NDArray[np.int64]
_MANY = 20


def surprising(
    both: ArrayLike, total: ArrayLike, size: int, everything: int
) -> NDArray[np.float64]:
    """Return G² of each value that `both` of `size` articles have, and `total` of `everything`.

    0 where chance gives as many, and of values that too few have to say something.
    """
    both, total = np.asarray(both, np.int64), np.asarray(total, np.int64)
    fewest = 2 if size >= _MANY else 1  # of many, one article says nothing
    (used,) = np.nonzero(both >= fewest)
    ratios = np.zeros(len(both))
    ratios[used] = _likelihood_ratio(both[used], total[used], size, everything)
    return ratios


def _likelihood_ratio(
    both: _Numbers, total: _Numbers, size: int, everything: int
) -> NDArray[np.float64]:
    """Return G² of each value against a set of `size` documents, 0 where chance gives as many."""
    ratios = np.zeros(len(both))
    for observed, row, column in (
        (both, size, total),
        (size - both, size, everything - total),
        (total - both, everything - size, total),
        (everything - size - total + both, everything - size, everything - total),
    ):
        expected = row * (column / everything)
        some = observed > 0
        ratios[some] += 2 * observed[some] * np.log(observed[some] / expected[some])
    ratios[both * everything <= size * total] = 0
    return ratios
