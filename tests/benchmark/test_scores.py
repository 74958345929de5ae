"""Worst frames, their pictures and the sweep."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bench_samples import FIRST_SCORED, FRAMES, true_masks, write_sequence

from cleanplate.baselines import Sweep
from cleanplate.benchmark.scores import (
    EMPTY,
    FOUND,
    MISSED,
    SHADED,
    UNSCORED,
    WRONG,
    FrameCount,
    count_masks,
    draw_mask,
    draw_truth,
    measure_counts,
    sweep_figures,
    worst_frames,
)
from cleanplate.benchmark.subjects import FrameMasks
from cleanplate.datasets import open_sequence
from cleanplate.evaluation import Counts

NUMBERS = range(FIRST_SCORED, FRAMES + 1)


@pytest.fixture(scope="module")
def sequence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sequence(tmp_path_factory.mktemp("scores") / "yard")


def test_the_truth_itself_is_perfect_and_no_mask_is_all_background(sequence: Path) -> None:
    truth = open_sequence(sequence)
    masks = dict(enumerate(true_masks(), start=1))
    assert measure_counts(count_masks(masks.get, truth, truth.numbers)).F == 1
    nothing = measure_counts(count_masks(lambda _: None, truth, truth.numbers))
    assert nothing.F == 0
    assert nothing.specificity == 1


def test_the_worst_frames_are_apart_and_the_worst_comes_first() -> None:
    wrong = {100: 9, 101: 8, 130: 7, 160: 9, 200: 0}
    frames = [
        FrameCount(number, Counts(false_positives=count, true_negatives=100 - count))
        for number, count in wrong.items()
    ]
    assert [frame.number for frame in worst_frames(frames)] == [100, 160, 130]


def test_a_perfect_method_has_no_worst_frame() -> None:
    assert worst_frames([FrameCount(1, Counts(true_negatives=5))]) == []


def test_the_colours_say_what_is_found_wrong_missed_and_not_scored() -> None:
    labels = np.array([[255, 255, 0, 0, 50, 170, 85, 255]], np.uint8)
    mask = np.array([[255, 0, 255, 0, 0, 255, 0, 255]], np.uint8)
    region = np.array([[True] * 7 + [False]])
    assert [tuple(pixel) for pixel in draw_mask(mask, labels, region)[0].tolist()] == [
        *(FOUND, MISSED, WRONG, EMPTY, EMPTY, UNSCORED, UNSCORED, UNSCORED)
    ]
    assert [tuple(pixel) for pixel in draw_truth(labels, region)[0].tolist()] == [
        *(FOUND, FOUND, EMPTY, EMPTY, SHADED, UNSCORED, UNSCORED, UNSCORED)
    ]


def test_a_sweep_finds_the_value_with_the_best_f(sequence: Path) -> None:
    truth = open_sequence(sequence)
    full = np.full((32, 48), 255, np.uint8)
    frames = (
        FrameMasks(number, [full, mask, np.zeros_like(mask)])
        for number, mask in enumerate(true_masks(), start=1)
    )
    figures = sweep_figures(Sweep("limit", 2.0, (1.0, 2.0, 3.0)), frames, truth, list(NUMBERS))
    assert figures is not None
    assert figures.best_value == 2
    assert figures.best_F == 1
    assert figures.F[2] == 0
    assert 0 < (figures.F[0] or 0) < 1
