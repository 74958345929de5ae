"""Counts by CDnet's rules, counted by hand and by a slow reference."""

from __future__ import annotations

import numpy as np
import pytest

from cleanplate.errors import GroundTruthError, SourceError
from cleanplate.evaluation import Counts, count_frame

LABELS = np.array(
    [
        [0, 0, 0, 50, 50],
        [85, 85, 170, 170, 0],
        [255, 255, 255, 255, 50],
    ],
    dtype=np.uint8,
)
MASK = np.array(
    [
        [0, 255, 0, 255, 0],
        [255, 0, 255, 0, 0],
        [255, 255, 255, 0, 255],
    ],
    dtype=np.uint8,
)


def slow_counts(mask: np.ndarray, labels: np.ndarray, region: np.ndarray) -> Counts:
    """CDnet's comparison, one pixel after the other."""
    total = Counts()
    for found, label, inside in zip(mask.flat, labels.flat, region.flat, strict=True):
        if not inside or label in (85, 170):
            continue
        foreground, moving, shadow = found == 255, label == 255, label == 50
        total += Counts(
            true_positives=int(foreground and moving),
            false_positives=int(foreground and not moving),
            true_negatives=int(not foreground and not moving),
            false_negatives=int(not foreground and moving),
            shadow_errors=int(foreground and shadow),
            shadow_pixels=int(shadow),
        )
    return total


def test_five_labels_are_counted_as_by_hand() -> None:
    # moving: 3 of 4 found; static: 1 of 4 wrong; shadow: 2 of 3 wrong; 85 and 170 left out
    assert count_frame(MASK, LABELS) == Counts(
        true_positives=3,
        false_positives=1 + 2,
        true_negatives=3 + 1,
        false_negatives=1,
        shadow_errors=2,
        shadow_pixels=3,
    )


def test_pixels_outside_the_region_are_left_out() -> None:
    region = np.ones(LABELS.shape, dtype=np.bool_)
    region[2] = False
    assert count_frame(MASK, LABELS, region=region) == Counts(
        false_positives=2, true_negatives=4 - 1 + 1, shadow_errors=1, shadow_pixels=2
    )


def test_counts_agree_with_the_slow_reference() -> None:
    generator = np.random.default_rng(3)
    labels = generator.choice(np.array([0, 50, 85, 170, 255], dtype=np.uint8), size=(24, 31))
    mask = generator.choice(np.array([0, 255], dtype=np.uint8), size=labels.shape)
    region = generator.random(labels.shape) < 0.7
    assert count_frame(mask, labels, region=region) == slow_counts(mask, labels, region)


def test_counts_add_up() -> None:
    once = count_frame(MASK, LABELS)
    assert once + once == Counts(6, 6, 8, 2, 4, 6)
    assert (once.positives, once.negatives, once.pixels) == (4, 7, 11)


def test_value_that_is_no_label_is_refused() -> None:
    labels = LABELS.copy()
    labels[0, 0] = 128
    with pytest.raises(GroundTruthError, match="value 128, which is no label"):
        count_frame(MASK, labels)


def test_mask_with_shadow_values_is_refused_and_told_what_to_write() -> None:
    mask = MASK.copy()
    mask[0, 0] = 127
    with pytest.raises(SourceError, match=r"mask bin000470\.png holds the value 127.*\(127\) as 0"):
        count_frame(mask, LABELS, name="bin000470.png")


def test_sizes_that_differ_are_refused() -> None:
    with pytest.raises(GroundTruthError, match=r"bin000470\.png is 5x2 where the truth is 5x3"):
        count_frame(MASK[:2], LABELS, name="bin000470.png")
    with pytest.raises(GroundTruthError, match="the mask is 4x3 where"):
        count_frame(MASK[:, :4], LABELS)
    with pytest.raises(GroundTruthError, match="region of interest is 5x2"):
        count_frame(MASK, LABELS, region=np.ones((2, 5), dtype=np.bool_))
    with pytest.raises(SourceError, match="one value per pixel"):
        count_frame(np.dstack([MASK] * 3), LABELS)
