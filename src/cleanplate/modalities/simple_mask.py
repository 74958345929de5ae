"""A binary mask from a simple method, as a hint for a network."""

from __future__ import annotations

from typing import ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field

from cleanplate.frames import FloatMap, Picture
from cleanplate.modalities.base import FeatureExtractor
from cleanplate.parameters import Parameters

_SUM_OF_CHANNELS = np.ones((1, 3), np.float32)
_HISTORY = 500
_LIGHT_STEP = 4
"""How bright a frame is shows in every fourth row and column."""


class MaskSettings(Parameters):
    """Settings of the simple mask."""

    source: Literal["median", "mog2"] = Field(
        "median", description="difference to the initial plate, or OpenCV's MOG2"
    )
    threshold: float = Field(
        60.0, gt=0, le=255, description="of the difference summed over RGB, in grey levels"
    )
    dilation: int = Field(5, ge=0, le=63, description="side by which the mask grows, in pixels")


class MaskReader(FeatureExtractor):
    """Where a simple method sees foreground, `(1, h, w)`: 0 or 1.

    The frame is brought into the light of the plate first, by the median over all pixels of what
    each channel differs: a cloud is no foreground.
    """

    channels: ClassVar[int] = 1

    def __init__(self, settings: MaskSettings, plate: Picture) -> None:
        self._settings = settings
        self._plate = plate
        self._square = np.ones((max(1, settings.dilation), max(1, settings.dilation)), np.uint8)
        self._mog2 = None
        if settings.source == "mog2":
            self._mog2 = cv2.createBackgroundSubtractorMOG2(_HISTORY, detectShadows=False)
            # Without a picture to begin with, all of its first frame is foreground.
            self._mog2.apply(plate)

    @property
    def frames_before(self) -> int | None:
        """None for MOG2, which remembers; 0 for the difference to the plate."""
        return 0 if self._mog2 is None else None

    def read(self, picture: Picture, index: int) -> FloatMap:  # noqa: ARG002
        """Mask of the next frame."""
        steady = self._in_light_of_plate(picture)
        if self._mog2 is not None:
            # At the rate that it ends with: it would take in half of its second frame otherwise.
            mask = self._mog2.apply(steady, learningRate=1 / _HISTORY)
        else:
            difference = cv2.transform(cv2.absdiff(steady, self._plate), _SUM_OF_CHANNELS)
            mask = cv2.compare(cv2.blur(difference, (3, 3)), self._settings.threshold, cv2.CMP_GT)
        if self._settings.dilation > 1:
            mask = cv2.dilate(mask, self._square)
        return (mask > 0).astype(np.float32)[None]

    def _in_light_of_plate(self, picture: Picture) -> Picture:
        sparse = np.s_[::_LIGHT_STEP, ::_LIGHT_STEP]
        change = picture[sparse].astype(np.int16) - self._plate[sparse]
        light = np.median(change.reshape(-1, change.shape[-1]), axis=0)
        return np.asarray(cv2.subtract(picture, (*light, 0)), np.uint8)
