"""Ghosts: foreground that is there only because the plate shows something that has left."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FloatMap, Mask, Picture

_LEAST_CONTRAST = 30.0
"""Contrast of an outline, in grey levels summed over RGB, that is more than chance."""
_DECISIVE = 2.0
"""How many times the plate's contrast at a pixel of the outline is the frame's."""
_MOST_OF_OUTLINE = 0.75
"""Share of the outline at which the plate's contrast has to be decisive."""
_LEAST_SEEN = 0.6
"""Share of the outline that must have background beside it for any verdict."""
_LEAST_WEIGHT = 0.3
"""Share of the window that has to lie on either side of the outline."""


def is_ghost(
    region: Mask, foreground: Mask, picture: Picture, background: Picture, side: int
) -> bool:
    """Whether the region's outline is an edge of the background and not of the frame.

    What waits in front of the scene has its outline in the frame; what the plate still shows though
    it has left has it in the plate (after the removal of ghosts by edges: Cucchiara et al.,
    "Detecting moving objects, ghosts, and shadows in video streams", PAMI 2003).

    Args:
        region: `(h, w)`, 255 in the region, else 0.
        foreground: `(h, w)`, 255 in all foreground, which is no surrounding.
        picture: The frame, `(h, w, 3)`.
        background: Its background, `(h, w, 3)`.
        side: Of the square over which the two sides of the outline are compared, in pixels, odd.
    """
    left, top, width, height = cv2.boundingRect(region)
    part = np.s_[
        max(0, top - side) : top + height + side,
        max(0, left - side) : left + width + side,
    ]
    inside = (region[part] > 0).astype(np.float32)
    outside = ((foreground[part] == 0) & (region[part] == 0)).astype(np.float32)
    weights = (_blurred(inside, side), _blurred(outside, side))
    on_outline = (weights[0] > _LEAST_WEIGHT) & (weights[0] < 1 - _LEAST_WEIGHT) & (inside > 0)
    seen = on_outline & (weights[1] > _LEAST_WEIGHT)
    if not seen.any() or np.count_nonzero(seen) < _LEAST_SEEN * np.count_nonzero(on_outline):
        return False
    of_frame, of_plate = (
        _contrast(shown[part], (inside, outside), weights, seen, side)
        for shown in (picture, background)
    )
    decisive = (of_plate >= _LEAST_CONTRAST) & (of_plate >= _DECISIVE * of_frame)
    return float(np.mean(decisive)) >= _MOST_OF_OUTLINE


def _contrast(
    shown: Picture,
    sides: tuple[FloatMap, FloatMap],
    weights: tuple[FloatMap, FloatMap],
    on_outline: NDArray[np.bool_],
    square: int,
) -> NDArray[np.float32]:
    """What the means of the two sides differ by at each pixel of the outline, over RGB."""
    values = shown.astype(np.float32)
    means = [
        _blurred(values * side[..., None], square)[on_outline] / weight[on_outline][:, None]
        for side, weight in zip(sides, weights, strict=True)
    ]
    return np.asarray(np.abs(means[0] - means[1]).sum(axis=1), np.float32)


def _blurred(values: FloatMap, side: int) -> FloatMap:
    return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)
