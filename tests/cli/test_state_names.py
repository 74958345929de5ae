"""What the commands say of a scene with two states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from calls import CommandLine

from cleanplate.report import write_report
from lights import infrared
from scenes import paint_scene, write_image_folder


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = paint_scene(60, 80, 60).frames
    pictures = np.concatenate([frames[:36], infrared(frames[36:])])
    return write_image_folder(tmp_path_factory.mktemp("both"), pictures)


def test_states_are_named_by_learn_segment_and_report(
    cleanplate: CommandLine, both: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    learned = cleanplate("learn", both, "--out", run, "--method", "candidates", "--json")
    assert learned.json["states"] == {"day": 0.6, "infrared": 0.4}
    names = {entry["name"]: entry["state"] for entry in learned.json["findings"]}
    assert (names["states"], names["camera"]) == ("special", "unknown")
    again = cleanplate("learn", both, "--out", run, "--method", "candidates", "--overwrite")
    line = "the scene: 2 states: day (60 %), infrared (40 %) (the method learned day;"
    assert line in again.out
    segment = ("segment", both, "--model", run, "--out")
    assert cleanplate(*segment, tmp_path / "masks", "--json").json["states"] == {
        "day": 36,
        "infrared": 24,
    }
    text = cleanplate(*segment, tmp_path / "again").out
    assert "frames in each state of the scene: day 36, infrared 24" in text
    page = write_report(run).read_text(encoding="utf-8")
    assert "2 states: day (60 %), infrared (40 %)" in page


def test_a_scene_with_one_state_says_nothing_of_states(
    cleanplate: CommandLine, recording: Path, scene: Path, tmp_path: Path
) -> None:
    masks = cleanplate("segment", recording, "--model", scene, "--out", tmp_path / "m", "--json")
    assert masks.json["states"] == {}
    assert "states: " not in write_report(scene).read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_export_warns_of_the_states_that_it_leaves_out(
    cleanplate: CommandLine, both: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    run = tmp_path / "run"
    cleanplate("learn", both, "--out", run, "--budget", "4steps")
    exported = cleanplate("export", run, "--json")
    assert exported.json["warnings"] == [
        "plates of other states are no network and left out: infrared"
    ]
    segment = ("segment", both, "--model", run, "--runtime", "onnx", "--out", tmp_path / "masks")
    assert cleanplate(*segment, "--json").json["states"] == {"day": 36, "infrared": 24}
