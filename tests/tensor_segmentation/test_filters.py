"""Blur, majority, closing and sizes come out as OpenCV's, to the last bit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from cleanplate.frames import FrameSize, Mask
from cleanplate.scene_model.sizes import enlarged_mask, resized
from cleanplate.segmentation.opencv.ops import median_filter as opencv_median_filter
from cleanplate.segmentation.ops import disc
from cleanplate.tensor_segmentation import resampling
from cleanplate.tensor_segmentation.filters import (
    blurred,
    closed,
    gaussian_weights,
    median_filter,
    packed,
    unpacked,
)
from cleanplate.tensor_segmentation.resampling import block_means, enlarged_masks, reduced

SIZES = [FrameSize(41, 57), FrameSize(64, 48)]


def random_bytes(*shape: int) -> Mask:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def blotches(size: FrameSize, seed: int = 0) -> Mask:
    """A mask of blotches and specks."""
    noise = np.random.default_rng(seed).normal(0, 1, size).astype(np.float32)
    return np.where(cv2.GaussianBlur(noise, (0, 0), 1.5) > 0.05, 255, 0).astype(np.uint8)


def as_bool(mask: Mask) -> torch.Tensor:
    return torch.from_numpy(mask > 0)[None]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("side", "sigma"), [(5, 1.2), (3, 0.3), (7, 1.7), (25, 6.2)])
def test_a_blur_is_that_of_opencv(size: FrameSize, side: int, sigma: float) -> None:
    values = random_bytes(2, *size)
    found = blurred(torch.from_numpy(values), gaussian_weights(side, sigma)).numpy()
    for each, expected in zip(found, values, strict=True):
        np.testing.assert_array_equal(each, cv2.GaussianBlur(expected, (side, side), sigma))


@pytest.mark.parametrize("side", [0, 3, 7, 13])
def test_a_majority_is_that_of_the_cleanup(side: int) -> None:
    mask = blotches(SIZES[0])
    found = median_filter(as_bool(mask), side)[0].numpy()
    np.testing.assert_array_equal(found, opencv_median_filter(mask, side) > 0)


@pytest.mark.parametrize("diameter", range(1, 64, 2))
def test_a_disc_is_that_of_opencv(diameter: int) -> None:
    expected = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))
    assert [2 * reach + 1 for reach in disc(diameter)] == expected.sum(axis=1).tolist()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("diameter", [3, 7, 15, 63])
def test_gaps_are_closed_as_opencv_closes_them(size: FrameSize, diameter: int) -> None:
    mask = blotches(size) & blotches(size, 1)
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))
    expected = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, element)
    assert (expected != mask).any()
    np.testing.assert_array_equal(closed(as_bool(mask), disc(diameter))[0].numpy(), expected > 0)


@pytest.mark.parametrize("count", [1, 3, 8, 17])
def test_packed_masks_are_the_same_when_unpacked_and_closed_as_if_alone(count: int) -> None:
    masks = torch.cat([as_bool(blotches(SIZES[0], seed)) for seed in range(count)])
    planes = packed(masks)
    assert planes.shape == (-(-count // 8), *SIZES[0])
    assert torch.equal(unpacked(planes, count), masks)
    alone = torch.cat([closed(mask[None], disc(7)) for mask in masks])
    assert torch.equal(closed(masks, disc(7)), alone)


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_a_thumbnail_is_that_of_opencv(step: int) -> None:
    picture = random_bytes(60, 90, 3)
    expected = cv2.resize(picture, (90 // step, 60 // step), interpolation=cv2.INTER_AREA)
    found = block_means(torch.from_numpy(picture).permute(2, 0, 1)[None], step)[0]
    np.testing.assert_array_equal(found.permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize(
    "size", [FrameSize(108, 192), FrameSize(54, 96), FrameSize(43, 77), FrameSize(100, 178)]
)
def test_a_frame_is_reduced_as_opencv_reduces_it(size: FrameSize) -> None:
    picture = random_bytes(108, 192, 3)
    found = reduced(torch.from_numpy(picture).permute(2, 0, 1)[None], size)[0]
    apart = found.permute(1, 2, 0).numpy().astype(int) - resized(picture, size)
    # What lies in the middle between two grey levels may be rounded to either.
    assert np.abs(apart).max() <= 1
    assert (apart != 0).mean() < 1e-3


def test_the_weights_of_a_size_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = torch.from_numpy(random_bytes(1, 3, 97, 131))
    first = reduced(frames, FrameSize(61, 83))
    made = []
    monkeypatch.setattr(resampling.math, "floor", made.append)  # how its pixels are found
    assert torch.equal(reduced(frames, FrameSize(61, 83)), first)
    with pytest.raises(TypeError):
        reduced(frames, FrameSize(60, 83))
    assert made


@pytest.mark.parametrize("size", [FrameSize(108, 192), FrameSize(103, 143), FrameSize(82, 114)])
def test_a_mask_is_enlarged_as_opencv_enlarges_it(size: FrameSize) -> None:
    mask = blotches(SIZES[0])
    found = enlarged_masks(torch.from_numpy(mask)[None], size)[0].numpy()
    expected = enlarged_mask(mask, size)
    assert set(np.unique(found)) == {0, 255}
    assert (found != expected).mean() < 2e-3
