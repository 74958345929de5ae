"""Registration: where a frame of a shaken camera lies over the plate, and the way there and back.

Points of the plate are looked up in the frame (pyramids of Lucas and Kanade, after Bouguet 2001) in
pictures of local contrast, in which light plays no part. The motion that most of them agree on is
the camera's: what moves in front of the scene has points of its own, which do not agree. Nothing is
remembered from frame to frame, so that the same frame always has the same motion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FloatMap, FrameSize, Mask, Picture

Registration: TypeAlias = Literal["translation", "homography"]
"""What the camera's motion may be: a shift, or also a small turn, zoom and tilt."""
Points: TypeAlias = NDArray[np.float64]
"""Places in a picture, `(N, 2)`: right and down from the middle of the first pixel, in pixels."""

LEAST_POINTS = 16
"""Points that agree without which no motion is believed."""
_LEAST_INLIERS = 0.12
"""Share of the plate's points that have to agree, of those that could be seen."""
_MOST_POINTS = 120
_POINT_DISTANCE = 0.03
"""Between two points, as a share of the root of the number of pixels."""
_LEAST_CORNER = 0.03
SEARCHED_PIXELS = 160_000
"""Larger frames are reduced for the search: its precision is finer than what is lost."""
_CONTRAST_WINDOW = 15
_CONTRAST_FLOOR = 6.0
"""Contrast, in grey levels, that counts as noise."""
_CONTRAST_UNIT = 50.0
_CLEAR = 0.4
"""Share of the plate's local spread that a frame has which is neither dark nor in fog."""
_WINDOW = (11, 11)
_LEVELS = 3
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.02)
_LARGEST_ERROR = 28.0
"""Mean difference of a point's surroundings, 56 for two that have nothing in common."""
_RADII: dict[Registration, tuple[float, ...]] = {
    "translation": (2.0, 1.0, 0.6, 0.6),
    "homography": (7.0, 4.0, 2.0, 1.0, 0.6, 0.6),
}
"""Distance, in pixels, from which a point does not agree, in one round of fitting after another."""
_POINT_NOISE = 0.15
"""Standard deviation of a point's motion, in pixels."""
_PRIOR = np.array([100.0, 100.0, 4.0, 4.0, 4.0, 4.0, 1.0, 1.0])
"""What the parts of a motion usually come to at the frame's edge, in pixels: the shift, the linear
part, and the perspective. Where half of the points are hidden, it keeps the rest from swinging."""
_LEAST_MOTION = 1 / 64
"""Motions below it, in pixels, are none: interpolation would only blur."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Where the plate's pixels lie in one frame.

    Attributes:
        matrix: `(3, 3)`, takes a place (right, down, 1) of the plate to that of the frame.
        size: Of plate and frame.
        is_found: Whether enough points agree; where not, the matrix is that of no motion.
        inlier_ratio: Share of the plate's points that agree, 0 to 1.
    """

    matrix: Points
    size: FrameSize
    is_found: bool = True
    inlier_ratio: float = 1.0

    @cached_property
    def reach(self) -> float:
        """How far the corner that moves farthest moves, in pixels."""
        corners = _corners(self.size)
        return float(np.abs(moved(corners, self.matrix) - corners).max())

    @property
    def is_none(self) -> bool:
        """Whether there is nothing to be moved."""
        return self.reach < _LEAST_MOTION

    @property
    def is_shift(self) -> bool:
        """Whether all pixels move alike."""
        linear = self.matrix.copy()
        linear[:2, 2] = 0
        return bool(np.array_equal(linear, np.eye(3)))

    @property
    def shift(self) -> tuple[float, float]:
        """Motion of the frame's middle, right and down, in pixels."""
        middle = np.array([[self.size.width - 1, self.size.height - 1]]) / 2
        across, down = (moved(middle, self.matrix) - middle)[0]
        return float(across), float(down)

    def scaled(self, size: FrameSize) -> Motion:
        """The same motion of the same pictures in another size."""
        if size == self.size:
            return self
        scaling = _scaling(self.size, size)
        matrix = scaling @ self.matrix @ np.linalg.inv(scaling)
        if self.is_shift:
            matrix[:2, :2] = np.eye(2)  # and stays one, whatever the rounding
        return replace(self, matrix=matrix, size=size)

    def after_shift(self, across: float, down: float) -> Motion:
        """The motion over the plate of a camera that looks that much further right and down."""
        shift = np.eye(3)
        shift[:2, 2] = across, down
        return replace(self, matrix=self.matrix @ shift)

    @cached_property
    def unseen(self) -> Mask:
        """Pixels of the plate that lie outside the frame, `(H, W)`, 255, else 0."""
        if self.is_none:
            return np.zeros(self.size, np.uint8)
        everything = np.full(self.size, 255, np.uint8)
        # Linear: a pixel that is only partly seen is not seen.
        return cv2.compare(self.to_plate(everything, cv2.INTER_LINEAR), 255, cv2.CMP_LT)

    def to_plate(self, picture: Picture | Mask, how: int = cv2.INTER_CUBIC) -> Picture:
        """A picture of the frame as the plate's camera would have seen it; 0 where it saw more."""
        if self.is_none:
            return picture
        if self.is_shift and how == cv2.INTER_CUBIC:
            return _shifted(picture, self.matrix[:2, 2])
        return _warped(picture, self.matrix, self.size, how | cv2.WARP_INVERSE_MAP)

    def to_frame(
        self,
        picture: Picture | Mask,
        how: int = cv2.INTER_LINEAR,
        *,
        size: FrameSize | None = None,
        beyond: int = cv2.BORDER_CONSTANT,
    ) -> Picture:
        """A picture of the plate's as the frame's camera would have seen it.

        Args:
            picture: `(h, w)` or `(h, w, 3)`, in the size of the motion.
            how: OpenCV's interpolation.
            size: Of the result; None: that of the motion.
            beyond: What is put where the plate ends, OpenCV's border; the default is 0.
        """
        size = size or self.size
        if self.is_none and size == self.size:
            return picture
        to_size = _scaling(self.size, size) @ self.matrix
        return _warped(picture, to_size, size, how, beyond)


class Registrar:
    """Finds the motion of frames over one plate.

    Args:
        plate: `(H, W, 3)`, uint8, RGB.
        how: What the motion may be.
    """

    def __init__(self, plate: Picture, how: Registration) -> None:
        self._size = FrameSize(*plate.shape[:2])
        scale = min(1.0, math.sqrt(SEARCHED_PIXELS / self._size.pixels))
        self._searched = FrameSize(*(max(1, round(side * scale)) for side in self._size))
        self._how: Registration = how
        self._contrast, self._spread = self._local_contrast(plate)
        distance = max(3.0, _POINT_DISTANCE * math.sqrt(self._searched.pixels))
        found = cv2.goodFeaturesToTrack(self._contrast, _MOST_POINTS, _LEAST_CORNER, distance)
        points = np.empty((0, 1, 2), np.float32) if found is None else found
        self._points = np.asarray(points, np.float32)

    @property
    def is_able(self) -> bool:
        """Whether the plate has enough to go by."""
        return len(self._points) >= LEAST_POINTS

    def locate(self, picture: Picture) -> Motion:
        """The camera's motion in a frame of the plate's size."""
        if not self.is_able:
            return Motion(np.eye(3), self._size, is_found=False, inlier_ratio=0.0)
        contrast, _ = self._local_contrast(picture)
        motion = self._follow(contrast, None)
        if not motion.is_found:
            # Far away, or hardly anything of the scene to be seen: what would the whole say?
            (across, down), _ = cv2.phaseCorrelate(
                self._contrast.astype(np.float32),
                contrast.astype(np.float32),
                cv2.createHanningWindow(self._searched[::-1], cv2.CV_32F),
            )
            second = self._follow(contrast, np.array([across, down], np.float32))
            motion = second if second.is_found else motion
        return motion

    def _follow(self, contrast: Mask, guess: FloatMap | None) -> Motion:
        begin = self._points if guess is None else self._points + guess
        ends, status, errors = cv2.calcOpticalFlowPyrLK(
            self._contrast,
            contrast,
            self._points,
            begin.copy(),
            winSize=_WINDOW,
            maxLevel=_LEVELS,
            criteria=_STOP,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        good = (status[:, 0] > 0) & (errors[:, 0] < _LARGEST_ERROR)
        starts, ends = self._points[good, 0].astype(np.float64), ends[good, 0].astype(np.float64)
        if len(starts) < LEAST_POINTS:
            return self._unfound(len(starts))
        matrix, agree = _fit(starts, ends, self._searched, self._how)
        # A camera that looks elsewhere sees only a part of the plate's points.
        places = moved(self._points[:, 0].astype(np.float64), matrix)
        visible = np.all((places >= 0) & (places < self._searched[::-1]), axis=1)
        count = int(np.count_nonzero(agree))
        if count < max(LEAST_POINTS, _LEAST_INLIERS * np.count_nonzero(visible)):
            return self._unfound(count)
        found = Motion(matrix, self._searched, inlier_ratio=count / len(self._points))
        return found.scaled(self._size)

    def _unfound(self, count: int) -> Motion:
        inlier_ratio = count / max(1, len(self._points))
        return Motion(np.eye(3), self._size, is_found=False, inlier_ratio=inlier_ratio)

    def is_clear(self, picture: Picture) -> bool:
        """Whether a frame shows about as much structure as the plate, wherever it lies."""
        return self._local_contrast(picture)[1] >= _CLEAR * self._spread

    def _local_contrast(self, picture: Picture) -> tuple[Mask, float]:
        """Grey less its surroundings, in units of their spread: no light in it, `(h, w)`, uint8.

        The mean of that spread, in grey levels, comes with it.
        """
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        if self._searched != self._size:
            grey = cv2.resize(grey, self._searched[::-1], interpolation=cv2.INTER_AREA)
        values = grey.astype(np.float32)
        window = (_CONTRAST_WINDOW, _CONTRAST_WINDOW)
        values -= cv2.blur(values, window)
        spread = cv2.sqrt(cv2.blur(cv2.multiply(values, values), window))
        ratio = cv2.divide(values, cv2.add(spread, _CONTRAST_FLOOR), scale=_CONTRAST_UNIT)
        contrast = np.asarray(cv2.add(ratio, 128, dtype=cv2.CV_8U), np.uint8)
        return contrast, float(cv2.mean(spread)[0])


def moved(points: Points, matrix: Points) -> Points:
    """Where a matrix takes points, `(N, 2)`."""
    taken = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(taken[:, :2] / taken[:, 2:], np.float64)


def _fit(
    starts: Points, ends: Points, size: FrameSize, how: Registration
) -> tuple[Points, NDArray[np.bool_]]:
    """The motion that most points agree on, and which of them do.

    It begins at the commonest shift; points are then left out that stray from what the others say,
    round by round (least squares with Tukey's weights).
    """
    matrix = np.eye(3)
    matrix[:2, 2] = _commonest(ends - starts, _RADII[how][0])
    for radius in _RADII[how]:
        weights = np.maximum(1 - _deviations(starts, ends, matrix) / radius**2, 0) ** 2
        if np.count_nonzero(weights) < LEAST_POINTS // 2:
            break
        if how == "translation":
            matrix[:2, 2] = weights @ (ends - starts) / weights.sum()
        else:
            matrix = _homography(starts, ends, weights, size)
    return matrix, _deviations(starts, ends, matrix) < (2 * _RADII[how][-1]) ** 2


def _deviations(starts: Points, ends: Points, matrix: Points) -> NDArray[np.float64]:
    """Squared distance of each point from where the motion would have it."""
    away = moved(starts, matrix) - ends
    return np.asarray(np.einsum("ij,ij->i", away, away), np.float64)


def _commonest(shifts: Points, radius: float) -> Points:
    """The shift that has most others within a radius."""
    places = (shifts[:, 0] + 1j * shifts[:, 1]).astype(np.complex64)
    near = np.abs(places[:, None] - places[None]) < radius
    best = int(np.argmax(np.count_nonzero(near, axis=1)))
    return np.asarray(shifts[near[best]].mean(axis=0), np.float64)


def _homography(
    starts: Points, ends: Points, weights: NDArray[np.float64], size: FrameSize
) -> Points:
    """Least squares of the eight numbers of a homography, held to what is usual by a prior."""
    half = max(size) / 2
    to_unit = np.array(
        [[1 / half, 0, -size.width / 2 / half], [0, 1 / half, -size.height / 2 / half], [0, 0, 1]]
    )
    here, there = moved(starts, to_unit), moved(ends, to_unit)
    across, down = here.T
    one, none = np.ones_like(across), np.zeros_like(across)
    # there * (1 + g across + h down) = the linear part: linear in all eight numbers.
    rows = np.concatenate(
        [
            np.stack([one, none, across, down, none, none, -across * there[:, 0],
                      -down * there[:, 0]], axis=1),
            np.stack([none, one, none, none, across, down, -across * there[:, 1],
                      -down * there[:, 1]], axis=1),
        ]
    )  # fmt: skip
    wanted = (there - here).T.reshape(-1)
    doubled = np.concatenate([weights, weights])
    normal = rows.T @ (rows * doubled[:, None]) + np.diag((_POINT_NOISE / _PRIOR) ** 2)
    solved = np.linalg.solve(normal, rows.T @ (doubled * wanted))
    shift_x, shift_y, xx, xy, yx, yy, tilt_x, tilt_y = solved
    unit = np.array([[1 + xx, xy, shift_x], [yx, 1 + yy, shift_y], [tilt_x, tilt_y, 1]])
    matrix = np.linalg.inv(to_unit) @ unit @ to_unit
    return np.asarray(matrix / matrix[2, 2], np.float64)


def _corners(size: FrameSize) -> Points:
    right, bottom = size.width - 1, size.height - 1
    return np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], np.float64)


def _scaling(small: FrameSize, large: FrameSize) -> Points:
    """Takes a place in a picture to that in the same picture of another size."""
    across, down = large.width / small.width, large.height / small.height
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])


def _warped(
    picture: Picture | Mask,
    matrix: Points,
    size: FrameSize,
    how: int,
    beyond: int = cv2.BORDER_CONSTANT,
) -> Picture:
    if np.array_equal(matrix[2], (0, 0, 1)):
        return np.asarray(
            cv2.warpAffine(picture, matrix[:2], size[::-1], flags=how, borderMode=beyond), np.uint8
        )
    return np.asarray(
        cv2.warpPerspective(picture, matrix, size[::-1], flags=how, borderMode=beyond), np.uint8
    )


def _shifted(picture: Picture | Mask, shift: Points) -> Picture:
    """`out[y, x] = picture[y + down, x + across]`, cubic between pixels; 0 outside.

    Rows and columns apart: five times as fast as a general warp, and no coarser than it.
    """
    whole = np.floor(shift).astype(int)
    across, down = (_cubic(part) for part in shift - whole)
    # Taps -1, 0, 1, 2: the anchor is the second of four.
    smooth = cv2.sepFilter2D(
        picture, -1, across, down, anchor=(1, 1), borderType=cv2.BORDER_REPLICATE
    )
    height, width = picture.shape[:2]
    result = np.zeros_like(picture)
    columns, rows = _overlap(width, whole[0]), _overlap(height, whole[1])
    result[rows[0], columns[0]] = smooth[rows[1], columns[1]]
    return result


def _overlap(length: int, shift: int) -> tuple[slice, slice]:
    """Places of the result that have a source, and their sources."""
    first, last = max(0, -shift), min(length, length - shift)
    last = max(first, last)
    return slice(first, last), slice(first + shift, last + shift)


def _cubic(part: float) -> FloatMap:
    """Weights of the four neighbours of a place between two pixels (Keys 1981, a = -0.5)."""
    near = np.abs(np.array([1 + part, part, 1 - part, 2 - part]))
    inner = 1.5 * near**3 - 2.5 * near**2 + 1
    outer = -0.5 * near**3 + 2.5 * near**2 - 4 * near + 2
    return np.asarray(np.where(near <= 1, inner, outer), np.float32)
