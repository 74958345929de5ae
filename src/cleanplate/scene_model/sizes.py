"""Pictures and masks in another size, and the size that a scene's frames have to have."""

from __future__ import annotations

import cv2
import numpy as np

from cleanplate.errors import FrameSizeError
from cleanplate.frames import FrameSize, Mask, Picture


def resized(picture: Picture, size: FrameSize) -> Picture:
    """Picture in another size: by area when it shrinks, linearly when it grows."""
    height, width = picture.shape[:2]
    if (height, width) == size:
        return picture
    shrinks = height * width > size.pixels
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=how), np.uint8)


def enlarged_mask(mask: Mask, size: FrameSize) -> Mask:
    """Mask in the frame's size, with smooth outlines, 0 or 255."""
    if mask.shape == size:
        return mask
    smooth = cv2.resize(mask, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.compare(smooth, 127, cv2.CMP_GT), np.uint8)


def require_size(got: FrameSize, expected: FrameSize, name: str) -> None:
    """Refuses frames that are not of the scene's size.

    Raises:
        FrameSizeError: They are not.
    """
    if got != expected:
        raise FrameSizeError(
            f"{name} is {got}, but the scene was learned from {expected}; "
            "learn a scene for this camera and size"
        )
