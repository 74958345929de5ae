"""People who come into a room, stand or sit for a while, and leave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.camera import Points
from cleanplate.datasets.painted.sprites import Colour, Face, Solid
from cleanplate.datasets.painted.street.bodies import COATS, TROUSERS


class Visit(NamedTuple):
    """One person: from a door to a spot, there for a while, and out again."""

    style: int
    way: Points
    times: NDArray[np.float64]
    is_seated: bool

    def at(self, time: float) -> tuple[float, float, float, float]:
        """World x and y, metres that were walked, and seconds of rest."""
        x, y = (float(np.interp(time, self.times, self.way[:, i])) for i in (0, 1))
        leg = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.way, axis=0).T))])
        rest = time - self.times[2] if self.times[2] <= time < self.times[3] else 0.0
        return x, y, float(np.interp(time, self.times, leg)), max(rest, 0.0)


def seated(style: int, aside: tuple[float, float]) -> Solid:
    """A person on a seat, turned to the camera."""
    coat, trousers = COATS[style % len(COATS)], TROUSERS[style // 8 % len(TROUSERS)]
    hair: Colour = ((60, 44, 34), (30, 26, 24), (150, 120, 84))[style // 192 % 3]
    right = np.array([*aside, 0.0])
    forward = np.array([aside[1], -aside[0], 0.0])
    faces = []

    def add(
        outline: Sequence[tuple[float, float, float]], colour: Colour, share: float = 1.0
    ) -> None:
        corners = [right * across + forward * ahead + (0, 0, up) for across, ahead, up in outline]
        faces.append(
            Face(np.array(corners), (colour[0] * share, colour[1] * share, colour[2] * share))
        )

    add(
        [
            (-0.2, 0, 1.05),
            (-0.13, 0, 1.12),
            (0.13, 0, 1.12),
            (0.2, 0, 1.05),
            (0.2, 0, 0.45),
            (-0.2, 0, 0.45),
        ],
        coat,
    )
    for side in (-1, 1):
        inner, outer = 0.02 * side, 0.19 * side
        add(
            [(inner, 0, 0.56), (outer, 0, 0.56), (outer, 0.45, 0.5), (inner, 0.45, 0.5)],
            trousers,
            1.1,
        )
        add(
            [
                (inner + 0.02 * side, 0.45, 0.52),
                (outer, 0.45, 0.52),
                (outer - 0.02 * side, 0.5, 0.0),
                (inner + 0.03 * side, 0.5, 0.0),
            ],
            trousers,
            0.8,
        )
        add(
            [
                (0.2 * side, 0.02, 1.03),
                (0.27 * side, 0.02, 0.98),
                (0.22 * side, 0.3, 0.6),
                (0.14 * side, 0.3, 0.62),
            ],
            coat,
            0.82,
        )
    turns = np.linspace(0, 2 * math.pi, 12, endpoint=False)
    add([(0.12 * math.cos(a), 0.02, 1.27 + 0.15 * math.sin(a)) for a in turns], (196, 152, 126))
    add([(0.13 * math.cos(a), 0.03, 1.33 + 0.1 * math.sin(a)) for a in turns], hair)
    return Solid.of(faces)
