"""Pictures as planes of numbers and back: the form in which networks take them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FloatMap, Picture


def to_planes(pictures: Picture) -> FloatMap:
    """Pictures `(B, H, W, 3)` uint8 as `(B, 3, H, W)` float32 in [0, 1]."""
    # Bytes are turned round before they become floats: a quarter of the memory to move.
    planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)).astype(np.float32)
    planes /= 255
    return planes


def to_pictures(planes: NDArray[np.float32]) -> Picture:
    """Planes `(B, 3, H, W)` as pictures `(B, H, W, 3)` uint8, rounded, held in [0, 1]."""
    count, _, height, width = planes.shape
    pictures = np.empty((count, height, width, 3), np.uint8)
    for picture, channels in zip(pictures, np.maximum(planes, 0), strict=True):
        # OpenCV scales, rounds and weaves the planes together several times faster than numpy.
        grey_levels = cv2.convertScaleAbs(channels.reshape(-1, width), alpha=255)
        cv2.merge(list(grey_levels.reshape(3, height, width)), dst=picture)
    return pictures
