"""`cleanplate segment --on-moved relearn`: a new scene from the frames after a move."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from calls import CommandLine, files_of

from cleanplate import learn, load
from cleanplate.frames import Mask
from moves import PAN, f_measure, paint_moves, part_of
from scenes import write_image_folder

BEFORE, AFTER = 40, 145
MOVED = paint_moves([BEFORE, AFTER])
TOTAL = BEFORE + AFTER


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_folder(tmp_path_factory.mktemp("moved"), MOVED.frames)


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene of the view before the move."""
    folder = tmp_path_factory.mktemp("view")
    still = write_image_folder(folder / "in", part_of(MOVED, 0, BEFORE).frames)
    learn(still, out=folder / "scene", method="median")
    return folder / "scene"


@pytest.fixture(scope="module")
def whole(view: Path, moved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an unbroken call leaves, in a folder: masks, labels, objects, film and scenes."""
    from cleanplate.cli.main import run

    folder = tmp_path_factory.mktemp("whole")
    assert run(call(view, moved, folder)) == 0
    return folder


def call(view: Path, moved: Path, folder: Path, *more: str) -> list[str]:
    arguments = ("segment", moved, "--model", view, "--out", folder / "masks", "--on-moved")
    others = ("relearn", "--labels", "--objects", folder / "waited.jsonl", *more)
    return [str(word) for word in (*arguments, *others)]


def masks_in(folder: Path) -> list[Mask]:
    return [cv2.imread(str(p), cv2.IMREAD_UNCHANGED) for p in sorted(folder.glob("*.png"))]


def test_it_is_said_where_the_new_scene_is_and_from_which_frame_on(
    cleanplate: CommandLine, view: Path, moved: Path, tmp_path: Path
) -> None:
    before = files_of(view)
    outcome = cleanplate(*call(view, moved, tmp_path, "--save-scene", str(tmp_path / "kept")))
    assert outcome.code == 0
    (found,) = (tmp_path / "masks-scenes").iterdir()
    number = int(found.name)
    assert BEFORE < number <= BEFORE + 10
    assert f"by a new scene from frame {number} on: {found}" in outcome.out
    assert f"moved at frame {number} (" in outcome.err
    assert "a new scene was learned from there on" in outcome.err
    assert files_of(view) == before, "the scene that was given is only read"
    assert np.array_equal(load(tmp_path / "kept").plate, load(found).plate)
    assert load(found).settings == load(view).settings


def test_json_has_the_moves_and_every_frame_has_its_mask(
    cleanplate: CommandLine, view: Path, moved: Path, whole: Path, tmp_path: Path
) -> None:
    outcome = cleanplate(*call(view, moved, tmp_path, "--json"))
    (found,) = outcome.json["relearned"]
    assert found["scene"] == str(tmp_path / "masks-scenes" / f"{found['frame']:06d}")
    assert found["pixels"] == pytest.approx(PAN, abs=0.5)
    assert found["time"] == pytest.approx((found["frame"] - 1) / 25)
    moved_at = outcome.json["camera_moved_at"]
    assert moved_at == {name: found[name] for name in ("frame", "time", "pixels")}
    assert outcome.json["frames"] == TOTAL
    assert outcome.json["stopped"] is False
    masks = masks_in(tmp_path / "masks")
    assert len(masks) == len(masks_in(tmp_path / "masks" / "labels")) == TOTAL
    first = found["frame"] - 1
    assert f_measure(masks[first:], MOVED.masks[first:]) > 0.9
    assert files_of(tmp_path / "masks") == files_of(whole / "masks"), "the same in every call"


def test_after_a_break_it_goes_on_to_the_same_masks_without_learning_again(
    cleanplate: CommandLine, view: Path, moved: Path, whole: Path, tmp_path: Path
) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    (tmp_path / "waited.jsonl").unlink()
    for number in range(BEFORE + 30, TOTAL + 1):
        (tmp_path / "masks" / f"bin{number:06d}.png").unlink()
    (scene,) = (tmp_path / "masks-scenes").iterdir()
    before = files_of(scene)
    outcome = cleanplate(*call(view, moved, tmp_path, "--resume", "--json"))
    assert outcome.code == 0
    assert outcome.json["frames_skipped"] == BEFORE + 29
    assert outcome.json["relearned"][0]["scene"] == str(scene)
    assert files_of(tmp_path / "masks") == files_of(whole / "masks")
    assert files_of(scene) == before, "the times in its provenance too"
    assert (tmp_path / "waited.jsonl").read_text() == (whole / "waited.jsonl").read_text()


def test_objects_of_both_views_have_numbers_of_their_own_and_times_of_the_recording(
    cleanplate: CommandLine, view: Path, tmp_path: Path
) -> None:
    """A car waits before the move until it, another one after it."""
    bare = MOVED.backgrounds
    frames = np.concatenate([np.repeat(bare[:1], 100, axis=0), np.repeat(bare[-1:], 190, axis=0)])
    frames[10:100, 30:60, 20:60] = (10, 240, 10)
    for at in range(180, 200):  # it drives in
        frames[at, 40:70, max(0, 70 - 4 * (200 - at)) : 110 - 4 * (200 - at)] = (240, 10, 240)
    frames[200:280, 40:70, 70:110] = (240, 10, 240)
    folder = write_image_folder(tmp_path / "in", frames)
    outcome = cleanplate(*call(view, folder, tmp_path, "--json"))
    assert outcome.code == 0
    lines = [json.loads(line) for line in (tmp_path / "waited.jsonl").read_text().splitlines()]
    first, second = [line for line in lines if line["pixels"] > 1000]
    assert first["number"] != second["number"]
    assert first["first_seen"] == pytest.approx(0.4, abs=0.3)
    assert first["last_seen"] == pytest.approx(4.0, abs=0.5)
    assert second["first_seen"] == pytest.approx(8.0, abs=0.3)
    assert second["last_seen"] == pytest.approx(11.2, abs=0.3)
    assert outcome.json["waiting_objects"] == max(line["number"] for line in lines)


def test_a_move_near_the_end_is_said_and_not_learned(
    cleanplate: CommandLine, view: Path, tmp_path: Path
) -> None:
    folder = write_image_folder(tmp_path / "in", part_of(MOVED, 0, BEFORE + 100).frames)
    outcome = cleanplate(*call(view, folder, tmp_path, "--json"))
    assert outcome.code == 0
    (found,) = outcome.json["relearned"]
    assert found["scene"] is None
    assert outcome.json["frames"] == BEFORE + 100
    assert "too little to learn a new scene from" in outcome.json["warnings"][-1]
    assert not (tmp_path / "masks-scenes").exists()


def test_a_camera_that_was_not_moved_is_as_without(
    cleanplate: CommandLine, view: Path, tmp_path: Path
) -> None:
    folder = write_image_folder(tmp_path / "in", part_of(MOVED, 0, BEFORE).frames)
    outcome = cleanplate(*call(view, folder, tmp_path, "--json"))
    assert outcome.json["relearned"] == outcome.json["warnings"] == []
    assert outcome.json["camera_moved_at"] is None
    plain = ("segment", folder, "--model", view, "--out", tmp_path / "plain", "--labels")
    assert cleanplate(*plain).code == 0
    assert files_of(tmp_path / "masks") == files_of(tmp_path / "plain")


def test_a_scene_in_the_way_is_kept_unless_it_may_be_replaced(
    cleanplate: CommandLine, view: Path, moved: Path, whole: Path, tmp_path: Path
) -> None:
    name = next((whole / "masks-scenes").iterdir()).name
    place = tmp_path / "masks-scenes" / name
    place.mkdir(parents=True)
    (place / "mine.txt").write_text("mine")
    outcome = cleanplate(*call(view, moved, tmp_path))
    assert outcome.is_refused_with("is not empty", "mine.txt", code=1)
    assert not list((tmp_path / "masks").glob("*.png"))
    assert cleanplate(*call(view, moved, tmp_path, "--overwrite")).code == 0
    assert (place / "mine.txt").read_text() == "mine"
    assert (place / "config.yaml").is_file()


def test_it_is_refused_without_torch(
    cleanplate: CommandLine, view: Path, moved: Path, tmp_path: Path
) -> None:
    outcome = cleanplate(*call(view, moved, tmp_path, "--runtime", "onnx"))
    assert outcome.is_refused_with("relearn", "--runtime torch", code=2)
    assert not (tmp_path / "masks").exists()


def test_a_scene_that_stands_where_new_ones_go_is_only_read(
    cleanplate: CommandLine, whole: Path, moved: Path
) -> None:
    model = next((whole / "masks-scenes").iterdir())
    before = files_of(whole)
    outcome = cleanplate(*call(model, moved, whole, "--overwrite"))
    assert outcome.is_refused_with("only read", "give another --out", code=2)
    assert files_of(whole) == before


def test_a_stream_that_cannot_be_read_twice_is_refused(
    cleanplate: CommandLine, view: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "stream.avi")
    outcome = cleanplate(*call(view, tmp_path / "stream.avi", tmp_path))
    assert outcome.is_refused_with("neither a file nor a folder", "give a video file", code=1)
    assert not (tmp_path / "masks").exists()
