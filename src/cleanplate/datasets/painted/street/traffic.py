"""Vehicles that follow each other, stop at red and leave on green.

Car following is the intelligent driver model (Treiber, Hennecke, Helbing 2000,
arXiv:cond-mat/0002177, equations 2 and 3), with a stop line as a standing leader.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cleanplate.datasets.painted.settings import PaintedSettings
from cleanplate.datasets.painted.street.layout import CROSS_HALF, LANES, MAIN_HALF, Lane
from cleanplate.datasets.painted.street.pedestrians import Crowd
from cleanplate.datasets.painted.street.signals import SignalLight, Signals

PULL = 2.3
BRAKE = 3.0
HARD_BRAKE = 4.0
HEADWAY = 1.1
GAP = 1.7
WARM_UP_CYCLES = 2
WARM_UP_SECONDS = 30.0
CRUISE = 12.0
START_LOSS = 1.5
DISCHARGE = 2.4
"""Seconds from one vehicle of a queue to the next when it leaves."""
MARGIN = 0.6
NOTICE = 1.5
"""Seconds that a driver needs after the start to reach the other road."""
SHORTEST_STEP_RATE = 15.0


class Pose(NamedTuple):
    """One moving thing at one moment.

    Attributes:
        id: Its number, from 1; pedestrians count on after the vehicles.
        kind: `car`, `van`, `bus` or `pedestrian`.
        style: Chooses its shape and colour.
        x: World x of its middle.
        y: World y of its middle.
        heading: Its direction (x, y).
        braking: Whether its brake lights are on.
        waiting: Seconds for which it has stood still.
        stride: Phase of a pedestrian's step, radians.
    """

    id: int
    kind: str
    style: int
    x: float
    y: float
    heading: tuple[int, int]
    braking: bool
    waiting: float
    stride: float


LENGTHS = {"car": 4.4, "van": 5.4, "bus": 11.2}
WIDTHS = {"car": 1.8, "van": 2.05, "bus": 2.5}


@dataclass(slots=True)
class _Vehicle:
    id: int
    kind: str
    style: int
    wish: float
    front: float
    speed: float
    acceleration: float = 0.0
    waiting: float = 0.0
    committed: bool = False

    @property
    def rear(self) -> float:
        return self.front - LENGTHS[self.kind]


class _Stream:
    """The vehicles of one lane, first to last, and those still to come."""

    def __init__(
        self, lane: Lane, number: int, settings: PaintedSettings, signals: Signals
    ) -> None:
        self.lane = lane
        self.vehicles: list[_Vehicle] = []
        self._random = np.random.default_rng([settings.seed, 11, number])
        self._number = number
        self._made = 0
        self._cycle = settings.cycle
        self._next_cycle = -WARM_UP_CYCLES - math.ceil(WARM_UP_SECONDS / settings.cycle)
        self._due: list[float] = []
        closes, opens = signals.red_phases(main=lane.main)
        self._shift = closes - (lane.stop - lane.start) / CRUISE
        # one more than can leave in a green would let the queue grow without end
        capacity = (self._cycle - (opens - closes) - START_LOSS) / DISCHARGE
        self._mean = min(settings.traffic * self._cycle / 60, max(1.0, capacity))

    def arrive(self, time: float) -> None:
        """Let the next vehicle in when it is due and there is room."""
        while not self._due and self._mean > 0:
            self._plan_cycle()
        if not self._due or time < self._due[0]:
            return
        kind, style, wish = self._draw_kind()
        room = self.vehicles[-1].rear - self.lane.start if self.vehicles else math.inf
        if room >= 3 * GAP:
            identity = 1 + self._made * len(LANES) + self._number
            speed = min(wish, max(0.0, (room - GAP) / 1.5))
            self.vehicles.append(_Vehicle(identity, kind, style, wish, self.lane.start, speed))
            self._made += 1
        self._due.pop(0)

    def _plan_cycle(self) -> None:
        """When vehicles enter in a cycle: a platoon whose first one just meets the red."""
        count = int(self._mean + float(self._random.random()))
        begin = self._next_cycle * self._cycle + self._shift
        after = 0.8 * float(self._random.random())
        for _ in range(count):
            self._due.append(begin + after)
            spread = max(0.85 * self._cycle / count - DISCHARGE, 0.2)
            after += DISCHARGE + spread * float(self._random.uniform(0.4, 1.2))
        self._next_cycle += 1

    def _draw_kind(self) -> tuple[str, int, float]:
        chance, style, wish = self._random.random(3)
        bus = 0.05 if abs(self.lane.offset) > LANES[0].offset else 0.0
        kind = "bus" if chance < bus else "van" if chance < bus + 0.15 else "car"
        return kind, int(style * 1_000_000), CRUISE - 0.5 + float(wish)

    def move(self, light: SignalLight, step: float, *, blocked: bool) -> None:
        """Move every vehicle by one step."""
        leader: _Vehicle | None = None
        stop = self.lane.stop
        for vehicle in self.vehicles:
            gap, pace = math.inf, 0.0
            if leader is not None:
                gap, pace = leader.rear - vehicle.front, leader.speed
            if vehicle.front < stop and self._must_stop(vehicle, light, blocked=blocked):
                # a driver stops nearer to a line than to a bumper
                line = stop - vehicle.front + GAP - 0.7
                if line < gap:
                    gap, pace = line, 0.0
            _drive(vehicle, gap, pace, step)
            leader = vehicle
        if self.vehicles and self.vehicles[0].rear > self.lane.end:
            self.vehicles.pop(0)

    def _must_stop(self, vehicle: _Vehicle, light: SignalLight, *, blocked: bool) -> bool:
        if vehicle.committed:
            return False
        room = self.lane.stop - vehicle.front
        if light is SignalLight.GREEN and not blocked:
            # a vehicle at the line that may go must not be stopped again on the zebra
            vehicle.committed = room < 1.5 and vehicle.speed > 1.0
            return False
        if vehicle.speed**2 > 2 * HARD_BRAKE * max(room, 0.01):
            vehicle.committed = True
            return False
        return True

    def reaches_into(self, half: float) -> bool:
        """Whether a vehicle is on the crossing, `half` metres to each side, and stays a while."""
        return any(
            one.front > -half and one.rear + one.speed * NOTICE < half for one in self.vehicles
        )


def _drive(vehicle: _Vehicle, gap: float, pace: float, step: float) -> None:
    """One step of the intelligent driver model, with standing still made exact."""
    pull = 1.0 - (vehicle.speed / vehicle.wish) ** 4
    if gap < math.inf:
        closing = vehicle.speed * (vehicle.speed - pace) / (2 * math.sqrt(PULL * BRAKE))
        wanted = GAP + max(0.0, vehicle.speed * HEADWAY + closing)
        pull -= (wanted / max(gap, 0.1)) ** 2
    vehicle.acceleration = max(PULL * pull, -8.0)
    if vehicle.speed <= 0.2 and vehicle.acceleration < 0.5:
        vehicle.speed = 0.0
    else:
        vehicle.speed = max(0.0, vehicle.speed + vehicle.acceleration * step)
    travel = vehicle.speed * step
    if vehicle.speed > 0 and travel < max(gap, 0.0):
        vehicle.front += travel
        vehicle.waiting = 0.0
    else:
        vehicle.speed = 0.0
        vehicle.waiting += step


def simulate(settings: PaintedSettings, signals: Signals, crowd: Crowd) -> list[tuple[Pose, ...]]:
    """The vehicles of every frame; the traffic has run for two cycles when the clip begins."""
    per_frame = math.ceil(SHORTEST_STEP_RATE / settings.frame_rate)
    step = 1.0 / (settings.frame_rate * per_frame)
    warm_up = math.ceil((WARM_UP_CYCLES * settings.cycle + WARM_UP_SECONDS) / step)
    streams = [_Stream(lane, i, settings, signals) for i, lane in enumerate(LANES)]
    steps = warm_up + (settings.frames - 1) * per_frame + 1
    times = [(i - warm_up) * step for i in range(steps)]
    busy = {main: crowd.busy(times, main=main) for main in (True, False)}
    record = []
    for i, time in enumerate(times):
        taken = {
            True: any(s.reaches_into(CROSS_HALF + MARGIN) for s in streams if s.lane.main),
            False: any(s.reaches_into(MAIN_HALF + MARGIN) for s in streams if not s.lane.main),
        }
        for stream in streams:
            main = stream.lane.main
            stream.arrive(time)
            light = signals.show(time, main=main)
            stream.move(light, step, blocked=taken[not main] or busy[main][i])
        if i >= warm_up and (i - warm_up) % per_frame == 0:
            record.append(_poses(streams))
    return record


def _poses(streams: Sequence[_Stream]) -> tuple[Pose, ...]:
    poses = []
    for stream in streams:
        for one in stream.vehicles:
            x, y = stream.lane.place(one.front - LENGTHS[one.kind] / 2)
            braking = one.speed == 0.0 or one.acceleration < -0.6
            poses.append(
                Pose(
                    one.id,
                    one.kind,
                    one.style,
                    x,
                    y,
                    stream.lane.heading,
                    braking,
                    one.waiting,
                    0.0,
                )
            )
    return tuple(poses)
