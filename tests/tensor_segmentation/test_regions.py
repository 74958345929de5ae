"""Regions on tensors are OpenCV's 8-connected components, whatever their form."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cleanplate.frames import FrameSize
from cleanplate.segmentation import SegmentationPlan, SegmentationSettings
from cleanplate.segmentation.cleanup import cleaned, without_small
from cleanplate.tensor_segmentation.regions import region_labels
from plans import array_ops, tensor_ops

SMALL = SegmentationPlan.of(
    SegmentationSettings(median_size=0, closing=0, blur=0), FrameSize(40, 60)
)


def find_labels(mask: torch.Tensor) -> torch.Tensor:
    return region_labels(mask, mask.flatten().nonzero().squeeze(1))


def is_same_partition(mask: NDArray[np.bool_]) -> bool:
    labels = np.full(mask.shape, -1)
    labels[mask] = find_labels(torch.from_numpy(mask)[None]).numpy()
    count, expected = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    pairs = set(zip(expected[mask].tolist(), labels[mask].tolist(), strict=True))
    return len(pairs) == count - 1 == len({label for _, label in pairs})


def spiral(side: int) -> NDArray[np.bool_]:
    """A line that winds inwards, one pixel wide."""
    mask = np.zeros((side, side), bool)
    row = column = 0
    down, right = 0, 1
    mask[0, 0] = True
    lengths = [side - 1, *(length for each in range(side - 1, 0, -2) for length in (each, each))]
    for length in lengths:
        for _ in range(length):
            row, column = row + down, column + right
            mask[row, column] = True
        down, right = right, -down
    return mask


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 0.95))
def test_any_mask_falls_into_the_regions_of_opencv(seed: int, share: float) -> None:
    assert is_same_partition(np.random.default_rng(seed).random((23, 31)) < share)


@pytest.mark.parametrize("turned", [False, True])
def test_a_line_that_winds_for_thousands_of_pixels_is_one_region(turned: bool) -> None:
    mask = spiral(101)
    assert is_same_partition(mask[::-1].T.copy() if turned else mask)


def test_an_empty_and_a_full_mask_have_regions_too() -> None:
    assert is_same_partition(np.zeros((9, 11), bool))
    assert is_same_partition(np.ones((9, 11), bool))


def test_regions_of_two_masks_never_touch() -> None:
    labels = find_labels(torch.ones(2, 5, 7, dtype=torch.bool)).view(2, 35)
    assert labels[0].unique().numel() == labels[1].unique().numel() == 1
    assert labels[0, 0] != labels[1, 0]


def test_small_regions_go_and_those_of_just_enough_pixels_stay() -> None:
    mask = np.random.default_rng(3).random((2, 40, 60)) < 0.3
    for least in (0, 1, 2, 7, 1000):
        found = without_small(tensor_ops(SMALL, [None] * 2), torch.from_numpy(mask), least).numpy()
        for each, whole in zip(found, mask, strict=True):
            expected = without_small(array_ops(SMALL), whole * np.uint8(255), least)
            np.testing.assert_array_equal(each, expected > 0)


def test_a_faint_region_is_taken_in_where_half_of_it_is_clear() -> None:
    weak = torch.zeros(1, 8, 30, dtype=torch.bool)
    weak[0, 2:6, 1:5] = weak[0, 2:6, 8:12] = weak[0, 2:6, 15:19] = True
    clear = torch.zeros_like(weak)
    clear[0, 2:4, 1:5] = True  # 8 of 16
    clear[0, 2:4, 8:11] = True  # 6 of 16
    clear[0, 2:4, 25:27] = True  # not even weak
    found = cleaned(SMALL, tensor_ops(SMALL), clear, weak, weak)
    expected = clear.clone()
    expected[0, 2:6, 1:5] = True
    assert torch.equal(found, expected)
