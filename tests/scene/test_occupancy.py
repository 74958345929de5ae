"""The painted intersection whose stop lines are occupied for most of the time, on a fresh seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cleanplate
from cleanplate.datasets.painted import PaintedIntersection, PaintedSettings
from cleanplate.evaluation.counts import Counts, count_frame
from cleanplate.evaluation.measures import measure
from cleanplate.segmentation import SegmentationSettings
from scenes import write_image_folder

SEED = 56
"""No constant was chosen on it."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("red_share", "least_score", "largest_error"),
    [(0.6, 0.95, 3.0), pytest.param(0.8, 0.93, 12.0, marks=pytest.mark.nightly)],
)
def test_masks_and_plate_of_a_painted_scene_with_long_waits(
    red_share: float, least_score: float, largest_error: float, tmp_path: Path
) -> None:
    """Whole picture; learned shadows are worth at least 0.02. The error is that of the queues."""
    painted = PaintedIntersection(PaintedSettings(red_share=red_share, seed=SEED))
    frames = [painted.frame(index) for index in range(len(painted))]
    queue = np.mean([frame.labels == 255 for frame in frames], axis=0) > 0.5
    assert queue.sum() > 1000
    source = write_image_folder(tmp_path, np.stack([frame.picture for frame in frames]))
    scene = cleanplate.learn(source, method="candidates")
    error = np.abs(scene.plate.astype(np.int16) - painted.still_plate)[queue].mean()
    assert error <= largest_error
    scores = {}
    for test in ("learned", "general"):
        counts = Counts()
        settings = SegmentationSettings(shadow_test=test)
        for result in scene.segment(source, segmentation=settings):
            counts += count_frame(result.mask, frames[result.frame.index].labels)
        scores[test] = measure(counts, frames=len(frames)).F
    assert scores["learned"] >= least_score
    assert scores["learned"] >= scores["general"] + 0.02
