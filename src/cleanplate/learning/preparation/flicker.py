"""The bands of lamps that roll through the frames of a recording, taken out of them."""

from __future__ import annotations

from functools import partial

import numpy as np

from cleanplate.background import spread_positions
from cleanplate.progress import ProgressListener
from cleanplate.segmentation.light import Light
from cleanplate.segmentation.row_light import GAIN_FLOOR, is_wavy
from cleanplate.video import FrameCache

_SAMPLES = 40
_LEAST = 0.5
"""Share of the frames with bands, if lamps flicker; light that changes now and then is none."""


def take_out_bands(frames: FrameCache, threshold: int, progress: ProgressListener) -> bool:
    """Gives the frames the mean of the light where lamps flicker; tells whether they do.

    In each frame the bands are elsewhere, so that the median of the frames has none.

    Args:
        frames: What was kept of the recording.
        threshold: Difference summed over RGB that counts, 1 to 255.
        progress: Told what is going on.
    """
    light = Light(np.full(frames.size, threshold, np.uint8))
    positions = spread_positions(len(frames), _SAMPLES)
    samples = [light.thumbnail(frames.read([position])[0]) for position in positions]
    plate = np.median(samples, axis=0).astype(np.uint8)
    found = [light.explain(sample, plate).rows for sample in samples]
    bands = [gains for gains in found if gains is not None and is_wavy(gains)]
    if len(bands) < _LEAST * len(samples):
        return False
    # Where something often passes, the median leans to one side, but the bands are all around it.
    lit = (plate + GAIN_FLOOR) * np.mean(bands, axis=0) - GAIN_FLOOR
    even = np.clip(np.rint(lit), 0, 255).astype(np.uint8)
    frames.align(partial(light.steadied, plate=even), partial(progress, "bands of lamps"))
    return True
