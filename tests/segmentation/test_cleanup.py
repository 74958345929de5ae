"""Clean-up of masks: the majority decides, gaps close, small regions go."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cleanplate.frames import FrameSize, Mask
from cleanplate.segmentation import SegmentationPlan, SegmentationSettings
from cleanplate.segmentation.cleanup import without_small
from cleanplate.segmentation.plan import odd_length
from plans import array_ops, cleanup_of

REFERENCE = FrameSize(240, 320)
NOTHING = SegmentationSettings(median_size=0, closing=0, min_area=0)


def random_mask(size: FrameSize, share: float, seed: int = 0) -> Mask:
    random = np.random.default_rng(seed)
    return np.where(random.random(size) < share, 255, 0).astype(np.uint8)


def random_order(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.random.default_rng(0).permutation(values)


def remove_small(mask: Mask, least: int) -> Mask:
    size = FrameSize(*mask.shape)
    return without_small(array_ops(SegmentationPlan.of(NOTHING, size)), mask, least)


def cleaned(mask: Mask, **settings: int) -> Mask:
    chosen = NOTHING.model_copy(update=settings)
    return cleanup_of(chosen, FrameSize(*mask.shape))(mask)


@pytest.mark.parametrize("side", [3, 5, 7, 15, 31])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_the_majority_is_a_median_filter(side: int, share: float) -> None:
    mask = random_mask(REFERENCE, share, seed=side)
    assert np.array_equal(cleaned(mask, median_size=side), cv2.medianBlur(mask, side))


@pytest.mark.parametrize("side", [3, 25, 63])
@pytest.mark.parametrize("winner", [0, 255])
def test_a_single_pixel_decides_the_majority(side: int, winner: int) -> None:
    square = np.zeros(side * side, np.uint8)
    square[: side * side // 2 + (winner == 255)] = 255
    mask = np.zeros(REFERENCE, np.uint8)
    mask[100 : 100 + side, 100 : 100 + side] = random_order(square).reshape(side, side)
    assert cleaned(mask, median_size=side)[100 + side // 2, 100 + side // 2] == winner


def test_nothing_to_do_leaves_a_mask_as_it_is() -> None:
    mask = random_mask(REFERENCE, 0.3)
    assert np.array_equal(cleaned(mask), mask)


def test_an_empty_and_a_full_mask_stay_so() -> None:
    for value in (0, 255):
        mask = np.full(REFERENCE, value, np.uint8)
        assert np.array_equal(cleanup_of(SegmentationSettings(), REFERENCE)(mask), mask)


def test_closing_joins_what_is_nearer_than_its_diameter() -> None:
    mask = np.zeros(REFERENCE, np.uint8)
    mask[80:120, 80:120] = mask[80:120, 124:160] = 255
    mask[80:120, 180:200] = 255
    closed = cleaned(mask, closing=7)
    assert closed[100, 80:160].all()
    assert not closed[100, 165:175].any()


def test_regions_of_fewer_pixels_are_removed_and_others_left_alone() -> None:
    mask = np.zeros(REFERENCE, np.uint8)
    mask[100:104, 50:54] = mask[20:30, 300:320] = 255  # 16 pixels, and 200 at the edge
    with_speck = mask.copy()
    with_speck[200:203, 100:105] = 255  # 15 pixels
    assert np.array_equal(remove_small(with_speck, 16), mask)


def test_regions_that_touch_at_a_corner_count_as_one() -> None:
    mask = np.zeros((12, 12), np.uint8)
    mask[2:4, 2:4] = mask[4:6, 4:6] = 255
    assert np.array_equal(remove_small(mask, 8), mask)
    assert not remove_small(mask, 9).any()


@pytest.mark.parametrize("min_area", [0, 1])
def test_no_region_is_smaller_than_one_pixel(min_area: int) -> None:
    mask = random_mask(FrameSize(20, 20), 0.1)
    assert np.array_equal(remove_small(mask, min_area), mask)


def test_many_regions_are_told_apart() -> None:
    # More than 255 regions: a label of 8 bits would not do.
    mask = np.zeros((64, 64), np.uint8)
    mask[::3, ::3] = 255
    mask[60:64, 60:64] = 255
    result = remove_small(mask, 5)
    assert result.sum() == 255 * 16


@pytest.mark.parametrize("length", [0, 1, 3, 4.8, 7, 20, 63])
@pytest.mark.parametrize("scale", [0.1, 0.5, 1, 1.9, 3])
def test_a_scaled_length_is_odd_and_near_or_nothing(length: float, scale: float) -> None:
    result = odd_length(length, scale)
    if length == 0:
        assert result == 0
    else:
        assert result % 2 == 1
        assert result >= 3
        assert result == 3 or abs(result - length * scale) <= 1


def test_an_odd_length_in_the_reference_size_is_itself() -> None:
    assert [odd_length(length, 1) for length in range(3, 64, 2)] == list(range(3, 64, 2))


def test_lengths_grow_with_the_frame_and_areas_with_its_pixels() -> None:
    settings = SegmentationSettings(median_size=7, closing=0, min_area=40)
    small, large = FrameSize(240, 320), FrameSize(720, 960)
    mask = random_mask(small, 0.5) & cv2.medianBlur(random_mask(small, 0.55, seed=2), 5)
    in_small = cleanup_of(settings, small)(mask)
    enlarged = np.repeat(np.repeat(mask, 3, axis=0), 3, axis=1)
    in_large = cleanup_of(settings, large)(enlarged)
    agreement = (np.repeat(np.repeat(in_small, 3, axis=0), 3, axis=1) == in_large).mean()
    assert in_small.any()
    assert agreement > 0.97
