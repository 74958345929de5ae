"""A street seen by a camera that shakes: it moves by some pixels and turns a little."""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple, TypeVar, cast

import cv2
import numpy as np

from cleanplate.datasets.painted.camera import Viewpoint
from cleanplate.datasets.painted.kinds.crossroads import PaintedIntersection
from cleanplate.datasets.painted.staging import Staging
from cleanplate.datasets.painted.street.views import view_of
from cleanplate.frames import FloatMap, FrameSize, Picture

Canvas = TypeVar("Canvas", Picture, FloatMap)
REACH = 4.0
"""Standard deviation of the shake of a picture of 320x240, pixels along each axis."""
TURN = 0.25
"""Standard deviation of the rotation, degrees."""
SPEEDS = (0.35, 1.1, 2.7)
"""Frequencies of the mast's swing, hertz; each frame has a shock of its own beside them."""


class Shake(NamedTuple):
    """Where the camera has moved to: pixels to the right and down, and degrees clockwise."""

    right: float
    down: float
    turn: float


class Jitter(PaintedIntersection):
    """The street on a larger canvas, of which each frame shows another window."""

    def _view(self) -> Viewpoint:
        return view_of(self.settings.seed)

    def _canvas(self) -> FrameSize:
        margin = 2 * self._margin
        return FrameSize(self.size.height + margin, self.size.width + margin)

    @cached_property
    def _margin(self) -> int:
        """What the shake needs at each side."""
        farthest = 3 * self._reach + math.radians(3 * TURN * self.settings.strength) * max(
            self.size
        )
        return math.ceil(farthest) + 2

    @property
    def _reach(self) -> float:
        pixels = math.sqrt(self.size.height * self.size.width)
        return REACH * self.settings.strength * pixels / math.sqrt(320 * 240)

    def shake_of(self, index: int) -> Shake:
        """How the camera stands in a frame."""
        time = self.time(index)
        random = np.random.default_rng([self.settings.seed, 83])
        phases = random.uniform(0, 2 * math.pi, (3, len(SPEEDS)))
        pace = random.uniform(0.8, 1.25, (3, len(SPEEDS)))
        swing = np.sin(2 * math.pi * time * pace * SPEEDS + phases) @ (0.7, 0.6, 0.4)
        shock = 0.5 * np.random.default_rng([self.settings.seed, 89, index]).standard_normal(3)
        right, down, turn = np.clip(0.8 * (swing + shock), -3, 3)
        angle = float(turn) * TURN * self.settings.strength
        return Shake(float(right) * self._reach, float(down) * self._reach, angle)

    def _show(self, index: int) -> Staging:
        still = super()._show(index)
        shake = self.shake_of(index)
        staging = Staging(self._seen(still.plate, shake))
        staging.picture = self._seen(still.picture, shake)
        staging.cover = self._seen(still.cover, shake)
        staging.shade = self._seen(still.shade, shake)
        # interpolation rounds: what is hardly covered is not covered
        staging.cover[staging.cover < 1e-3] = 0
        staging.shade[staging.shade < 1e-3] = 0
        staging.owners = self._seen(still.owners.astype(np.float32), shake, sharp=True).astype(
            np.int32
        )
        staging.things = still.things
        return staging

    def _empty(self, index: int) -> Picture:
        return self._seen(super()._empty(index), self.shake_of(index))

    @cached_property
    def still_plate(self) -> Picture:
        """The empty scene as the camera sees it at rest, amid the clip."""
        middle = super()._empty(len(self) // 2)
        return self._seen(middle, Shake(0.0, 0.0, 0.0))

    def _seen(self, canvas: Canvas, shake: Shake, *, sharp: bool = False) -> Canvas:
        """The part of the canvas that a frame shows."""
        height, width = self.size
        middle = ((width - 1) / 2 + self._margin, (height - 1) / 2 + self._margin)
        matrix = cv2.getRotationMatrix2D(middle, shake.turn, 1.0)
        matrix[:, 2] -= (self._margin + shake.right, self._margin + shake.down)
        how = cv2.INTER_NEAREST if sharp else cv2.INTER_LINEAR
        return cast("Canvas", cv2.warpAffine(canvas, matrix, (width, height), flags=how))


SCENE = Jitter
