"""The pictures and shadows of what moves, and the order in which they are laid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.camera import SUN_SHADOW, Camera, Points
from cleanplate.datasets.painted.sprites import (
    NEAR,
    SHIFT,
    Solid,
    Sprite,
    fixed_point,
    frame_bounds,
    paint_projected,
)
from cleanplate.datasets.painted.street.bodies import STRIDE_STEPS, person_solid, vehicle_solid
from cleanplate.datasets.painted.street.traffic import LENGTHS, WIDTHS, Pose
from cleanplate.frames import FloatMap

KEPT = 200
PENUMBRA = 0.035
"""Softness of a shadow's edge, metres."""


class Shade(NamedTuple):
    """A cast shadow: its window of the frame and its strength, 0 to 1."""

    window: tuple[slice, slice]
    strength: FloatMap


class Mover(NamedTuple):
    """One visible thing that moves."""

    pose: Pose
    depth: float
    sprite: Sprite
    shade: Shade | None


class Painter:
    """Paints what moves; keeps the pictures of what stands still."""

    def __init__(self, camera: Camera, *, shadows: bool) -> None:
        self._camera = camera
        self._shadows = shadows
        self._aside = (float(camera.axes[0, 0]), float(camera.axes[0, 1]))
        self._kept: dict[Pose, Mover | None] = {}

    def paint(self, poses: Sequence[Pose]) -> list[Mover]:
        """The visible things, those behind before those in front."""
        nearby = self._in_reach(poses)
        movers = [mover for pose in nearby if (mover := self._paint_one(pose)) is not None]
        return [movers[i] for i in _back_to_front(movers, self._camera.position)]

    def _in_reach(self, poses: Sequence[Pose]) -> list[Pose]:
        """Those that can be seen, by a look at their middles alone."""
        if not poses:
            return []
        seen = self._camera.project(np.array([(pose.x, pose.y, 0.5) for pose in poses]))
        reach = np.array([LENGTHS.get(pose.kind, 1.0) / 2 + 3.0 for pose in poses])
        room = reach * self._camera.focal / seen[:, 2] + 2
        inside = (seen[:, 2] > NEAR) & (seen[:, 0] > -room) & (seen[:, 1] > -room)
        inside &= (seen[:, 0] < self._camera.size.width + room) & (
            seen[:, 1] < self._camera.size.height + room
        )
        return [pose for pose, shown in zip(poses, inside, strict=True) if shown]

    def _paint_one(self, pose: Pose) -> Mover | None:
        if pose.waiting == 0:
            return self._paint_new(pose)
        key = pose._replace(waiting=1.0)
        if key not in self._kept:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[key] = self._paint_new(key)
        kept = self._kept[key]
        return None if kept is None else kept._replace(pose=pose)

    def _paint_new(self, pose: Pose) -> Mover | None:
        depth = self._camera.depth(pose.x, pose.y)
        if depth < NEAR:
            return None
        if pose.kind == "pedestrian":
            step = round(pose.stride / (2 * math.pi) * STRIDE_STEPS) % STRIDE_STEPS
            solid = person_solid(pose.style % 576, step, self._aside, walking=pose.waiting == 0)
        else:
            solid = vehicle_solid(pose.kind, pose.style % 576, pose.heading, braking=pose.braking)
        solid = solid.seen_from(depth, self._camera)
        count = len(solid.vertices)
        world = np.tile(solid.vertices, (2, 1))
        world += (pose.x, pose.y, 0.0)
        world[count:, :2] += world[count:, 2:] * SUN_SHADOW
        world[count:, 2] = 0
        seen = self._camera.project(world)
        sprite = paint_projected(solid, world[:count], seen[:count], self._camera)
        if sprite is None:
            return None
        shade = self._cast(solid, seen[count:]) if self._shadows else None
        return Mover(pose, depth, sprite, shade)

    def _cast(self, solid: Solid, seen: Points) -> Shade | None:
        """The shadow on the ground: of vehicles the hull, of people every part."""
        if seen[:, 2].min() < NEAR:
            return None
        bounds = frame_bounds(seen, self._camera, margin=2)
        if bounds is None:
            return None
        larger = 2
        canvas = np.zeros((bounds.height * larger, bounds.width * larger), np.uint8)
        corners = fixed_point(seen, bounds, larger)
        if not solid.flat.any():
            cv2.fillConvexPoly(canvas, cv2.convexHull(corners), 255, cv2.LINE_8, SHIFT)
        else:
            parts = np.split(corners, solid.ends[:-1])
            for part in parts:
                cv2.fillConvexPoly(canvas, part, 255, cv2.LINE_8, SHIFT)
        soft = larger * max(0.4, PENUMBRA * self._camera.focal / float(seen[0, 2]))
        canvas = cv2.GaussianBlur(canvas, (0, 0), soft, borderType=cv2.BORDER_REPLICATE)
        small = cv2.resize(
            canvas, (bounds.width, bounds.height), interpolation=cv2.INTER_AREA
        ).astype(np.float32)
        rows = slice(bounds.top, bounds.top + bounds.height)
        columns = slice(bounds.left, bounds.left + bounds.width)
        return Shade((rows, columns), small * np.float32(1 / 255))


def _extents(movers: Sequence[Mover]) -> NDArray[np.float64]:
    """For each mover its ground rectangle: least and greatest x, least and greatest y."""
    rows = []
    for mover in movers:
        pose = mover.pose
        half_length, half_width = LENGTHS.get(pose.kind, 0.5) / 2, WIDTHS.get(pose.kind, 0.5) / 2
        along_x = pose.heading[0] != 0
        across, deep = (half_length, half_width) if along_x else (half_width, half_length)
        rows.append((pose.x - across, pose.x + across, pose.y - deep, pose.y + deep))
    return np.array(rows).reshape(-1, 4)


def _back_to_front(movers: Sequence[Mover], eyes: Points) -> list[int]:
    """An order in which nothing is painted over what stands in front of it.

    Two ground rectangles that do not touch are parted by a line along x or y; the one on the
    camera's side of it is in front. Where both lines part them and disagree, neither hides the
    other. A long bus beside a short car is why distance alone is not enough.
    """
    if not movers:
        return []
    extents = _extents(movers)
    before = np.zeros((len(movers), len(movers)), bool)
    against = np.zeros_like(before)
    for axis, eye in ((0, eyes[0]), (2, eyes[1])):
        least, greatest = extents[:, axis], extents[:, axis + 1]
        # one row is behind one column when it begins beyond where the column ends, seen from
        # the camera; the camera may stand between them, then neither is in front
        right = (least[:, None] >= greatest[None, :] - 0.01) & (eye <= least[:, None])
        left = (greatest[:, None] <= least[None, :] + 0.01) & (eye >= greatest[:, None])
        behind = right | left
        before |= behind
        against |= behind.T
    before &= ~against
    depths = np.array([mover.depth for mover in movers])
    waits = before.sum(axis=0).astype(float)
    order: list[int] = []
    left_over = np.ones(len(movers), bool)
    for _ in movers:
        free = left_over & (waits == 0)
        candidates = free if free.any() else left_over
        chosen = int(np.argmax(np.where(candidates, depths, -np.inf)))
        order.append(chosen)
        left_over[chosen] = False
        waits -= before[chosen]
    return order
