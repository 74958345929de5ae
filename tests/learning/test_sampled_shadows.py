"""The scene's shadows are those of what moves, unless hardly anything does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cleanplate
from cleanplate.frames import Picture
from scenes import paint_plate, write_image_folder

SHARE = np.array([0.50, 0.53, 0.59])
MEAN = np.log(SHARE).mean()
COUNT = 120


def recording(*, moving: bool) -> list[Picture]:
    """A grey van stands for half of the time, and a shadow passes beyond it, or stands too."""
    plate = paint_plate(120, 160).astype(np.float32)
    frames = []
    for index in range(COUNT):
        frame = plate.copy()
        if index >= COUNT // 2:
            frame[15:65, 20:80] *= 0.72
            left = 10 + 45 * (index % 3) if moving else 40
            frame[80:104, left : left + 30] *= SHARE
        frame += np.random.default_rng(index).normal(0, 1.5, frame.shape)
        frames.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
    return frames


@pytest.mark.parametrize(("moving", "light"), [(True, MEAN), (False, np.log(0.72))])
def test_who_waits_is_not_taken_for_the_scene_s_shadows(
    moving: bool, light: float, tmp_path: Path
) -> None:
    source = write_image_folder(tmp_path, np.stack(recording(moving=moving)))
    scene = cleanplate.learn(source, method="candidates")
    assert scene.shadow is not None
    assert scene.shadow.mean[0] == pytest.approx(light, abs=0.06)
