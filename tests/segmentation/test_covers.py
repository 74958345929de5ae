"""What a waiting object covers though it looks like the scene."""

from __future__ import annotations

import cv2
import numpy as np

from cleanplate.frames import Picture
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.layers import BACKGROUND, WAITING, LayeredFrame
from plans import layers_of
from roads import CAR, SIZE, road

RATE = 10
WINDOW = np.s_[46:64, 78:102]
"""Rows and columns of what the van surrounds where it stands."""


def van(left: int, *, window: bool) -> Picture:
    """A van around a windscreen nearly of the road's colour, or around the road itself."""
    picture = road()
    inside = np.s_[46:64, max(0, left + 18) : max(0, left + 42)]
    seen = picture[inside].copy()
    cv2.rectangle(picture, (left, 36), (left + 59, 75), CAR, -1)
    picture[inside] = seen + 12 if window else seen
    return picture


def follow(*, window: bool) -> list[LayeredFrame]:
    lefts = [*range(-60, 60, 6), *[60] * 70, *range(60, 170, 6)]
    layers = layers_of(np.full(SIZE, 6, np.uint8), SegmentationSettings())
    noise = np.random.default_rng(0)
    followed = []
    for at, left in enumerate(lefts):
        picture = van(left, window=window) + noise.normal(0, 2, (*SIZE, 3))
        frame = np.clip(picture, 0, 255).astype(np.uint8)
        followed.append(layers.update(at / RATE, frame, road()))
    return followed


def test_a_windscreen_like_the_road_is_foreground_once_the_van_waits() -> None:
    followed = follow(window=True)
    assert not followed[22].mask[WINDOW].all(), "nothing is known of it yet"
    for frame in followed[60:88]:
        assert (frame.mask[WINDOW] > 0).mean() > 0.97
        assert (frame.labels[WINDOW] == WAITING).mean() > 0.97


def test_the_road_that_shows_through_stays_background() -> None:
    for frame in follow(window=False)[60:88]:
        assert (frame.labels[WINDOW][4:-4, 4:-4] == BACKGROUND).all()


def test_nothing_is_left_of_it_when_the_van_has_gone() -> None:
    for frame in follow(window=True)[-2:]:
        assert not frame.mask[:, :100].any()
