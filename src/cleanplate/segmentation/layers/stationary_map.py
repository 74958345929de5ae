"""Since when each pixel shows what it shows, whatever passes in front of it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FloatMap, FrameSize, Mask, Picture

_CHANGE = 20.0
"""Difference between two appearances that are not the same thing, beside the pixel's own noise;
summed over RGB, in grey levels."""
_FOLLOWING = 2.34
"""Time constant with which the appearance of what stands still follows slow light, in seconds, so
that the light does not end a wait. A frame 0.12 s after the one before it has a share of 0.05."""
_JUMP = 6.0
"""Change of the whole picture from one frame to the next, in grey levels, that is the light's."""
_LIGHT_STEP = 8
"""The change of light is measured in every eighth row and column."""
_SUM = np.ones((1, 3), np.float32)


class StationaryMap:
    """The appearance of each pixel and the time since which it has it.

    An appearance is the signed difference between frame and background, so that light which the
    background follows changes nothing. A pixel keeps it while something else passes in front; only
    what itself stays for `wait` seconds becomes the appearance, with the time at which it came.
    Before anything has stayed, it is that of the empty scene: the first frame proves nothing.

    Args:
        noise: Noise of each pixel, `(h, w)`, uint8, grey levels summed over RGB.
        wait: Seconds after which what stays is still.
        side: Of the square over which appearances are compared, in pixels, odd.
    """

    def __init__(self, noise: Mask, wait: float, side: int = 3) -> None:
        size = FrameSize(*noise.shape)
        self._square = (side, side)
        self._time = -math.inf
        self._wait = wait
        self._limit = noise.astype(np.float32) + _CHANGE
        self._size = size
        self._appearance: FloatMap | None = None
        self._since: NDArray[np.float64] = np.zeros(size)
        self._candidate: FloatMap = np.zeros((*size, 3), np.float32)
        self._candidate_since: NDArray[np.float64] = np.zeros(size)
        self._is_still: Mask = np.zeros(size, np.uint8)
        self._sparse: NDArray[np.int16] | None = None
        """Some pixels of the last frame and of its background."""

    @property
    def since(self) -> NDArray[np.float64]:
        """Time at which each pixel's appearance began, `(h, w)`, seconds."""
        return self._since

    @property
    def appearance(self) -> FloatMap:
        """Frame less background where a pixel is still, `(h, w, 3)`, grey levels."""
        assert self._appearance is not None
        return self._appearance

    def update(
        self, time: float, picture: Picture, background: Picture, foreground: Mask
    ) -> NDArray[np.bool_]:
        """Which pixels show the appearance that they have had for `wait` seconds, `(h, w)`.

        Args:
            time: Of the frame, in seconds.
            picture: `(h, w, 3)`, uint8, RGB.
            background: In the light of the frame, `(h, w, 3)`.
            foreground: Where the frame shows something else than the background, 255 or 0.
        """
        elapsed, self._time = time - self._time, time
        now = np.subtract(picture, background, dtype=np.float32)  # twice as fast as cv2.subtract
        jumps = self._light_jumps(picture, background)
        if self._appearance is None:
            self._appearance = np.zeros_like(now)
            self._since[:] = self._candidate_since[:] = time
            self._candidate = now
            return np.zeros(self._size, np.bool_)
        if jumps:
            # What has just come to an empty place is not what stood there, and the reverse.
            is_taken = self.differs().view(np.uint8) * np.uint8(255)
            changed = cv2.bitwise_xor(is_taken, foreground)
            cv2.copyTo(now, cv2.subtract(self._is_still, changed), self._appearance)
        shown = self._is_same(now, self._appearance)
        new = cv2.bitwise_not(cv2.bitwise_or(shown, self._is_same(now, self._candidate)))
        cv2.copyTo(now, new, self._candidate)
        # What shows its appearance again waits from the start for another one.
        now_everywhere = np.full(self._size, time, np.float64)
        cv2.copyTo(now_everywhere, cv2.bitwise_or(new, shown), self._candidate_since)
        waited = cv2.compare(self._candidate_since, time - self._wait, cv2.CMP_LE)
        ripe = cv2.bitwise_and(cv2.bitwise_not(shown), waited)
        if cv2.hasNonZero(ripe):
            cv2.copyTo(self._candidate, ripe, self._appearance)
            cv2.copyTo(self._candidate_since, ripe, self._since)
        # In two steps: accumulateWeighted with a mask takes four times as long.
        share = -math.expm1(-elapsed / _FOLLOWING)
        followed = cv2.addWeighted(now, share, self._appearance, 1 - share, 0)
        cv2.copyTo(followed, shown, self._appearance)
        self._is_still = cv2.bitwise_or(shown, ripe)
        stood = cv2.compare(self._since, time - self._wait, cv2.CMP_LE)
        return cv2.bitwise_and(self._is_still, stood) > 0

    def differs(self) -> NDArray[np.bool_]:
        """Where the appearance is not that of the background, `(h, w)`."""
        strength = cv2.transform(np.abs(self.appearance), _SUM)
        return np.asarray(cv2.blur(strength, self._square) > self._limit, np.bool_)

    def empty(self, time: float, place: NDArray[np.bool_]) -> None:
        """Notes that the object at a place has left: the empty scene is what stays there."""
        assert self._appearance is not None
        self._appearance[place] = 0
        self._since[place] = time

    def rebase(self, place: NDArray[np.bool_], change: NDArray[np.int16]) -> None:
        """Notes that the background has changed: appearances there are relative to a new one.

        Args:
            place: Where, `(h, w)`.
            change: What was added to the background, `(N, 3)`, grey levels.
        """
        assert self._appearance is not None
        self._appearance[place] -= change
        self._candidate[place] -= change

    def _light_jumps(self, picture: Picture, background: Picture) -> bool:
        """Whether most of the picture, or of its background, became lighter or darker at once."""
        sparse = np.stack([shown[::_LIGHT_STEP, ::_LIGHT_STEP] for shown in (picture, background)])
        before, self._sparse = self._sparse, sparse.astype(np.int16)
        if before is None:
            return False
        change = self._sparse - before
        if np.count_nonzero(np.abs(change) >= _JUMP) < change[0].size // 2:
            return False  # no median is that large; it takes ten times as long
        return bool(np.abs(np.median(change, axis=(1, 2, 3))).max() >= _JUMP)

    def _is_same(self, now: FloatMap, appearance: FloatMap) -> Mask:
        """Where two appearances differ by less than a change, 255 or 0."""
        difference = cv2.transform(cv2.absdiff(now, appearance), _SUM)
        same = cv2.compare(cv2.blur(difference, self._square), self._limit, cv2.CMP_LT)
        return np.asarray(same, np.uint8)
