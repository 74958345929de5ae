"""Regions that frames propose: their parts, their shares, and how often they came."""

from __future__ import annotations

import numpy as np

from cleanplate.background.candidates.regions import connect, large_pieces
from cleanplate.background.candidates.visits import count_visits


def test_visits_of_wholes_are_counted_with_a_gap_between_come_and_gone() -> None:
    seen = np.array([[0.7, 0.5, 0.7, 0.2, 0.5, 0.8], [0.5, 0.5, 0.2, 0.5, 0.5, 0.5], [0.0] * 6])
    assert count_visits(seen).tolist() == [2, 0, 0]
    assert count_visits(np.zeros((0, 4))).tolist() == []


def test_shares_of_components_are_those_of_their_pixels() -> None:
    random = np.random.default_rng(0)
    proposed = random.random((30, 40)) < 0.5
    region = connect(proposed, np.zeros(proposed.shape, np.uint8)).thinned(len(proposed) ** 2)
    mask = random.random((len(region.rows), 3)) < 0.5
    numbers = np.unique(region.component)
    alone = [mask[region.component == number].mean(axis=0) for number in numbers]
    assert np.allclose(region.shares(mask), alone)
    assert len(region.rows) == proposed.sum()


def test_a_thinned_region_keeps_evenly_spread_pixels_of_each_component() -> None:
    proposed = np.zeros((20, 30), np.bool_)
    proposed[2:18, 2:12] = True  # 160
    proposed[5, 20:23] = True
    thin = connect(proposed, np.zeros(proposed.shape, np.uint8)).thinned(40)
    assert np.bincount(thin.component).tolist() == [0, 40, 3]
    assert thin.rows[thin.component == 1].max() - thin.rows.min() > 10


def test_small_pieces_are_dropped() -> None:
    mask = np.zeros((20, 20), np.bool_)
    mask[1:5, 1:6] = mask[10, 10] = True
    kept = large_pieces(mask, 0.05)
    assert kept.sum() == 20
    assert not kept[10, 10]
    assert not large_pieces(np.zeros_like(mask), 0.0).any()
