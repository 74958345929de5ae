"""Background in another light: the plate times a factor that hardly varies and hardly colours."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from cleanplate.frames import FloatMap, Mask, Picture
from cleanplate.segmentation.plan import ShadowLimits
from cleanplate.segmentation.shadow_model import ShadowModel, ShadowSamples

_MEAN_OF_CHANNELS = np.full((1, 3), 1 / 3, np.float32)
_OFF_MEAN = np.eye(3, dtype=np.float32) - np.float32(1 / 3)
_SUM_OF_CHANNELS = np.ones((1, 3), np.float32)
LOG_OFFSET = 2
"""Grey levels added before a logarithm is taken, so that noise in the dark does not matter."""
_LOG = np.log(np.arange(256) + LOG_OFFSET).astype(np.float32)
LEAST_DARKENING = 0.05
LOOSE_SPREAD, LOOSE_COLOUR = 3.5, 2.0
"""How many times the limits of a likely shadow are those of a possible one."""
_SAMPLES_OF_FRAME = 2_000
RELIT_LIGHT = (math.log(0.08), math.log(8))
"""The least light that is left in a hard shadow, and the most that a lamp adds (log units)."""
WINDOW, SMALL_WINDOW = 5, 3
SHADOW_REACH = WINDOW // 2
"""How far around a pixel the test looks, in pixels."""


class Shadows(NamedTuple):
    """Where a frame may be its background in shadow.

    Attributes:
        likely: Whatever stands there has no texture and no colour of its own, `(H, W)`, 255 or 0.
        possible: The same with looser limits, for what differs too little to be sure of.
        darker: Light may have been taken away evenly; by itself hardly evidence of anything.
        brighter: It may have been added. Of whatever colour: lamps are of another than the evening.
        texture: What single pixels of the background differ from those around them by, `(H, W)`,
            logarithms of grey levels.
        change: The same of frame over background.
    """

    likely: Mask
    possible: Mask
    darker: Mask
    brighter: Mask
    texture: FloatMap
    change: FloatMap


class _Change(NamedTuple):
    """What a frame does to the light of its background, `(H, W)` each.

    Attributes:
        light: Logarithm of their ratio, mean over RGB and a window.
        variance: Of the mean over RGB, in that window.
    """

    light: FloatMap
    variance: FloatMap

    @classmethod
    def of(cls, mean: FloatMap, squares: FloatMap, window: int) -> _Change:
        # Twice as fast as sqrBoxFilter.
        mean_square = _blurred(squares, window)
        return cls(mean, cv2.subtract(mean_square, cv2.multiply(mean, mean)))

    def within(self, low: float, high: float, variance: float) -> Mask:
        """Where the light changes evenly and by so much."""
        even = cv2.compare(self.variance, variance, cv2.CMP_LT)
        return np.asarray(cv2.bitwise_and(cv2.inRange(self.light, low, high), even), np.uint8)


def find_shadows(
    picture: Picture,
    background: Picture,
    limits: ShadowLimits,
    model: ShadowModel | None = None,
) -> Shadows:
    """Where a frame may be its background in shadow.

    In a shadow, light = share * plate with one share nearby: the logarithm of the ratio has a small
    spread in a window (a vehicle brings its own texture).
    After the ratio test of Jacques, Jung & Musse (SIBGRAPI 2005, doi:10.1109/SIBGRAPI.2005.35).

    Without a model the ratio must also be alike in R, G and B, and the window is 5x5. With one it
    must be what the scene's own shadows do; since little else does that, 3x3 pixels are enough, and
    thin shadows are found too.
    """
    scene = cv2.LUT(background, _LOG)
    ratio = cv2.subtract(cv2.LUT(picture, _LOG), scene)
    light, own = (cv2.transform(each, _MEAN_OF_CHANNELS) for each in (ratio, scene))
    squares, smooth = cv2.multiply(light, light), _blurred(ratio, SMALL_WINDOW)
    around = _blurred(light, WINDOW)
    near = _Change.of(cv2.transform(smooth, _MEAN_OF_CHANNELS), squares, SMALL_WINDOW)
    if model is None:
        seen, strangeness = _Change.of(around, squares, WINDOW), _colour(smooth)
        allowed = limits.colour
    else:
        seen, strangeness = near, _distance(smooth, model)
        allowed = limits.deviations
    most = limits.variance
    likely = seen.within(limits.darkest, -LEAST_DARKENING, most)
    possible = seen.within(limits.darkest, -LEAST_DARKENING, LOOSE_SPREAD**2 * most)
    return Shadows(
        cv2.bitwise_and(likely, cv2.compare(strangeness, allowed, cv2.CMP_LT)),
        cv2.bitwise_and(possible, cv2.compare(strangeness, LOOSE_COLOUR * allowed, cv2.CMP_LT)),
        near.within(RELIT_LIGHT[0], -LEAST_DARKENING, most),
        near.within(LEAST_DARKENING, RELIT_LIGHT[1], most),
        cv2.subtract(own, _blurred(own, WINDOW)),
        cv2.subtract(light, around),
    )


def shadow_samples(
    picture: Picture, background: Picture, shadows: Mask, seen: int
) -> ShadowSamples:
    """What shadows do to light and colour, of at most 2,000 pixels spread over the frame.

    Args:
        picture: The frame.
        background: Of it.
        shadows: Where it is in shadow, `(H, W)`, 255 or 0.
        seen: Number of all pixels that differ from their background.
    """
    found = np.flatnonzero(shadows)
    chosen = found[:: max(1, -(-len(found) // _SAMPLES_OF_FRAME))]
    ratio = cv2.subtract(cv2.LUT(picture, _LOG), cv2.LUT(background, _LOG))
    colours = _blurred(ratio, SMALL_WINDOW).reshape(-1, 3)[chosen]
    light = colours.mean(axis=1)
    away = np.stack([light, colours[:, 0] - light, colours[:, 2] - light], axis=1)
    return ShadowSamples(away, len(found), seen)


def _colour(smooth: FloatMap) -> FloatMap:
    """What the channels differ from their mean by, in sum."""
    return cv2.transform(np.abs(cv2.transform(smooth, _OFF_MEAN)), _SUM_OF_CHANNELS)


def _distance(smooth: FloatMap, model: ShadowModel) -> FloatMap:
    """How far changes are from the scene's own shadows, in deviations."""
    away = cv2.transform(smooth, model.whitening)
    return cv2.sqrt(cv2.transform(cv2.multiply(away, away), _SUM_OF_CHANNELS))


def _blurred(values: FloatMap, window: int) -> FloatMap:
    return cv2.blur(values, (window, window))
