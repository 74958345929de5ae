"""Lengths grow with the frame and times are seconds: one scene at several sizes and frame rates."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import pytest

from cleanplate.datasets.painted import PaintedIntersection, PaintedSettings
from cleanplate.evaluation.counts import Counts, count_frame
from cleanplate.evaluation.measures import measure
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.layers import StationaryObject
from plans import layers_of

WAYS = [((240, 320), 1.0), ((240, 320), 5.0), ((240, 320), 25.0), ((720, 960), 5.0)]
SECONDS = 12.0
NOISE = 6


class Outcome(NamedTuple):
    """What was found: F of the masks at whole seconds, and who waited, in pixels of 320x240."""

    f: float
    waited: tuple[StationaryObject, ...]


def outcome(size: tuple[int, int], rate: float, settings: SegmentationSettings) -> Outcome:
    painted = PaintedIntersection(
        PaintedSettings(size=size, frame_rate=rate, seconds=SECONDS, red_share=0.4)
    )
    layers = layers_of(np.full(size, NOISE, np.uint8), settings)
    counts, rows, frames = Counts(), {}, 0
    for index in range(len(painted)):
        frame = painted.frame(index)
        found = layers.update(frame.time, frame.picture, painted.still_plate)
        rows |= {each.number: each for each in found.objects}
        if frame.time == round(frame.time):
            counts, frames = counts + count_frame(found.mask, frame.labels), frames + 1
    return Outcome(measure(counts, frames=frames).F, tuple(rows.values()))


def overlap(one: StationaryObject, other: StationaryObject, scale: float) -> float:
    """Intersection over union of their boxes; the other's is of a frame so much larger."""
    left, top, width, height = (value / scale for value in other.box)
    across = min(one.box[0] + one.box[2], left + width) - max(one.box[0], left)
    down = min(one.box[1] + one.box[3], top + height) - max(one.box[1], top)
    both = max(0.0, across) * max(0.0, down)
    return both / (one.box[2] * one.box[3] + width * height - both)


@pytest.mark.slow
def test_a_scene_is_the_same_at_every_size_and_frame_rate() -> None:
    outcomes = [outcome(size, rate, SegmentationSettings()) for size, rate in WAYS]
    scores = [each.f for each in outcomes]
    assert min(scores) > 0.85
    assert max(scores) - min(scores) <= 0.02
    _, _, finest, _ = outcomes
    whole = [
        each
        for each in finest.waited
        if 0.5 < each.first_seen < each.last_seen < SECONDS - 1
        and each.box[2] * each.box[3] > 300
        and each.dwell > 3
    ]
    assert len(whole) >= 3
    for (size, rate), found in zip(WAYS, outcomes, strict=True):
        for vehicle in whole:
            same = max(found.waited, key=lambda row: overlap(vehicle, row, size[0] / 240))
            assert overlap(vehicle, same, size[0] / 240) > 0.5
            assert same.dwell == pytest.approx(vehicle.dwell, abs=2 / rate), (size, rate)


@pytest.mark.parametrize(("scale", "rate"), [(1, 1), (1, 5), (1, 25), (3, 5)])
def test_a_ghost_is_corrected_at_every_size_and_frame_rate(scale: int, rate: float) -> None:
    random = np.random.default_rng(0)
    road = cv2.GaussianBlur(random.normal(110, 40, (80, 120, 3)), (0, 0), 2.5)
    road = cv2.resize(road, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    plate = road.copy()
    plate[30 * scale : 50 * scale, 40 * scale : 80 * scale] = (200, 40, 50)  # it has left
    plate = np.clip(plate, 0, 255).astype(np.uint8)
    # Lengths are meant for 320x240, of which this is a part.
    layers = layers_of(np.full(plate.shape[:2], NOISE, np.uint8), SegmentationSettings(min_area=9))
    masks = []
    for index in range(round(8 * rate)):
        frame = road + random.normal(0, 2, road.shape)
        picture = np.clip(frame, 0, 255).astype(np.uint8)
        masks.append(layers.update(index / rate, picture, plate).mask)
    assert masks[0].any()
    assert layers.corrected_ghosts == 1
    assert not masks[-1].any()
    corrected = next(index for index, mask in enumerate(masks) if not mask.any()) / rate
    assert 2 < corrected <= 2 + 0.7 + 2 / rate
