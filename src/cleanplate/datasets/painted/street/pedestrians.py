"""Pedestrians: they walk along the pavements and cross on the zebras at their turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.street.layout import CROSS_HALF, CROSS_ZEBRA, MAIN_HALF, MAIN_ZEBRA
from cleanplate.datasets.painted.street.signals import Signals

CROSSING_SPEED = 1.75
MEAN_INTERVAL = 26.0
STEPS_PER_METRE = 1.35


class Walker(NamedTuple):
    """One person on a straight way over one zebra.

    Attributes:
        id: A number, from 0.
        style: Chooses clothes and build.
        main: Whether the zebra leads over the main road.
        side: x or y of the way.
        forward: 1 or -1, the direction.
        speed: On the pavement, metres in a second.
        born: When the way begins, seconds.
        kerb: Metres from the middle of the road at which the person waits.
        reach: When the kerb is reached.
        leave: When the kerb is left.
    """

    id: int
    style: int
    main: bool
    side: float
    forward: int
    speed: float
    born: float
    kerb: float
    reach: float
    leave: float

    @property
    def across(self) -> float:
        """When the other kerb is reached."""
        return self.leave + 2 * self.kerb / CROSSING_SPEED

    def along(self, time: float) -> float:
        """Position on the way at a time; the middle of the road is 0."""
        if time < self.reach:
            return -self.kerb - (self.reach - time) * self.speed
        if time < self.leave:
            return -self.kerb
        if time < self.across:
            return -self.kerb + (time - self.leave) * CROSSING_SPEED
        return self.kerb + (time - self.across) * self.speed

    def stands(self, time: float) -> bool:
        """Whether the person waits at the kerb."""
        return self.reach <= time < self.leave


class Crowd:
    """All people of a clip."""

    def __init__(self, settings: PaintedSettings, signals: Signals) -> None:
        self.walkers: list[Walker] = []
        if settings.pedestrians:
            for main in (True, False):
                for side in (-1, 1):
                    for forward in (-1, 1):
                        self._fill_way(settings, signals, (main, side, forward))
        self._born = np.array([one.born for one in self.walkers])
        self._gone = np.array([_gone(one) for one in self.walkers])

    def _fill_way(
        self, settings: PaintedSettings, signals: Signals, way: tuple[bool, int, int]
    ) -> None:
        main, side, forward = way
        half = MAIN_HALF if main else CROSS_HALF
        window = signals.walking_window((2 * half + 2.4) / CROSSING_SPEED, main=main)
        if window is None:
            return
        random = np.random.default_rng([settings.seed, 23, main, side + 1, forward + 1])
        start = _reach(main=main, forward=forward)
        time = -start / 1.2 + float(random.uniform(0, MEAN_INTERVAL))
        while time < settings.seconds:
            lateral, back, pace, style = (float(value) for value in random.random(4))
            kerb = half + 0.5 + 0.7 * back
            speed = 1.15 + 0.4 * pace
            reach = time + (start - kerb) / speed
            zebra = MAIN_ZEBRA if main else CROSS_ZEBRA
            self.walkers.append(
                Walker(
                    id=len(self.walkers),
                    style=int(style * 1_000_000),
                    main=main,
                    side=side * (sum(zebra) / 2 + 2.2 * (lateral - 0.5)),
                    forward=forward,
                    speed=speed,
                    born=time,
                    kerb=kerb,
                    reach=reach,
                    leave=_next_window(reach, window, signals.cycle),
                )
            )
            time += MEAN_INTERVAL * (0.4 + 0.6 * float(random.exponential()))

    def present(self, time: float) -> list[Walker]:
        """Those on their way at a time."""
        here: NDArray[np.intp] = np.nonzero((self._born <= time) & (time < self._gone))[0]
        return [self.walkers[i] for i in here]

    def busy(self, times: Sequence[float], *, main: bool) -> list[bool]:
        """For each of the ascending times, whether a pedestrian is on the road's zebras."""
        steps = np.asarray(times)
        busy = np.zeros(len(steps), bool)
        for one in self.walkers:
            if one.main == main:
                first, last = np.searchsorted(steps, [one.leave, one.across - 0.5])
                busy[first:last] = True
        return busy.tolist()


def place(walker: Walker, time: float) -> tuple[float, float]:
    """World x and y of a person."""
    along = walker.along(time) * walker.forward
    return (along, walker.side) if walker.main else (walker.side, along)


def stride(walker: Walker, time: float) -> float:
    """Phase of the step in radians; it follows the way, so feet do not slide."""
    return walker.along(time) * STEPS_PER_METRE * math.pi


def _reach(*, main: bool, forward: int) -> float:
    """Metres from the middle at which a way begins: out of the picture or far away."""
    if main:
        return 75.0
    return 31.0 if forward > 0 else 110.0


def _gone(walker: Walker) -> float:
    end = _reach(main=walker.main, forward=-walker.forward)
    return walker.across + (end - walker.kerb) / walker.speed


def _next_window(time: float, window: tuple[float, float], cycle: float) -> float:
    phase = time % cycle
    if window[0] <= phase <= window[1]:
        return time
    return time + (window[0] - phase) % cycle
