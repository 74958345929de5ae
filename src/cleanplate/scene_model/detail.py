"""Pictures without detail: a black lead-in, a screen without signal, colour bars, a logo."""

from __future__ import annotations

import math

import cv2
import numpy as np

from cleanplate.frames import Picture

_PIXELS = 19_200
"""Larger pictures are reduced to about so many pixels, smaller ones enlarged."""
_ROWS, _COLUMNS = 6, 8
_CORNER = 30.0
"""Lesser eigenvalue of the gradients around a corner that is no noise, of grey levels."""
_FLAT = 1.5
"""Gradient, in grey levels a pixel, up to which a pixel is flat."""
_MOSTLY_FLAT = 0.75
_MUCH_FLATTER = 0.3
"""How much more of a painted screen is flat than of the scene."""


def looked_at(picture: Picture) -> Picture:
    """A picture in the size in which its detail is measured."""
    height, width = picture.shape[:2]
    scale = math.sqrt(_PIXELS / (height * width))
    size = (max(_COLUMNS, round(width * scale)), max(_ROWS, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def lacks_detail(picture: Picture, scene: Picture) -> bool:
    """Whether a picture is painted, in comparison with one of a scene.

    A scene has grain nearly everywhere; a screen is flat, but for letters and a few edges.

    Args:
        picture: `(h, w, 3)`, uint8, RGB.
        scene: Likewise, of the same size.
    """
    flat = _measured(picture)[1]
    return flat >= _MOSTLY_FLAT and flat - _measured(scene)[1] >= _MUCH_FLATTER


def detail(picture: Picture) -> float:
    """How detailed a picture is: the share of its parts with corners, less the share that is flat.

    Args:
        picture: `(h, w, 3)`, uint8, RGB.
    """
    corners, flat = _measured(picture)
    return corners - flat


def _measured(picture: Picture) -> tuple[float, float]:
    """Share of 6x8 parts of a picture that have a corner, and of its pixels that are flat."""
    grey = cv2.cvtColor(looked_at(picture), cv2.COLOR_RGB2GRAY)
    values = grey.astype(np.float32)
    eigenvalues = cv2.cornerMinEigenVal(values, 3)
    parts = [
        np.max(part)
        for rows in np.array_split(eigenvalues, _ROWS)
        for part in np.array_split(rows, _COLUMNS, axis=1)
    ]
    gradient = cv2.magnitude(cv2.Sobel(values, -1, 1, 0), cv2.Sobel(values, -1, 0, 1)) / 8
    return float(np.mean(np.array(parts) > _CORNER)), float((gradient <= _FLAT).mean())
