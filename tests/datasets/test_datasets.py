"""Every data set is recognised by its form, and what was painted is what is read."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import cv2
import numpy as np
import pytest

import cleanplate.datasets.registry as registry
from cleanplate.datasets import (
    DataSet,
    VideoSequence,
    dataset,
    find_places,
    find_sequences,
    known_datasets,
    open_sequence,
)
from cleanplate.datasets.base import LABELS
from cleanplate.errors import GroundTruthError, SourceError, UnknownNameError, UsageError
from cleanplate.evaluation import score_masks, score_sequence_plate
from cleanplate.frames import FrameSize
from cleanplate.video import open_source
from dataset_copies import COPIES, SCENE, Copy, write_frames, write_picture


@pytest.fixture(params=COPIES)
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Copy]:
    """Name of the data set, and the copy."""
    name, paint = COPIES[request.param]
    return name, paint(tmp_path)


def test_every_data_set_has_a_painted_copy() -> None:
    foreign = importlib.metadata.entry_points(group=registry.ENTRY_POINT_GROUP).names
    assert {name for name, _ in COPIES.values()} == set(known_datasets()) - set(foreign)


def test_a_copy_is_read_as_it_was_painted(copy: tuple[str, Copy]) -> None:
    name, painted = copy
    sequence = open_sequence(painted.path)
    assert sequence.dataset == name
    assert (sequence.name, sequence.category) == (painted.name, painted.category)
    assert sequence.numbers == painted.numbers
    assert sequence.size == FrameSize(48, 64)
    assert len(sequence.plates) == painted.plates
    assert (sequence.region is not None) == painted.has_region
    assert sequence.folder == painted.path.resolve()


def test_the_frames_of_a_copy_can_be_learned_from(copy: tuple[str, Copy]) -> None:
    _, painted = copy
    sequence = open_sequence(painted.path)
    assert sequence.source is not None
    numbers = [frame.number for frame in open_source(sequence.source).frames()]
    assert len(numbers) == painted.frames
    assert set(painted.numbers) <= set(numbers)


def test_the_labels_of_a_copy_are_those_of_cdnet(copy: tuple[str, Copy]) -> None:
    _, painted = copy
    sequence = open_sequence(painted.path)
    if painted.labels is None:
        with pytest.raises(GroundTruthError, match="no truth for frame 1"):
            sequence.read_labels(1)
        return
    labels = sequence.read_labels(sequence.numbers[0])
    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) <= set(LABELS)
    if painted.exact:
        np.testing.assert_array_equal(labels, painted.labels)
    else:
        assert (labels == painted.labels).mean() > 0.98
    # and in any order, though a video is read forwards
    last = sequence.read_labels(sequence.numbers[-1])
    np.testing.assert_array_equal(sequence.read_labels(sequence.numbers[0]), labels)
    np.testing.assert_array_equal(sequence.read_labels(sequence.numbers[-1]), last)
    assert not np.array_equal(last, labels)


def test_a_copy_is_scored_by_the_rules_of_cdnet(copy: tuple[str, Copy], tmp_path: Path) -> None:
    _, painted = copy
    sequence = open_sequence(painted.path)
    masks = tmp_path / "masks"
    masks.mkdir()
    for number in sequence.numbers:
        moving = np.where(sequence.read_labels(number) == 255, 255, 0).astype(np.uint8)
        write_picture(masks / f"bin{number:06d}.png", moving)
    if not sequence.numbers:
        with pytest.raises(GroundTruthError, match="has no labels of its frames"):
            score_masks(masks, sequence)
        return
    score = score_masks(masks, sequence)
    assert score.measures.F == 1.0
    assert score.frames == len(painted.numbers)


def test_the_plate_of_a_copy_is_the_truth_of_a_plate(copy: tuple[str, Copy]) -> None:
    _, painted = copy
    sequence = open_sequence(painted.path)
    if not sequence.plates:
        with pytest.raises(GroundTruthError, match="has no true plate"):
            score_sequence_plate(SCENE.best_still_plate(), sequence)
        return
    plate = cv2.imread(str(sequence.plates[-1].picture))[..., ::-1]
    assert score_sequence_plate(plate, sequence).AGE == 0


def test_of_several_plates_the_nearest_counts(tmp_path: Path) -> None:
    painted = COPIES["sbmnet"][1](tmp_path)
    write_picture(painted.path / "GT_background1.jpg", np.zeros((48, 64, 3), np.uint8))
    sequence = open_sequence(painted.path)
    assert [plate.picture.name for plate in sequence.plates] == [
        "GT_background1.jpg",
        "GT_background2.jpg",
    ]
    assert score_sequence_plate(np.zeros((48, 64, 3), np.uint8), sequence).AGE == 0
    assert score_sequence_plate(SCENE.best_still_plate(), sequence).AGE < 5


def test_a_tree_of_all_sets_gives_each_sequence_once(tmp_path: Path) -> None:
    painted = {paint(tmp_path).path.resolve(): name for name, paint in COPIES.values()}
    (tmp_path / ".hidden").symlink_to(tmp_path / "sbi", target_is_directory=True)
    (tmp_path / "own" / "back").symlink_to(tmp_path, target_is_directory=True)
    write_frames(tmp_path / "pictures", "{}.png")  # pictures alone are no sequence
    found = find_sequences(tmp_path)
    assert {sequence.folder: sequence.dataset for sequence in found} == painted
    assert len(found) == len(COPIES)
    assert [sequence.folder for sequence in found] == sorted(painted)


def test_what_fits_nothing_is_told_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(GroundTruthError) as failure:
        open_sequence(tmp_path)
    for name, known in known_datasets().items():
        assert f"{name}: {known.form}" in str(failure.value)
    with pytest.raises(GroundTruthError, match="does not exist"):
        open_sequence(tmp_path / "nowhere")
    with pytest.raises(GroundTruthError, match="is not a folder"):
        find_places(tmp_path / "nowhere")
    assert find_places(tmp_path) == []


def test_a_set_of_another_package_that_cannot_be_loaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = importlib.metadata.EntryPoint("yard", "no_such_package:DATASET", "cleanplate.datasets")
    monkeypatch.setattr(registry, "entry_points", lambda **_: [point])
    with pytest.raises(UsageError, match=r"'yard' \(no_such_package:DATASET\) cannot be loaded"):
        open_sequence(tmp_path)


def test_an_unknown_set_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'cdnet'"):
        dataset("cdnets")


@pytest.mark.parametrize("name", known_datasets())
def test_every_set_says_where_it_comes_from(name: str) -> None:
    known: DataSet = dataset(name)
    assert known.title
    assert known.form
    assert known.terms
    assert "\n" not in known.form + known.terms + known.citation
    if known.archives is not None:
        assert known.homepage.startswith("http")
        assert "{part}" in known.archives.address
        assert known.archives.whole


def test_a_colour_that_is_no_label_is_refused(tmp_path: Path) -> None:
    painted = COPIES["lasiesta"][1](tmp_path)
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[7, 8] = (0, 0, 255)
    write_picture(painted.path / "I_SI_01-GT" / "I_SI_01-GT_2.png", picture)
    sequence = open_sequence(painted.path)
    with pytest.raises(GroundTruthError, match=r"the colour \(0, 0, 255\), which is no label"):
        sequence.read_labels(2)


def test_a_broken_frame_of_a_truth_video_is_refused(tmp_path: Path) -> None:
    painted = COPIES["bmc, videos"][1](tmp_path)
    sequence = open_sequence(painted.path)
    truth = painted.path.with_name("221_gt.avi")
    truth.write_bytes(truth.read_bytes()[: truth.stat().st_size // 2])
    with pytest.raises((GroundTruthError, SourceError)):
        sequence.read_labels(5)


def test_masks_without_any_label_are_refused(tmp_path: Path) -> None:
    painted = COPIES["folder"][1](tmp_path)
    write_picture(painted.path / "masks" / "3.png", np.full((48, 64), 1, np.uint8))
    with pytest.raises(GroundTruthError, match="the value 1, which is no label"):
        open_sequence(painted.path)


@pytest.mark.data
def test_real_sequences_of_two_sets_are_found_in_one_tree(real_data: Path) -> None:
    # Other sequences may lie beside them.
    found: list[VideoSequence] = [
        each for part in ("cdnet", "sbi") for each in find_sequences(real_data / part)
    ]
    names = [sequence.dataset for sequence in found]
    assert (names.count("cdnet"), names.count("sbi"), len(names)) == (2, 7, 9)
    assert len(find_sequences(real_data)) >= len(names)
    assert {s.name: s.category for s in found if s.dataset == "cdnet"} == {
        "highway": "baseline",
        "pedestrians": "baseline",
    }
    assert all(sequence.source is not None for sequence in found)
    assert all(sequence.plates for sequence in found if sequence.dataset == "sbi")


@pytest.mark.parametrize(
    ("line", "category"),
    [('{"scene": "night"}', "night"), ("{}", "crossroads")],
)
def test_a_painted_sequence_names_what_was_painted(
    tmp_path: Path, line: str, category: str
) -> None:
    place = COPIES["painted"][1](tmp_path).path
    (place / "objects.jsonl").write_text(f"{line}\nno JSON\n", encoding="utf-8")
    assert open_sequence(place).category == category


def test_objects_that_are_no_json_are_refused(tmp_path: Path) -> None:
    place = COPIES["painted"][1](tmp_path).path
    (place / "objects.jsonl").write_text("no JSON\n", encoding="utf-8")
    with pytest.raises(GroundTruthError, match=r"objects\.jsonl"):
        open_sequence(place)
