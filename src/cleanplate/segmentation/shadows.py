"""Cast shadows: darker than the plate by a factor that hardly varies and hardly colours."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from cleanplate.frames import FloatMap, Mask, Picture
from cleanplate.segmentation.settings import SegmentationSettings
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
_SAMPLED_COLOUR = 0.25
"""Change of colour (log units, sum over RGB) up to which a scene's own shadows are looked for."""
_SAMPLES_OF_FRAME = 2_000
WINDOW, SMALL_WINDOW = 5, 3
SHADOW_REACH = WINDOW // 2
"""How far around a pixel the test looks, in pixels."""


class Shadows(NamedTuple):
    """Where a frame may be its background in shadow.

    Attributes:
        likely: Whatever stands there has no texture and no colour of its own, `(H, W)`, 255 or 0.
        possible: The same with looser limits, for what differs too little to be sure of.
    """

    likely: Mask
    possible: Mask


class _Darkening(NamedTuple):
    """What a frame does to its background, in logarithms of their ratio, `(H, W)` each.

    Attributes:
        light: Mean over RGB and a window.
        variance: Of the mean over RGB, in that window.
        strangeness: Of the colour, in units of what is allowed to a shadow.
    """

    light: FloatMap
    variance: FloatMap
    strangeness: FloatMap

    def shadows(self, settings: SegmentationSettings) -> Shadows:
        """Where it may be a shadow's."""
        darker = cv2.inRange(self.light, math.log(settings.shadow_darkest), -LEAST_DARKENING)
        most = settings.shadow_spread**2
        return Shadows(
            self._within(darker, most, 1.0),
            self._within(darker, LOOSE_SPREAD**2 * most, LOOSE_COLOUR),
        )

    def _within(self, darker: Mask, variance: float, strangeness: float) -> Mask:
        even = cv2.compare(self.variance, variance, cv2.CMP_LT)
        known = cv2.compare(self.strangeness, strangeness, cv2.CMP_LT)
        return np.asarray(cv2.bitwise_and(cv2.bitwise_and(darker, even), known), np.uint8)


def find_shadows(
    picture: Picture,
    background: Picture,
    settings: SegmentationSettings,
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
    ratio = _log_ratio(picture, background)
    if model is None:
        seen = _darkening(ratio, settings.shadow_colour)
    else:
        seen = _learned_darkening(ratio, model, settings.shadow_deviations)
    return seen.shadows(settings)


def shadow_samples(
    picture: Picture, background: Picture, mask: Mask, settings: SegmentationSettings
) -> ShadowSamples:
    """What the pixels of a mask that may be shadows do to light and colour.

    Colours are given of at most 2,000 pixels spread over the frame.
    """
    ratio = _log_ratio(picture, background)
    may_be = _darkening(ratio, _SAMPLED_COLOUR).shadows(settings).likely
    found = np.flatnonzero(cv2.bitwise_and(may_be, mask))
    chosen = found[:: max(1, -(-len(found) // _SAMPLES_OF_FRAME))]
    colours = _blurred(ratio, SMALL_WINDOW).reshape(-1, 3)[chosen]
    light = colours.mean(axis=1)
    away = np.stack([light, colours[:, 0] - light, colours[:, 2] - light], axis=1)
    return ShadowSamples(away, len(found), cv2.countNonZero(mask))


def _log_ratio(picture: Picture, background: Picture) -> FloatMap:
    """Logarithm of frame over background, `(H, W, 3)`."""
    return cv2.subtract(cv2.LUT(picture, _LOG), cv2.LUT(background, _LOG))


def _darkening(ratio: FloatMap, most_colour: float) -> _Darkening:
    """As it is judged in any scene: what the channels differ from their mean by is strange."""
    light = cv2.transform(ratio, _MEAN_OF_CHANNELS)
    mean = _blurred(light, WINDOW)
    smooth = _blurred(ratio, SMALL_WINDOW)
    away = np.abs(cv2.transform(smooth, _OFF_MEAN))
    colour = cv2.transform(away, _SUM_OF_CHANNELS / max(most_colour, 1e-9))
    return _Darkening(mean, _variance(light, mean, WINDOW), colour)


def _learned_darkening(ratio: FloatMap, model: ShadowModel, deviations: float) -> _Darkening:
    """As it is judged in a scene whose shadows are known: what they do not do is strange."""
    light = cv2.transform(ratio, _MEAN_OF_CHANNELS)
    smooth = _blurred(ratio, SMALL_WINDOW)
    mean = cv2.transform(smooth, _MEAN_OF_CHANNELS)
    away = cv2.transform(smooth, model.whitening / np.float32(max(deviations, 1e-9)))
    distance = cv2.sqrt(cv2.transform(cv2.multiply(away, away), _SUM_OF_CHANNELS))
    return _Darkening(mean, _variance(light, mean, SMALL_WINDOW), distance)


def _variance(light: FloatMap, mean: FloatMap, window: int) -> FloatMap:
    # Twice as fast as sqrBoxFilter.
    squares = _blurred(cv2.multiply(light, light), window)
    return cv2.subtract(squares, cv2.multiply(mean, mean))


def _blurred(values: FloatMap, window: int) -> FloatMap:
    return cv2.blur(values, (window, window))
