"""The camera's motion is found, whatever stands in front of the scene and whatever the light."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cleanplate.frames import FrameSize, Picture
from cleanplate.video.registration import Motion, Registrar, moved
from scenes import as_bytes, paint_plate
from shaking import MARGIN, random_walk, shift_matrix, turn_matrix, view, with_noise

HEIGHT, WIDTH = 120, 160
WIDE = paint_plate(HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN, seed=4)
PLATE = view(WIDE, np.eye(3))
SHIFTS = random_walk(12, 6.0)
MIDDLE = ((WIDTH - 1) / 2, (HEIGHT - 1) / 2)
CORNERS = np.array([[0, 0], [WIDTH - 1, 0], [0, HEIGHT - 1], [WIDTH - 1, HEIGHT - 1]], float)


def bus(picture: Picture, *, at: int) -> Picture:
    """The picture behind a bus with windows that covers two fifths of it."""
    covered = picture.copy()
    left = 3 * at
    covered[10:100, left : left + 85] = (180, 40, 30)
    covered[20:50, left + 5 : left + 80 : 12] = 240
    covered[60:95, left + 10 : left + 75 : 9] = 20
    return covered


def corner_error(motion: Motion, matrix: np.ndarray) -> float:
    return float(np.abs(moved(CORNERS, motion.matrix) - moved(CORNERS, matrix)).max())


# `matrix` of a view takes the camera's places to the scene's; a motion goes the other way.
@pytest.mark.parametrize("index", range(len(SHIFTS)))
def test_a_shift_is_found_to_a_tenth_of_a_pixel_behind_a_bus(index: int) -> None:
    across, down = SHIFTS[index]
    seen = with_noise(bus(view(WIDE, shift_matrix(-across, -down)), at=index), seed=index)
    motion = Registrar(PLATE, "translation").locate(seen)
    assert motion.is_found
    assert motion.shift == pytest.approx((across, down), abs=0.1)
    assert motion.is_shift


@pytest.mark.parametrize("gain", [0.4, 1.0, 1.5])
def test_light_makes_no_difference(gain: float) -> None:
    seen = view(WIDE, shift_matrix(-3.3, 2.4)).astype(np.float64)
    ramp = np.linspace(0.7, 1.1, WIDTH)[None, :, None]
    motion = Registrar(PLATE, "translation").locate(as_bytes(seen * gain * ramp - 5))
    assert motion.is_found
    assert motion.shift == pytest.approx((3.3, -2.4), abs=0.1)


@pytest.mark.parametrize("degrees", [-1.0, 0.4, 1.5])
def test_a_turn_is_found_as_a_homography(degrees: float) -> None:
    matrix = shift_matrix(-1.7, 0.6) @ turn_matrix(degrees, MIDDLE)
    seen = with_noise(view(WIDE, matrix), seed=1)
    motion = Registrar(PLATE, "homography").locate(seen)
    assert motion.is_found
    assert corner_error(motion, np.linalg.inv(matrix)) < 0.35
    assert not motion.is_shift


def test_a_tilt_is_found_as_a_homography() -> None:
    matrix = np.array([[1.01, 0.004, -1.2], [-0.003, 0.992, 0.8], [6e-5, -4e-5, 1]])
    motion = Registrar(PLATE, "homography").locate(view(WIDE, matrix))
    assert motion.is_found
    assert corner_error(motion, np.linalg.inv(matrix)) < 0.35


def test_half_of_the_points_hidden_do_not_let_the_hidden_corners_swing() -> None:
    seen = with_noise(bus(view(WIDE, shift_matrix(-2.0, 1.0)), at=1), seed=3)
    motion = Registrar(PLATE, "homography").locate(seen)
    assert corner_error(motion, shift_matrix(2.0, -1.0)) < 1.0


def test_a_still_camera_does_not_move() -> None:
    motion = Registrar(PLATE, "translation").locate(with_noise(bus(PLATE, at=5), seed=5))
    assert motion.is_found
    assert motion.reach < 0.1


@pytest.mark.parametrize("how", ["translation", "homography"])
def test_another_scene_is_not_found(how: str) -> None:
    other = paint_plate(HEIGHT, WIDTH, seed=77)
    motion = Registrar(PLATE, how).locate(other)
    assert not motion.is_found
    assert motion.is_none


def test_a_scene_without_structure_cannot_be_found() -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    registrar = Registrar(flat, "translation")
    assert not registrar.is_able
    assert not registrar.locate(PLATE).is_found


def test_a_far_shift_is_found_too() -> None:
    wide = paint_plate(240, 400, seed=6)
    plate, seen = wide[:, :320], wide[:, 40:360]
    motion = Registrar(plate, "translation").locate(seen)
    assert motion.is_found
    assert motion.shift == pytest.approx((-40, 0), abs=0.1)


def test_the_same_frame_has_the_same_motion_whatever_came_before() -> None:
    registrar = Registrar(PLATE, "homography")
    seen = view(WIDE, turn_matrix(0.5, MIDDLE))
    first = registrar.locate(seen)
    registrar.locate(view(WIDE, shift_matrix(5, -4)))
    assert np.array_equal(registrar.locate(seen).matrix, first.matrix)
    assert np.array_equal(Registrar(PLATE, "homography").locate(seen).matrix, first.matrix)


def test_a_fast_shift_is_what_a_warp_gives() -> None:
    size = FrameSize(HEIGHT, WIDTH)
    motion = Motion(shift_matrix(2.5, -1.25), size)
    expected = cv2.warpAffine(
        PLATE, motion.matrix[:2], size[::-1], flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    )
    inside = motion.unseen == 0
    difference = np.abs(motion.to_plate(PLATE)[inside].astype(int) - expected[inside])
    assert difference.mean() < 1
    # Three columns at the right and two rows at the top lie outside the frame.
    assert inside.sum() == (HEIGHT - 2) * (WIDTH - 3)


def test_what_goes_to_the_plate_and_back_is_where_it_was() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[40:80, 50:100] = 255
    motion = Motion(shift_matrix(4.0, 3.0) @ turn_matrix(1.0, MIDDLE), FrameSize(HEIGHT, WIDTH))
    there = motion.to_plate(mask, cv2.INTER_LINEAR)
    back = motion.to_frame(there) > 127
    assert np.count_nonzero(back != (mask > 0)) < 60
    large = motion.to_frame(there, size=FrameSize(2 * HEIGHT, 2 * WIDTH)) > 127
    enlarged = cv2.resize(mask, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_NEAREST) > 0
    assert np.count_nonzero(large != enlarged) < 240


@pytest.mark.data
def test_known_shifts_of_a_real_scene_are_recovered(real_data: Path) -> None:
    paths = sorted((real_data / "cdnet/baseline/highway/input").iterdir())[::40]
    pictures = [np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8) for path in paths]
    registrar = Registrar(np.median(pictures, axis=0).astype(np.uint8), "translation")
    for picture, shift in zip(pictures, random_walk(len(pictures), 6.0), strict=True):
        still = np.array(registrar.locate(picture).shift)
        shifted = cv2.warpAffine(
            picture,
            shift_matrix(*shift)[:2],
            picture.shape[1::-1],
            flags=cv2.INTER_LANCZOS4,
            borderMode=cv2.BORDER_REPLICATE,
        )
        motion = registrar.locate(shifted)
        assert motion.is_found
        assert motion.shift == pytest.approx(still + shift, abs=0.1)
