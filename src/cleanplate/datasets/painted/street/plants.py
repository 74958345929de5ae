"""Trees and bushes whose leaves sway; they are part of the plate of every frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.camera import Camera
from cleanplate.datasets.painted.sprites import SHIFT, Bounds, Sprite, frame_bounds, reduce_canvas
from cleanplate.datasets.painted.street.layout import PLANTS, Plant
from cleanplate.frames import FloatMap

LEAVES = ((42, 62, 36), (60, 84, 46), (82, 106, 58), (104, 128, 72), (126, 148, 88))
LOBES = ((0.0, 0.12, 0.78), (-0.42, -0.12, 0.56), (0.44, -0.1, 0.56), (0.05, -0.42, 0.58))
SLOW, QUICK = 2 * math.pi * 0.31, 2 * math.pi * 0.83


@dataclass(frozen=True, eq=False)
class Crown:
    """The leaves of one plant.

    Attributes:
        depth: Distance along the viewing direction, metres.
        bounds: The part of the frame that it can reach.
        still: Its leaves at rest, `(h, w, 4)`: red, green, blue, opacity, 0 to 255.
        reach: `(h, w)`, how far each pixel moves to a side at most, in pixels.
        phase: `(h, w)`, how far each pixel lags in the sway, radians.
    """

    depth: float
    bounds: Bounds
    still: FloatMap
    reach: FloatMap
    phase: FloatMap

    def at(self, time: float) -> Sprite:
        """The leaves at a moment."""
        slow = np.sin(self.phase + np.float32(SLOW * time))
        quick = np.sin(self.phase * 2 + np.float32(QUICK * time))
        shift = self.reach * (0.7 * slow + 0.3 * quick)
        rows, columns = np.indices(self.reach.shape, dtype=np.float32)
        moved = cv2.remap(
            self.still, columns - shift, rows - 0.3 * self.reach * quick, cv2.INTER_LINEAR
        )
        return Sprite(
            self.bounds.left,
            self.bounds.top,
            np.ascontiguousarray(moved[..., :3]),
            np.ascontiguousarray(moved[..., 3]) * np.float32(1 / 255),
        )


def grow_crowns(camera: Camera, seed: int, sway: float) -> list[Crown]:
    """The crowns of all plants in the picture, far to near."""
    crowns = []
    for number, plant in enumerate(PLANTS):
        random = np.random.default_rng([seed, 47, number])
        crown = _grow(plant, camera, sway, random)
        if crown is not None:
            crowns.append(crown)
    return sorted(crowns, key=lambda one: -one.depth)


def _grow(plant: Plant, camera: Camera, sway: float, random: np.random.Generator) -> Crown | None:
    middle = camera.project(np.array([[plant.x, plant.y, plant.middle]]))[0]
    scale = camera.focal / middle[2]
    radius = plant.radius * scale
    tall = plant.middle > 1.5
    reach = sway * scale * (1.0 if tall else 0.3)
    if middle[2] < 2 or radius < 1:
        return None
    room = 1.25 * radius + reach + 2
    corners = np.array([middle[:2] - room, middle[:2] + room])
    bounds = frame_bounds(corners, camera)
    if bounds is None:
        return None
    still = _paint_leaves(middle, radius, bounds, random)
    rows = np.arange(bounds.height) + bounds.top + 0.5
    height = np.clip((middle[1] + radius - rows) / (2 * radius), 0, 1)[:, None]
    wide = np.ones((1, bounds.width))
    phase = cv2.GaussianBlur(
        random.standard_normal((bounds.height, bounds.width)).astype(np.float32),
        (0, 0),
        max(radius * 0.3, 0.8),
    )
    phase = phase / max(float(phase.std()), 1e-6) * 0.8 + plant.x * 0.21 + plant.y * 0.13
    return Crown(
        camera.depth(plant.x, plant.y),
        bounds,
        still,
        (reach * (0.25 + 0.75 * height) * wide).astype(np.float32),
        phase.astype(np.float32),
    )


def _paint_leaves(
    middle: NDArray[np.float64], radius: float, bounds: Bounds, random: np.random.Generator
) -> FloatMap:
    """Tufts from the shaded inside to the sunny top left."""
    larger = 4 if radius < 60 else 2
    canvas = np.zeros((bounds.height * larger, bounds.width * larger, 4), np.uint8)
    scale = larger * (1 << SHIFT)
    count = int(np.clip(radius * 7, 24, 1500))
    tuft = 0.55 / math.sqrt(count / 60) + 0.035
    for tone, leaf in enumerate(LEAVES):
        lift = tone / (len(LEAVES) - 1)
        for _ in range(count):
            lobe = LOBES[int(random.integers(len(LOBES)))]
            turn = float(random.uniform(0, 2 * math.pi))
            spread = lobe[2] * math.sqrt(float(random.random())) * (1 - 0.38 * lift)
            across = lobe[0] + spread * math.cos(turn) - 0.16 * lift
            up = lobe[1] + spread * math.sin(turn) * 0.95 + 0.2 * lift
            if tone > 0 and float(random.random()) < 0.45 + 0.1 * tone:
                continue
            shade = float(random.uniform(0.9, 1.1))
            colour = (leaf[0] * shade, leaf[1] * shade, leaf[2] * shade, 255.0)
            size = tuft * float(random.uniform(0.5, 1.0)) * (1 - 0.35 * lift)
            centre = (
                round((middle[0] + across * radius - bounds.left) * scale),
                round((middle[1] - up * radius - bounds.top) * scale),
            )
            reach = max(1, round(size * radius * scale))
            cv2.circle(canvas, centre, reach, colour, -1, cv2.LINE_8, SHIFT)
    sprite = reduce_canvas(canvas, bounds)
    return np.dstack([sprite.colour, sprite.alpha * 255]).astype(np.float32)
