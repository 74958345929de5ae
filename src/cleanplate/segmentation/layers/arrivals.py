"""What has come to its place, and what has only changed there: digits of a clock, signs, lamps."""

from __future__ import annotations

import itertools
import math
from collections import deque
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FrameSize, Mask

_CELL = 2
"""Side of the squares of which each is remembered as foreground or not, in pixels."""
_PACE = 0.09
"""Time between two masks that are remembered, in seconds."""


class _Steps(NamedTuple):
    """How something is seen to move before it stands.

    Attributes:
        stride: Time between two masks that are compared, in seconds.
        pairs: How many pairs are.
        least: In how many of them something has to have moved.
    """

    stride: float
    pairs: int
    least: int


_SLOWLY, _AT_ONCE = _Steps(0.3, 6, 3), _Steps(0.2, 4, 2)
"""What brakes moves for seconds; what stops from full speed moves until then. The digits of a clock
change once a second, and in no other stride."""
_LEAST_CHANGE = 0.1
"""Share of its size that changes in a stride in and around what arrives."""
_LEAST_CELLS = 3
"""The same in squares: fewer are the noise of an outline."""
_LEAST_COVERED = 0.5
"""Share of some pixels that is foreground where something stands."""
_LONGEST = 120.0
"""Masks of the last so many seconds are remembered at most."""


class _Past(NamedTuple):
    time: float
    cells: NDArray[np.uint8]


class Arrivals:
    """Remembers the masks of the last seconds, small.

    Args:
        size: Of the masks.
        wait: Seconds after which it is asked how something came.
    """

    def __init__(self, size: FrameSize, wait: float) -> None:
        self._small = (-(-size.width // _CELL), -(-size.height // _CELL))
        self._memory = min(wait, _LONGEST) + _SLOWLY.pairs * _SLOWLY.stride + 3.0
        self._past: deque[_Past] = deque()

    def add(self, time: float, mask: Mask) -> None:
        """Takes in the next mask, 255 or 0."""
        if self._past and time - self._past[-1].time < _PACE:
            return
        small = cv2.resize(mask, self._small, interpolation=cv2.INTER_AREA)
        self._past.append(_Past(time, np.packbits(small > 127)))
        while self._past[0].time < time - self._memory:
            self._past.popleft()

    def has_come(self, part: tuple[slice, slice], pixels: NDArray[np.bool_], began: float) -> bool:
        """Whether something moved towards its place before it stood there.

        Where the frames are too far apart in time to tell, or nothing is known of that time, it
        has.

        Args:
            part: Rows and columns around it.
            pixels: Which of them are its own.
            began: Time since when it stands, in seconds.
        """
        own = self._small_map(part, pixels)
        size = max(1, cv2.countNonZero(own))
        reach = max(3, 2 * round(0.25 * size**0.5) + 1)
        around = np.flatnonzero(cv2.dilate(own, np.ones((reach, reach), np.uint8)))
        for steps in (_SLOWLY, _AT_ONCE):
            changes = self._changes(around, began, steps)
            if changes is None:
                return True
            least = max(_LEAST_CHANGE * size, _LEAST_CELLS)
            if sum(change >= least for change in changes) >= steps.least:
                return True
        return False

    def _changes(self, around: NDArray[np.intp], began: float, steps: _Steps) -> list[int] | None:
        """How many cells changed in each stride before something stood; None: not known."""
        past = [self._at(began + 0.1 - steps.stride * at, steps) for at in range(steps.pairs + 1)]
        known = [each for each in past if each is not None]
        if len(known) < len(past) or len({each.time for each in known}) < len(past):
            return None
        seen = [_cells(each, around) for each in known]
        return [int(np.count_nonzero(one != other)) for one, other in itertools.pairwise(seen)]

    def covered_since(self, part: tuple[slice, slice], pixels: NDArray[np.bool_]) -> float:
        """Time since when most of some pixels have been foreground, in seconds.

        Minus infinity where that is longer ago than is remembered.
        """
        own = np.flatnonzero(self._small_map(part, pixels))
        least = _LEAST_COVERED * len(own)
        since = -math.inf
        for past in reversed(self._past):
            if np.count_nonzero(_cells(past, own)) < least:
                return since
            since = past.time
        return -math.inf

    def _at(self, moment: float, steps: _Steps) -> _Past | None:
        """The mask nearest to a moment; None where none is within half a stride."""
        nearest = min(self._past, key=lambda each: abs(each.time - moment), default=None)
        if nearest is None or abs(nearest.time - moment) > steps.stride / 2:
            return None
        return nearest

    def _small_map(self, part: tuple[slice, slice], pixels: NDArray[np.bool_]) -> Mask:
        width, height = self._small
        own = np.zeros((height, width), np.uint8)
        rows, columns = np.nonzero(pixels)
        own[(rows + part[0].start) // _CELL, (columns + part[1].start) // _CELL] = 1
        return own


def _cells(past: _Past, places: NDArray[np.intp]) -> NDArray[np.uint8]:
    """What was foreground of some cells, 1 or 0."""
    bits = past.cells[places >> 3] >> (7 - (places & 7)).astype(np.uint8)
    return np.asarray(bits & 1, np.uint8)
