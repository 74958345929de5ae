"""Residuals against a slow reference."""

from __future__ import annotations

import numpy as np

from cleanplate.segmentation.difference import GREY_GAIN, residual


def test_the_residual_is_the_difference_summed_over_the_colours_and_held_at_255() -> None:
    random = np.random.default_rng(0)
    picture, background = random.integers(0, 256, (2, 31, 45, 3), dtype=np.uint8)
    slow = np.abs(picture.astype(int) - background.astype(int)).sum(axis=2)
    assert slow.max() > 255 > slow.min()
    result = residual(picture, background)
    assert result.dtype == np.uint8
    assert np.array_equal(result, np.minimum(slow, 255))


def test_the_residual_does_not_care_which_of_the_two_is_brighter() -> None:
    random = np.random.default_rng(1)
    picture, background = random.integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    assert np.array_equal(residual(picture, background), residual(background, picture))


def test_a_frame_that_is_its_background_has_no_residual() -> None:
    picture = np.full((4, 5, 3), 77, np.uint8)
    assert not residual(picture, picture).any()


def test_pictures_turned_in_memory_are_read_as_they_look() -> None:
    random = np.random.default_rng(2)
    picture, background = random.integers(0, 256, (2, 6, 9, 3), dtype=np.uint8)
    turned = residual(picture[:, ::-1], background[:, ::-1])
    assert np.array_equal(turned, residual(picture, background)[:, ::-1])


def test_without_colours_a_difference_counts_more() -> None:
    random = np.random.default_rng(3)
    grey, background = random.integers(0, 256, (2, 16, 24, 1), dtype=np.uint8).repeat(3, axis=-1)
    slow = np.abs(grey.astype(int) - background.astype(int)).sum(axis=2)
    expected = np.floor(np.minimum(np.minimum(slow, 255) * GREY_GAIN, 255))
    assert np.array_equal(residual(grey, background), expected)
    # One of the two has colours: what is summed has them as well.
    tinted = background.copy()
    tinted[..., 2] = 255 - tinted[..., 2]
    slow = np.abs(grey.astype(int) - tinted.astype(int)).sum(axis=2)
    assert np.array_equal(residual(grey, tinted), np.minimum(slow, 255))
