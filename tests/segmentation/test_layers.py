"""Layers with time: moving, waiting, settled, and ghosts, on frames painted by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cleanplate.frames import Picture
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.layers import (
    BACKGROUND,
    MOVING,
    SETTLED,
    SHADOW,
    WAITING,
    LayeredFrame,
    Layers,
)
from plans import layers_of
from roads import CAR, SIZE, road, seen

RATE = 10


def follow(
    frames: list[Picture], plate: Picture | None = None, **settings: object
) -> tuple[list[LayeredFrame], Layers]:
    layers = layers_of(np.full(SIZE, 6, np.uint8), SegmentationSettings.parse(settings, prefix=""))
    background = road() if plate is None else plate
    return [layers.update(at / RATE, f, background) for at, f in enumerate(frames)], layers


def visit(stops: int) -> list[Picture]:
    """A car comes for 1 s, stands for so many frames, and goes for 1 s."""
    lefts = [*range(0, 60, 6), *[60] * stops, *range(60, 120, 6)]
    return [seen([(left, 50, CAR)], at=at) for at, left in enumerate(lefts)]


def car_of(frame: LayeredFrame, left: int = 60) -> np.ndarray:
    return frame.labels[54:70, left + 4 : left + 36]


def test_a_car_moves_waits_and_moves_on() -> None:
    frames, _ = follow(visit(stops=60))
    # It has stood for 1.2 s only; where all of it looks alike, its tail came a little earlier.
    assert (car_of(frames[22]) == MOVING).mean() > 0.95
    assert (car_of(frames[60]) == WAITING).mean() > 0.95
    assert (frames[-1].labels[50:74, 60:80] == BACKGROUND).all()
    assert not (frames[-1].labels == WAITING).any()


def test_dwell_counts_from_the_moment_of_the_stop() -> None:
    frames, _ = follow(visit(stops=60))
    (waiting,) = frames[60].objects
    assert waiting.first_seen == pytest.approx(1.0, abs=0.31)
    assert waiting.dwell == pytest.approx(5.0, abs=0.31)
    left, top, width, height = waiting.box
    assert abs(left - 60) <= 3
    assert abs(top - 50) <= 3
    assert abs(width - 40) <= 5
    assert abs(height - 24) <= 5
    assert waiting.pixels == pytest.approx(40 * 24, rel=0.12)


def test_who_passes_in_front_does_not_end_a_wait() -> None:
    frames = visit(stops=90)[:60]
    for at in range(40):  # another car drives past, right in front of it
        frames.append(seen([(60, 50, CAR), (4 * at, 54, (30, 40, 160))], at=100 + at))
    frames += [seen([(60, 50, CAR)], at=200 + at) for at in range(10)]
    followed, _ = follow(frames)
    (waiting,) = followed[-1].objects
    assert waiting.number == 1
    assert waiting.first_seen == pytest.approx(1.0, abs=0.31)
    assert (followed[80].labels[58:70, 84:116] == MOVING).mean() > 0.8


def test_neighbours_that_stop_at_different_times_are_two_objects() -> None:
    first = [seen([(20, 50, CAR)], at=at) for at in range(60)]
    second = [
        seen([(20, 50, CAR), (max(60, 120 - 8 * at), 50, CAR)], at=60 + at) for at in range(60)
    ]
    followed, _ = follow(first + second)
    assert len(followed[-1].objects) == 2
    early, late = followed[-1].objects
    assert early.first_seen < 0.5
    assert late.first_seen == pytest.approx(6.8, abs=0.5)


def test_settled_is_what_stands_longer_than_the_users_policy() -> None:
    frames, _ = follow(visit(stops=80), settle_seconds=5)
    assert (car_of(frames[50]) == WAITING).mean() > 0.95
    assert frames[50].mask.any()
    assert (car_of(frames[75]) == SETTLED).mean() > 0.95
    assert not frames[75].mask[54:70, 64:96].any()
    assert frames[75].objects[0].settled


def test_nothing_settles_by_default() -> None:
    frames, _ = follow([seen([(60, 50, CAR)], at=at) for at in range(400)])
    assert (car_of(frames[-1]) == WAITING).mean() > 0.95


def test_a_jump_of_the_light_does_not_end_a_wait() -> None:
    frames = visit(stops=90)[:90]
    brighter = [np.clip(f.astype(int) + 12, 0, 255).astype(np.uint8) for f in frames[60:]]
    layers = layers_of(np.full(SIZE, 6, np.uint8), SegmentationSettings())
    for at, picture in enumerate(frames[:60]):
        layers.update(at / RATE, picture, road())
    for at, picture in enumerate(brighter):
        # Dark cars gain less than the road does: what they differ by changes with the light.
        last = layers.update(6 + at / RATE, picture, np.asarray(road() + 24, np.uint8))
    (waiting,) = last.objects
    assert waiting.first_seen == pytest.approx(1.0, abs=0.31)
    assert (car_of(last) == WAITING).mean() > 0.9


def ghostly() -> tuple[Picture, list[Picture]]:
    """A plate that shows a car which is not there, and frames of the empty road."""
    plate = road()
    cv2.rectangle(plate, (60, 50), (99, 73), CAR, -1)
    return plate, [seen([], at=at) for at in range(60)]


def test_a_ghost_is_corrected() -> None:
    plate, frames = ghostly()
    followed, layers = follow(frames, plate)
    assert followed[0].mask[54:70, 64:96].all()
    assert layers.corrected_ghosts == 1
    assert not followed[-1].mask.any()
    error = np.abs(followed[-1].background.astype(int) - road()).mean()
    assert error < 2


def test_a_ghost_stays_where_nothing_is_to_be_mended() -> None:
    plate, frames = ghostly()
    followed, layers = follow(frames, plate, correct_ghosts=False)
    assert layers.corrected_ghosts == 0
    assert followed[-1].mask[54:70, 64:96].all()


def test_after_a_repair_a_car_in_that_place_is_foreground() -> None:
    plate, frames = ghostly()
    followed, _ = follow(frames + visit(stops=60)[:70], plate)
    assert followed[-1].mask[54:70, 64:96].all()
    assert (car_of(followed[-1]) == WAITING).mean() > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_waiting_cars_are_no_ghosts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cars = [
        (int(left), int(top), tuple(int(c) for c in rng.integers(0, 255, 3)))
        for left, top in ((5, 10), (60, 50), (115, 90))
    ]
    _, layers = follow([seen(cars, at=at) for at in range(60)])
    assert layers.corrected_ghosts == 0


def test_a_shadow_has_its_own_label() -> None:
    picture = road()
    picture[40:80, 30:80] = (picture[40:80, 30:80] * 0.6).astype(np.uint8)
    for shadows, label in (("label", SHADOW), ("drop", BACKGROUND), ("keep", MOVING)):
        followed, _ = follow([picture], shadows=shadows)
        assert (followed[0].labels[46:74, 36:74] == label).mean() > 0.95, shadows
        assert followed[0].mask[46:74, 36:74].any() == (shadows == "keep")
