"""The primitives of the segmentation, as `cleanplate.segmentation.ops.Ops` describes them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Mask, Picture
from cleanplate.segmentation.difference import is_grey, residual
from cleanplate.segmentation.light import Light
from cleanplate.segmentation.opencv.regions import ArrayPixels, ArrayRegions
from cleanplate.segmentation.opencv.shadows import shadow_tests
from cleanplate.segmentation.ops import Shape
from cleanplate.segmentation.plan import SegmentationPlan
from cleanplate.segmentation.shadow_model import ShadowModel, loss_of_light
from cleanplate.segmentation.shadows import ShadowTests

_NO, _YES = np.uint8(0), np.uint8(255)


def median_filter(mask: Mask, side: int) -> Mask:
    """Each pixel of a mask `(h, w)`, 0 or 255, as most of the square around it; 0: as it is."""
    if side <= 1:
        return mask
    # The mean of a binary square tells its majority, far faster than a median filter.
    mean = cv2.blur(mask, (side, side), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.compare(mean, 127, cv2.CMP_GT), np.uint8)


class ArrayOps:
    """The primitives for one frame: masks are `(h, w)`, uint8, 0 or 255, flags 0 or 255.

    Args:
        plan: Of the masks.
        noise: Noise of each pixel, `(H, W)`, uint8, grey levels summed over RGB.
        shadow: What the scene's shadows look like; None: not known.
    """

    pixels, regions, median_filter = ArrayPixels, ArrayRegions, staticmethod(median_filter)

    def __init__(self, plan: SegmentationPlan, noise: Mask, shadow: ShadowModel | None) -> None:
        self._limits = plan.shadow_limits
        self._shadow = shadow if plan.uses_own_shadows else None
        self.loss: tuple[np.float32, ...] | None = None
        if shadow is not None and plan.single_pixels_in_shadow:
            self.loss = tuple(loss_of_light(shadow))
        self.threshold = plan.thresholds(noise)
        self.low_threshold = plan.low_thresholds(noise)
        self.strong_threshold = plan.strong_thresholds(noise)
        self._light = Light(self.threshold) if plan.follows_light else None
        self.edge = np.full(plan.size, 255, np.uint8)
        self.edge[1:-1, 1:-1] = 0
        self.general = _YES if self._shadow is None else None

    def coloured(self, picture: Picture, background: Picture) -> np.uint8:
        return _NO if is_grey(picture, background) else _YES

    def difference(self, picture: Picture, background: Picture, coloured: np.uint8) -> Mask:
        return residual(picture, background, grey=not coloured)

    def relit(self, picture: Picture, background: Picture, difference: Mask) -> Picture:
        if self._light is None or self._light.is_unchanged(difference):
            return background
        return self._light.follow(picture, background)

    def blurred(self, values: Mask, side: int, sigma: float) -> Mask:
        return np.asarray(cv2.GaussianBlur(values, (side, side), sigma), np.uint8)

    def above(self, values: Mask, limit: Mask | float) -> Mask:
        return np.asarray(cv2.compare(values, limit, cv2.CMP_GT), np.uint8)

    def is_empty(self, mask: Mask) -> bool:
        return not cv2.hasNonZero(mask)

    def part(self, mask: Mask, reach: int) -> tuple[slice, slice]:
        left, top, width, height = cv2.boundingRect(mask)
        rim = reach + 1  # beyond what is reached there is at least one empty row
        rows = slice(max(0, top - rim), top + height + rim)
        return rows, slice(max(0, left - rim), left + width + rim)

    def placed(self, inner: Mask, part: tuple[slice, slice], whole: Mask) -> Mask:
        placed = np.zeros_like(whole)
        placed[part] = inner
        return placed

    def dilated(self, mask: Mask, shape: Shape) -> Mask:
        return np.asarray(cv2.dilate(mask, _element(shape)), np.uint8)

    def eroded(self, mask: Mask, shape: Shape) -> Mask:
        return np.asarray(cv2.erode(mask, _element(shape)), np.uint8)

    def closed(self, mask: Mask, shape: Shape) -> Mask:
        return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _element(shape)), np.uint8)

    def counts(self, mask: Mask, side: int) -> NDArray[np.uint16]:
        ones = cv2.min(mask, 1)
        border = cv2.BORDER_CONSTANT
        counted = cv2.boxFilter(ones, cv2.CV_16U, (side, side), normalize=False, borderType=border)
        return np.asarray(counted, np.uint16)

    def shadow_tests(self, picture: Picture, background: Picture, considered: Mask) -> ShadowTests:
        return shadow_tests(picture, background, considered, self._limits, self._shadow)


@lru_cache
def _element(shape: Shape) -> NDArray[Any]:
    """A structuring element for OpenCV."""
    steps = np.abs(np.arange(len(shape)) - len(shape) // 2)
    return (steps <= np.array(shape)[:, None]).astype(np.uint8)
