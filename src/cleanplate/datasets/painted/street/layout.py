"""Where things are on the ground of the painted intersection, in metres."""

from __future__ import annotations

from typing import NamedTuple

MAIN_HALF = 6.6
CROSS_HALF = 3.6
LANE = 3.3
CORNER = 4.0
"""Radius of the kerb at the corners."""
PAVEMENT = 4.6
MAIN_ZEBRA = (5.4, 8.8)
CROSS_ZEBRA = (8.4, 11.8)
MAIN_STOP = 9.7
CROSS_STOP = 12.7
STOP_LINE = 0.5
"""Thickness of a stop line; it begins at the distance above and goes away from the crossing."""
ROAD_END = 172.0
"""Where a line of trees hides the end of the main road."""


class Lane(NamedTuple):
    """One straight lane.

    Attributes:
        main: Whether it belongs to the main road.
        heading: Its direction (x, y).
        offset: Its x (main road) or y (crossing road).
        start: Where it begins along its direction; the crossing is at 0.
        end: Where it ends along its direction.
    """

    main: bool
    heading: tuple[int, int]
    offset: float
    start: float
    end: float

    @property
    def stop(self) -> float:
        """Where its stop line is, along its direction."""
        return -(MAIN_STOP if self.main else CROSS_STOP) - STOP_LINE

    def place(self, along: float) -> tuple[float, float]:
        """World x and y of a position along the lane."""
        if self.main:
            return self.offset, along * self.heading[1]
        return along * self.heading[0], self.offset


LANES = (
    Lane(main=True, heading=(0, 1), offset=1.65, start=-75.0, end=ROAD_END),
    Lane(main=True, heading=(0, 1), offset=4.95, start=-75.0, end=ROAD_END),
    Lane(main=True, heading=(0, -1), offset=-1.65, start=-ROAD_END, end=60.0),
    Lane(main=True, heading=(0, -1), offset=-4.95, start=-ROAD_END, end=60.0),
    Lane(main=False, heading=(1, 0), offset=-1.8, start=-95.0, end=120.0),
    Lane(main=False, heading=(-1, 0), offset=1.8, start=-120.0, end=95.0),
)


class Building(NamedTuple):
    """A house: its ground rectangle, height and wall colour."""

    left: float
    near: float
    right: float
    far: float
    height: float
    wall: tuple[int, int, int]


BUILDINGS = (
    Building(-70, 112, -18, 150, 17, (176, 176, 172)),
    Building(18, 108, 60, 150, 20, (168, 160, 150)),
    Building(-60, 72, -17.5, 104, 14, (188, 176, 156)),
    Building(17.5, 70, 58, 100, 13, (164, 130, 112)),
    Building(-52, 40, -17, 66, 10, (150, 104, 86)),
    Building(17, 38, 54, 64, 15.5, (196, 190, 178)),
    Building(-100, 15, -52, 36, 11, (170, 164, 152)),
    Building(60, 16, 110, 40, 12, (184, 170, 150)),
    Building(-48, 13.5, -16.5, 34, 12.5, (196, 178, 148)),
    Building(16.5, 13.5, 52, 32, 9.5, (158, 112, 92)),
)


class Plant(NamedTuple):
    """A tree or a bush: its place, the height of its crown's middle, and the crown's radius."""

    x: float
    y: float
    middle: float
    radius: float


PLANTS = (
    Plant(-13.3, 128, 4.6, 3.0),
    Plant(13.2, 122, 4.6, 3.0),
    Plant(-13.2, 96, 4.4, 2.8),
    Plant(13.2, 92, 4.7, 3.0),
    Plant(-13.0, 70, 4.6, 2.9),
    Plant(13.1, 68, 4.2, 2.7),
    Plant(-13.1, 48, 4.6, 2.9),
    Plant(13.2, 47, 4.6, 2.9),
    Plant(-13.2, 31, 4.2, 2.7),
    Plant(13.4, 30, 4.8, 2.9),
    Plant(-13.6, 15.5, 4.4, 2.6),
    Plant(14.2, 16.5, 4.4, 2.6),
    Plant(-34, 11.5, 4.2, 2.5),
    Plant(-24, 11.8, 3.6, 2.1),
    Plant(26, 11.8, 3.8, 2.2),
    Plant(37, 11.5, 4.2, 2.4),
    Plant(-15.8, -10.2, 0.7, 1.1),
    Plant(-18.2, -10.4, 0.8, 1.3),
    Plant(-14.2, -13.2, 0.6, 1.0),
    Plant(14.8, -10.4, 0.7, 1.1),
    Plant(17.4, -10.6, 0.8, 1.25),
    Plant(13.4, -12.8, 0.6, 0.95),
)

STREET_LAMPS = ((-7.6, 19.0), (7.6, 24.0), (-7.6, 55.0), (7.6, 60.0), (-7.6, 90.0), (24.0, 8.0))


class SignalHead(NamedTuple):
    """A traffic light that the viewer sees from the front: place, facing, and whose it is."""

    x: float
    y: float
    facing: tuple[int, int]
    main: bool


SIGNAL_HEADS = (
    SignalHead(7.5, -10.0, (0, -1), main=True),
    SignalHead(7.5, 9.6, (0, -1), main=True),
    SignalHead(13.2, -4.8, (-1, 0), main=False),
)
