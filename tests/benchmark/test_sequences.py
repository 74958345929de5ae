"""Sequences are found below a folder, and named and sorted by their path."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanplate.benchmark.sequences import choose_sequences, find_sequences
from cleanplate.errors import GroundTruthError, UnknownNameError


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
    assert found.open_truth().numbers[0] == 9


def test_a_sequence_knows_its_true_plate(data: Path, tmp_path: Path) -> None:
    plate = find_sequences(data)[0].find_plate()
    assert plate is not None
    assert plate.picture.name == "GT_background.png"
    assert plate.valid is None


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
