"""The tests of single pixels for another light, on numpy and OpenCV."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FloatMap, Mask, Picture
from cleanplate.segmentation.plan import ShadowLimits
from cleanplate.segmentation.shadow_model import ShadowModel, ShadowSamples
from cleanplate.segmentation.shadows import (
    CLIPPED,
    LOG_OFFSET,
    SMALL_WINDOW,
    WINDOW,
    Change,
    Clipped,
    ShadowTests,
    tested,
)

_MEAN_OF_CHANNELS = np.full((1, 3), 1 / 3, np.float32)
_OFF_MEAN = np.eye(3, dtype=np.float32) - np.float32(1 / 3)
_SUM_OF_CHANNELS = np.ones((1, 3), np.float32)
_LOG = np.log(np.arange(256) + LOG_OFFSET).astype(np.float32)
_SAMPLES_OF_FRAME = 2_000
_REACH = WINDOW // 2
"""How far around a pixel the test looks, in pixels."""
_BAND_PIXELS = 20_480
"""Pixels are asked in bands of so many: few calls that the processor's cache bears."""


def shadow_tests(
    picture: Picture,
    background: Picture,
    considered: Mask,
    limits: ShadowLimits,
    model: ShadowModel | None = None,
) -> ShadowTests:
    """What single pixels with their neighbours say of the light, where it is considered.

    Args:
        picture: `(h, w, 3)`, uint8.
        background: Likewise.
        considered: `(h, w)`, 255 or 0.
        limits: What a shadow may be.
        model: What the scene's own shadows look like; None: not known.
    """
    height, width = considered.shape
    masks = np.zeros((5, height, width), np.uint8)
    maps = np.empty((2, height, width), np.float32)
    rows = max(1, _BAND_PIXELS // width)
    for first in range(0, height, rows):
        left, top, across, down = cv2.boundingRect(considered[first : first + rows])
        if not across:
            continue
        # Only the part that holds foreground is looked at, with what the windows reach beyond.
        top, outer_left = top + first, max(0, left - _REACH)
        outer_top = max(0, top - _REACH)
        outer = np.s_[outer_top : top + down + _REACH, outer_left : left + across + _REACH]
        found = _tested(picture[outer], background[outer], limits, model)
        inner = np.s_[top : top + down, left : left + across]
        skipped, beside = top - outer_top, left - outer_left
        own = np.s_[skipped : skipped + down, beside : beside + across]
        for mask, each in zip(masks, found[:5], strict=True):
            np.negative(each[own].view(np.uint8), out=mask[inner])  # 0 and 1 become 0 and 255
        for whole, each in zip(maps, found[5:], strict=True):
            whole[inner] = each[own]
    return ShadowTests(*masks, *maps)


def _tested(
    picture: Picture, background: Picture, limits: ShadowLimits, model: ShadowModel | None
) -> tuple[NDArray[Any], ...]:
    """The tests of a part of a frame; masks are bool."""
    plate = cv2.LUT(background, _LOG)
    ratio = cv2.subtract(cv2.LUT(picture, _LOG), plate)
    light, own = (cv2.transform(each, _MEAN_OF_CHANNELS) for each in (ratio, plate))
    squares, smooth = cv2.multiply(light, light), _blurred(ratio, SMALL_WINDOW)
    around, mean = _blurred(light, WINDOW), cv2.transform(smooth, _MEAN_OF_CHANNELS)
    variance = _variance(squares, mean, SMALL_WINDOW)
    if model is None:
        strangeness = _colour(smooth) / np.float32(limits.colour)
        near = Change(mean, variance, strangeness)
        change = Change(around, _variance(squares, around, WINDOW), strangeness)
    else:
        change = near = Change(mean, variance, _distance(smooth, model, limits.deviations))
    clipped = Clipped(_is_clipped(picture), _is_clipped(background))
    texture = cv2.subtract(own, _blurred(own, WINDOW)), cv2.subtract(light, around)
    return *tested(change, near, limits, clipped), *texture


def _is_clipped(picture: Picture) -> NDArray[np.bool_]:
    return cv2.inRange(picture, (0, 0, 0), (CLIPPED - 1,) * 3) == 0


def shadow_samples(
    picture: Picture, background: Picture, shadows: Mask, shown: Mask, seen: int
) -> ShadowSamples:
    """What shadows do to light and colour, of at most 2,000 pixels spread over the frame.

    Args:
        picture: The frame.
        background: Of it.
        shadows: Where it is in shadow, `(H, W)`, 255 or 0.
        shown: Where that is known by the texture that shows through, likewise.
        seen: Number of all pixels that differ from their background.
    """
    found = np.flatnonzero(shadows)
    chosen = found[:: max(1, -(-len(found) // _SAMPLES_OF_FRAME))]
    ratio = cv2.subtract(cv2.LUT(picture, _LOG), cv2.LUT(background, _LOG))
    colours = _blurred(ratio, SMALL_WINDOW).reshape(-1, 3)[chosen]
    light = colours.mean(axis=1)
    away = np.stack([light, colours[:, 0] - light, colours[:, 2] - light], axis=1)
    is_shown = shown.reshape(-1)[chosen] > 0
    return ShadowSamples(away, is_shown, len(found), seen)


def _colour(smooth: FloatMap) -> FloatMap:
    """What the channels differ from their mean by, in sum."""
    return cv2.transform(np.abs(cv2.transform(smooth, _OFF_MEAN)), _SUM_OF_CHANNELS)


def _distance(smooth: FloatMap, model: ShadowModel, allowed: float) -> FloatMap:
    """How far changes are from the scene's own shadows, in deviations that are allowed."""
    away = cv2.transform(smooth, model.whitening / np.float32(allowed))
    return cv2.sqrt(cv2.transform(cv2.multiply(away, away), _SUM_OF_CHANNELS))


def _variance(squares: FloatMap, mean: FloatMap, window: int) -> FloatMap:
    # Twice as fast as sqrBoxFilter.
    return cv2.subtract(_blurred(squares, window), cv2.multiply(mean, mean))


def _blurred(values: FloatMap, window: int) -> FloatMap:
    return cv2.blur(values, (window, window))
