"""Residual: how much a frame differs from its background."""

from __future__ import annotations

import cv2
import numpy as np

from cleanplate.frames import Mask, Picture

_SUM_OF_CHANNELS = np.ones((1, 3), np.float32)


def residual(picture: Picture, background: Picture) -> Mask:
    """Absolute difference summed over RGB, `(H, W)`, uint8, held at 255.

    Nothing is lost by the limit: what differs by 255 is foreground under every threshold, and
    strong edges bleed less into their surroundings when the difference is blurred.
    """
    difference: Mask = cv2.transform(cv2.absdiff(picture, background), _SUM_OF_CHANNELS)
    return difference
