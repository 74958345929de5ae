"""`cleanplate datasets`, and sequences of any data set as the truth of a score."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from calls import CommandLine, files_of

from cleanplate.datasets import find_sequences, known_datasets, open_sequence
from cleanplate.datasets.manifest import MANIFEST
from dataset_copies import COPIES, SCENE, write_picture


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """One sequence each of two data sets."""
    for name in ("cdnet", "lasiesta"):
        COPIES[name][1](tmp_path / "tree")
    return tmp_path / "tree"


class TestList:
    def test_has_every_set_with_its_form_and_paper(self, cleanplate: CommandLine) -> None:
        rows = {
            row["name"]: row for row in cleanplate("datasets", "list", "--json").json["datasets"]
        }
        assert rows.keys() == known_datasets().keys()
        assert rows["cdnet"]["can_be_fetched"]
        assert not rows["lasiesta"]["can_be_fetched"]
        assert "CVPR" in rows["cdnet"]["citation"]
        shown = cleanplate("datasets", "list").out
        for name in rows:
            assert name in shown


class TestCheck:
    def test_of_a_whole_tree_finds_no_problem(self, cleanplate: CommandLine, tree: Path) -> None:
        before = files_of(tree)
        outcome = cleanplate("datasets", "check", tree, "--json")
        assert outcome.code == 0
        assert outcome.json["problems"] == 0
        assert [one["dataset"] for one in outcome.json["sequences"]] == ["cdnet", "lasiesta"]
        assert "no manifest" in outcome.json["checksums"]
        assert files_of(tree) == before

    def test_tells_problems_and_ends_with_1(self, cleanplate: CommandLine, tree: Path) -> None:
        (tree / "cdnet/baseline/street/input/in000003.jpg").unlink()
        outcome = cleanplate("datasets", "check", tree)
        assert outcome.code == 1
        assert "warning: baseline/street: 1 frames are missing between others: 3" in outcome.err
        assert "2 sequences, 1 problems" in outcome.out

    def test_verifies_the_checksums_that_were_written(
        self, cleanplate: CommandLine, tree: Path
    ) -> None:
        count = len(files_of(tree))
        outcome = cleanplate("datasets", "check", tree, "--write-manifest", "--json")
        assert outcome.code == 0
        assert outcome.json["checksums"] == f"checksums of {count} files written"
        assert len(json.loads((tree / MANIFEST).read_text())["files"]) == count
        outcome = cleanplate("datasets", "check", tree, "--json")
        assert outcome.code == 0
        assert outcome.json["checksums"] == f"checksums of {count} files verified"
        path = tree / "lasiesta/I_SI_01/I_SI_01/I_SI_01-2.bmp"
        write_picture(path, SCENE.frames[0])
        (tree / "new.txt").write_text("new")
        outcome = cleanplate("datasets", "check", tree, "--json")
        assert outcome.code == 1
        assert outcome.json["problems"] == 1
        (problem,) = outcome.json["checksum_problems"]
        assert problem.startswith("1 files have changed since the manifest was written: ")
        assert problem.endswith("I_SI_01-2.bmp")
        assert "1 files are not in the manifest" in outcome.json["checksums"]

    def test_a_manifest_is_not_replaced_unasked(self, cleanplate: CommandLine, tree: Path) -> None:
        (tree / MANIFEST).write_text("mine")
        words = ("datasets", "check", tree, "--write-manifest")
        assert cleanplate(*words).is_refused_with("--overwrite", code=1)
        assert (tree / MANIFEST).read_text() == "mine"
        assert cleanplate(*words, "--overwrite").code == 0
        assert cleanplate("datasets", "check", tree).code == 0

    def test_a_manifest_may_lie_elsewhere(
        self, cleanplate: CommandLine, tree: Path, tmp_path: Path
    ) -> None:
        before = files_of(tree)
        place = ("--manifest", tmp_path / "sums.json")
        assert cleanplate("datasets", "check", tree, *place, "--write-manifest").code == 0
        assert files_of(tree) == before
        outcome = cleanplate("datasets", "check", tree, *place, "--json")
        assert outcome.json["checksums"] == f"checksums of {len(before)} files verified"

    def test_without_a_sequence_is_refused(self, cleanplate: CommandLine, tmp_path: Path) -> None:
        outcome = cleanplate("datasets", "check", tmp_path)
        assert outcome.is_refused_with("no sequence", "cleanplate datasets list", code=1)
        outcome = cleanplate("datasets", "check", tmp_path / "nowhere")
        assert outcome.is_refused_with("is not a folder", code=1)


class TestFetch:
    def test_of_a_set_downloaded_by_hand_is_refused(
        self, cleanplate: CommandLine, tmp_path: Path
    ) -> None:
        outcome = cleanplate("datasets", "fetch", "lasiesta", "--out", tmp_path / "out")
        assert outcome.is_refused_with("by hand", "LASIESTA", code=2)
        assert not (tmp_path / "out").exists()


class TestTruth:
    @pytest.mark.parametrize("name", ["bmc, videos", "lasiesta", "folder", "painted"])
    def test_of_any_set_scores_masks(
        self, cleanplate: CommandLine, tmp_path: Path, name: str
    ) -> None:
        painted = COPIES[name][1](tmp_path)
        sequence = open_sequence(painted.path)
        for number in sequence.numbers:
            moving = np.where(sequence.read_labels(number) == 255, 255, 0).astype(np.uint8)
            write_picture(tmp_path / "masks" / f"bin{number:06d}.png", moving)
        outcome = cleanplate("score", tmp_path / "masks", "--truth", painted.path, "--json")
        assert outcome.code == 0
        assert outcome.json["F"] == 1
        assert outcome.json["frames"] == len(painted.numbers)

    def test_without_labels_is_refused(self, cleanplate: CommandLine, tmp_path: Path) -> None:
        painted = COPIES["sbmnet"][1](tmp_path)
        outcome = cleanplate("score", tmp_path, "--truth", painted.path)
        assert outcome.is_refused_with("has no labels", "score-plate", code=1)

    def test_of_a_sequence_scores_plates_where_they_are_valid(
        self, cleanplate: CommandLine, tmp_path: Path
    ) -> None:
        painted = COPIES["folder"][1](tmp_path)
        plate = SCENE.best_still_plate()
        plate[:, 40:] = 255 - plate[:, 40:]
        write_picture(tmp_path / "plate.png", plate)
        words = ("score-plate", tmp_path / "plate.png", "--truth", painted.path)
        assert cleanplate(*words, "--json").json["AGE"] > 0
        valid = np.full(SCENE.size, 255, np.uint8)
        valid[:, 40:] = 0
        assert cv2.imwrite(str(painted.path / "plate_valid.png"), valid)
        assert cleanplate(*words, "--json").json["AGE"] == 0
        outcome = cleanplate(*words, "--valid", painted.path / "plate_valid.png")
        assert outcome.is_refused_with("--valid belongs to a picture", code=2)

    def test_without_a_plate_is_refused(self, cleanplate: CommandLine, tmp_path: Path) -> None:
        painted = COPIES["cdnet"][1](tmp_path)
        write_picture(tmp_path / "plate.png", SCENE.best_still_plate())
        outcome = cleanplate("score-plate", tmp_path / "plate.png", "--truth", painted.path)
        assert outcome.is_refused_with("has no true plate", code=1)


class TestPaint:
    def test_scenes_of_several_kinds_are_sequences_with_their_kind(
        self, cleanplate: CommandLine, tmp_path: Path
    ) -> None:
        kinds = ("--kind", "arena", "--kind", "water", "--seeds", "2", "--seconds", "1")
        outcome = cleanplate("datasets", "paint", "--out", tmp_path / "p", *kinds, "--json")
        assert outcome.code == 0, outcome
        scenes = [(scene["kind"], scene["seed"]) for scene in outcome.json["scenes"]]
        assert scenes == [("arena", 0), ("arena", 1), ("water", 0), ("water", 1)]
        found = [(one.category, one.name) for one in find_sequences(tmp_path / "p")]
        assert found == [(kind, f"seed{seed}") for kind, seed in scenes]
        assert cleanplate("datasets", "check", tmp_path / "p").code == 0
        again = cleanplate("datasets", "paint", "--out", tmp_path / "p", *kinds)
        assert again.is_refused_with("is not empty", code=1)

    def test_no_scene_is_refused(self, cleanplate: CommandLine, tmp_path: Path) -> None:
        outcome = cleanplate("datasets", "paint", "--out", tmp_path / "p", "--seeds", "0")
        assert outcome.is_refused_with("give --seeds 1 or more", code=2)
