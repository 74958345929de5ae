"""The times of a whole video file, read without decoding it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleanplate.video.movies.movie_decoder import Decoder

_FALL_SECONDS = 1.0
"""A clock that goes back by less is none that was wrong and is set right."""
_NEAR_SECONDS = 1.0
_NEAR_SHARE = 0.02
"""How far from where it would have been a clock may come back: in seconds, and as a share of the
time since it was right."""


class FileTimes:
    """Looks ahead in a file, when its times leap; read once, at the first question.

    Args:
        path: The file.
        name: What messages call it.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name

    def come_back(self, last: float, step: float) -> bool:
        """Whether times that leap ahead fall back later to where they would have been.

        Args:
            last: Time of the last frame before the leap.
            step: Seconds from frame to frame.
        """
        behind = np.flatnonzero(self._all == last)
        if len(behind) == 0:
            return False
        later = self._all[behind[0] + 1 :]
        since = step * np.arange(1, len(later) + 1)
        falls = np.maximum.accumulate(later) - later > _FALL_SECONDS
        is_near = np.abs(later - last - since) < np.maximum(_NEAR_SECONDS, _NEAR_SHARE * since)
        return bool((falls & is_near).any())

    @cached_property
    def _all(self) -> NDArray[np.float64]:
        with Decoder(self._path, self._name) as decoder:
            return np.array(list(decoder.times()), np.float64)
