"""Which frames a step sees: shuffled epochs, known from the seed and the step alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cleanplate.background import capped_shares

_LIKE_OTHERS = 0.1
"""By how much a frame's time may differ from the usual one, as a share of it."""
_ROUNDING = 0.002
"""And in seconds: files round their times to milliseconds."""
_MOST_OTHERS = 0.05
"""Share of the frames whose time may differ: some were lost, or the recording was broken off."""
_LEAST_DISTINCT = 200
"""So many frames share the draws at least, or half of them all: none is learned by heart."""


class FrameSampler:
    """Batches from an endless row of shuffled epochs.

    Where frames lie evenly in time, each comes once in every epoch. Where they do not, an epoch has
    as many frames, but each as often as its time has it, so that a burst of many frames in a second
    counts as a second.

    It has no state: a resumed run sees the very frames that an unbroken one sees.

    Args:
        frames: How many frames there are, or the time that each stands for, in seconds.
        batch_size: Frames in a step.
        seed: Of the order.
    """

    def __init__(self, frames: int | Sequence[float], *, batch_size: int, seed: int) -> None:
        self._count = frames if isinstance(frames, int) else len(frames)
        self._ends = None if isinstance(frames, int) else _ends(np.asarray(frames, np.float64))
        self._batch_size = min(batch_size, self._count)
        self._seed = seed
        self._epoch = lru_cache(maxsize=2)(self._shuffled)

    def positions(self, step: int) -> NDArray[np.intp]:
        """Positions of the frames of one step, `(B,)`, from 0."""
        first = step * self._batch_size
        row = range(first, first + self._batch_size)
        return np.array([self._epoch(i // self._count)[i % self._count] for i in row])

    def _shuffled(self, epoch: int) -> NDArray[np.intp]:
        random = np.random.default_rng((self._seed, epoch))
        if self._ends is None:
            return random.permutation(self._count)
        places = (np.arange(self._count) + random.random()) / self._count
        drawn = np.searchsorted(self._ends, places, side="right")
        return random.permutation(np.minimum(drawn, self._count - 1))


def _ends(durations: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Where the part of each frame ends on a line from 0 to 1; None where all parts are alike."""
    usual = np.median(durations)
    tolerance = max(_LIKE_OTHERS * usual, min(_ROUNDING, usual / 2))
    others = np.abs(durations - usual) > tolerance
    if others.mean() <= _MOST_OTHERS or not durations.any():
        return None
    distinct = min(_LEAST_DISTINCT, -(-len(durations) // 2))
    shares = capped_shares(durations, distinct)
    return np.asarray(np.cumsum(shares) / shares.sum())
