"""Who waits: nobody without proof, a vehicle as one object, and no more work after many of them."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from cleanplate.frames import Picture
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.layers import WAITING, LayeredFrame, Layers, StationaryObject
from plans import layers_of
from roads import CAR, SIZE, road, seen

RATE = 10


def follow(
    frames: list[Picture], backgrounds: list[Picture] | None = None
) -> tuple[list[LayeredFrame], Layers]:
    layers = layers_of(np.full(SIZE, 6, np.uint8), SegmentationSettings())
    plates = backgrounds or [road()] * len(frames)
    followed = [
        layers.update(at / RATE, frame, plate)
        for at, (frame, plate) in enumerate(zip(frames, plates, strict=True))
    ]
    return followed, layers


def rows(followed: list[LayeredFrame]) -> list[StationaryObject]:
    """Each object as it was told of last."""
    last = {found.number: found for frame in followed for found in frame.objects}
    return list(last.values())


def passing(
    at: int, *, first: int, speed: int = 8, top: int = 50
) -> list[tuple[int, int, tuple[int, int, int]]]:
    """A car that drives through the picture from a frame on."""
    left = -40 + speed * (at - first)
    return [(left, top, CAR)] if at >= first else []


def test_a_car_of_the_first_frame_that_drives_on_proves_nothing_about_the_next() -> None:
    frames = [seen([(60 + 12 * at, 50, CAR)], at=at) for at in range(10)]
    stop = [min(60, -40 + 8 * at) for at in range(60)]
    frames += [seen([(left, 50, CAR)], at=100 + at) for at, left in enumerate(stop)]
    (found,) = rows(follow(frames)[0])
    assert found.first_seen == pytest.approx(1 + 13 / RATE, abs=0.31)
    assert not found.began_before


def test_who_stands_in_the_first_frame_is_told_to_have_come_before() -> None:
    followed, _ = follow([seen([(60, 50, CAR)], at=at) for at in range(60)])
    (found,) = followed[-1].objects
    assert found.first_seen == 0
    assert found.began_before


def test_nobody_is_told_to_wait_since_the_beginning_after_a_jump_of_the_light() -> None:
    plates = [np.asarray(road() + (24 if at >= 50 else 0), np.uint8) for at in range(110)]
    frames = [
        seen([(max(60, 160 - 8 * (at - 40)), 50, CAR)] if at >= 40 else [], at=at, plate=plate)
        for at, plate in enumerate(plates)
    ]
    found = rows(follow(frames, plates)[0])
    assert all(each.first_seen == pytest.approx(5.2, abs=0.5) for each in found)
    moving = [seen(passing(at, first=45), at=at, plate=plates[at]) for at in range(110)]
    assert not rows(follow(moving, plates)[0])


def clock(at: int, digits: dict[int, int]) -> Picture:
    """A road with a clock whose digits, by their place, change every so many frames."""
    picture = road()
    for place, period in digits.items():
        text = str((3 + at // period) % 10)
        cv2.putText(picture, text, (10 + 24 * place, 40), 0, 1.2, (255, 255, 255), 5)
    noise = np.random.default_rng(at).normal(0, 2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def test_digits_that_change_in_their_place_never_wait() -> None:
    digits = {0: 600, 1: 100, 2: 10}
    plate = clock(0, digits)
    frames = [clock(at, digits) for at in range(400)]
    followed, _ = follow(frames, [plate] * len(frames))
    assert any(frame.mask.any() for frame in followed[100:])
    assert not rows(followed)
    assert not any((frame.labels == WAITING).any() for frame in followed)


def lorry(left: int) -> Picture:
    """A lorry in pieces that rest one after the other: a plain roof, a cab, a load with stripes."""
    picture = road()
    cv2.rectangle(picture, (left, 40), (left + 69, 79), (30, 30, 34), -1)
    cv2.rectangle(picture, (left + 4, 44), (left + 24, 75), (190, 60, 60), -1)
    for stripe, width in ((32, 2), (38, 4), (47, 3), (53, 1), (58, 5)):
        corner = (left + stripe + width, 75)
        cv2.rectangle(picture, (left + stripe, 44), corner, (60, 200, 90), -1)
    # its middle has nearly the colour of the road
    picture[52:64, left + 26 : left + 30] = road()[52:64, left + 26 : left + 30]
    return picture


def test_a_lorry_that_stops_slowly_is_one_object_with_the_time_of_its_stop() -> None:
    lefts = [round(60 - 60 * (1 - min(at, 40) / 40) ** 2) for at in range(100)]
    noise = np.random.default_rng(0)
    frames = [
        np.clip(lorry(left) + noise.normal(0, 2, (*SIZE, 3)), 0, 255).astype(np.uint8)
        for left in lefts
    ]
    (found,) = rows(follow(frames)[0])
    stopped = lefts.index(60) / RATE
    assert found.first_seen == pytest.approx(stopped, abs=0.5)
    assert found.pixels == pytest.approx(70 * 40, rel=0.15)


def test_the_end_of_a_wait_is_told_to_half_a_second() -> None:
    lefts = [*range(0, 60, 6), *[60] * 50, *(60 + round(at**2 / 4) for at in range(20))]
    noise = np.random.default_rng(0)
    frames = [
        np.clip(picture + noise.normal(0, 2, (*SIZE, 3)), 0, 255).astype(np.uint8)
        for picture in [*map(lorry, lefts), *[road()] * 40]
    ]
    (found,) = rows(follow(frames)[0])
    assert found.last_seen == pytest.approx(6.0, abs=0.5)


def test_cars_that_touch_at_a_corner_are_two() -> None:
    def frame(at: int) -> Picture:
        left = min(20, -80 + 8 * at)
        return seen([(left, 30, CAR), (left + 38, 52, (40, 60, 200))], at=at)

    found = rows(follow([frame(at) for at in range(70)])[0])
    assert len(found) == 2


def test_the_work_and_the_memory_do_not_grow_with_the_objects_that_have_been_there() -> None:
    layers = layers_of(np.full(SIZE, 6, np.uint8), SegmentationSettings())
    layers._tracker._found = layers._tracker._reported = 10_000_000
    cars = [(10, 50, CAR), (48, 55, (40, 60, 200))]
    for at in range(60):
        layers.update(at / RATE, seen(cars, at=at), road())
    tracemalloc.start()
    for at in range(60, 90):
        layers.update(at / RATE, seen(cars, at=at), road())
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10_000_000


def test_nothing_is_kept_of_objects_that_have_left() -> None:
    layers = layers_of(np.full(SIZE, 6, np.uint8), SegmentationSettings())
    time = 0
    for _ in range(4):
        for left in [*range(0, 60, 6), *[60] * 40, *range(60, 160, 6), *[400] * 30]:
            layers.update(time / RATE, seen([(left, 50, CAR)], at=time), road())
            time += 1
    assert layers._tracker._reported == 4
    assert len(layers._tested) <= 1
    assert not layers._tracker._tracked
    assert not layers._tracker._leaving
    assert not layers._covers._holes
    assert not layers._covers._due
    remembered = layers._tracker._arrivals._past
    assert remembered[-1].time - remembered[0].time < 10  # of the 36 seconds
