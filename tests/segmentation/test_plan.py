"""The plan of the segmentation: settings as numbers for frames of one size."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import cleanplate
from cleanplate.frames import FrameSize
from cleanplate.segmentation import SegmentationPlan, SegmentationSettings

REFERENCE = FrameSize(240, 320)
SOURCES = Path(cleanplate.__file__).parent
DEFAULT = SegmentationSettings()


def test_in_the_reference_size_lengths_are_those_of_the_settings() -> None:
    plan = SegmentationPlan.of(DEFAULT, REFERENCE)
    assert plan.blur_sigma == DEFAULT.blur
    assert plan.median_side == DEFAULT.median_size
    assert plan.closing_diameter == DEFAULT.closing
    assert plan.min_area == DEFAULT.min_area
    assert plan.boundary_depth == DEFAULT.boundary_depth


def test_lengths_grow_with_the_frame_and_areas_with_its_pixels() -> None:
    small, large = (SegmentationPlan.of(DEFAULT, size) for size in (REFERENCE, FrameSize(720, 960)))
    assert large.blur_sigma == pytest.approx(3 * small.blur_sigma)
    assert large.median_side == 3 * small.median_side
    assert large.closing_diameter == 3 * small.closing_diameter
    assert large.boundary_depth == 3 * small.boundary_depth
    assert large.min_area == 9 * small.min_area
    assert large.threshold == small.threshold
    assert large.wait_seconds == small.wait_seconds


def test_thresholds_rise_with_the_noise_of_the_pixel() -> None:
    plan = SegmentationPlan.of(DEFAULT, FrameSize(1, 5))
    noise = np.array([[0, 4, 20, 30, 200]], np.uint8)
    assert plan.thresholds(noise).tolist() == [[45, 57, 105, 135, 255]]
    weak = plan.low_thresholds(noise)
    assert weak is not None
    # Above a noise of 20 it grows by two thirds of what the high one does.
    assert weak.tolist() == [[45, 47, 55, 75, 255]]


def test_the_low_threshold_is_never_above_the_high_one() -> None:
    noise = np.arange(256, dtype=np.uint8)[None]
    for factor in (0.0, 0.5, 1.0, 2.9):
        plan = SegmentationPlan.of(
            SegmentationSettings(noise_factor=3, low_noise_factor=factor), FrameSize(1, 256)
        )
        weak = plan.low_thresholds(noise)
        assert weak is not None
        assert (weak <= plan.thresholds(noise)).all()
        assert (np.diff(weak.astype(int)) >= 0).all()


def test_what_is_switched_off_is_off() -> None:
    settings = SegmentationSettings(
        blur=0,
        median_size=0,
        closing=0,
        boundary_depth=0,
        low_noise_factor=3,
        shadows="keep",
        light="off",
    )
    plan = SegmentationPlan.of(settings, REFERENCE)
    assert (plan.blur_side, plan.median_side, plan.closing_diameter, plan.boundary_depth) == (
        0,
    ) * 4
    assert plan.low_thresholds(np.zeros((1, 1), np.uint8)) is None
    assert not plan.tells_shadows
    assert not plan.single_pixels_in_shadow
    assert not plan.follows_light


def test_plans_of_equal_settings_are_equal() -> None:
    assert SegmentationPlan.of(DEFAULT, REFERENCE) == SegmentationPlan.of(DEFAULT, REFERENCE)
    other = SegmentationSettings(threshold=46)
    assert SegmentationPlan.of(other, REFERENCE) != SegmentationPlan.of(DEFAULT, REFERENCE)


@pytest.mark.parametrize(
    ("threshold", "factor", "compared"), [(45, 3, 57), (255, 9, 255), (0, 0, 1), (20.4, 0.5, 22)]
)
def test_the_threshold_of_states_is_that_of_the_masks_with_some_noise(
    threshold: float, factor: float, compared: int
) -> None:
    settings = SegmentationSettings(threshold=threshold, noise_factor=factor)
    assert SegmentationPlan.of(settings, REFERENCE).compared_threshold == compared


def test_only_the_plan_reads_settings() -> None:
    """Two readings of one setting would have to be kept alike by hand."""
    readers = {
        str(path.relative_to(SOURCES))
        for package in ("segmentation", "tensor_segmentation")
        for path in (SOURCES / package).rglob("*.py")
        if re.search(r"\bSegmentationSettings\b", path.read_text(encoding="utf-8"))
    }
    assert readers == {
        "segmentation/__init__.py",
        "segmentation/settings.py",
        "segmentation/plan.py",
    }
