"""Sequences are found below a folder, and named and sorted by their path."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bench_samples import write_sequence

from cleanplate.benchmark.sequences import choose_sequences, find_sequences
from cleanplate.errors import GroundTruthError, UnknownNameError
from scenes import paint_scene, write_image_folder


def test_sequences_are_named_by_their_path_and_their_category_is_the_folder_above(
    data: Path,
) -> None:
    found = find_sequences(data)
    assert [(each.name, each.category) for each in found] == [
        ("lit/noon", "lit"),
        ("still/gate", "still"),
        ("still/yard", "still"),
    ]


def test_a_category_given_as_the_data_folder_is_the_category(data: Path) -> None:
    found = find_sequences(data / "still")
    assert [(each.name, each.category) for each in found] == [("gate", "still"), ("yard", "still")]


def test_a_single_sequence_may_be_given(data: Path) -> None:
    (found,) = find_sequences(data / "lit" / "noon")
    assert found.name == "noon"
    assert found.open().numbers[0] == 9


def test_sequences_of_several_data_sets_may_lie_in_one_folder(tmp_path: Path) -> None:
    write_sequence(tmp_path / "cameras" / "yard")
    plate_only = tmp_path / "plates" / "hall"
    write_image_folder(plate_only / "input", paint_scene(32, 48, 5).frames)
    write_image_folder(plate_only / "GT", paint_scene(32, 48, 1).backgrounds)
    (plate_only / "GT" / "in000001.png").rename(plate_only / "GT" / "GT_background.png")
    found = find_sequences(tmp_path)
    assert [each.name for each in found] == ["cameras/yard", "plates/hall"]
    assert [len(each.open().numbers) for each in found] == [32, 0]


def test_a_sequence_without_frames_is_refused(tmp_path: Path) -> None:
    shutil.rmtree(write_sequence(tmp_path / "still" / "yard") / "input")
    (found,) = find_sequences(tmp_path)
    with pytest.raises(GroundTruthError, match="has truth but no frames"):
        found.open()


def test_a_folder_without_sequences_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GroundTruthError, match="holds no sequence"):
        find_sequences(tmp_path)


def test_sequences_are_chosen_by_name_or_pattern(data: Path) -> None:
    found = find_sequences(data)
    assert [each.name for each in choose_sequences(found, ["still/*"])] == [
        "still/gate",
        "still/yard",
    ]
    assert choose_sequences(found, None) == found
    assert choose_sequences(found, []) == []
    with pytest.raises(UnknownNameError, match="did you mean 'still/gate'"):
        choose_sequences(found, ["still/gat"])
