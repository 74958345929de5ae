"""What `cleanplate segment` says of time: labels, who waits, and ghosts."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from calls import CommandLine, files_of

from cleanplate import learn, load
from cleanplate.segmentation.layers import BACKGROUND, MOVING, SETTLED, SHADOW, WAITING
from roads import CAR, SIZE, road, seen
from scenes import write_image_folder

PLACE = np.s_[54:70, 64:96]
"""Inside the car that stands at (60, 50)."""
RATE = 25
STOPS, LEAVES, END = 20, 120, 140
"""Frames from which the car stands, goes, and is gone."""


def drive() -> list[tuple[int, int]]:
    """Where the car is in each frame; it comes from the left and goes to the right."""
    coming = [(3 * at, 50) for at in range(STOPS)]
    going = [(60 + 5 * at, 50) for at in range(END - LEAVES)]
    return coming + [(60, 50)] * (LEAVES - STOPS) + going


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [seen([(*place, CAR)], at=at) for at, place in enumerate(drive())]
    return write_image_folder(tmp_path_factory.mktemp("visit"), np.stack(frames))


@pytest.fixture(scope="module")
def empty_scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene learned while nobody was there."""
    frames = np.stack([seen([], at=1000 + at) for at in range(30)])
    folder = tmp_path_factory.mktemp("empty")
    learn(write_image_folder(folder / "frames", frames), out=folder / "run", method="median")
    return folder / "run"


@pytest.fixture(scope="module")
def parked_scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene learned while a car was parked at (60, 50), which is in its plate."""
    frames = np.stack([seen([(60, 50, CAR)], at=1000 + at) for at in range(30)])
    folder = tmp_path_factory.mktemp("parked")
    learn(write_image_folder(folder / "frames", frames), out=folder / "run", method="median")
    return folder / "run"


@pytest.fixture(scope="module")
def vacated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in which the parked car has left."""
    frames = np.stack([seen([], at=2000 + at) for at in range(90)])
    return write_image_folder(tmp_path_factory.mktemp("vacated"), frames)


def label_map(masks: Path, number: int) -> np.ndarray:
    labels = cv2.imread(str(masks / "labels" / f"lab{number:06d}.png"), cv2.IMREAD_UNCHANGED)
    assert labels.shape == SIZE
    assert labels.dtype == np.uint8
    return labels


def mask_of(masks: Path, number: int) -> np.ndarray:
    return cv2.imread(str(masks / f"bin{number:06d}.png"), cv2.IMREAD_UNCHANGED)


class TestLabels:
    def test_there_is_one_of_each_frame_that_agrees_with_its_mask(
        self, cleanplate: CommandLine, empty_scene: Path, visit: Path, tmp_path: Path
    ) -> None:
        masks = tmp_path / "masks"
        outcome = cleanplate(
            "segment", visit, "--model", empty_scene, "--out", masks, "--labels", "--json"
        )
        assert outcome.code == 0
        assert outcome.json["waiting_objects"] == 1
        assert len(files_of(masks / "labels")) == END
        for number in range(1, END + 1):
            labels = label_map(masks, number)
            assert set(np.unique(labels)) <= {BACKGROUND, SETTLED, SHADOW, WAITING, MOVING}
            assert np.array_equal(labels > SHADOW, mask_of(masks, number) > 0)
        assert (label_map(masks, STOPS + 10)[PLACE] == MOVING).mean() > 0.9
        assert (label_map(masks, LEAVES)[PLACE] == WAITING).mean() > 0.95
        assert not (label_map(masks, END) == WAITING).any()

    def test_what_has_settled_is_no_foreground(
        self, cleanplate: CommandLine, empty_scene: Path, visit: Path, tmp_path: Path
    ) -> None:
        masks = tmp_path / "masks"
        policy = ["--set", "segmentation.settle_seconds=3"]
        outcome = cleanplate(
            "segment", visit, "--model", empty_scene, "--out", masks, "--labels", *policy
        )
        assert outcome.code == 0
        assert (label_map(masks, STOPS + 2 * RATE + 10)[PLACE] == WAITING).mean() > 0.9
        assert (label_map(masks, LEAVES)[PLACE] == SETTLED).mean() > 0.95
        assert not mask_of(masks, LEAVES)[PLACE].any()

    def test_resumed_labels_are_those_of_one_run(
        self, cleanplate: CommandLine, empty_scene: Path, visit: Path, tmp_path: Path
    ) -> None:
        masks = tmp_path / "masks"
        call = ["segment", visit, "--model", empty_scene, "--out", masks, "--labels"]
        assert cleanplate(*call).code == 0
        whole = files_of(masks)
        for number in range(90, END + 1):
            (masks / "labels" / f"lab{number:06d}.png").unlink()
        outcome = cleanplate(*call, "--resume", "--json")
        assert outcome.json["frames"] == END - 89
        assert files_of(masks) == whole

    def test_new_masks_leave_no_labels_of_old_ones(
        self, cleanplate: CommandLine, empty_scene: Path, visit: Path, tmp_path: Path
    ) -> None:
        masks = tmp_path / "masks"
        call = ["segment", visit, "--model", empty_scene, "--out", masks]
        assert cleanplate(*call, "--labels").code == 0
        assert cleanplate(*call, "--overwrite").code == 0
        assert not list(masks.glob("labels/*"))

    def test_shadows_as_a_label_without_a_file_for_it_are_warned_of(
        self, cleanplate: CommandLine, empty_scene: Path, visit: Path, tmp_path: Path
    ) -> None:
        outcome = cleanplate(
            "segment", visit, "--model", empty_scene, "--out", tmp_path / "masks",
            "--set", "segmentation.shadows=label",
        )  # fmt: skip
        assert outcome.code == 0
        assert "--labels" in outcome.err


class TestObjects:
    def test_each_that_waited_has_a_line(
        self, cleanplate: CommandLine, empty_scene: Path, visit: Path, tmp_path: Path
    ) -> None:
        log = tmp_path / "waited.jsonl"
        outcome = cleanplate(
            "segment", visit, "--model", empty_scene, "--out", tmp_path / "m", "--objects", log
        )
        assert outcome.code == 0
        (line,) = log.read_text().splitlines()
        found = json.loads(line)
        assert found["number"] == 1
        assert found["state"] == "waiting"
        assert found["first_seen"] == pytest.approx(STOPS / RATE, abs=0.3)
        assert found["last_seen"] == pytest.approx(LEAVES / RATE, abs=0.4)
        assert found["dwell"] == pytest.approx((LEAVES - STOPS) / RATE, abs=0.4)
        assert found["box"] == pytest.approx([60, 50, 40, 24], abs=4)
        assert found["pixels"] == pytest.approx(40 * 24, rel=0.15)

    def test_who_still_stands_at_the_end_has_a_line_too(
        self, cleanplate: CommandLine, empty_scene: Path, visit: Path, tmp_path: Path
    ) -> None:
        short = tmp_path / "short"
        short.mkdir()
        for path in sorted(visit.iterdir())[:LEAVES]:
            (short / path.name).write_bytes(path.read_bytes())
        log = tmp_path / "waited.jsonl"
        call = ["segment", short, "--model", empty_scene, "--out", tmp_path / "m"]
        assert cleanplate(*call, "--objects", log).code == 0
        assert len(log.read_text().splitlines()) == 1

    @pytest.mark.parametrize("name", ["waited.txt", "masks/waited.jsonl"])
    def test_a_bad_place_is_refused_before_any_mask(
        self, cleanplate: CommandLine, empty_scene: Path, visit: Path, tmp_path: Path, name: str
    ) -> None:
        masks = tmp_path / "masks"
        outcome = cleanplate(
            "segment", visit, "--model", empty_scene, "--out", masks, "--objects", tmp_path / name
        )
        assert outcome.is_refused_with("waited", code=2)
        assert not masks.exists()


class TestGhosts:
    def test_one_is_corrected_and_the_scene_stays_as_it_is(
        self, cleanplate: CommandLine, parked_scene: Path, vacated: Path, tmp_path: Path
    ) -> None:
        before, masks = files_of(parked_scene), tmp_path / "masks"
        call = ["segment", vacated, "--model", parked_scene, "--out", masks, "--json"]
        outcome = cleanplate(*call)
        assert outcome.code == 0
        assert outcome.json["ghosts_repaired"] == 1
        assert (mask_of(masks, 10)[PLACE] > 0).mean() > 0.9, "not yet known to be a ghost"
        assert not mask_of(masks, 90).any()
        assert files_of(parked_scene) == before
        again = cleanplate(*call[:-1], "--overwrite", "--json")
        assert again.json["ghosts_repaired"] == 1, "each call starts from nothing"

    def test_repairing_can_be_switched_off(
        self, cleanplate: CommandLine, parked_scene: Path, vacated: Path, tmp_path: Path
    ) -> None:
        masks = tmp_path / "masks"
        outcome = cleanplate(
            "segment", vacated, "--model", parked_scene, "--out", masks,
            "--set", "segmentation.correct_ghosts=no", "--json",
        )  # fmt: skip
        assert outcome.json["ghosts_repaired"] == 0
        assert (mask_of(masks, 90)[PLACE] > 0).mean() > 0.9

    def test_the_mended_scene_can_be_kept(
        self, cleanplate: CommandLine, parked_scene: Path, vacated: Path, tmp_path: Path
    ) -> None:
        kept, masks = tmp_path / "kept", tmp_path / "masks"
        call = ["segment", vacated, "--model", parked_scene, "--out", tmp_path / "first"]
        assert cleanplate(*call, "--save-scene", kept).code == 0
        assert load(kept).provenance["ghosts_repaired_while_segmenting"] == 1
        assert np.abs(load(kept).plate[PLACE].astype(int) - road()[PLACE]).mean() < 3
        outcome = cleanplate("segment", vacated, "--model", kept, "--out", masks, "--json")
        assert outcome.json["ghosts_repaired"] == 0
        assert not mask_of(masks, 1).any()

    def test_a_place_that_is_taken_is_refused(
        self, cleanplate: CommandLine, parked_scene: Path, vacated: Path, tmp_path: Path
    ) -> None:
        taken = tmp_path / "taken"
        taken.mkdir()
        (taken / "mine.txt").write_text("mine")
        outcome = cleanplate(
            "segment", vacated, "--model", parked_scene, "--out", tmp_path / "masks",
            "--save-scene", taken,
        )  # fmt: skip
        assert outcome.is_refused_with("taken", code=1)
        assert files_of(taken).keys() == {"mine.txt"}


def test_learning_mends_a_plate_that_shows_who_left(tmp_path: Path) -> None:
    """A car stands for the first 60 % of the recording: the median shows it, the scene does not."""
    cars = [[(60, 50, CAR)]] * 90 + [[]] * 60
    frames = np.stack([seen(car, at=at) for at, car in enumerate(cars)])
    recording = write_image_folder(tmp_path / "frames", frames)
    scene = learn(recording, method="median", out=tmp_path / "run")
    assert scene.provenance["ghosts_repaired"] == 1
    loaded = load(tmp_path / "run")
    assert loaded.findings["ghosts"].value == 1
    assert "1 ghost: backgrounds showed what had left (corrected)" in loaded.findings.sentence
    for plate in (scene.plate, loaded.plate):
        assert np.abs(plate[PLACE].astype(int) - road()[PLACE]).mean() < 3
    masks = [result.mask for result in loaded.segment(recording)]
    assert (masks[80][PLACE] > 0).mean() > 0.95, "the car"
    assert not masks[-1].any()
    kept = learn(recording, method="median", settings={"segmentation": {"correct_ghosts": False}})
    assert kept.provenance["ghosts_repaired"] == 0
    assert np.abs(kept.plate[PLACE].astype(int) - road()[PLACE]).mean() > 20
