"""Robust PCA against matrices of which the parts are known."""

from __future__ import annotations

import numpy as np
import pytest

from cleanplate.baselines.robust_pca import RobustPCA, take_apart
from scenes import paint_scene


@pytest.mark.parametrize("rank", [1, 3])
def test_both_parts_of_a_matrix_are_found(rank: int) -> None:
    """Exact recovery, as theorem 1.1 of Candes et al. promises for few and spread corruptions."""
    random = np.random.default_rng(0)
    low_rank = random.normal(size=(400, rank)) @ random.normal(size=(rank, 60))
    sparse = np.where(random.random((400, 60)) < 0.05, random.choice([-9.0, 9.0], (400, 60)), 0)
    parts = take_apart((low_rank + sparse).astype(np.float32))
    assert np.abs(parts.low_rank - low_rank).max() < 0.01
    assert np.abs(parts.sparse - sparse).max() < 0.01
    assert np.linalg.matrix_rank(parts.low_rank, tol=0.1) == rank


def test_the_parts_add_up_to_the_matrix() -> None:
    matrix = np.random.default_rng(0).normal(100, 30, (300, 20)).astype(np.float32)
    parts = take_apart(matrix)
    assert np.abs(parts.low_rank + parts.sparse - matrix).max() < 0.1


def test_a_matrix_of_zeros_has_two_parts_of_zeros() -> None:
    parts = take_apart(np.zeros((30, 5), np.float32))
    assert not parts.low_rank.any()
    assert not parts.sparse.any()


def test_the_hand_case_of_a_dot_that_passes_over_a_wall() -> None:
    """A wall of 6 pixels in 8 frames of rising light; a dot stands on each pixel once."""
    wall = np.array([10, 20, 30, 40, 50, 60], np.float32)
    light = np.linspace(1, 2, 8, dtype=np.float32)
    seen = wall[:, None] * light
    truth = np.zeros_like(seen)
    for frame, pixel in enumerate([0, 1, 2, 3, 4, 5]):
        truth[pixel, frame] = 200
    parts = take_apart(seen + truth)
    assert np.abs(parts.low_rank - seen).max() < 1
    assert np.array_equal(np.abs(parts.sparse) > 100, truth > 0)


def test_the_background_follows_the_light_and_masks_do_not_mark_it() -> None:
    scene = paint_scene(48, 64, 60, drift=40, squares=1)
    method = RobustPCA()
    method.learn(scene)
    masks = np.stack([method.apply(frame) for frame in scene.frames]) == 255
    moving = scene.masks == 255
    assert masks[moving].mean() > 0.8
    assert masks[~moving].mean() < 0.05
