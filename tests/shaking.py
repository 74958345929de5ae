"""Painted scenes seen by a camera that shakes: cut out of larger pictures, with real borders."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import Mask, Picture
from scenes import PaintedScene, as_bytes

MARGIN = 12
"""Pixels that a painted picture is larger on each side than what the camera sees."""


def random_walk(count: int, reach: float, *, seed: int = 0) -> NDArray[np.float64]:
    """Shifts `(N, 2)`, right and down, that never go farther than the reach, in pixels."""
    random = np.random.default_rng((seed, 7))
    place, places = np.zeros(2), []
    for step in random.normal(0, reach / 3, (count, 2)):
        place = np.clip(place + step, -reach, reach)
        places.append(place)
    return np.array(places)


def view(
    picture: Picture | Mask, matrix: NDArray[np.float64], *, how: int = cv2.INTER_LANCZOS4
) -> Picture:
    """What a camera sees: `matrix` takes its places to those of the picture, less the margin."""
    height, width = picture.shape[:2]
    outwards = np.eye(3)
    outwards[:2, 2] = MARGIN
    size = (width - 2 * MARGIN, height - 2 * MARGIN)
    seen = cv2.warpPerspective(picture, outwards @ matrix, size, flags=how | cv2.WARP_INVERSE_MAP)
    return np.asarray(seen, np.uint8)


def shift_matrix(across: float, down: float) -> NDArray[np.float64]:
    matrix = np.eye(3)
    matrix[:2, 2] = across, down
    return matrix


def turn_matrix(degrees: float, middle: tuple[float, float]) -> NDArray[np.float64]:
    """A turn around a place."""
    return np.vstack([cv2.getRotationMatrix2D(middle, degrees, 1.0), [0, 0, 1]])


def shaken(scene: PaintedScene, shifts: NDArray[np.float64]) -> PaintedScene:
    """The scene seen by a camera with these shifts; zero shifts are a camera that stands still."""
    matrices = [shift_matrix(*shift) for shift in shifts]
    return PaintedScene(
        np.stack([view(p, m) for p, m in zip(scene.frames, matrices, strict=True)]),
        np.stack([view(p, m) for p, m in zip(scene.backgrounds, matrices, strict=True)]),
        np.stack(
            [view(p, m, how=cv2.INTER_NEAREST) for p, m in zip(scene.masks, matrices, strict=True)]
        ),
    )


def with_noise(picture: Picture, *, seed: int, spread: float = 2.0) -> Picture:
    noise = np.random.default_rng((seed, 9)).normal(0, spread, picture.shape)
    return as_bytes(picture + noise)
