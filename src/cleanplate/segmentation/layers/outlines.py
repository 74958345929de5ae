"""Shapes of what stands: which parts one region is made of, and where it has edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Mask, Picture

_NECK = 0.7
"""Width of a neck, as a share of the smaller of the two parts beside it."""
_LEAST_PART = 0.3
"""Share of the region that a part beyond a neck has at least."""
_STEP = 0.5
"""Step in which the width of a neck is looked for, in pixels to each side."""
_EDGES = 80
"""Percentile of the contrast in a region above which a pixel lies on an edge."""


def filled(region: NDArray[np.bool_]) -> Mask:
    """The region and all that it surrounds, 1 or 0."""
    outline = np.zeros(region.shape, np.uint8)
    contours, _ = cv2.findContours(region.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(outline, contours, -1, 1, cv2.FILLED)
    return outline


def density(region: Mask) -> float:
    """Share of its convex outline that a region fills; 0 where it is empty."""
    points = cv2.findNonZero(region)
    if points is None:
        return 0.0
    outline = np.zeros_like(region)
    cv2.fillConvexPoly(outline, cv2.convexHull(points), 1)
    return len(points) / cv2.countNonZero(outline)


def parts_of(region: NDArray[np.bool_], least: int) -> list[NDArray[np.bool_]]:
    """A region cut at its necks: vehicles that touch are several, a vehicle is one.

    Args:
        region: `(h, w)`.
        least: Fewer pixels are no part.
    """
    # What is surrounded, or as thin as the noise of an outline, makes no neck.
    whole = cv2.morphologyEx(np.pad(filled(region), 2), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    depth = cv2.distanceTransform(whole, cv2.DIST_L2, cv2.DIST_MASK_5)
    for reach in np.arange(1, _NECK * depth.max(), _STEP):
        owner = _apart(whole, depth, float(reach), least)
        if owner is not None:
            inner = owner[2:-2, 2:-2]
            parts = [region & (inner == part) for part in range(1, int(inner.max()) + 1)]
            return [piece for part in parts if part.any() for piece in parts_of(part, least)]
    return [region]


def _apart(
    whole: Mask, depth: NDArray[np.float32], reach: float, least: int
) -> NDArray[np.int32] | None:
    """The parts that are left apart where necks are this wide, 1 and more; None: there are none."""
    cores = (depth > reach).view(np.uint8)
    count, labels = cv2.connectedComponents(cores, connectivity=8)
    if count < 3:
        return None
    deepest = np.zeros(count)
    np.maximum.at(deepest, labels.reshape(-1), depth.reshape(-1))
    deep = [part for part in range(1, count) if reach <= _NECK * deepest[part]]
    areas = np.bincount(_nearest(whole, labels, deep).reshape(-1), minlength=len(deep) + 1)[1:]
    least = max(least, round(_LEAST_PART * cv2.countNonZero(whole)))
    large = [part for part, area in zip(deep, areas, strict=True) if area >= least]
    return _nearest(whole, labels, large) if len(large) > 1 else None


def _nearest(whole: Mask, labels: NDArray[np.int32], parts: list[int]) -> NDArray[np.int32]:
    """Which of several parts each pixel of a region is nearest to, from 1; 0 outside."""
    if not parts:
        return np.zeros(whole.shape, np.int32)
    far = [cv2.distanceTransform((labels != part).view(np.uint8), cv2.DIST_L2, 3) for part in parts]
    return np.where(whole > 0, np.argmin(np.stack(far), axis=0) + 1, 0).astype(np.int32)


def edges_in(region: NDArray[np.bool_], picture: Picture) -> NDArray[np.bool_]:
    """The pixels of a region at which it has most contrast: they show first that it moves.

    Args:
        region: `(h, w)`.
        picture: The same part of the frame, `(h, w, 3)`.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    contrast = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return np.asarray(region & (contrast >= np.percentile(contrast[region], _EDGES)), np.bool_)
