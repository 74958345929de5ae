"""Official averages, spread over seeds, and what a failed cell does to them."""

from __future__ import annotations

import math

import pytest

from cleanplate.benchmark.cells import Cell
from cleanplate.benchmark.results import (
    CellResult,
    Cost,
    Environment,
    Findings,
    FrameCounts,
    MaskMeasures,
    SweepFigures,
)
from cleanplate.benchmark.summaries.averages import method_rows
from cleanplate.evaluation import Counts, measure


def result(
    sequence: str,
    f: float | None,
    *,
    method: str = "lowrank_ae",
    seed: int = 0,
    best: float | None = None,
    seconds: float = 1.0,
) -> CellResult:
    """A cell with an F, 100 frames in so many seconds; None: it failed."""
    category = sequence.partition("/")[0]
    cell = Cell(
        sequence=sequence, category=category, method=method, seed=seed, protocol="transductive"
    )
    values = {"identity": f"{cell}", "cell": cell, "kind": cell.kind, "settings": {}}
    if f is None:
        return CellResult.model_validate({**values, "wall_seconds": 1, "failed": "no reason"})
    measures = MaskMeasures.of(measure(Counts(1, 1, 1, 1), frames=1)).model_copy(
        update={"F": None if math.isnan(f) else f}
    )
    sweep = best and SweepFigures(
        name="t", default=1, values=(1,), F=(best,), best_value=1, best_F=best
    )
    findings = Findings(
        frames=FrameCounts(
            recording=100, learned_from=0, segmented=100, scored=1, first_scored=1, last_scored=1
        ),
        cost=Cost(
            learn_seconds=1,
            learn_cpu_seconds=1,
            segment_seconds=seconds,
            segment_cpu_seconds=1,
            frames_per_second=100 / seconds,
            learn_peak_memory_bytes=1,
            segment_peak_memory_bytes=2,
            device_memory_bytes=None,
        ),
        environment=Environment(platform="p", processors=1, threads=1, device="cpu", versions={}),
        measures=measures,
        sweep=sweep or None,
    )
    return CellResult.model_validate({**values, "wall_seconds": 1, "findings": findings})


def test_overall_is_the_mean_of_categories_and_not_of_sequences() -> None:
    (row,) = method_rows([result("a/x", 0.2), result("a/y", 0.4), result("b/z", 0.9)])
    assert row.overall["F"].mean == pytest.approx((0.3 + 0.9) / 2)
    assert row.mean_F.mean == pytest.approx(0.5)
    assert row.F_by_category["a"].mean == pytest.approx(0.3)
    assert row.overall["F"].spread is None


def test_seeds_give_a_mean_and_a_spread() -> None:
    cells = [result(f"a/{name}", f, seed=seed) for name, f, seed in
             (("x", 0.2, 0), ("y", 0.4, 0), ("x", 0.4, 1), ("y", 0.6, 1))]  # fmt: skip
    (row,) = method_rows(cells)
    assert row.seeds == (0, 1)
    assert row.overall["F"].mean == pytest.approx(0.4)
    assert row.overall["F"].spread == pytest.approx(0.2 / math.sqrt(2))
    assert row.F_by_sequence["a/x"].spread == pytest.approx(0.2 / math.sqrt(2))


def test_a_sequence_without_foreground_counts_for_nobody() -> None:
    (row,) = method_rows([result("a/x", 0.2), result("a/photographs", math.nan)])
    assert row.overall["F"].mean == pytest.approx(0.2)
    assert row.sequences == ("a/x",)


def test_a_failed_sequence_is_named_and_its_method_comes_last() -> None:
    rows = method_rows(
        [
            result("a/x", 0.9),
            result("a/y", None),
            result("a/x", 0.3, method="MOG2"),
            result("a/y", 0.3, method="MOG2"),
        ]
    )
    assert [(row.method, row.failed) for row in rows] == [("MOG2", ()), ("lowrank_ae", ("a/y",))]


def test_a_method_of_which_nothing_was_measured_has_no_row() -> None:
    assert method_rows([result("a/x", None)]) == ()


def test_the_best_f_is_missing_unless_every_sequence_has_one() -> None:
    (row,) = method_rows([result("a/x", 0.2, best=0.3), result("b/y", 0.4, best=0.7)])
    assert row.best_F is not None
    assert row.best_F.mean == pytest.approx(0.5)
    (row,) = method_rows([result("a/x", 0.2, best=0.3), result("b/y", 0.4)])
    assert row.best_F is None


def test_the_speed_is_all_frames_by_all_their_time() -> None:
    (row,) = method_rows([result("a/x", 0.2, seconds=1), result("a/y", 0.4, seconds=3)])
    assert row.frames_per_second == pytest.approx(50)
