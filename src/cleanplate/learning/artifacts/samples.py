"""A few frames of a scene with background and mask, for its report."""

from __future__ import annotations

import numpy as np

from cleanplate.background import spread_positions
from cleanplate.frames import FrameSize
from cleanplate.learning.training_frames import LearningFrames
from cleanplate.scene.scene import Scene
from cleanplate.scene_file import Sample
from cleanplate.scene_model.sizes import resized
from cleanplate.streaming.tracking import cut_frames

_SAMPLES = 8
_WIDTH = 960


def take_samples(scene: Scene, inputs: LearningFrames) -> tuple[Sample, ...]:
    """Frames spread over the recording, at most 960 pixels wide."""
    frames = inputs.frames
    positions = spread_positions(len(frames), _SAMPLES)
    height, width = frames.size
    scale = min(1.0, _WIDTH / width)
    size = FrameSize(round(height * scale), round(width * scale))
    pictures, extras = inputs.read(positions)
    cuts = cut_frames(scene.model, pictures, extras)
    return tuple(
        Sample(
            number=frames.numbers[position],
            time=frames.times[position],
            picture=resized(picture, size),
            background=resized(cut.background, size),
            mask=np.where(resized(cut.mask, size) > 127, 255, 0).astype(np.uint8),
        )
        for position, picture, cut in zip(positions, pictures, cuts, strict=True)
    )
