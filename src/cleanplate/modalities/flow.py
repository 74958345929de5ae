"""Optical flow by OpenCV's DIS: dense, without weights, fast enough for a CPU."""

from __future__ import annotations

from typing import ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field

from cleanplate.frames import FloatMap, Picture
from cleanplate.modalities.base import FeatureExtractor
from cleanplate.parameters import Parameters

_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


class FlowSettings(Parameters):
    """Settings of the optical flow."""

    preset: Literal["ultrafast", "fast", "medium"] = Field(
        "ultrafast", description="how thoroughly DIS searches"
    )


class FlowReader(FeatureExtractor):
    """Motion of every pixel since the frame before, `(2, h, w)`: right and down, pixels per frame.

    Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016, arXiv:1603.03590. The
    flow is searched from the frame back to the one before it, so that it stands where the thing is
    now. It is blind to what waits, and of little worth where there is nothing to see but noise.
    """

    channels: ClassVar[int] = 2

    def __init__(self, settings: FlowSettings) -> None:
        self._search = cv2.DISOpticalFlow.create(_PRESETS[settings.preset])
        self._before: tuple[int, Picture] | None = None

    @property
    def frames_before(self) -> int | None:
        """The one frame that the motion is measured from."""
        return 1

    def read(self, picture: Picture, index: int) -> FloatMap:
        """Flow of the next frame; zero for the first, and where the frame before it is missing."""
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        before, self._before = self._before, (index, grey)
        # Passing over some frames must not give another flow than seeing them all.
        if before is None or before[0] != index - 1:
            return np.zeros((self.channels, *grey.shape), np.float32)
        backwards = self._search.calc(grey, before[1], None)
        return np.ascontiguousarray(-backwards.transpose(2, 0, 1), np.float32)
