"""A parked car that leaves and an object left behind: learned and segmented from one recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cleanplate
from cleanplate.segmentation.layers import WAITING
from cleanplate.streaming import Result
from roads import CAR, road, seen
from scenes import write_image_folder

RATE = 25
"""Frames in a second: a folder of pictures has no times of its own."""
FRAMES = 240
COLOURS = ((200, 60, 40), (40, 60, 190), (230, 230, 225), (30, 120, 60))
BAG = np.s_[56:68, 96:108]
PLACE = np.s_[54:70, 64:96]
"""Inside the car that is parked at (60, 50)."""


def passing(at: int) -> list[tuple[int, int, tuple[int, int, int]]]:
    """Cars that drive by on the far lane, one every two seconds."""
    return [(4 * (at % 50) - 40, 10, COLOURS[at // 50 % len(COLOURS)])]


def segmented(frames: list[np.ndarray], folder: Path) -> tuple[cleanplate.Scene, list[Result]]:
    source = write_image_folder(folder, np.stack(frames))
    # The painted road is too smooth to judge by it whether a camera shakes.
    still = {"sampling": {"registration": "off"}}
    scene = cleanplate.learn(source, method="candidates", settings=still)
    return scene, list(scene.segment(source))


@pytest.mark.parametrize("leaves", [96, 168])
def test_a_parked_car_that_leaves_is_foreground_while_it_is_there_and_no_ghost_after(
    leaves: int, tmp_path: Path
) -> None:
    """It stands for 40 or 70 % of the recording; nobody saw it come."""
    frames = []
    for at in range(FRAMES):
        left = 60 + 5 * max(0, at - leaves)
        cars = passing(at) + ([(left, 50, CAR)] if left < 160 else [])
        frames.append(seen(cars, at=at))
    scene, results = segmented(frames, tmp_path)
    assert np.abs(scene.plate[PLACE].astype(int) - road()[PLACE]).mean() < 3
    parked, gone = results[leaves - 30 : leaves], results[leaves + 25 :]
    assert np.mean([(r.mask[PLACE] > 0).mean() for r in parked]) > 0.98
    assert np.mean([(r.mask[50:74, 60:100] > 0).mean() for r in gone]) < 0.01
    labels = parked[-1].labels
    assert labels is not None
    assert (labels[PLACE] == WAITING).mean() > 0.95
    (car,) = parked[-1].objects
    assert car.dwell == pytest.approx((leaves - 1) / RATE, abs=0.5)


def test_an_object_left_behind_waits_until_it_is_taken_away_and_leaves_no_ghost(
    tmp_path: Path,
) -> None:
    """Somebody walks past, leaves a bag at 2.4 s, and somebody else takes it at 7.2 s."""
    left_at, taken_at = 60, 180
    frames = []
    for at in range(FRAMES):
        frame = seen(passing(at), at=at)
        if left_at <= at < taken_at:
            bag = np.array([60, 35, 25]) + np.random.default_rng(at).normal(0, 2, (12, 12, 3))
            frame[BAG] = np.clip(bag, 0, 255).astype(np.uint8)
        for passes_at in (left_at, taken_at):
            walker = slice(max(0, 96 + 4 * (at - passes_at)), max(0, 108 + 4 * (at - passes_at)))
            frame[44:76, walker] = (230, 200, 60)
        frames.append(frame)
    scene, results = segmented(frames, tmp_path)
    assert np.abs(scene.plate[BAG].astype(int) - road()[BAG]).mean() < 3
    lying = results[left_at + 10 : taken_at - 10]
    assert np.mean([(r.mask[BAG] > 0).mean() for r in lying]) > 0.9
    labels = lying[-1].labels
    assert labels is not None
    assert (labels[57:67, 97:107] == WAITING).mean() > 0.9
    (bag,) = lying[-1].objects
    assert bag.first_seen == pytest.approx(left_at / RATE, abs=0.3)
    assert bag.dwell == pytest.approx((taken_at - 11 - left_at) / RATE, abs=0.3)
    after = results[taken_at + 15 :]
    assert not any(r.mask[BAG].any() for r in after)
    assert not any(r.objects for r in after[2 * RATE :])
