"""An empty road painted by hand, and cars of one size that stand or drive on it."""

from __future__ import annotations

import cv2
import numpy as np

from cleanplate.frames import FrameSize, Picture

SIZE = FrameSize(120, 160)
CAR = (200, 60, 40)
"""Colour of the car that comes, waits and goes."""


def road() -> Picture:
    """An empty scene with some structure."""
    rng = np.random.default_rng(3)
    coarse = rng.uniform(90, 150, (6, 8, 3)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def seen(
    cars: list[tuple[int, int, tuple[int, int, int]]], *, at: int, plate: Picture | None = None
) -> Picture:
    """A frame with cars of 40x24 pixels at (left, top), and sensor noise."""
    picture = (road() if plate is None else plate).copy()
    for left, top, colour in cars:
        cv2.rectangle(picture, (left, top), (left + 39, top + 23), colour, -1)
    noise = np.random.default_rng(at).normal(0, 2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)
