"""Shapes of what stands: parts at necks, how much of an outline is filled, and edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleanplate.segmentation.layers.outlines import density, edges_in, filled, parts_of


def boxes(*places: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """A region of boxes: top, left, height and width."""
    region = np.zeros((60, 90), np.bool_)
    for top, left, height, width in places:
        region[top : top + height, left : left + width] = True
    return region


def test_two_that_touch_at_a_neck_are_cut_there() -> None:
    region = boxes((5, 5, 24, 36), (24, 38, 24, 40))
    first, second = sorted(parts_of(region, 20), key=lambda part: int(np.nonzero(part)[1].min()))
    assert (first | second == region).all()
    assert not (first & second).any()
    assert first[5:29, 5:36].mean() > 0.97
    assert second[24:48, 44:78].mean() > 0.97


def test_one_with_a_waist_a_hole_or_a_small_thing_beside_it_is_one() -> None:
    waist = boxes((10, 5, 30, 30), (13, 35, 24, 6), (10, 41, 30, 34))
    hollow = boxes((10, 5, 30, 70)) & ~boxes((14, 20, 22, 40))
    mirror = boxes((10, 5, 30, 60), (20, 65, 2, 6), (17, 71, 8, 8))
    for region in (waist, hollow, mirror):
        assert len(parts_of(region, 20)) == 1


def test_scattered_pixels_fill_little_of_their_outline() -> None:
    scattered = np.zeros((60, 90), np.uint8)
    scattered[::6, ::6] = 1
    assert density(scattered) < 0.1
    assert density(boxes((10, 10, 20, 30)).view(np.uint8)) > 0.99
    assert density(np.zeros((4, 4), np.uint8)) == 0


def test_what_is_surrounded_is_filled() -> None:
    hollow = boxes((10, 5, 30, 70)) & ~boxes((14, 20, 22, 40))
    assert (filled(hollow) > 0)[10:40, 5:75].all()


def test_edges_are_where_the_contrast_is() -> None:
    picture = np.full((60, 90, 3), 90, np.uint8)
    picture[:, 45:] = 160
    edges = edges_in(boxes((10, 10, 40, 70)), picture)
    assert edges[12:48, 44:46].all()
