"""The texture of a plate shows through light, and not through what stands in front of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cleanplate.frames import Picture
from cleanplate.segmentation.shown_through import ShownThrough
from lights import cloudy, exposed, jumped
from scenes import as_bytes, paint_plate

SIZE = (120, 160)
PLATE = as_bytes(128 + 1.6 * (paint_plate(*SIZE, seed=2).astype(np.float32) - 128))
OBJECT = np.s_[30:90, 50:110]
CORE = np.s_[20:40, 30:50]
"""The middle of the object in a map of half the size."""


def noisy(picture: Picture) -> Picture:
    grain = np.random.default_rng(1).normal(0, 2, picture.shape)
    return as_bytes(picture.astype(np.float32) + grain)


def in_the_object(picture: Picture) -> Picture:
    """The plate with a part of another picture."""
    shown = PLATE.copy()
    shown[OBJECT] = picture[OBJECT]
    return shown


LIGHTS: dict[str, Callable[[], Picture]] = {
    "the same": lambda: PLATE,
    "brighter": lambda: exposed(PLATE, 1.3),
    "half": lambda: exposed(PLATE, 0.5),
    "lifted": lambda: jumped(PLATE, 25),
    "cloud": lambda: cloudy(PLATE, 0.6),
}


def as_bright(colour: tuple[int, int, int]) -> Picture:
    """A picture of one colour that is as bright as the middle of the plate."""
    weights = np.array([0.299, 0.587, 0.114])
    level = (PLATE[OBJECT] @ weights).mean() / (np.array(colour) @ weights)
    return np.broadcast_to(as_bytes(level * np.array(colour, np.float32)), PLATE.shape)


OBJECTS: dict[str, Callable[[], Picture]] = {
    "an even car": lambda: in_the_object(np.full_like(PLATE, 120)),
    "red and as bright": lambda: in_the_object(as_bright((200, 40, 40))),
    "dark": lambda: in_the_object(np.full_like(PLATE, 15)),
    "patterned": lambda: in_the_object(paint_plate(*SIZE, seed=9)),
    "brighter and patterned": lambda: in_the_object(jumped(paint_plate(*SIZE, seed=9), 40)),
}


@pytest.mark.parametrize("name", LIGHTS)
def test_light_leaves_the_texture(name: str) -> None:
    share = ShownThrough(PLATE).share(noisy(LIGHTS[name]()))
    assert share.shape == (60, 80)
    assert share[CORE].min() > 0.7
    assert np.median(share) > 0.8


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_hides_it(name: str) -> None:
    share = ShownThrough(PLATE).share(noisy(OBJECTS[name]()))
    assert share[CORE].max() < 0.5
    assert np.median(share[:, 65:]) > 0.8  # and nothing of what is away from it


@pytest.mark.parametrize("colour", [(150, 150, 150), (190, 84, 40)])
def test_an_object_before_an_even_wall_is_known_by_its_outline(
    colour: tuple[int, int, int],
) -> None:
    wall = np.full((*SIZE, 3), 110, np.uint8)
    shown = wall.copy()
    shown[OBJECT] = colour  # the second is as bright as the wall
    assert ShownThrough(noisy(wall)).share(noisy(shown)).max() < 0.5


@pytest.mark.parametrize("size", [(2, 2), (7, 300), (61, 83)])
def test_every_size_has_a_map_of_half(size: tuple[int, int]) -> None:
    plate = paint_plate(*size)
    share = ShownThrough(plate).share(plate)
    assert share.shape == (size[0] // 2, size[1] // 2)
    assert np.isfinite(share).all()
    assert share.min() >= 0
    assert share.max() <= 1
