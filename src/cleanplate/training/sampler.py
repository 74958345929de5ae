"""Which frames a step sees: shuffled epochs, known from the seed and the step alone."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


class FrameSampler:
    """Batches from an endless row of shuffled epochs.

    It has no state: a resumed run sees the very frames that an unbroken one sees.
    """

    def __init__(self, count: int, *, batch_size: int, seed: int) -> None:
        self._count = count
        self._batch_size = min(batch_size, count)
        self._seed = seed
        self._epoch = lru_cache(maxsize=2)(self._shuffled)

    def positions(self, step: int) -> NDArray[np.intp]:
        """Positions of the frames of one step, `(B,)`, from 0."""
        first = step * self._batch_size
        row = range(first, first + self._batch_size)
        return np.array([self._epoch(i // self._count)[i % self._count] for i in row])

    def _shuffled(self, epoch: int) -> NDArray[np.intp]:
        return np.random.default_rng((self._seed, epoch)).permutation(self._count)
