"""Official averages, spread over seeds, and what a failed cell does to them."""

from __future__ import annotations

import math

import pytest
from bench_samples import cell_result

from cleanplate.benchmark.summaries.averages import method_rows


def test_overall_is_the_mean_of_categories_and_not_of_sequences() -> None:
    (row,) = method_rows(
        [cell_result("a/x", 0.2), cell_result("a/y", 0.4), cell_result("b/z", 0.9)]
    )
    assert row.overall["F"].mean == pytest.approx((0.3 + 0.9) / 2)
    assert row.mean_F.mean == pytest.approx(0.5)
    assert row.F_by_category["a"].mean == pytest.approx(0.3)
    assert row.overall["F"].spread is None


def test_seeds_give_a_mean_and_a_spread() -> None:
    cells = [cell_result(f"a/{name}", f, seed=seed) for name, f, seed in
             (("x", 0.2, 0), ("y", 0.4, 0), ("x", 0.4, 1), ("y", 0.6, 1))]  # fmt: skip
    (row,) = method_rows(cells)
    assert row.seeds == (0, 1)
    assert row.overall["F"].mean == pytest.approx(0.4)
    assert row.overall["F"].spread == pytest.approx(0.2 / math.sqrt(2))
    assert row.F_by_sequence["a/x"].spread == pytest.approx(0.2 / math.sqrt(2))


def test_a_sequence_without_foreground_counts_for_nobody() -> None:
    (row,) = method_rows([cell_result("a/x", 0.2), cell_result("a/photographs", math.nan)])
    assert row.overall["F"].mean == pytest.approx(0.2)
    assert row.sequences == ("a/x",)


def test_a_failed_sequence_is_named_and_its_method_comes_last() -> None:
    rows = method_rows(
        [
            cell_result("a/x", 0.9),
            cell_result("a/y", None),
            cell_result("a/x", 0.3, method="MOG2"),
            cell_result("a/y", 0.3, method="MOG2"),
        ]
    )
    assert [(row.method, row.failed) for row in rows] == [("MOG2", ()), ("lowrank_ae", ("a/y",))]


def test_a_method_of_which_nothing_was_measured_has_no_row() -> None:
    assert method_rows([cell_result("a/x", None)]) == ()


def test_the_best_f_is_missing_unless_every_sequence_has_one() -> None:
    (row,) = method_rows([cell_result("a/x", 0.2, best=0.3), cell_result("b/y", 0.4, best=0.7)])
    assert row.best_F is not None
    assert row.best_F.mean == pytest.approx(0.5)
    (row,) = method_rows([cell_result("a/x", 0.2, best=0.3), cell_result("b/y", 0.4)])
    assert row.best_F is None


def test_the_speed_is_all_frames_by_all_their_time() -> None:
    (row,) = method_rows([cell_result("a/x", 0.2, seconds=1), cell_result("a/y", 0.4, seconds=3)])
    assert row.frames_per_second == pytest.approx(50)
