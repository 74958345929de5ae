"""Cast shadows: darker than the plate by a factor that hardly varies and hardly colours."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from cleanplate.frames import Mask, Picture
from cleanplate.segmentation.settings import SegmentationSettings

_MEAN_OF_CHANNELS = np.full((1, 3), 1 / 3, np.float32)
_LOG = np.log(np.arange(256) + 2).astype(np.float32)
"""Logarithm of a grey level; the 2 keeps noise in the dark from mattering."""
_LEAST_DARKENING = 0.05
_LOOSE_SPREAD, _LOOSE_COLOUR = 3.5, 2.0
"""How many times the limits of a likely shadow are those of a possible one."""
_WINDOW = 5
SHADOW_REACH = _WINDOW // 2
"""How far around a pixel the test looks, in pixels."""


class Shadows(NamedTuple):
    """Where a frame may be its background in shadow.

    Attributes:
        likely: Whatever stands there has no texture and no colour of its own, `(H, W)`, 255 or 0.
        possible: The same with looser limits, for what differs too little to be sure of.
    """

    likely: Mask
    possible: Mask


def find_shadows(picture: Picture, background: Picture, settings: SegmentationSettings) -> Shadows:
    """Where a frame may be its background in shadow.

    In a shadow, light = share * plate with one share nearby: the logarithm of the ratio has a small
    spread in a 5x5 window (a vehicle brings its own texture) and is alike in R, G and B.
    After the ratio test of Jacques, Jung & Musse (SIBGRAPI 2005, doi:10.1109/SIBGRAPI.2005.35).
    """
    ratio = cv2.subtract(cv2.LUT(picture, _LOG), cv2.LUT(background, _LOG))
    light = cv2.transform(ratio, _MEAN_OF_CHANNELS)
    window = (_WINDOW, _WINDOW)
    mean = cv2.blur(light, window)
    variance = cv2.sqrBoxFilter(light, cv2.CV_32F, window) - mean * mean
    smooth_ratio = cv2.blur(ratio, (3, 3))
    smooth_light = cv2.transform(smooth_ratio, _MEAN_OF_CHANNELS)
    colour = cv2.transform(
        cv2.absdiff(smooth_ratio, cv2.merge([smooth_light] * 3)), np.ones((1, 3), np.float32)
    )
    darker = (mean > math.log(settings.shadow_darkest)) & (mean < -_LEAST_DARKENING)
    likely, possible = (
        (darker & (variance < (spread * settings.shadow_spread) ** 2))
        & (colour < tint * settings.shadow_colour)
        for spread, tint in ((1.0, 1.0), (_LOOSE_SPREAD, _LOOSE_COLOUR))
    )
    return Shadows(*(where.view(np.uint8) * np.uint8(255) for where in (likely, possible)))
