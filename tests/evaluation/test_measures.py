"""CDnet's measures, computed by hand."""

from __future__ import annotations

import json
import math
from dataclasses import astuple

import pytest

from cleanplate.errors import GroundTruthError
from cleanplate.evaluation import (
    Counts,
    Measures,
    average_over_categories,
    average_over_videos,
    measure,
)

COUNTS = Counts(
    true_positives=60,
    false_positives=20,
    true_negatives=880,
    false_negatives=40,
    shadow_errors=5,
    shadow_pixels=50,
)


def video(f: float, *, frames: int = 1) -> Measures:
    """Measures that are all the same."""
    return Measures(*[f] * 9, frames=frames)


def test_measures_are_those_computed_by_hand() -> None:
    assert measure(COUNTS, frames=7).as_json() == pytest.approx(
        {
            "recall": 60 / (60 + 40),
            "specificity": 880 / (880 + 20),
            "FPR": 20 / (20 + 880),
            "FNR": 40 / (60 + 40),
            "PWC": 100 * (40 + 20) / 1000,
            "precision": 60 / (60 + 20),
            "F": 2 * 0.75 * 0.6 / (0.75 + 0.6),
            # an all-foreground mask has recall 1 and precision 100 / 1000
            "F_all_foreground": 2 * 0.1 * 1 / (0.1 + 1),
            "shadow_error_rate": 5 / 50,
            "frames": 7,
        }
    )


def test_a_mask_without_foreground_has_precision_and_f_zero() -> None:
    measures = measure(Counts(true_negatives=90, false_negatives=10), frames=1)
    assert (measures.precision, measures.recall, measures.F) == (0, 0, 0)
    assert (measures.FNR, measures.FPR, measures.PWC) == (1, 0, 10)


@pytest.mark.parametrize("false_positives", [0, 4])
def test_truth_without_foreground_leaves_its_ratios_undefined(false_positives: int) -> None:
    counts = Counts(true_negatives=96, false_positives=false_positives)
    measures = measure(counts, frames=1)
    for name in ("recall", "FNR", "precision", "F", "F_all_foreground", "shadow_error_rate"):
        assert math.isnan(getattr(measures, name)), name
    assert measures.specificity == pytest.approx(96 / (96 + false_positives))


def test_truth_without_scored_pixels_leaves_everything_undefined() -> None:
    measures = measure(Counts(), frames=0)
    assert all(math.isnan(value) for value in astuple(measures)[:-1])


def test_undefined_measures_become_null_in_json() -> None:
    written = json.loads(json.dumps(measure(Counts(true_negatives=4), frames=1).as_json()))
    assert written["F"] is None
    assert written["specificity"] == 1
    assert written["frames"] == 1


def test_f_of_a_category_is_the_mean_of_f() -> None:
    precise = measure(Counts(true_positives=10, false_negatives=90), frames=2)  # P 1.0, R 0.1
    greedy = measure(Counts(true_positives=100, false_positives=900), frames=3)  # P 0.1, R 1.0
    category = average_over_videos([precise, greedy])
    assert category.precision == pytest.approx((1.0 + 0.1) / 2)
    assert category.recall == pytest.approx((0.1 + 1.0) / 2)
    assert category.as_json()["F"] == pytest.approx(2 * 1.0 * 0.1 / 1.1)  # not 0.55
    assert category.frames == 5


def test_categories_count_alike_however_many_videos_they_have() -> None:
    categories = {"baseline": [video(0.9), video(0.7), video(0.8)], "shadow": [video(0.2)]}
    overall = average_over_categories(categories)
    assert overall.recall == pytest.approx((0.8 + 0.2) / 2)  # not the 0.65 of the four videos
    assert overall.frames == 4


def test_undefined_measures_are_left_out_of_averages() -> None:
    category = average_over_videos([video(0.4), video(math.nan), video(0.6)])
    assert category.recall == pytest.approx(0.5)
    assert math.isnan(average_over_videos([video(math.nan)]).recall)


def test_nothing_to_average_is_refused() -> None:
    with pytest.raises(GroundTruthError, match="no video was scored"):
        average_over_videos([])
    with pytest.raises(GroundTruthError, match="no video was scored"):
        average_over_categories({})
