"""The segmenter: the same object for files, live streams and benchmarks."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np

from cleanplate.errors import FrameSizeError
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation.cleanup import REFERENCE_PIXELS, Cleanup, odd_length, remove_small
from cleanplate.segmentation.difference import residual
from cleanplate.segmentation.light import Light
from cleanplate.segmentation.rims import Rims
from cleanplate.segmentation.settings import SegmentationSettings
from cleanplate.segmentation.shadow_model import ShadowModel, ShadowSamples
from cleanplate.segmentation.shadows import SHADOW_REACH, find_shadows, shadow_samples

_BAND_PIXELS = 40_960
"""Shadows are looked for in bands of so many pixels: few calls that the processor's cache bears."""


class Cut(NamedTuple):
    """What a frame is cut into.

    Attributes:
        mask: Foreground, `(H, W)`, uint8, 0 or 255.
        background: What it was compared with, in the light of the frame, `(H, W, 3)`.
        shadows: Cast shadows, like the mask; None: nobody asked for them.
    """

    mask: Mask
    background: Picture
    shadows: Mask | None = None


class Segmenter:
    """Masks of the frames of one scene; holds no memory of the frames it has seen.

    Args:
        noise: Noise of each pixel, `(H, W)`, uint8, grey levels summed over RGB.
        settings: Those of the masks.
        shadow: What the scene's shadows look like; None: not known.
    """

    def __init__(
        self, noise: Mask, settings: SegmentationSettings, shadow: ShadowModel | None = None
    ) -> None:
        self._settings = settings
        self._shadow = shadow if settings.shadow_test == "learned" else None
        self._size = FrameSize(*noise.shape)
        self._threshold = threshold_map(settings.threshold, settings.noise_factor, noise)
        self._faint_threshold: Mask | None = None
        if settings.faint_noise_factor < settings.noise_factor:
            faint = settings.faint_noise_factor
            self._faint_threshold = threshold_map(settings.threshold, faint, noise)
        scale = math.sqrt(self._size.pixels / REFERENCE_PIXELS)
        self._sigma = settings.blur * scale
        self._kernel = odd_length(4 * settings.blur, scale)
        self._cleanup = Cleanup(settings, self._size)
        tells_shadows = settings.shadows != "keep" and settings.shadow_deviations > 0
        self._rims = Rims(
            round(settings.rim * scale),
            least=settings.threshold,
            threshold=self._threshold,
            shadow=self._shadow if tells_shadows else None,
        )
        self._light = Light(self._threshold) if settings.light == "follow" else None

    def segment(self, picture: Picture, background: Picture) -> Mask:
        """Foreground of one frame, `(H, W)`, uint8, 0 or 255.

        Raises:
            FrameSizeError: The frame or its background is not of the scene's size.
        """
        return self.cut(picture, background).mask

    def cut(self, picture: Picture, background: Picture) -> Cut:
        """Foreground of one frame, and its shadows where they get a label.

        Raises:
            FrameSizeError: The frame or its background is not of the scene's size.
        """
        background, difference = self._compared(picture, background)
        mask: Mask = cv2.compare(difference, self._threshold, cv2.CMP_GT)
        faint: Mask | None = None
        if self._faint_threshold is not None:
            faint = cv2.compare(difference, self._faint_threshold, cv2.CMP_GT)
        # A gap between two vehicles in which the plain road shows is none in a vehicle.
        differs = cv2.compare(difference, self._settings.threshold / 2, cv2.CMP_GT)
        everything = mask.copy() if self._settings.shadows == "label" else None
        if self._settings.shadows != "keep":
            self._drop_shadows(mask, faint, picture, background)
        dropped = None if everything is None else cv2.subtract(everything, mask)
        decide = partial(
            self._rims.decide, raw=mask, picture=picture, background=background, shadows=dropped
        )
        cleaned = self._cleanup.apply(mask, faint, differs, decide)
        if everything is None or dropped is None:
            return Cut(cleaned, background)
        # The test leaves a rim of each shadow; a majority would take thin ones out.
        rims = cv2.dilate(dropped, np.ones((3, 3), np.uint8))
        shadows = cv2.subtract(cv2.bitwise_and(rims, everything), cleaned)
        return Cut(cleaned, background, remove_small(shadows, self._cleanup.min_area))

    def shadow_samples(
        self, picture: Picture, background: Picture, before: Picture | None = None
    ) -> ShadowSamples:
        """What one frame says of the scene's shadows, for `learn_shadow_model`.

        Args:
            picture: The frame.
            background: Of it.
            before: The frame that was asked before it. What stands still since then is left out: a
                grey van that waits for a minute would outnumber all shadows.

        Raises:
            FrameSizeError: The frame or its background is not of the scene's size.
        """
        background, difference = self._compared(picture, background)
        mask: Mask = cv2.compare(difference, self._threshold, cv2.CMP_GT)
        if before is not None:
            moved = cv2.compare(self._difference(picture, before), self._threshold, cv2.CMP_GT)
            mask = cv2.bitwise_and(mask, moved)
        return shadow_samples(picture, background, mask, self._settings)

    def _compared(self, picture: Picture, background: Picture) -> tuple[Picture, Mask]:
        """The background in the frame's light, and what is compared with the threshold."""
        self._require_size(picture, "frame")
        self._require_size(background, "background")
        difference = self._difference(picture, background)
        if self._light is not None and not self._light.is_unchanged(difference):
            lit = self._light.follow(picture, background)
            if lit is not background:
                return lit, self._difference(picture, lit)
        return background, difference

    def _difference(self, picture: Picture, background: Picture) -> Mask:
        difference = residual(picture, background)
        if self._sigma > 0:
            kernel = (self._kernel, self._kernel)
            difference = np.asarray(cv2.GaussianBlur(difference, kernel, self._sigma), np.uint8)
        return difference

    def _drop_shadows(
        self, mask: Mask, faint: Mask | None, picture: Picture, background: Picture
    ) -> None:
        if not cv2.countNonZero(mask):
            return
        considered = mask if faint is None else faint
        rows = max(1, _BAND_PIXELS // self._size.width)
        for first in range(0, self._size.height, rows):
            left, top, width, height = cv2.boundingRect(considered[first : first + rows])
            if not width:
                continue
            # Only the part that holds foreground is looked at, with what the windows reach beyond.
            top, outer_left = top + first, max(0, left - SHADOW_REACH)
            outer_top = max(0, top - SHADOW_REACH)
            outer = np.s_[
                outer_top : top + height + SHADOW_REACH, outer_left : left + width + SHADOW_REACH
            ]
            shadows = find_shadows(picture[outer], background[outer], self._settings, self._shadow)
            inner = np.s_[top : top + height, left : left + width]
            own = np.s_[top - outer_top :, left - outer_left :]
            likely, possible = (found[own][:height, :width] for found in shadows)
            mask[inner] = cv2.subtract(mask[inner], likely)
            if faint is not None:  # what is clearly foreground is faint foreground too
                faint[inner] = cv2.max(cv2.subtract(faint[inner], possible), mask[inner])

    def _require_size(self, picture: Picture, name: str) -> None:
        if picture.shape[:2] != self._size:
            got = FrameSize(*picture.shape[:2])
            raise FrameSizeError(
                f"{name} of {got} for a scene of {self._size}; give it in the scene's size"
            )


def threshold_map(least: float, noise_factor: float, noise: Mask) -> Mask:
    """Difference above which each pixel counts, `(H, W)`, uint8, from its noise."""
    threshold = least + noise_factor * noise.astype(np.float32)
    return np.clip(np.rint(threshold), 0, 255).astype(np.uint8)
