"""The ids of the simulated company: a prefix and a number filled with zeros, so that they sort by number."""

import numpy as np

from handraise.simulate.chance import IntArray, TextArray


def labels(prefix: str, number: IntArray, digits: int) -> TextArray:
    """Return `prefix` and each number, filled with zeros to `digits`, [numbers]."""
    if len(number) == 0:
        # numpy cannot fill an empty array with zeros.
        return np.empty(0, dtype="<U1")
    return np.char.add(prefix, np.char.zfill(number.astype(str), digits))


def numbered(prefix: str, count: int, digits: int) -> TextArray:
    """Return `count` ids numbered from 1."""
    return labels(prefix, np.arange(1, count + 1), digits)
