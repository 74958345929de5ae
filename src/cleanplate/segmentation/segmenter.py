"""The segmenter: the same object for files, live streams and benchmarks."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from cleanplate.errors import FrameSizeError
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.segmentation.cleanup import REFERENCE_PIXELS, Cleanup, odd_length
from cleanplate.segmentation.difference import residual
from cleanplate.segmentation.light import Light
from cleanplate.segmentation.settings import SegmentationSettings
from cleanplate.segmentation.shadows import SHADOW_REACH, find_shadows


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
    """Masks of the frames of one scene; holds no memory of the frames it has seen."""

    def __init__(self, noise: Mask, settings: SegmentationSettings) -> None:
        self._settings = settings
        self._size = FrameSize(*noise.shape)
        self._threshold = _threshold(settings.threshold, settings.noise_factor, noise)
        self._faint_threshold: Mask | None = None
        if settings.faint_noise_factor < settings.noise_factor:
            faint = settings.faint_noise_factor
            self._faint_threshold = _threshold(settings.threshold, faint, noise)
        scale = math.sqrt(self._size.pixels / REFERENCE_PIXELS)
        self._sigma = settings.blur * scale
        self._kernel = odd_length(4 * settings.blur, scale)
        self._cleanup = Cleanup(settings, self._size)
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
        self._require_size(picture, "frame")
        self._require_size(background, "background")
        if self._light is not None:
            background = self._light.follow(picture, background)
        difference = residual(picture, background)
        if self._sigma > 0:
            difference = cv2.GaussianBlur(difference, (self._kernel, self._kernel), self._sigma)
        mask: Mask = cv2.compare(difference, self._threshold, cv2.CMP_GT)
        faint: Mask | None = None
        if self._faint_threshold is not None:
            faint = cv2.compare(difference, self._faint_threshold, cv2.CMP_GT)
        if self._settings.shadows == "keep":
            return Cut(self._cleanup.apply(mask, faint), background)
        everything = mask.copy() if self._settings.shadows == "label" else None
        self._drop_shadows(mask, faint, picture, background)
        shadows = None
        if everything is not None:
            shadows = self._cleanup.majority(cv2.subtract(everything, mask))
        mask = self._cleanup.apply(mask, faint)
        return Cut(mask, background, None if shadows is None else cv2.subtract(shadows, mask))

    def _drop_shadows(
        self, mask: Mask, faint: Mask | None, picture: Picture, background: Picture
    ) -> None:
        left, top, width, height = cv2.boundingRect(mask)
        if not width:
            return
        if faint is not None:
            left, top, width, height = cv2.boundingRect(faint)
        # Only the part that holds foreground is looked at, with what the windows reach beyond it.
        rows = slice(max(0, top - SHADOW_REACH), top + height + SHADOW_REACH)
        columns = slice(max(0, left - SHADOW_REACH), left + width + SHADOW_REACH)
        part = np.s_[rows, columns]
        shadows = find_shadows(picture[part], background[part], self._settings)
        mask[part][shadows.likely > 0] = 0
        if faint is not None:
            faint[part][(shadows.possible > 0) & (mask[part] == 0)] = 0

    def _require_size(self, picture: Picture, name: str) -> None:
        if picture.shape[:2] != self._size:
            got = FrameSize(*picture.shape[:2])
            raise FrameSizeError(
                f"{name} of {got} for a scene of {self._size}; give it in the scene's size"
            )


def _threshold(least: float, noise_factor: float, noise: Mask) -> Mask:
    threshold = least + noise_factor * noise.astype(np.float32)
    return np.clip(np.rint(threshold), 0, 255).astype(np.uint8)
