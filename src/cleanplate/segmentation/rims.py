"""The rim of a mask, decided again by single pixels: what windows took in there or cut off."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Mask, Picture
from cleanplate.segmentation.difference import GREY_GAIN, is_grey
from cleanplate.segmentation.plan import SegmentationPlan
from cleanplate.segmentation.shadow_model import ShadowModel

SHADOW_LEVELS, NO_SHADOW_LEVELS = 8.0, 16.0
"""Distance to the background in shadow, summed over RGB, below which a pixel is in shadow (little
more than the noise of one pixel, since vehicles are dark and grey as well), and from which not."""
LEAST_SHADE, MOST_SHADE = 0.5, 1.1
"""Shares of the scene's own shadow that are one: from the middle of a soft edge on."""
_MAJORITY = (3, 3)
_ONES = np.ones(3, np.float32)
"""A product with them is a sum over the channels, faster than `sum`."""


class _Single(NamedTuple):
    """What pixels are by themselves, `(N,)` each.

    Attributes:
        differs: Too much to be the background.
        shaded: It is the background in the scene's own shadow.
        stays: It is in the mask, and so clearly that the majority is not asked.
    """

    differs: NDArray[np.bool_]
    shaded: NDArray[np.bool_]
    stays: NDArray[np.bool_]


class Rims:
    """Decides about the pixels along the outlines of a mask.

    Blur, windows and clean-up mix both sides of an outline. Along it every pixel is asked by
    itself: what is the background, or the background in the scene's own shadow, leaves the mask;
    what differs by the whole threshold and was cut off by the clean-up comes back. The majority of
    3x3 pixels decides about what is neither, and evens out what noise does to single ones.

    Args:
        plan: Of the masks.
        threshold: Difference that counts, with the noise of each pixel, `(H, W)`.
        shadow: What the scene's shadows look like; None: no pixel is taken for one.
    """

    def __init__(
        self, plan: SegmentationPlan, *, threshold: Mask, shadow: ShadowModel | None
    ) -> None:
        self._depth, self._outside = plan.rim_depth, plan.rim_reach
        self._inner_disc, self._outer_disc = _disc(self._depth), _disc(self._outside)
        self._empty = np.float32(plan.empty)
        self._threshold = threshold
        self._loss = None if shadow is None else loss_of_light(shadow)

    def decide(
        self,
        mask: Mask,
        raw: Mask,
        picture: Picture,
        background: Picture,
        shadows: Mask | None = None,
    ) -> Mask:
        """Mask with its rims decided again, `(H, W)`, 0 or 255.

        Args:
            mask: After the clean-up, `(H, W)`, 0 or 255.
            raw: Before it; only what is in here can come back.
            picture: The frame.
            background: What it was compared with.
            shadows: Takes in what leaves the mask as a shadow, if given.
        """
        left, top, width, height = cv2.boundingRect(mask)
        if self._depth == 0 or not width:
            return mask
        # One more pixel than is asked: its neighbours count too, and beyond a crop they would be
        # copies of itself.
        margin = self._outside + _MAJORITY[0] // 2
        first_row, first_column = max(0, top - margin), max(0, left - margin)
        part = np.s_[first_row : top + height + margin, first_column : left + width + margin]
        own = mask[part]
        # Where the frame cuts through an object there is no outline; OpenCV erodes nothing there.
        core = cv2.erode(own, self._inner_disc)
        rim = cv2.subtract(cv2.dilate(own, self._outer_disc), core)
        asked = np.flatnonzero(rim.reshape(-1) > 0)
        rows = asked // rim.shape[1]
        skipped = mask.shape[1] - rim.shape[1]
        places = asked + rows * skipped + (first_row * mask.shape[1] + first_column)
        found = self._asked(places, mask, raw, picture, background)
        single = core.copy()
        single.reshape(-1)[asked] = _as_mask(found.differs & ~found.shaded)
        majority = cv2.blur(single, _MAJORITY, borderType=cv2.BORDER_REPLICATE)
        majority = cv2.compare(majority, 127, cv2.CMP_GT)
        settled = cv2.bitwise_or(cv2.bitwise_and(majority, rim), core)
        settled.reshape(-1)[asked[found.stays]] = 255
        decided = mask.copy()
        decided[part] = settled
        if shadows is not None:
            lost = found.differs & found.shaded & (decided.reshape(-1)[places] == 0)
            shadows.reshape(-1)[places[lost]] = 255
        return decided

    def _asked(
        self,
        places: NDArray[np.intp],
        mask: Mask,
        raw: Mask,
        picture: Picture,
        background: Picture,
    ) -> _Single:
        """What single pixels are, by their places in the frame."""
        scene = background.reshape(-1, 3).take(places, axis=0).astype(np.float32)
        change = picture.reshape(-1, 3).take(places, axis=0) - scene
        gain = np.float32(GREY_GAIN if is_grey(picture, background) else 1)
        difference = np.minimum(gain * (np.abs(change) @ _ONES), 255)
        is_clear = difference > self._threshold.reshape(-1).take(places)
        shaded = np.zeros_like(is_clear)
        if self._loss is not None:
            off = _off_shadow(change, scene, self._loss)
            shaded = off < SHADOW_LEVELS
            is_clear &= off >= NO_SHADOW_LEVELS
        is_inside = mask.reshape(-1).take(places) > 0
        is_raw = raw.reshape(-1).take(places) > 0
        differs = np.where(is_inside, difference >= self._empty, is_clear & is_raw)
        return _Single(differs, shaded, is_inside & is_clear)


def loss_of_light(shadow: ShadowModel) -> NDArray[np.float32]:
    """What the scene's shadows do to red, green and blue, as a share of the light, `(3,)`."""
    light, red, blue = shadow.mean
    return np.expm1([light + red, light - red - blue, light + blue]).astype(np.float32)


def _off_shadow(
    change: NDArray[np.float32], scene: NDArray[np.float32], loss: NDArray[np.float32]
) -> NDArray[np.float32]:
    """How far pixels are from the background in shadow, in grey levels summed over RGB, `(N,)`.

    In the soft edge of a shadow only a part of the light is lost: the nearest part counts.
    """
    whole = scene * loss
    share = (change * whole) @ _ONES / np.maximum((whole * whole) @ _ONES, 1)
    np.clip(share, LEAST_SHADE, MOST_SHADE, out=share)
    return np.abs(change - share[:, None] * whole) @ _ONES


def _disc(radius: int) -> Mask:
    side = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _as_mask(where: NDArray[np.bool_]) -> Mask:
    return where.view(np.uint8) * np.uint8(255)
