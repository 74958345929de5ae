"""`cleanplate segment --on-moved`: what happens when the camera was moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from calls import CommandLine

from cleanplate import learn
from scenes import paint_scene, write_image_folder

HEIGHT, WIDTH, PAN = 96, 128, 15
BEFORE, AFTER = 30, 75
"""Frames, 25 a second: three seconds of the new view."""
WIDE = paint_scene(HEIGHT, WIDTH + PAN, BEFORE + AFTER, seed=3)
BUMPED = np.concatenate([WIDE.frames[:BEFORE, :, :WIDTH], WIDE.frames[BEFORE:, :, PAN:]])


@pytest.fixture(scope="module")
def bumped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_folder(tmp_path_factory.mktemp("bumped"), BUMPED)


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene of the view before the bump."""
    folder = tmp_path_factory.mktemp("view")
    still = write_image_folder(folder / "in", WIDE.frames[:, :, :WIDTH])
    learn(still, out=folder / "scene", method="median")
    return folder / "scene"


def test_by_default_a_warning_says_when_and_all_masks_are_written(
    cleanplate: CommandLine, view: Path, bumped: Path, tmp_path: Path
) -> None:
    outcome = cleanplate("segment", bumped, "--model", view, "--out", tmp_path / "m", "--json")
    assert outcome.code == 0
    moved = outcome.json["camera_moved_at"]
    assert moved["frame"] == pytest.approx(BEFORE + 1, abs=11)
    assert moved["time"] == pytest.approx((moved["frame"] - 1) / 25)
    assert moved["pixels"] == pytest.approx(PAN, abs=0.5)
    (warning,) = outcome.json["warnings"]
    assert f"the camera was moved at frame {moved['frame']}" in warning
    assert "warning: the camera was moved" in outcome.err
    assert len(list((tmp_path / "m").iterdir())) == BEFORE + AFTER


def test_it_can_stop_there_and_keeps_the_masks_so_far(
    cleanplate: CommandLine, view: Path, bumped: Path, tmp_path: Path
) -> None:
    arguments = ("segment", bumped, "--model", view, "--out", tmp_path / "m")
    outcome = cleanplate(*arguments, "--on-moved", "stop", "--json")
    assert outcome.code == 3
    assert outcome.json["stopped"] is True
    assert outcome.json["camera_moved_at"]["pixels"] == pytest.approx(PAN, abs=0.5)
    assert len(list((tmp_path / "m").iterdir())) == outcome.json["frames"]
    assert BEFORE < outcome.json["frames"] < BEFORE + AFTER
    assert "the camera was moved at frame" in outcome.err


def test_a_camera_that_was_not_moved_is_not_reported(
    cleanplate: CommandLine, view: Path, tmp_path: Path
) -> None:
    still = write_image_folder(tmp_path / "in", WIDE.frames[:, :, :WIDTH])
    arguments = ("segment", still, "--model", view, "--out", tmp_path / "m")
    outcome = cleanplate(*arguments, "--on-moved", "stop", "--json")
    assert outcome.code == 0
    assert outcome.json["camera_moved_at"] is None
    assert outcome.json["stopped"] is False
    assert outcome.json["warnings"] == []


def test_another_answer_is_refused(
    cleanplate: CommandLine, view: Path, bumped: Path, tmp_path: Path
) -> None:
    arguments = ("segment", bumped, "--model", view, "--out", tmp_path / "m")
    outcome = cleanplate(*arguments, "--on-moved", "panic")
    assert outcome.is_refused_with("panic", "warn", "stop", code=2)


def test_a_view_that_was_left_while_learning_is_told_as_such(
    cleanplate: CommandLine, tmp_path: Path
) -> None:
    """Another scene of the later frames would be the one that there is."""
    frames = np.concatenate([WIDE.frames[:70, :, :WIDTH], WIDE.frames[30:, :, PAN:]])
    recording = write_image_folder(tmp_path / "in", frames)
    learned = cleanplate("learn", recording, "--method", "candidates", "--out", tmp_path / "s")
    assert "moved at frame 71" in learned.err
    masks = tmp_path / "m"
    outcome = cleanplate("segment", recording, "--model", tmp_path / "s", "--out", masks, "--json")
    (warning,) = outcome.json["warnings"]
    assert "the scene was learned from frames 71 to 145" in warning
    assert "anew" not in warning
