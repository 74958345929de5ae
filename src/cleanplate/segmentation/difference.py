"""What a frame differs from its background by, and a background that is mended."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Mask, Picture


def residual(picture: Picture, background: Picture) -> Mask:
    """Absolute difference summed over RGB, `(H, W)`, uint8, held at 255.

    Eight bits are enough, since no threshold is higher than 255, and strong edges bleed less into
    their surroundings when the difference is blurred.
    """
    red, green, blue = cv2.split(cv2.absdiff(picture, background))
    difference: Mask = cv2.add(cv2.add(red, green), blue)
    return difference


def mended(background: Picture, repair: NDArray[np.int16]) -> Picture:
    """Background with what a repair adds to it, `(..., h, w, 3)`, uint8."""
    return np.clip(background + repair, 0, 255).astype(np.uint8)
