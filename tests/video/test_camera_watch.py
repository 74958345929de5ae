"""A moved camera is told from all that may happen in front of one that stands still."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from cleanplate.frames import Picture
from cleanplate.video.camera_watch import CameraMove, CameraWatch
from lights import infrared
from scenes import as_bytes, paint_plate
from shaking import with_noise

HEIGHT, WIDTH = 120, 160
MARGIN = 60
WIDE = paint_plate(HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN, seed=8)
RATE = 2.5
"""Frames in a second."""


def look_at(across: int = 0, down: int = 0) -> Picture:
    """The scene from a camera that looks that much further right and down."""
    top, left = MARGIN + down, MARGIN + across
    return WIDE[top : top + HEIGHT, left : left + WIDTH]


PLATE = look_at()


def watch(
    frame: Callable[[float], Picture],
    *,
    seconds: float,
    reach: float = 0,
    others: Sequence[Picture] = (),
) -> CameraWatch:
    """A watch that has seen a recording of so many seconds."""
    guard = CameraWatch(PLATE, reach=reach, others=others)
    for index in range(round(seconds * RATE)):
        time = index / RATE
        guard.look(index + 1, time, with_noise(frame(time), seed=index))
    return guard


def lorry(time: float, *, share: float) -> Picture:
    """The scene behind a lorry that covers a share of its width and rolls by slowly."""
    picture = PLATE.copy()
    width = round(share * WIDTH)
    side = paint_plate(HEIGHT, WIDTH + 200, seed=21)
    roll = round(4 * time)
    picture[:, :width] = side[:, roll : roll + width]
    return picture


@pytest.mark.parametrize(("across", "down", "far"), [(40, 0, 40), (15, 0, 15), (-9, 12, 12)])
def test_a_camera_that_is_moved_is_reported_with_its_time(
    across: int, down: int, far: float
) -> None:
    guard = watch(lambda time: look_at(across, down) if time >= 6 else PLATE, seconds=12)
    assert guard.moved is not None
    assert guard.moved.number == pytest.approx(16, abs=1)
    assert guard.moved.time == pytest.approx(6.0, abs=0.5)
    assert guard.moved.reach == pytest.approx(far, abs=0.3)
    assert f"the camera was moved at frame {guard.moved.number} (" in str(guard.moved)


def test_a_camera_that_looks_elsewhere_is_reported_after_ten_seconds() -> None:
    other = paint_plate(HEIGHT, WIDTH, seed=99)

    def frame(time: float) -> Picture:
        return other if time >= 4 else PLATE

    assert watch(frame, seconds=12).moved is None
    moved = watch(frame, seconds=16).moved
    assert moved is not None
    assert moved.reach is None
    assert moved.time == pytest.approx(4.0, abs=0.5)
    assert "hardly anything of the scene" in str(moved)


def test_a_bump_that_does_not_last_is_none() -> None:
    guard = watch(lambda time: look_at(15) if 4 <= time < 5 else PLATE, seconds=12)
    assert guard.moved is None


@pytest.mark.parametrize(("share", "seconds"), [(0.8, 20.0), (1.0, 8.0)])
def test_a_lorry_in_front_of_nearly_all_is_no_move(share: float, seconds: float) -> None:
    def frame(time: float) -> Picture:
        return lorry(time, share=share) if 2 <= time < 2 + seconds else PLATE

    assert watch(frame, seconds=seconds + 6).moved is None


def test_light_fog_and_night_are_no_move() -> None:
    def frame(time: float) -> Picture:
        if time < 15:
            return as_bytes(PLATE * (1.3 - time / 15))
        return as_bytes(0.08 * PLATE + 180)  # thick fog

    assert watch(frame, seconds=40).moved is None


def test_another_state_of_the_scene_is_no_move_and_is_watched_too() -> None:
    """An infrared picture has nothing to go by that the plate by day has."""

    def night(time: float) -> Picture:
        return infrared(PLATE) if time >= 4 else PLATE

    def bumped(time: float) -> Picture:
        return infrared(look_at(15)) if time >= 20 else night(time)

    assert watch(night, seconds=30).moved is not None, "who does not know the state is misled"
    assert watch(night, seconds=30, others=[infrared(PLATE)]).moved is None
    moved = watch(bumped, seconds=30, others=[infrared(PLATE)]).moved
    assert moved is not None
    assert moved.time == pytest.approx(20, abs=0.5)
    assert moved.reach == pytest.approx(15, abs=0.5)


def test_traffic_is_no_move() -> None:
    random = np.random.default_rng(5)
    cars = random.integers(0, [HEIGHT - 20, WIDTH - 34], (14, 2))
    colours = random.integers(0, 255, (14, 3))

    def frame(time: float) -> Picture:
        picture = PLATE.copy()
        for (top, left), colour in zip(cars, colours, strict=True):
            place = (left + round(12 * min(time, 5))) % (WIDTH - 34)  # and then a jam
            picture[top : top + 20, place : place + 34] = colour
        return picture

    assert watch(frame, seconds=20).moved is None


def test_a_camera_that_is_known_to_shake_may_do_so() -> None:
    def frame(time: float) -> Picture:
        return look_at(round(6 * np.sin(3 * time)), round(5 * np.cos(2 * time)))

    assert watch(frame, seconds=15, reach=6.0).moved is None
    bumped = watch(lambda time: look_at(30) if time > 5 else frame(time), seconds=15, reach=6.0)
    assert bumped.moved is not None


def test_only_the_first_move_is_told() -> None:
    guard = watch(lambda time: look_at(round(15 * (time // 6))), seconds=24)
    assert isinstance(guard.moved, CameraMove)
    assert guard.moved.time == pytest.approx(6, abs=0.5)
    assert not guard.is_due(100.0)


@pytest.mark.data
@pytest.mark.parametrize(
    "sequence", ["cdnet/baseline/highway", "cdnet/baseline/pedestrians", "sbi/Board", "sbi/Foliage"]
)
def test_real_scenes_of_a_still_camera_are_no_move(real_data: Path, sequence: str) -> None:
    paths = sorted((real_data / sequence / "input").iterdir())
    samples = [read(path) for path in paths[:: max(1, len(paths) // 40)]]
    plate = np.median(samples, axis=0).astype(np.uint8)
    guard, bumped = CameraWatch(plate), CameraWatch(plate)
    for index in range(0, len(paths), 10):
        picture = read(paths[index])
        guard.look(index + 1, index / 25, picture)
        bumped.look(index + 1, index / 25, np.roll(picture, 15, axis=1))
    assert guard.moved is None
    if sequence.startswith("cdnet"):
        assert bumped.moved is not None
        assert bumped.moved.reach == pytest.approx(15, abs=0.5)


def read(path: Path) -> Picture:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return np.asarray(picture, np.uint8)
