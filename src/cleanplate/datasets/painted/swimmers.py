"""Boats and birds on a lake: where they are, and their shapes seen from the side."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.sprites import Colour, Face, Solid

HULLS: tuple[Colour, ...] = (
    (176, 52, 40),
    (58, 84, 62),
    (148, 108, 66),
    (206, 170, 70),
    (92, 104, 116),
    (226, 224, 216),
)
COATS: tuple[Colour, ...] = (
    (196, 96, 44),
    (54, 62, 84),
    (158, 44, 48),
    (110, 118, 92),
    (70, 70, 72),
)
PLUMAGE: tuple[tuple[Colour, Colour, float], ...] = (
    # body, head, length in metres
    ((112, 92, 70), (48, 74, 56), 0.6),
    ((118, 100, 80), (104, 88, 70), 0.55),
    ((44, 44, 48), (40, 40, 42), 0.42),
    ((232, 232, 226), (226, 224, 214), 1.25),
    ((150, 152, 152), (70, 66, 62), 0.75),
)


class Boat(NamedTuple):
    """One passage: it may drift for a while in the middle of its way."""

    start: float
    forward: int
    y: float
    speed: float
    rest: float
    style: int

    def along(self, time: float) -> float:
        """World x at a time."""
        before = self.reach / self.speed
        gone = time - self.start
        moved = min(gone, before) + max(gone - before - self.rest, 0.0)
        return self.forward * (moved * self.speed - self.reach)

    @property
    def reach(self) -> float:
        """How far from the middle it begins and ends."""
        return 0.62 * self.y + 4.0

    @property
    def end(self) -> float:
        """When it has left."""
        return self.start + 2 * self.reach / self.speed + self.rest


def bird_place(bird: NDArray[np.float64], time: float) -> tuple[float, float]:
    """A slow way that stays in sight, with rests: time runs unevenly."""
    near, pace, lean, one, other, wide, _, _ = (float(value) for value in bird)
    y = 7 + 17 * near**1.5
    slow = 0.10 + 0.14 * pace
    turned = slow * time + 0.8 * math.sin(slow * time + 6.3 * one)
    x = 0.36 * y * (0.4 + 0.6 * wide) * math.sin(turned + 6.3 * one) + 0.12 * y * (lean - 0.5)
    return x, y + 0.06 * y * math.sin(0.7 * turned + 6.3 * other)


def _flat(outline: list[tuple[float, float]], colour: Colour, forward: int) -> Face:
    return Face(np.array([(forward * x, 0.0, z) for x, z in outline]), colour)


def _round(x: float, z: float, wide: float, high: float) -> list[tuple[float, float]]:
    turns = np.linspace(0, 2 * math.pi, 14, endpoint=False)
    return [(x + wide * math.cos(turn), z + high * math.sin(turn)) for turn in turns]


def _shaded(colour: Colour, share: float) -> Colour:
    return colour[0] * share, colour[1] * share, colour[2] * share


def bird_solid(style: int, forward: int) -> Solid:
    """A duck, a coot, a goose or a swan."""
    body, head, long = PLUMAGE[style % len(PLUMAGE)]
    neck = 0.62 if long > 1 else 0.32
    outline = [
        (-0.5, 0.2),
        (-0.38, 0.04),
        (0.1, -0.02),
        (0.42, 0.06),
        (0.46, 0.18),
        (0.2, 0.3),
        (-0.2, 0.3),
    ]
    faces = [
        _flat([(x * long, z * long) for x, z in outline], body, forward),
        _flat(
            [
                (x * long, z * long)
                for x, z in ((-0.42, 0.2), (-0.1, 0.26), (0.2, 0.2), (0.0, 0.1), (-0.3, 0.12))
            ],
            _shaded(body, 0.85),
            forward,
        ),
        _flat(
            [
                (x * long, z * long)
                for x, z in ((0.28, 0.15), (0.42, 0.15), (0.46, neck), (0.36, neck))
            ],
            head,
            forward,
        ),
        _flat(_round(0.43 * long, neck * long, 0.1 * long, 0.08 * long), head, forward),
        _flat(
            [
                (0.5 * long, (neck + 0.03) * long),
                (0.63 * long, (neck - 0.01) * long),
                (0.5 * long, (neck - 0.04) * long),
            ],
            (206, 146, 52),
            forward,
        ),
    ]
    return Solid.of(faces)


def boat_solid(style: int, forward: int, time: float) -> Solid:
    """A canoe with two people, or a rowing boat with one, seen from the side."""
    hull = HULLS[style // 2 % len(HULLS)]
    if style % 2 == 0:
        outline = [(-2.5, 0.52), (-2.3, 0.0), (2.3, 0.0), (2.5, 0.52), (2.0, 0.34), (-2.0, 0.34)]
        seats: tuple[float, ...] = (-1.1, 1.0)
    else:
        outline = [(-1.7, 0.62), (-1.55, 0.0), (1.4, 0.0), (1.9, 0.66), (1.3, 0.5), (-1.2, 0.5)]
        seats = (0.0,)
    faces = []
    for number, seat in enumerate(seats):
        coat = COATS[(style // 12 + 3 * number) % len(COATS)]
        faces += _paddler(seat, coat, forward, 2.6 * time + number)
    faces.append(_flat(outline, hull, forward))
    rim = [(x, z) for x, z in outline if z > 0.3]
    faces.append(_flat([*rim, *[(x, z - 0.07) for x, z in rim[::-1]]], _shaded(hull, 0.7), forward))
    return Solid.of(faces)


def _paddler(seat: float, coat: Colour, forward: int, stroke: float) -> list[Face]:
    lean = 0.12 * math.sin(stroke)
    reach, dip = 0.55 + 0.3 * math.sin(stroke), 0.12 * math.cos(stroke)
    shoulder = (seat + 0.08 + lean, 0.95)
    hand = (seat + reach, 0.72 + dip)
    blade = (seat + reach + 0.25, 0.05 + dip)
    return [
        _flat(
            [
                (hand[0] - 0.28, hand[1] + 0.5),
                (hand[0] - 0.22, hand[1] + 0.5),
                (blade[0] + 0.05, blade[1]),
                (blade[0] - 0.05, blade[1]),
            ],
            (150, 116, 74),
            forward,
        ),
        _flat(
            [
                (seat - 0.2, 0.3),
                (seat + 0.2, 0.3),
                (shoulder[0] + 0.18, 1.02),
                (shoulder[0] - 0.18, 1.02),
            ],
            coat,
            forward,
        ),
        _flat(
            [
                (shoulder[0] - 0.06, shoulder[1]),
                (shoulder[0] + 0.06, shoulder[1] + 0.06),
                (hand[0] + 0.05, hand[1] + 0.03),
                (hand[0] - 0.03, hand[1] - 0.06),
            ],
            _shaded(coat, 0.82),
            forward,
        ),
        _flat(_round(shoulder[0], 1.18, 0.12, 0.15), (198, 154, 128), forward),
        _flat(_round(shoulder[0] - 0.02, 1.25, 0.13, 0.1), _shaded(coat, 0.5), forward),
    ]
