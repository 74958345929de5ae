"""Water that ripples is told from a calm road, and from a road on which a queue stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cleanplate.frames import FrameSize, Picture
from cleanplate.learning.calibration import find_rippling
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.segmentation import SegmentationPlan, SegmentationSettings
from cleanplate.video import FrameCache, open_source
from scenes import paint_plate, write_image_folder

SIZE = FrameSize(60, 80)
WATER, QUEUE = np.s_[:, :30], np.s_[20:40, 50:75]
FRAMES = 40


def recording() -> list[Picture]:
    random = np.random.default_rng(3)
    frames = []
    for at in range(FRAMES):
        frame = paint_plate(*SIZE).astype(np.float32)
        frame[WATER] += random.normal(0, 18, (60, 30, 1))
        if at % 10 < 6:
            frame[QUEUE] = (220, 40, 60)
        frame += random.normal(0, 1.5, frame.shape)
        frames.append(np.clip(frame, 0, 255).astype(np.uint8))
    return frames


def test_water_ripples_and_a_road_with_a_queue_does_not(tmp_path: Path) -> None:
    folder = write_image_folder(tmp_path / "frames", np.stack(recording()))
    plan = SegmentationPlan.of(SegmentationSettings(), SIZE)
    seen = np.ones(SIZE, np.float32)
    seen[QUEUE] = 0.4
    with LearningFrames(FrameCache.fill(open_source(folder), tmp_path, size=SIZE)) as inputs:
        found = find_rippling(inputs, paint_plate(*SIZE), plan, seen, FRAMES)
    assert found[WATER].mean() > 0.9
    assert not found[:, 30:].any()
