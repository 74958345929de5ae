"""Mice and flies from above, in grey."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.sprites import SHIFT


class Brush(NamedTuple):
    """Paints in units of a body's length, forward and to its left, around its middle."""

    canvas: NDArray[np.uint8]
    middle: NDArray[np.float64]
    heading: float
    length: float

    def oval(
        self, spot: tuple[float, float], half: tuple[float, float], grey: float, turn: float = 0
    ) -> None:
        """An ellipse at a spot, turned from the body by `turn` radians."""
        centre = self._place(spot)
        axes = [max(1, round(part * self.length * (1 << SHIFT))) for part in half]
        angle = math.degrees(self.heading + turn)
        cv2.ellipse(
            self.canvas, centre, axes, angle, 0, 360, (grey, grey, grey, 255), -1, cv2.LINE_8, SHIFT
        )

    def curve(self, spots: list[tuple[float, float]], width: float, grey: float) -> None:
        """A line through spots."""
        line = np.array([self._place(spot) for spot in spots], np.int32)
        thick = max(1, round(width * self.length))
        cv2.polylines(
            self.canvas,
            [line],
            isClosed=False,
            color=(grey, grey, grey, 255),
            thickness=thick,
            lineType=cv2.LINE_8,
            shift=SHIFT,
        )

    def _place(self, spot: tuple[float, float]) -> tuple[int, int]:
        along, aside = spot
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        x = self.middle[0] + self.length * (along * cos - aside * sin)
        y = self.middle[1] + self.length * (along * sin + aside * cos)
        return round(x * (1 << SHIFT)), round(y * (1 << SHIFT))


def paint_mouse(brush: Brush, fur: float, time: float) -> None:
    """A mouse; at rest `time` is 0."""
    swing = 0.14 * math.sin(7 * time) if time else 0.05
    skin = 0.5 * fur + 70
    tail = [(-0.4 - 0.11 * k, swing * (k / 3) ** 1.5 + 0.05 * math.sin(0.9 * k)) for k in range(8)]
    brush.curve(tail, 0.045, skin)
    bend = 0.04 * math.sin(9 * time) if time else 0.0
    brush.oval((-0.14, bend), (0.34, 0.215), fur)
    brush.oval((0.14, -bend), (0.26, 0.165), fur + 5)
    brush.oval((-0.2, bend), (0.2, 0.11), fur + 10)
    for side in (-1, 1):
        brush.oval((0.29, 0.125 * side), (0.065, 0.06), skin)
    brush.oval((0.38, 0.0), (0.15, 0.1), fur + 2)
    brush.oval((0.51, 0.0), (0.04, 0.035), skin)


def paint_fly(brush: Brush, fur: float, time: float) -> None:
    """A fly; at rest `time` is 0."""
    step = 0.1 * math.sin(25 * time) if time else 0.0
    for side in (-1, 1):
        for along, out in ((0.2, 0.3), (0.02, 0.36), (-0.18, 0.32)):
            brush.curve(
                [(along * 0.6, 0.1 * side), (along + side * step, out * side)], 0.05, fur + 20
            )
    brush.oval((-0.18, 0.0), (0.32, 0.16), fur)
    brush.oval((0.16, 0.0), (0.19, 0.16), fur + 12)
    brush.oval((0.4, 0.0), (0.11, 0.15), fur - 10)
    for side in (-1, 1):
        brush.oval((-0.26, 0.11 * side), (0.33, 0.1), fur + 42, turn=-0.16 * side)
