"""Residual: how much a frame differs from its background."""

from __future__ import annotations

import cv2

from cleanplate.frames import Mask, Picture


def residual(picture: Picture, background: Picture) -> Mask:
    """Absolute difference summed over RGB, `(H, W)`, uint8, held at 255.

    Eight bits are enough, since no threshold is higher than 255, and strong edges bleed less into
    their surroundings when the difference is blurred.
    """
    red, green, blue = cv2.split(cv2.absdiff(picture, background))
    difference: Mask = cv2.add(cv2.add(red, green), blue)
    return difference
