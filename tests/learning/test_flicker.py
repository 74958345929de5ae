"""Bands of lamps that roll through the picture: one state of the scene, and no foreground."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cleanplate
from lights import drifted, rolling
from moves import f_measure
from scenes import PaintedScene, paint_scene, write_image_folder

COUNT = 90


@pytest.fixture(scope="module")
def painted() -> PaintedScene:
    return paint_scene(60, 80, COUNT)


@pytest.mark.parametrize(("period", "swing"), [(16, 0.18), (27, 0.18), (27, 0.3), (40, 0.18)])
def test_rolling_bands_are_one_state_and_no_foreground(
    painted: PaintedScene, tmp_path: Path, period: float, swing: float
) -> None:
    frames = rolling(painted.frames, period, swing=swing)
    recording = write_image_folder(tmp_path / "lamps", frames)
    scene = cleanplate.learn(recording, method="candidates")
    assert len(scene.provenance["states"]) == 1
    even = np.median(painted.backgrounds, axis=0)
    assert np.abs(scene.plate.astype(int) - even).mean() < 3
    masks = [result.mask for result in scene.segment(recording)]
    assert f_measure(masks, painted.masks) > 0.9


def test_the_bands_of_lamps_are_told(painted: PaintedScene, tmp_path: Path) -> None:
    for name, frames in (
        ("lamps", rolling(painted.frames, 27)),
        ("even", painted.frames),
        ("drift", drifted(painted.frames, 40)),
    ):
        scene = cleanplate.learn(write_image_folder(tmp_path / name, frames), method="median")
        assert scene.provenance["flicker"] is (name == "lamps")
