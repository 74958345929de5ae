"""Which frames of a recording are kept while it passes: one in every stretch of time."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

_TOLERANCE = 0.1
"""By how much of a step the gap between two frames may differ from whole steps."""
_ROUNDING = 0.002
"""And in seconds: files round their times to milliseconds."""


class SamplePlace(NamedTuple):
    """Where a frame lies in the time of its recording, in steps from the first frame.

    Attributes:
        at: Its own place.
        before: SamplePlace of the frame before it; below 0: there is none.
        least_gap: Smallest gap between two frames up to here.
    """

    at: float
    before: float
    least_gap: float

    def begins_stretch(self, length: float) -> bool:
        """Whether it is the first frame of one of the stretches of that many steps; 0: always."""
        return length == 0 or self.at // length > self.before // length


class Pace:
    """Places of frames as they pass; a step is the first gap between two of them.

    Where all gaps are alike, up to the rounding of times in files, places are whole numbers: those
    of the frames. Lost frames leave gaps of whole steps.

    Attributes:
        is_even: Whether every gap so far was one step.
    """

    def __init__(self) -> None:
        self.is_even = True
        self._step: float | None = None
        self._last_time = 0.0
        self._last = SamplePlace(-1.0, -1.0, math.inf)
        self._asked: deque[tuple[int, SamplePlace]] = deque()

    def meet(self, time: float) -> SamplePlace:
        """The place of the next frame.

        Args:
            time: Of the frame, in seconds, later than that of the one before.
        """
        last = self._last
        if last.at < 0:
            place = SamplePlace(0.0, last.at, math.inf)
        else:
            steps = self._steps(time - self._last_time)
            self.is_even = self.is_even and steps == 1
            place = SamplePlace(last.at + steps, last.at, min(last.least_gap, steps))
        self._last_time, self._last = time, place
        return place

    def note(self, index: int, place: SamplePlace) -> None:
        """Keeps the place of a frame until `recall` asks for it."""
        self._asked.append((index, place))

    def recall(self, index: int) -> SamplePlace:
        """The noted place of a frame; those of earlier ones, which turned out damaged, are lost."""
        while True:
            noted, place = self._asked.popleft()
            if noted == index:
                return place

    def _steps(self, gap: float) -> float:
        if gap <= 0:
            return 1.0  # no time of its own: it follows like any other
        if self._step is None:
            self._step = gap
        whole = max(1, round(gap / self._step))
        tolerance = max(_TOLERANCE * self._step, min(_ROUNDING, self._step / 2))
        is_whole = abs(gap - whole * self._step) <= tolerance
        return float(whole) if is_whole else gap / self._step
