"""How often something came, from how much of it was seen at each time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_COME, _GONE = 0.6, 0.3
"""Shares of something that are seen when it has come, and when it has gone."""


def count_visits(seen: NDArray[np.floating]) -> NDArray[np.intp]:
    """How often each of several things came, first or after it was gone, `(K,)`.

    Args:
        seen: `(K, N)`, 0 to 1, share of each that was seen at each of the times.

    Example:
        >>> count_visits(np.array([[0.9, 0.5, 0.7, 0.1, 0.4, 0.6], [0.0, 0.2, 0.5, 0.5, 0.1, 0.0]]))
        array([2, 0])
    """
    told = (seen >= _COME) | (seen <= _GONE)
    # In between it is as it was when that was told last.
    last = np.maximum.accumulate(np.where(told, np.arange(seen.shape[1]), 0), axis=1)
    there = np.take_along_axis(seen >= _COME, last, axis=1)
    came = there[:, 1:] & ~there[:, :-1]
    visits: NDArray[np.intp] = there[:, 0].astype(np.intp) + np.count_nonzero(came, axis=1)
    return visits
