"""The fixed camera: where a point of the world lies in the picture.

The world is in metres: x to the right along the crossing road, y away from the viewer along the
main road, z up; the origin is the middle of the crossing. Picture coordinates are continuous,
pixel `i` covers `[i, i + 1)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.frames import FrameSize

Points = NDArray[np.float64]

HALF_HEIGHT = 0.404
"""Tangent of half the vertical field of view (44 degrees)."""
HALF_WIDTH = 0.53
"""Least tangent of half the horizontal field of view, so that tall pictures see the crossing."""
SUN_SHADOW = np.array([0.60, -0.42])
"""Where the shadow of a point falls, in metres for each metre of its height."""


class Viewpoint(NamedTuple):
    """Where a camera is and where it looks.

    Attributes:
        x: Its place in the world, metres.
        y: The same.
        z: Its height.
        pitch: How far it looks down, degrees.
        yaw: How far it looks to the right of the y axis, degrees.
        zoom: Focal length as a multiple of the one that sees the whole crossing.
    """

    x: float
    y: float
    z: float
    pitch: float
    yaw: float
    zoom: float = 1.0


CROSSING = Viewpoint(-8.5, -32.0, 12.0, 20.0, 15.5)
"""High above the near left corner of the crossing."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera.

    Attributes:
        size: Size of the picture.
        focal: Focal length in pixels.
        axes: `(3, 3)`, its right, down and forward directions as rows.
        position: Its place in the world.
    """

    size: FrameSize
    focal: float
    axes: Points
    position: Points

    @classmethod
    def at(cls, view: Viewpoint, size: FrameSize) -> Camera:
        """The camera with this view in a picture of this size."""
        pitch, yaw = np.radians(view.pitch), np.radians(view.yaw)
        forward = np.array(
            [np.sin(yaw) * np.cos(pitch), np.cos(yaw) * np.cos(pitch), -np.sin(pitch)]
        )
        right = np.array([np.cos(yaw), -np.sin(yaw), 0.0])
        focal = view.zoom * min(size.height / 2 / HALF_HEIGHT, size.width / 2 / HALF_WIDTH)
        axes = np.stack([right, np.cross(forward, right), forward])
        return cls(size, float(focal), axes, np.array([view.x, view.y, view.z]))

    def project(self, points: Points) -> Points:
        """Picture positions and depths of world points, `(N, 3)` as column, row, metres."""
        seen = (points - self.position) @ self.axes.T
        depth = np.maximum(seen[:, 2], 0.1)
        scale = self.focal / depth
        seen[:, 0] = seen[:, 0] * scale + self.size.width / 2
        seen[:, 1] = seen[:, 1] * scale + self.size.height / 2
        return seen

    def depth(self, x: float, y: float) -> float:
        """Distance of a place on the ground along the viewing direction, in metres."""
        place = np.array([x, y, 0.0]) - self.position
        return float(place @ self.axes[2])

    def rays(self, shift: tuple[float, float]) -> tuple[NDArray[np.float32], ...]:
        """Directions through every pixel at a place inside it (row, column; 0 to 1).

        Returns:
            The x, y and z parts, each `(H, W)`; the part along the viewing direction is 1.
        """
        rows = (np.arange(self.size.height) + shift[0] - self.size.height / 2) / self.focal
        columns = (np.arange(self.size.width) + shift[1] - self.size.width / 2) / self.focal
        right, down, forward = self.axes
        return tuple(
            (columns[None, :] * right[i] + rows[:, None] * down[i] + forward[i]).astype(np.float32)
            for i in range(3)
        )
