"""The noise map: what sways raises its own threshold, what visits does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cleanplate.segmentation import noise
from cleanplate.segmentation.noise import noise_map


def slow_noise(over_time: NDArray[np.uint8]) -> int:
    ordered = sorted(int(value) for value in over_time)
    median, quartile = ordered[len(ordered) // 2], ordered[len(ordered) // 4]
    return min(median, 2 * quartile + 6)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 21, 40])
def test_the_noise_is_the_median_held_by_the_lower_quartile(count: int) -> None:
    random = np.random.default_rng(count)
    spread = random.integers(1, 256, (1, 7, 9))
    residuals = (random.random((count, 7, 9)) * spread).astype(np.uint8)
    expected = [[slow_noise(residuals[:, row, column]) for column in range(9)] for row in range(7)]
    result = noise_map(residuals)
    assert result.dtype == np.uint8
    assert result.tolist() == expected


def test_the_noise_is_the_same_however_it_is_cut_into_tiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    residuals = np.random.default_rng(0).integers(0, 256, (15, 23, 11), dtype=np.uint8)
    whole = noise_map(residuals)
    for rows in (1, 4, 22):
        monkeypatch.setattr(noise, "_TILE_BYTES", rows * 15 * 11)
        assert np.array_equal(noise_map(residuals), whole)


def test_the_residuals_are_left_alone() -> None:
    residuals = np.random.default_rng(0).integers(0, 256, (9, 5, 5), dtype=np.uint8)
    before = residuals.copy()
    noise_map(residuals)
    assert np.array_equal(residuals, before)


def over_time(share_high: float, low: int, high: int, count: int = 100) -> NDArray[np.uint8]:
    """Residuals of one pixel, `(N, 1, 1)`, high for a share of the time, in random order."""
    values = np.full(count, low, np.uint8)
    values[: round(share_high * count)] = high
    return np.random.default_rng(0).permutation(values).reshape(count, 1, 1)


def test_a_pixel_that_sways_all_the_time_has_the_noise_of_its_swaying() -> None:
    swaying = np.random.default_rng(0).integers(20, 60, (200, 1, 1), dtype=np.uint8)
    assert 35 <= int(noise_map(swaying)[0, 0]) <= 45


@pytest.mark.parametrize("share", [0.1, 0.6, 0.7])
def test_a_visit_does_not_raise_the_noise_even_if_it_fills_most_of_the_recording(
    share: float,
) -> None:
    calm = int(noise_map(over_time(0, low=4, high=200))[0, 0])
    visited = int(noise_map(over_time(share, low=4, high=200))[0, 0])
    assert calm == 4
    assert visited <= 2 * 4 + 6
