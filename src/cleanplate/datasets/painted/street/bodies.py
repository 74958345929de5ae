"""The shapes of vehicles and people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from cleanplate.datasets.painted.camera import Points
from cleanplate.datasets.painted.sprites import Colour, Face, Solid, lit
from cleanplate.datasets.painted.street.traffic import LENGTHS, WIDTHS

PAINTS: tuple[Colour, ...] = (
    (30, 31, 35),
    (226, 227, 225),
    (112, 114, 117),
    (176, 180, 184),
    (38, 50, 82),
    (128, 32, 34),
    (66, 70, 76),
    (236, 236, 232),
    (58, 98, 146),
    (146, 148, 150),
    (48, 72, 60),
    (190, 178, 152),
    (178, 48, 40),
    (22, 22, 24),
    (96, 98, 100),
    (206, 168, 82),
)
VAN_PAINTS: tuple[Colour, ...] = (
    (238, 238, 236),
    (214, 216, 216),
    (62, 84, 122),
    (54, 56, 60),
    (166, 178, 188),
    (118, 120, 122),
)
BUS_PAINTS: tuple[Colour, ...] = ((214, 208, 190), (178, 52, 44), (70, 116, 150))
COATS: tuple[Colour, ...] = (
    (46, 52, 66),
    (132, 44, 46),
    (196, 190, 178),
    (70, 96, 74),
    (60, 60, 62),
    (176, 128, 72),
    (86, 108, 150),
    (222, 220, 216),
)
TROUSERS: tuple[Colour, ...] = ((40, 46, 62), (34, 34, 36), (98, 92, 82), (70, 76, 92))
GLASS: Colour = (44, 54, 64)
SKY_GLASS: Colour = (96, 116, 132)
RUBBER: Colour = (24, 24, 25)
STRIDE_STEPS = 16
CAR_STYLES = (
    # cabin: rear foot, rear roof, front roof, front foot (metres from the middle), roof height
    (-1.75, -1.10, 0.42, 1.15, 1.42),
    (-2.10, -1.75, 0.40, 1.10, 1.46),
    (-2.12, -1.85, 0.35, 1.00, 1.66),
)


class _Builder:
    """Collects the faces of one vehicle; x forward, y to its left, z up."""

    def __init__(self, heading: tuple[int, int]) -> None:
        forward = np.array([*heading, 0.0])
        self._turn = np.stack([forward, [-heading[1], heading[0], 0.0], [0.0, 0.0, 1.0]])
        self.faces: list[Face] = []

    def face(
        self, corners: Points, colour: Colour, middle: Points, *, detail: bool = False
    ) -> None:
        """One side of a convex part around `middle`, shaded by where it looks."""
        # the sum over all corners, because three of them may lie on a line
        outward = np.cross(corners, np.roll(corners, -1, axis=0)).sum(axis=0)
        length = float(np.linalg.norm(outward))
        if length < 1e-9:
            return
        outward = outward / length
        if outward @ (corners.mean(axis=0) - middle) < 0:
            outward = -outward
        outward = outward @ self._turn
        self.faces.append(Face(corners @ self._turn, lit(colour, outward), detail, outward))

    def glow(self, corners: Points, colour: Colour, outward: Points) -> None:
        """A detail that keeps its colour, such as a lamp."""
        self.faces.append(
            Face(corners @ self._turn, colour, detail=True, outward=outward @ self._turn)
        )

    def loft(self, outline: Sequence[tuple[float, float, float]], colour: Colour) -> None:
        """A part whose side view is an outline of (x, z, half width)."""
        side = np.array([(x, half, z) for x, z, half in outline])
        mirrored = side * (1, -1, 1)
        middle = side.mean(axis=0) * (1, 0, 1)
        self.face(side, colour, middle)
        self.face(mirrored, colour, middle)
        for i in range(len(side)):
            j = (i + 1) % len(side)
            self.face(np.array([side[i], side[j], mirrored[j], mirrored[i]]), colour, middle)

    def side_panel(
        self,
        quad: Points,
        spans: Sequence[tuple[float, float]],
        rise: tuple[float, float],
        colour: Colour,
    ) -> None:
        """Panels on a side: spans along it and a rise up it, both 0 to 1, on both sides."""
        for mirror in (1, -1):
            corners = quad * (1, mirror, 1)
            middle = corners.mean(axis=0) * (1, 0, 1)
            for first, last in spans:
                self.face(_part(corners, (first, last), rise), colour, middle, detail=True)

    def wheel(self, x: float, half: float, radius: float) -> None:
        """A wheel on either side."""
        turns = np.linspace(0, 2 * math.pi, 12, endpoint=False)
        for mirror in (1, -1):
            middle = np.array([x, 0.0, radius])
            for size, colour in ((1.0, RUBBER), (0.58, (148.0, 150.0, 152.0))):
                rim = np.stack(
                    [
                        x + size * radius * np.cos(turns),
                        np.full(12, mirror * half),
                        radius + size * radius * np.sin(turns),
                    ],
                    axis=1,
                )
                self.face(rim, colour, middle, detail=size < 1)

    def lamps(self, x: float, half: float, z: tuple[float, float], colour: Colour) -> None:
        """Two lamps at the front (x > 0) or the back."""
        outward = np.array([math.copysign(1.0, x), 0.0, 0.0])
        for mirror in (1, -1):
            inner, outer = mirror * half * 0.62, mirror * half * 0.97
            self.glow(
                np.array([(x, inner, z[0]), (x, outer, z[0]), (x, outer, z[1]), (x, inner, z[1])]),
                colour,
                outward,
            )


def _part(quad: Points, span: tuple[float, float], rise: tuple[float, float]) -> Points:
    """A part of a four-cornered face (low first, low last, high last, high first)."""
    corners = []
    for u, v in ((0, 0), (1, 0), (1, 1), (0, 1)):
        low = quad[0] + (quad[1] - quad[0]) * span[u]
        high = quad[3] + (quad[2] - quad[3]) * span[u]
        corners.append(low + (high - low) * rise[v])
    return np.array(corners)


@lru_cache(maxsize=512)
def vehicle_solid(kind: str, style: int, heading: tuple[int, int], *, braking: bool) -> Solid:
    """The shape of a vehicle that stands around the origin."""
    build = _Builder(heading)
    {"car": _car, "van": _van, "bus": _bus}[kind](build, style, braking)
    return Solid.of(build.faces)


def _under(build: _Builder, length: float, half: float) -> None:
    """The dark gap below a vehicle."""
    under = [(-0.46, 0.1), (0.46, 0.1), (0.46, 0.34), (-0.46, 0.34)]
    build.loft([(x * length, z, half * 0.92) for x, z in under], (20, 20, 22))


def _tail_colour(braking: bool) -> Colour:  # noqa: FBT001
    return (244, 52, 40) if braking else (142, 26, 24)


def _car(build: _Builder, style: int, braking: bool) -> None:  # noqa: FBT001
    paint = PAINTS[style % len(PAINTS)]
    rear, rear_roof, front_roof, front, roof = CAR_STYLES[style // 16 % len(CAR_STYLES)]
    half, end = WIDTHS["car"] / 2, LENGTHS["car"] / 2
    _under(build, LENGTHS["car"], half)
    build.loft(
        [
            (-end + 0.08, 0.26, half * 0.90),
            (-end, 0.52, half * 0.93),
            (-end + 0.08, 0.90, half * 0.92),
            (-1.5, 0.93, half),
            (0.9, 0.93, half),
            (end - 0.22, 0.78, half * 0.90),
            (end, 0.52, half * 0.88),
            (end - 0.05, 0.26, half * 0.88),
        ],
        paint,
    )
    for x in (-1.38, 1.36):
        build.wheel(x, half + 0.01, 0.33)
    build.lamps(-end - 0.01, half * 0.94, (0.62, 0.84), _tail_colour(braking))
    build.lamps(end + 0.01, half * 0.9, (0.55, 0.72), (240, 238, 224))
    _plate(build, -end - 0.01, 0.62)
    _plate(build, end + 0.01, 0.42)
    foot, top = half * 0.93, half * 0.74
    outline = [(rear, 0.92, foot), (rear_roof, roof, top), (front_roof, roof + 0.02, top)]
    build.loft([*outline, (front, 0.92, foot)], paint)
    _glass(build, [*outline, (front, 0.92, foot)])


def _glass(build: _Builder, cabin: Sequence[tuple[float, float, float]]) -> None:
    """Windscreen, rear window and side windows of a car's cabin."""
    left = np.array([(x, half, z) for x, z, half in cabin])
    middle = left.mean(axis=0) * (1, 0, 1)
    rear_foot, rear_roof, front_roof, front_foot = left
    mirror = np.array([1, -1, 1])
    back = np.array([rear_foot, rear_foot * mirror, rear_roof * mirror, rear_roof])
    screen = np.array([front_foot, front_foot * mirror, front_roof * mirror, front_roof])
    build.face(_part(back, (0.08, 0.92), (0.16, 0.9)), GLASS, middle)
    build.face(_part(screen, (0.06, 0.94), (0.1, 0.94)), SKY_GLASS, middle)
    side = np.array([rear_foot, front_foot, front_roof, rear_roof])
    for spans in ([(0.09, 0.48), (0.52, 0.93)],):
        build.side_panel(side, spans, (0.16, 0.9), GLASS)


def _plate(build: _Builder, x: float, z: float) -> None:
    outward = np.array([math.copysign(1.0, x), 0.0, 0.0])
    corners = [(x, -0.26, z - 0.06), (x, 0.26, z - 0.06), (x, 0.26, z + 0.06), (x, -0.26, z + 0.06)]
    build.glow(np.array(corners), (222, 222, 214), outward)


def _van(build: _Builder, style: int, braking: bool) -> None:  # noqa: FBT001
    paint = VAN_PAINTS[style % len(VAN_PAINTS)]
    half, end, roof = WIDTHS["van"] / 2, LENGTHS["van"] / 2, 2.25
    _under(build, LENGTHS["van"], half)
    build.loft(
        [
            (-end, 0.3, half * 0.96),
            (-end + 0.03, 1.1, half),
            (-end + 0.12, roof, half * 0.92),
            (end - 1.75, roof, half * 0.9),
            (end - 0.85, 1.22, half * 0.94),
            (end - 0.12, 1.0, half * 0.88),
            (end, 0.3, half * 0.88),
        ],
        paint,
    )
    for x in (-1.65, 1.75):
        build.wheel(x, half + 0.01, 0.36)
    middle = np.array([0.0, 0.0, 1.0])
    screen = [(end - 0.87, half * 0.93, 1.24), (end - 0.87, -half * 0.93, 1.24)]
    screen += [(end - 1.73, -half * 0.89, roof - 0.02), (end - 1.73, half * 0.89, roof - 0.02)]
    build.face(_part(np.array(screen), (0.06, 0.94), (0.06, 0.9)), SKY_GLASS, middle)
    side = [(end - 2.6, half, 1.22), (end - 1.0, half * 0.97, 1.22)]
    side += [(end - 1.72, half * 0.93, 2.05), (end - 2.6, half * 0.94, 2.05)]
    build.side_panel(np.array(side), [(0.04, 0.94)], (0.04, 0.94), GLASS)
    back = [(-end + 0.03, half, 1.1), (-end + 0.03, -half, 1.1)]
    back += [(-end + 0.12, -half * 0.92, roof), (-end + 0.12, half * 0.92, roof)]
    for span in ((0.08, 0.47), (0.53, 0.92)):
        build.face(_part(np.array(back), span, (0.25, 0.85)), GLASS, middle, detail=True)
    build.lamps(-end - 0.01, half * 0.96, (0.75, 1.15), _tail_colour(braking))
    build.lamps(end + 0.01, half * 0.9, (0.62, 0.88), (240, 238, 224))
    _plate(build, -end - 0.01, 0.5)


def _bus(build: _Builder, style: int, braking: bool) -> None:  # noqa: FBT001
    paint = BUS_PAINTS[style % len(BUS_PAINTS)]
    half, end, roof = WIDTHS["bus"] / 2, LENGTHS["bus"] / 2, 3.0
    _under(build, LENGTHS["bus"], half)
    build.loft(
        [
            (-end, 0.35, half),
            (-end + 0.04, roof - 0.15, half * 0.97),
            (-end + 0.25, roof, half * 0.9),
            (end - 0.25, roof, half * 0.9),
            (end - 0.03, roof - 0.15, half * 0.97),
            (end, 0.35, half),
        ],
        paint,
    )
    for x in (-2.9, 3.2):
        build.wheel(x, half + 0.01, 0.48)
    side = np.array([(-end, half, 0.4), (end, half, 0.4), (end, half, 2.85), (-end, half, 2.85)])
    panes = [(0.02 + 0.118 * i, 0.118 * (i + 1)) for i in range(8)]
    build.side_panel(side, [(0.015, 0.985)], (0.44, 0.46), (236, 234, 228))
    build.side_panel(side, panes, (0.5, 0.88), GLASS)
    build.side_panel(side, [(0.955, 0.99)], (0.5, 0.88), GLASS)
    middle = np.array([0.0, 0.0, 1.5])
    for x, colour in ((-end - 0.01, GLASS), (end + 0.01, SKY_GLASS)):
        quad = [(x, half, 0.4), (x, -half, 0.4), (x, -half, 2.85), (x, half, 2.85)]
        build.face(_part(np.array(quad), (0.07, 0.93), (0.42, 0.84)), colour, middle)
        build.face(
            _part(np.array(quad), (0.2, 0.8), (0.88, 0.97)), (30, 30, 32), middle, detail=True
        )
    build.lamps(-end - 0.02, half, (0.8, 1.15), _tail_colour(braking))
    build.lamps(end + 0.02, half, (0.65, 0.9), (240, 238, 224))
    unit = [(-2.2, roof, 0.8), (-2.1, roof + 0.22, 0.7), (0.4, roof + 0.22, 0.7), (0.5, roof, 0.8)]
    build.loft(unit, (206, 206, 202))


@lru_cache(maxsize=2048)
def person_solid(style: int, step: int, aside: tuple[float, float], *, walking: bool) -> Solid:
    """The shape of a person at the origin, flat and turned towards the camera.

    Args:
        style: Chooses clothes and build.
        step: Moment of the stride, 0 to `STRIDE_STEPS` - 1.
        aside: What is to the right for the camera, as x and y of the world.
        walking: Whether arms and legs swing.
    """
    coat = COATS[style % len(COATS)]
    trousers = TROUSERS[style // 8 % len(TROUSERS)]
    tall = 1.0 + 0.06 * (style // 64 % 3 - 1)
    swing = 0.26 * math.sin(2 * math.pi * step / STRIDE_STEPS) if walking else 0.07
    right = np.array([*aside, 0.0])
    faces: list[Face] = []

    def add(outline: Sequence[tuple[float, float]], colour: Colour) -> None:
        corners = [right * across + (0, 0, up * tall) for across, up in outline]
        faces.append(Face(np.array(corners), colour))

    dark: Colour = (trousers[0] * 0.8, trousers[1] * 0.8, trousers[2] * 0.8)
    for foot, colour in ((-swing, dark), (swing, trousers)):
        add([(-0.1, 0.86), (0.1, 0.86), (foot + 0.12, 0.0), (foot - 0.08, 0.0)], colour)
    arm = (coat[0] * 0.82, coat[1] * 0.82, coat[2] * 0.82)
    add([(-0.22, 1.4), (-0.1, 1.4), (-0.16 - swing * 0.5, 0.82), (-0.27 - swing * 0.5, 0.82)], arm)
    add([(0.1, 1.4), (0.22, 1.4), (0.27 + swing * 0.5, 0.82), (0.16 + swing * 0.5, 0.82)], arm)
    add([(-0.2, 1.44), (-0.12, 1.5), (0.12, 1.5), (0.2, 1.44), (0.19, 0.8), (-0.19, 0.8)], coat)
    turns = np.linspace(0, 2 * math.pi, 10, endpoint=False)
    hair: Colour = ((60, 44, 34), (30, 26, 24), (150, 120, 84))[style // 192 % 3]
    add([(0.125 * math.cos(a), 1.64 + 0.15 * math.sin(a)) for a in turns], (196, 152, 126))
    add([(0.135 * math.cos(a), 1.70 + 0.11 * math.sin(a)) for a in turns], hair)
    return Solid.of(faces)
