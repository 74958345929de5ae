"""An object that stands as it is tracked, the observation of a frame, and places in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Mask, Picture
from cleanplate.segmentation.layers.stationary_object import StationaryObject

Part = tuple[slice, slice]
Box = tuple[int, int, int, int]


class Observation(NamedTuple):
    """What a frame shows of the stationary foreground.

    Attributes:
        time: Seconds.
        picture: The frame, `(h, w, 3)`.
        foreground: `(h, w)`, 255 or 0.
        at_rest: Foreground that is still, `(h, w)`.
        since: Time at which each pixel came to rest, `(h, w)`, seconds.
    """

    time: float
    picture: Picture
    foreground: Mask
    at_rest: NDArray[np.bool_]
    since: NDArray[np.float64]


@dataclass
class TrackedObject:
    """An object as it is followed.

    Attributes:
        mark: Its number in the map of owners.
        found: Time at which it was found.
        grew: Time at which it grew last.
        start: Time of the first frame.
        object: What is reported of it.
        edges: Rows and columns of its edges.
        usual: Share of them that is seen usually.
        has_come: Whether it came to its place, or at least a part of it did.
        is_measured: Whether these are known of all of its pixels.
        is_apart: Whether it has been seen as a whole, apart from what moves.
        is_reported: Whether it is reported.
    """

    mark: int
    found: float
    grew: float
    start: float
    object: StationaryObject
    edges: tuple[NDArray[np.intp], ...] = ()
    usual: float = 1.0
    has_come: bool = False
    is_measured: bool = False
    is_apart: bool = False
    is_reported: bool = False


def part_of(box: Box) -> Part:
    """Rows and columns of a box."""
    left, top, width, height = box
    return np.s_[top : top + height, left : left + width]


def grown(box: Box, rim: int) -> Part:
    """The same, and so many around it as there are."""
    left, top, width, height = box
    return np.s_[max(0, top - rim) : top + height + rim, max(0, left - rim) : left + width + rim]


def box_of(part: Part, pixels: NDArray[np.bool_]) -> Box:
    """Smallest box around some pixels of a part."""
    left, top, width, height = cv2.boundingRect(pixels.view(np.uint8))
    return left + part[1].start, top + part[0].start, width, height


def union(one: Box, other: Box) -> Box:
    """Smallest box around two."""
    left, top = min(one[0], other[0]), min(one[1], other[1])
    right = max(one[0] + one[2], other[0] + other[2])
    bottom = max(one[1] + one[3], other[1] + other[3])
    return left, top, right - left, bottom - top
