"""A whole tree has no problem; each way in which it can be broken is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cleanplate.datasets import find_places
from cleanplate.datasets.checking import SequenceCheck, check_place
from dataset_copies import COPIES, write_picture


def check_only(root: Path) -> SequenceCheck:
    (place,) = find_places(root)
    return check_place(place)


@pytest.mark.parametrize("name", COPIES)
def test_a_whole_sequence_has_no_problem(name: str, tmp_path: Path) -> None:
    dataset, paint = COPIES[name]
    painted = paint(tmp_path)
    result = check_only(tmp_path)
    assert result.problems == []
    assert (result.dataset, result.name, result.category) == (
        dataset,
        painted.name,
        painted.category,
    )
    assert result.size == "64x48"
    assert (result.frames, result.scored) == (painted.frames, len(painted.numbers))
    assert result.plates == painted.plates
    assert (255 in result.labels) == (painted.labels is not None)


def only_problem(root: Path) -> str:
    (problem,) = check_only(root).problems
    return problem


def test_a_frame_missing_between_others_is_told(tmp_path: Path) -> None:
    painted = COPIES["cdnet"][1](tmp_path)
    (painted.path / "input" / "in000003.jpg").unlink()
    assert only_problem(tmp_path) == "1 frames are missing between others: 3"


def test_a_scored_frame_missing_at_the_end_is_told(tmp_path: Path) -> None:
    painted = COPIES["cdnet"][1](tmp_path)
    (painted.path / "input" / "in000005.jpg").unlink()
    assert only_problem(tmp_path) == "1 scored frames are not there: 5"


def test_a_damaged_frame_is_told(tmp_path: Path) -> None:
    painted = COPIES["cdnet"][1](tmp_path)
    (painted.path / "input" / "in000001.jpg").write_bytes(b"no picture")
    assert only_problem(tmp_path) == "1 frames cannot be decoded"


def test_frames_of_another_size_are_told(tmp_path: Path) -> None:
    painted = COPIES["cdnet"][1](tmp_path)
    for path in (painted.path / "input").iterdir():
        write_picture(path, np.zeros((50, 64, 3), np.uint8))
    assert only_problem(tmp_path) == "frames are 64x50 where the truth is 64x48"


def test_no_frames_are_told(tmp_path: Path) -> None:
    painted = COPIES["cdnet"][1](tmp_path)
    (painted.path / "input").rename(tmp_path / "elsewhere")
    assert only_problem(tmp_path) == "there are no frames"


def test_label_maps_that_are_none_are_told(tmp_path: Path) -> None:
    painted = COPIES["cdnet"][1](tmp_path)
    for number in (3, 4):
        picture = np.full((48, 64), number, np.uint8)
        write_picture(painted.path / "groundtruth" / f"gt{number:06d}.png", picture)
    problem = only_problem(tmp_path)
    assert problem.startswith("2 label maps are no truth, the first: ")
    assert "the value 3, which is no label" in problem


def test_a_plate_of_another_size_is_told(tmp_path: Path) -> None:
    painted = COPIES["sbi, with labels"][1](tmp_path)
    plate = painted.path / "GT" / "GT_background_derived.png"
    write_picture(plate, np.zeros((50, 64, 3), np.uint8))
    assert only_problem(tmp_path) == f"{plate.name} is 64x50 where the frames are 64x48"


def test_a_sequence_that_cannot_be_opened_is_a_problem_and_no_end(tmp_path: Path) -> None:
    painted = COPIES["cdnet"][1](tmp_path)
    COPIES["bmc"][1](tmp_path)
    (painted.path / "temporalROI.txt").write_text("nonsense")
    results = [check_place(place) for place in find_places(tmp_path)]
    assert [len(result.problems) for result in results] == [0, 1]
    assert "the first and the last scored frame" in results[1].problems[0]
