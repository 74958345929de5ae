"""Regions that frames propose: their parts, their shares, and how often they came."""

from __future__ import annotations

import numpy as np

from cleanplate.background.candidates.regions import connect, in_large_pieces, outline_of
from cleanplate.background.candidates.visits import count_visits


def test_visits_of_wholes_are_counted_with_a_gap_between_come_and_gone() -> None:
    seen = np.array([[0.7, 0.5, 0.7, 0.2, 0.5, 0.8], [0.5, 0.5, 0.2, 0.5, 0.5, 0.5], [0.0] * 6])
    assert count_visits(seen).tolist() == [2, 0, 0]
    assert count_visits(np.zeros((0, 4))).tolist() == []


def test_shares_of_components_are_those_of_their_pixels() -> None:
    random = np.random.default_rng(0)
    proposed = random.random((30, 40)) < 0.5
    region = connect(proposed, np.zeros(proposed.shape, np.uint8)).thinned(len(proposed) ** 2)
    mask = random.random((len(region.places), 3)) < 0.5
    numbers = np.unique(region.component)
    alone = [mask[region.component == number].mean(axis=0) for number in numbers]
    assert np.allclose(region.shares(mask), alone)
    assert len(region.places) == proposed.sum()


def test_a_thinned_region_keeps_evenly_spread_pixels_of_each_component() -> None:
    proposed = np.zeros((20, 30), np.bool_)
    proposed[2:18, 2:12] = True  # 160
    proposed[5, 20:23] = True
    thin = connect(proposed, np.zeros(proposed.shape, np.uint8)).thinned(40)
    assert np.bincount(thin.component).tolist() == [0, 40, 3]
    rows = thin.places[thin.component == 1] // 30
    assert rows.max() - rows.min() > 10


def test_small_pieces_are_dropped() -> None:
    mask = np.zeros((20, 20), np.bool_)
    mask[1:5, 1:6] = mask[10, 10] = True
    places = np.arange(mask.size)
    kept = in_large_pieces(mask, places, 0.05).reshape(mask.shape)
    assert kept.sum() == 20
    assert not kept[10, 10]
    assert in_large_pieces(mask, places[25:22:-1], 0.05).tolist() == [True, True, True]
    assert not in_large_pieces(np.zeros_like(mask), places, 0.0).any()


def test_an_outline_has_all_neighbours_outside_but_none_beyond_the_picture() -> None:
    random = np.random.default_rng(1)
    proposed = random.random((9, 12)) < 0.6
    region = connect(proposed, np.zeros(proposed.shape, np.uint8))
    outline = outline_of(region, proposed)
    found = set(zip(region.places[outline.inside], outline.beyond, strict=True))
    rows, columns = np.indices(proposed.shape)
    expected = {
        (row * 12 + column, beside_row * 12 + beside)
        for row, column in zip(rows[proposed], columns[proposed], strict=True)
        for beside_row, beside in zip(rows[~proposed], columns[~proposed], strict=True)
        if abs(row - beside_row) + abs(column - beside) == 1
    }
    assert found == expected
    assert len(outline.inside) == len(expected)
