"""Whether the texture of a plate shows through a frame: evidence of the scene in any light.

Light, shadows and clouds change the level and the contrast of what they fall on; an object hides
it, and has a texture and outlines of its own. In small windows a frame is explained by a linear
function of the plate. Explained and unexplained variance are summed over larger windows, so that
outlines decide about the even surfaces that they enclose; texture that is hidden counts too.
"""

from __future__ import annotations

import cv2
import numpy as np

from cleanplate.frames import FloatMap, FrameSize, Picture

_STEP = 2
"""Pixels of a frame for each row and column of the maps that are compared."""
_WINDOWS = 75
"""The width of a map holds about half as many windows of the linear functions."""
_NEAR, _WIDE = 3, 9
"""Windows in a row over which variances are summed; the more where there is hardly any."""
_LEAST_CONTRAST = 0.5
"""Contrast of the plate's texture, as a share of what the level of the light makes of it, below
which something hides it."""
_MOST_TINT = 0.8
"""Logarithm of the ratio of two colours' gains beyond which it is no light that differs; a shadow
in hard sun, which the sky lights alone, has up to 0.7."""
_DARK = 8.0
"""Grey levels added before a ratio is taken, so that noise in the dark does not matter."""
_NOISE = 4.0
"""Variance of the noise of a map, in grey levels squared."""


class ShownThrough:
    """Compares frames with one plate.

    Args:
        plate: `(H, W, 3)`, uint8, RGB.
    """

    def __init__(self, plate: Picture) -> None:
        height, width, _ = plate.shape
        self._size = FrameSize(max(1, height // _STEP), max(1, width // _STEP))
        self._window = 2 * (self._size.width // _WINDOWS) + 3
        self._plate = self._reduced(plate)
        self._mean = self._averaged(self._plate)
        self._variance = self._averaged(self._plate**2) - self._mean**2

    def share(self, frame: Picture) -> FloatMap:
        """How much of a frame's texture is the plate's, 0 to 1, `(H // 2, W // 2)`.

        It is 0 where neither has any texture that noise does not drown.

        Args:
            frame: `(H, W, 3)`, uint8, RGB.
        """
        shown = self._reduced(frame)
        mean = self._averaged(shown)
        variance = self._averaged(shown**2) - mean**2
        common = np.maximum(self._averaged(shown * self._plate) - mean * self._mean, 0)
        explained = common**2 / (self._variance + _NOISE)
        gain = (mean + _DARK) / (self._mean + _DARK)
        hidden = np.maximum(gain**2 * self._variance - explained / _LEAST_CONTRAST**2, 0)
        # Over all colours: a red car before a road is as bright as the road.
        rest = np.maximum(variance - explained + hidden - 2 * _NOISE, 0).sum(axis=2)
        explained = np.maximum(explained - _NOISE, 0).sum(axis=2)
        near, total = self._share_of_sums(explained, rest, _NEAR)
        wide, _ = self._share_of_sums(explained, rest, _WIDE)
        share: FloatMap = wide + (near - wide) * total / (total + _NOISE)
        # What is small is drowned by the texture around it, unless its own window has a say.
        own, total = self._share_of_sums(explained, rest, 1)
        share += np.minimum(own - share, 0) * total / (total + _NOISE)
        return np.where(_tint(gain) < _MOST_TINT, share, np.float32(0))

    def _share_of_sums(
        self, explained: FloatMap, rest: FloatMap, windows: int
    ) -> tuple[FloatMap, FloatMap]:
        """Share of the explained variance in so many windows, and all variance in them."""
        explained, rest = (self._averaged(each, windows) for each in (explained, rest))
        total = explained + rest
        return explained / (total + _NOISE), total

    def _averaged(self, values: FloatMap, windows: int = 1) -> FloatMap:
        side = windows * self._window
        return np.asarray(cv2.blur(values, (side, side)), np.float32)

    def _reduced(self, picture: Picture) -> FloatMap:
        small = cv2.resize(picture, self._size[::-1], interpolation=cv2.INTER_AREA)
        return small.astype(np.float32)


def _tint(gain: FloatMap) -> FloatMap:
    """How far light of these gains `(h, w, 3)` is from white, `(h, w)`, in log units."""
    logarithm = np.log(gain)
    tint: FloatMap = np.ptp(logarithm, axis=2)
    return tint
