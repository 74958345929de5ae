"""A scene learns what its cast shadows look like, keeps it on disk, and gives them a label."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from calls import CommandLine

from cleanplate.frames import Picture
from cleanplate.learning import learn
from cleanplate.scene import load
from cleanplate.segmentation import SegmentationSettings
from cleanplate.segmentation.layers import SHADOW
from roads import SIZE, road
from scenes import write_image_folder

SHARE = np.array([0.50, 0.53, 0.59])
"""Share of the red, green and blue light that the shadows leave."""
FRAMES = 40


def places(index: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where the car is in a frame, and its shadow, which is thin."""
    left = 4 * index - 30
    car, shadow = (max(0, left), max(0, left + 34)), (max(0, left + 34), max(0, left + 70))
    return np.s_[50:74, slice(*car)], np.s_[66:72, slice(*shadow)]


def drive(index: int) -> Picture:
    """A car that drives past with its shadow before it."""
    seen = road().astype(np.float32)
    car, shadow = places(index)
    seen[car] = (200, 60, 40)
    seen[shadow] *= SHARE
    seen += np.random.default_rng(index).normal(0, 2, seen.shape)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = np.stack([drive(index) for index in range(FRAMES)])
    return write_image_folder(tmp_path_factory.mktemp("drive"), frames)


@pytest.fixture(scope="module")
def run(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scene")
    learn(recording, out=out, method="median")
    return out


def test_a_scene_knows_its_shadows_and_keeps_them(recording: Path, run: Path) -> None:
    scene = learn(recording, method="median")
    assert scene.shadow is not None
    light = np.log(SHARE).mean()
    assert scene.shadow.mean[0] == pytest.approx(light, abs=0.05)
    assert load(run).shadow == scene.shadow


def test_a_scene_without_shadows_has_none(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frames = np.clip(road() + random.normal(0, 2, (8, *SIZE, 3)), 0, 255).astype(np.uint8)
    scene = learn(write_image_folder(tmp_path / "in", frames), method="median")
    assert scene.shadow is None
    scene.save(tmp_path / "run")
    assert load(tmp_path / "run").shadow is None


def shares(run: Path, recording: Path, **settings: str) -> tuple[float, float, float]:
    """How much of the cars and of their shadows is foreground, and of the shadows is labelled."""
    chosen = SegmentationSettings.parse(settings, prefix="")
    car, shadow, label = [], [], []
    for result in load(run).segment(recording, segmentation=chosen):
        if not 10 <= result.frame.index < 22:
            continue
        assert result.labels is not None
        places_now = places(result.frame.index)
        car.append((result.mask[places_now[0]] > 0).mean())
        shadow.append((result.mask[places_now[1]] > 0).mean())
        label.append((result.labels[places_now[1]] == SHADOW).mean())
    return float(np.mean(car)), float(np.mean(shadow)), float(np.mean(label))


def test_shadows_are_dropped_kept_or_labelled(run: Path, recording: Path) -> None:
    assert shares(run, recording) == pytest.approx((1, 0, 0), abs=0.12)
    assert shares(run, recording, shadows="keep") == pytest.approx((1, 1, 0), abs=0.12)
    car, shadow, label = shares(run, recording, shadows="label")
    assert (car, shadow) == shares(run, recording)[:2]
    assert label > 0.75


def test_the_label_is_written_by_the_command_line(
    cleanplate: CommandLine, run: Path, recording: Path, tmp_path: Path
) -> None:
    masks = tmp_path / "masks"
    outcome = cleanplate(
        "segment", recording, "--model", run, "--out", masks, "--labels",
        "--set", "segmentation.shadows=label",
    )  # fmt: skip
    assert outcome.code == 0
    for index in (12, 16, 20):
        labels = cv2.imread(str(masks / "labels" / f"lab{index + 1:06d}.png"), cv2.IMREAD_UNCHANGED)
        mask = cv2.imread(str(masks / f"bin{index + 1:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert (labels[places(index)[1]] == SHADOW).mean() > 0.75
        assert not mask[labels == SHADOW].any()
