"""Changes of the light are explained; objects, however large, are not."""

from __future__ import annotations

import numpy as np
import pytest

from cleanplate.frames import FrameSize, Picture
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.difference import residual
from cleanplate.segmentation.layers import WAITING
from cleanplate.segmentation.light import Light
from lights import cloudy, exposed, infrared, jumped, rolling
from plans import layers_of, segmenter_of
from roads import CAR, road, seen
from roads import SIZE as ROAD
from scenes import as_bytes, paint_plate

SIZE = FrameSize(240, 320)
NOISE = np.full(SIZE, 4, np.uint8)
THRESHOLD = np.full(SIZE, 57, np.uint8)
CAR_PLACE = np.s_[100:140, 120:190]


def noisy(picture: Picture, *, seed: int = 0) -> Picture:
    grain = np.random.default_rng(seed).normal(0, 2, picture.shape)
    return as_bytes(picture.astype(np.float32) + grain)


def with_object(
    picture: Picture, place: tuple[slice, slice], colour: tuple[int, int, int]
) -> Picture:
    changed = picture.copy()
    changed[place] = colour
    return changed


def with_car(picture: Picture) -> Picture:
    return with_object(picture, CAR_PLACE, (200, 60, 40))


def foreground(picture: Picture, plate: Picture, **settings: object) -> np.ndarray:
    """The mask without its shadow test, so that darker light counts like lighter one."""
    parsed = SegmentationSettings.parse({"shadows": "keep", **settings}, prefix="")
    return segmenter_of(NOISE, parsed).segment(picture, plate) > 0


CHANGES = {
    "jump of 30": lambda p: jumped(p, 30),
    "fall of 30": lambda p: jumped(p, -30),
    "jump of 60": lambda p: jumped(p, 60),
    "half the light": lambda p: exposed(p, 0.5),
    "exposure with cut-off lights": lambda p: exposed(p, 1.8),
    "evening": lambda p: exposed(p, np.array([1.3, 1.0, 0.75])),
    "fog": lambda p: jumped(exposed(p, 0.5), 90),
    "dark cloud": lambda p: cloudy(p, 0.65),
    "the sun comes out": lambda p: cloudy(p, 1.4),
    "bands of lamps": lambda p: rolling(p[None], 110, swing=0.25)[0],
    "narrow bands of lamps": lambda p: rolling(p[None], 42, swing=0.25)[0],
}


@pytest.mark.parametrize("name", CHANGES)
def test_light_is_explained_and_the_car_in_it_is_not(name: str) -> None:
    plate = paint_plate(*SIZE)
    picture = noisy(CHANGES[name](with_car(plate)))
    without, mask = (foreground(picture, plate, light=how) for how in ("off", "follow"))
    empty = np.ones(SIZE, np.bool_)
    empty[90:150, 110:200] = False
    assert without[empty].mean() > 0.4, "the change must matter"
    assert mask[empty].mean() < 0.01
    assert mask[CAR_PLACE].mean() > 0.95


def test_the_background_of_a_cut_has_the_light_of_the_frame() -> None:
    plate = paint_plate(*SIZE)
    cut = segmenter_of(NOISE, SegmentationSettings()).cut(noisy(jumped(plate, 30)), plate)
    assert np.abs(cut.background.astype(int) - jumped(plate, 30)).mean() < 1.5


def test_where_the_light_is_the_same_nothing_is_touched() -> None:
    plate = paint_plate(*SIZE)
    light = Light(THRESHOLD)
    for picture in (noisy(plate), noisy(with_car(plate)), noisy(jumped(plate, 4))):
        assert light.follow(picture, plate) is plate


def test_a_frame_that_is_like_its_background_needs_no_look_at_its_light() -> None:
    plate = paint_plate(*SIZE)
    light = Light(THRESHOLD)
    assert light.is_unchanged(residual(noisy(plate), plate))
    assert light.is_unchanged(residual(with_car(noisy(plate)), plate))
    assert not light.is_unchanged(residual(jumped(plate, 30), plate))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.6])
@pytest.mark.parametrize("colour", [(220, 180, 60), (90, 90, 90), (30, 30, 35)])
def test_a_bus_is_no_light(share: float, colour: tuple[int, int, int]) -> None:
    plate = paint_plate(*SIZE)
    place = np.s_[:, : round(share * SIZE.width)]
    assert Light(THRESHOLD).follow(noisy(with_object(plate, place, colour)), plate) is plate


@pytest.mark.parametrize("rows", [60, 120, 150])
def test_a_plain_bus_before_a_plain_wall_is_no_light(rows: int) -> None:
    plate = noisy(np.full((*SIZE, 3), 110, np.uint8), seed=1)
    bus = with_object(plate, np.s_[:rows, :], (150, 140, 160))
    assert Light(THRESHOLD).follow(noisy(bus), plate) is plate


@pytest.mark.parametrize("colour", [(140, 140, 140), (220, 60, 60), (240, 240, 240)])
def test_a_bus_that_hides_all_of_the_sky_is_no_light(colour: tuple[int, int, int]) -> None:
    plate = np.full((*SIZE, 3), 100, np.uint8)
    plate[:120] = 200
    bus = with_object(plate, np.s_[:120, :], colour)
    assert Light(THRESHOLD).follow(noisy(bus), plate) is plate


def test_another_picture_is_no_light() -> None:
    plate, other = paint_plate(*SIZE), paint_plate(*SIZE, seed=5)
    light = Light(THRESHOLD)
    assert light.follow(other, plate) is plate
    assert light.likeness(other, plate) < 0.5
    assert light.likeness(noisy(jumped(plate, 40)), plate) > 0.9


@pytest.mark.parametrize("level", [0, 255])
def test_a_picture_that_is_all_black_or_white_says_nothing_of_the_light(level: int) -> None:
    plate = paint_plate(*SIZE)
    blank = np.full((*SIZE, 3), level, np.uint8)
    assert Light(THRESHOLD).follow(blank, plate) is plate


@pytest.mark.parametrize("size", [(17, 23), (48, 64), (61, 83), (432, 768)])
def test_light_is_followed_at_every_size(size: tuple[int, int]) -> None:
    plate = paint_plate(*size)
    light = Light(np.full(size, 57, np.uint8))
    for picture in (jumped(plate, 30), cloudy(plate, 1.4, softness=0.2)):
        followed = light.follow(noisy(picture), plate)
        assert followed.shape == plate.shape
        assert followed.dtype == np.uint8
        assert np.abs(followed.astype(int) - picture).mean() < 6


def test_the_same_frame_gives_the_same_background_whatever_came_before() -> None:
    plate = paint_plate(*SIZE)
    pictures = [noisy(change(with_car(plate))) for change in CHANGES.values()]
    light = Light(THRESHOLD)
    forwards = [light.follow(picture, plate) for picture in pictures]
    backwards = [light.follow(picture, plate) for picture in pictures[::-1]][::-1]
    for first, second in zip(forwards, backwards, strict=True):
        assert np.array_equal(first, second)


def test_frame_and_background_are_left_alone() -> None:
    plate = paint_plate(*SIZE)
    picture = noisy(cloudy(jumped(plate, 20), 1.4))
    copies = plate.copy(), picture.copy()
    Light(THRESHOLD).follow(picture, plate)
    assert np.array_equal(plate, copies[0])
    assert np.array_equal(picture, copies[1])


@pytest.mark.parametrize("levels", [30, -30])
def test_a_car_that_waits_in_a_jump_of_the_light_waits_on(levels: int) -> None:
    layers = layers_of(np.full(ROAD, 6, np.uint8), SegmentationSettings())
    for at in range(100):
        # It comes to rest at once; after 6 s the light changes.
        picture = seen([(60, 50, CAR)], at=at)
        frame = layers.update(at / 10, jumped(picture, levels) if at >= 60 else picture, road())
        if at >= 60:
            assert frame.mask[50:74, 60:100].mean() > 0.9 * 255
            frame.mask[46:78, 56:104] = 0
            assert (frame.mask > 0).mean() < 0.01
    (waiting,) = frame.objects
    assert waiting.first_seen < 0.5
    assert (frame.labels[54:70, 64:96] == WAITING).mean() > 0.9


def test_a_car_waits_on_while_the_light_drifts() -> None:
    layers = layers_of(np.full(ROAD, 6, np.uint8), SegmentationSettings())
    for at in range(200):
        picture = jumped(seen([(60, 50, CAR)], at=at), 40 * at / 200)
        frame = layers.update(at / 10, picture, road())
        assert (frame.mask > 0).mean() < 0.07
        assert frame.mask[52:72, 62:98].mean() > 0.9 * 255
    (waiting,) = frame.objects
    assert waiting.first_seen < 0.5


def test_a_car_waits_on_while_the_camera_switches_to_infrared() -> None:
    noise = np.full(ROAD, 6, np.uint8)
    layers = layers_of(noise, SegmentationSettings(), others=[noise])
    for at in range(100):
        picture = seen([(60, 50, CAR)], at=at)
        state = int(at >= 60)
        shown, plate = (infrared(picture), infrared(road())) if state else (picture, road())
        frame = layers.update(at / 10, shown, plate, state)
        assert frame.mask[52:72, 62:98].mean() > 0.9 * 255
        assert (frame.mask > 0).mean() < 0.07
    (waiting,) = frame.objects
    assert waiting.first_seen < 0.5


def test_a_ghost_is_corrected_in_the_state_that_shows_it() -> None:
    noise = np.full(ROAD, 6, np.uint8)
    layers = layers_of(noise, SegmentationSettings(), others=[noise])
    ghostly = with_object(infrared(road()), np.s_[50:74, 60:100], (20, 20, 20))
    for at in range(60):
        frame = layers.update(at / 10, infrared(seen([], at=at)), ghostly, 1)
    assert not frame.mask.any()
    assert set(layers.corrections) == {1}
    assert not layers.update(6, seen([], at=60), road()).mask.any()
