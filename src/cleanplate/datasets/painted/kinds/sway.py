"""A street seen through a tree in the wind: leaves move by pixels, gaps open and close."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.camera import Viewpoint
from cleanplate.datasets.painted.kinds.crossroads import Backdrop, PaintedIntersection
from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.sprites import SHIFT, Bounds, Sprite, reduce_canvas
from cleanplate.datasets.painted.street.plants import LEAVES
from cleanplate.datasets.painted.street.scenery import Standing
from cleanplate.datasets.painted.street.views import view_of
from cleanplate.frames import FloatMap

TREE_DEPTH = 6.0
"""The tree is nearer than all that walks and drives, metres."""
LAYERS = 3
BRANCH, FLUTTER = 4.0, 1.3
"""How far a branch and a leaf move in a gust, pixels of a picture of 320x240."""


class _Boughs(NamedTuple):
    """One layer of leaves: a picture at rest and how it moves."""

    still: FloatMap
    phase: FloatMap
    flutter: FloatMap
    freedom: FloatMap
    pace: float


class Sway(PaintedIntersection):
    """The street behind a crown that fills about a third of the picture."""

    def __init__(self, settings: PaintedSettings) -> None:
        super().__init__(settings)
        random = np.random.default_rng([settings.seed, 151])
        self._scale = self.size.height / 240
        self._gusts = random.uniform(0, 2 * math.pi, 3)
        outline = self._outline(random)
        self._boughs = [self._grow(outline, layer, random) for layer in range(LAYERS)]
        grid = np.indices(self.size, dtype=np.float32)
        self._rows, self._columns = grid

    def _view(self) -> Viewpoint:
        return view_of(self.settings.seed, zoom=(0.95, 1.2))

    def _outline(self, random: np.random.Generator) -> NDArray[np.float64]:
        """Middles and radii of the tufts that make the crown and the bushes, pixels."""
        height, width = self.size
        side = 1 if random.random() < 0.5 else -1
        tufts = []
        for _ in range(60):
            # from the upper corner along the top, thinner towards the middle
            across, down = float(random.beta(1.0, 1.9)), float(random.beta(1.0, 2.0))
            tufts.append((across * 0.85, down * 0.62 * (1.15 - 0.7 * across), 0.07))
        tufts += [
            (float(random.beta(1, 2.4)) * 0.55, 1.02 - float(random.beta(1, 3)) * 0.2, 0.06)
            for _ in range(14)
        ]
        outline = np.array(tufts) * (width, height, height)
        outline[:, 2] *= random.uniform(0.7, 1.4, len(outline))
        if side < 0:
            outline[:, 0] = width - outline[:, 0]
        return outline

    def _grow(
        self, outline: NDArray[np.float64], layer: int, random: np.random.Generator
    ) -> _Boughs:
        height, width = self.size
        larger = 3 if height <= 360 else 2
        canvas = np.zeros((height * larger, width * larger, 4), np.uint8)
        unit = larger * (1 << SHIFT)
        lift = layer / (LAYERS - 1)
        for column, row, radius in outline[random.random(len(outline)) < 0.85]:
            for _ in range(26):
                turn, away = (
                    float(random.uniform(0, 2 * math.pi)),
                    math.sqrt(float(random.random())),
                )
                # upper left sides are sunny
                sun = -away * (math.sin(turn) + 0.5 * math.cos(turn)) / 1.5
                tone = int(
                    np.clip(round(1.2 + lift + 1.6 * sun + float(random.normal(0, 0.7))), 0, 4)
                )
                colour = [part * float(random.uniform(0.85, 1.15)) for part in LEAVES[tone]]
                spot = (
                    column + radius * away * math.cos(turn),
                    row + radius * away * math.sin(turn),
                )
                axes = np.array([random.uniform(1.6, 3.4), random.uniform(0.9, 1.7)]) * self._scale
                cv2.ellipse(
                    canvas,
                    (round(spot[0] * unit), round(spot[1] * unit)),
                    (max(1, round(axes[0] * unit)), max(1, round(axes[1] * unit))),
                    float(random.uniform(0, 180)),
                    0,
                    360,
                    (*colour, 255.0),
                    -1,
                    cv2.LINE_8,
                    SHIFT,
                )
        sprite = reduce_canvas(canvas, Bounds(0, 0, width, height))
        still = np.dstack([sprite.colour, sprite.alpha * 255]).astype(np.float32)
        phase = _field(random, self.size, 22 * self._scale) * 1.2
        flutter = _field(random, self.size, 3.5 * self._scale) * 2.5
        freedom = np.clip(0.75 + 0.3 * _field(random, self.size, 30 * self._scale), 0.25, 1.4)
        return _Boughs(still, phase, flutter, freedom, float(random.uniform(0.85, 1.2)))

    def _backdrop(self, time: float) -> Backdrop:
        backdrop = super()._backdrop(time)
        picture = backdrop.picture.astype(np.float32)
        clear = np.ones(self.size, np.float32)
        colour = np.zeros_like(picture)
        for boughs in self._boughs:
            moved = self._moved(boughs, time)
            open_part = 1 - moved[..., 3] * np.float32(1 / 255)
            colour = colour * open_part[..., None] + moved[..., :3]
            clear *= open_part
        tree = Sprite(0, 0, np.ascontiguousarray(colour), 1 - clear)
        behind = picture * clear[..., None] + colour
        standing = [*backdrop.standing, Standing(tree, TREE_DEPTH)]
        box = np.array([[TREE_DEPTH, 0, self.size.width, 0, self.size.height]], float)
        return Backdrop(
            (behind + np.float32(0.5)).astype(np.uint8),
            standing,
            np.concatenate([backdrop.windows, box]),
            backdrop.ground * clear,
        )

    def gust(self, time: float) -> float:
        """Strength of the wind, about 0.15 to 1."""
        waves = np.sin(2 * np.pi * time / np.array([11.0, 6.1, 3.3]) + self._gusts)
        return float(np.clip(0.5 + 0.3 * waves[0] + 0.2 * waves[1] + 0.12 * waves[2], 0.12, 1.1))

    def _moved(self, boughs: _Boughs, time: float) -> FloatMap:
        reach = self.settings.strength * self._scale * self.gust(time)
        swing = 2 * math.pi * boughs.pace * time
        across = BRANCH * boughs.freedom * (0.35 + np.sin(boughs.phase + np.float32(0.45 * swing)))
        across += FLUTTER * np.sin(boughs.flutter + np.float32(1.9 * swing))
        down = 0.45 * BRANCH * boughs.freedom * np.sin(1.3 * boughs.phase + np.float32(0.6 * swing))
        down += FLUTTER * np.sin(1.4 * boughs.flutter + np.float32(2.3 * swing))
        return cv2.remap(
            boughs.still,
            self._columns - np.float32(reach) * across,
            self._rows - np.float32(reach) * down,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )


SCENE = Sway


def _field(random: np.random.Generator, size: tuple[int, int], grain: float) -> FloatMap:
    """A smooth random field of mean 0 and deviation 1."""
    rough = random.standard_normal(size).astype(np.float32)
    smooth = cv2.GaussianBlur(rough, (0, 0), grain, borderType=cv2.BORDER_REFLECT)
    return np.asarray((smooth - smooth.mean()) / smooth.std(), np.float32)
