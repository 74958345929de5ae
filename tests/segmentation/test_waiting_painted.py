"""Who waits on the painted crossroads: a row for each vehicle, with its time, by exact truth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from cleanplate.datasets.painted import PaintedFrame, PaintedIntersection, PaintedSettings
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.layers import StationaryObject
from plans import layers_of

Box = tuple[int, int, int, int]

LEAST = 0.85
"""Share of the vehicles that have to be told of rightly; those that overlap broadly in the picture,
and stop and leave together, are one row."""
LONG = 2.5
"""Seconds after which a vehicle has to be told of: nobody waits after less than two."""


@dataclass
class _Stop:
    first: float
    last: float
    boxes: list[Box] = field(default_factory=list)
    pixels: list[int] = field(default_factory=list)

    @property
    def dwell(self) -> float:
        return self.last - self.first


def stops_of(frames: list[PaintedFrame]) -> list[_Stop]:
    """When and where each vehicle stood, as far as it was seen."""
    done: list[_Stop] = []
    open_stops: dict[int, _Stop] = {}
    for frame in frames:
        standing = {each.id: each for each in frame.objects if each.waiting_seconds > 0}
        over = [number for number in open_stops if number not in standing]
        done.extend(open_stops.pop(number) for number in over)
        for number, each in standing.items():
            if each.kind == "pedestrian":
                continue
            began = max(0.0, frame.time - each.waiting_seconds)
            stop = open_stops.setdefault(number, _Stop(began, frame.time))
            stop.last = frame.time
            stop.boxes.append(each.box)
            stop.pixels.append(each.pixels)
    stops = [*done, *open_stops.values()]
    return [stop for stop in stops if np.median(stop.pixels) >= 25]


def common(one: Box, other: Box) -> int:
    """Pixels that two boxes share."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(0, across) * max(0, down)


def likeness(found: StationaryObject, stop: _Stop) -> float:
    """How well a row lies over a vehicle while it stood; 0: it is another's."""
    together = min(found.last_seen, stop.last) - max(found.first_seen, stop.first)
    if together < 0.3 * found.dwell:
        return 0.0
    area, likest = found.box[2] * found.box[3], 0.0
    for box in stop.boxes[:: max(1, len(stop.boxes) // 10)]:
        shared = common(found.box, box)
        if shared >= 0.5 * area:
            likest = max(likest, shared / (area + box[2] * box[3] - shared))
    return likest


def rightly_told(seed: int) -> tuple[int, int]:
    """How many vehicles that waited are exactly one row, with the dwell right, and of how many."""
    settings = PaintedSettings(seed=seed, red_share=0.4, shadows=False)
    painted = PaintedIntersection(settings)
    frames = [painted.frame(index) for index in range(len(painted))]
    layers = layers_of(np.full(painted.size, 6, np.uint8), SegmentationSettings())
    rows: dict[int, StationaryObject] = {}
    for frame in frames:
        followed = layers.update(frame.time, frame.picture, painted.still_plate)
        rows |= {found.number: found for found in followed.objects}
    stops = stops_of(frames)
    of_stop: list[list[StationaryObject]] = [[] for _ in stops]
    for found in rows.values():
        likest = [likeness(found, stop) for stop in stops]
        if max(likest) > 0:
            of_stop[int(np.argmax(likest))].append(found)
    waited = [pair for pair in zip(stops, of_stop, strict=True) if pair[0].dwell >= LONG]
    right = [len(found) == 1 and abs(found[0].dwell - stop.dwell) <= 0.5 for stop, found in waited]
    return sum(right), len(right)


@pytest.mark.slow
def test_waiting_vehicles_are_one_row_each_with_their_dwell() -> None:
    right, all_of_them = np.sum([rightly_told(seed) for seed in range(3)], axis=0)
    assert all_of_them >= 30
    assert right >= LEAST * all_of_them, f"{right} of {all_of_them}"
