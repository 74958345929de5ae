"""Sequences in CDnet's folder form, and what is wrong with those that are not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from cleanplate.datasets import MOVING, OUTSIDE, SHADOW, STATIC, UNKNOWN, GroundTruth, open_sequence
from cleanplate.errors import GroundTruthError
from cleanplate.frames import FrameSize

LABELS = np.array([[0, 50, 85, 170], [255, 0, 0, 255], [0, 0, 50, 255]], dtype=np.uint8)


def write_sequence(
    folder: Path, numbers: Sequence[int] = (1, 2, 3, 4), *, temporal: str | None = None
) -> Path:
    """A sequence folder whose frames all have the labels above."""
    (folder / "groundtruth").mkdir(parents=True)
    for number in numbers:
        cv2.imwrite(str(folder / f"groundtruth/gt{number:06d}.png"), LABELS)
    if temporal is not None:
        (folder / "temporalROI.txt").write_text(temporal)
    return folder


def test_labels_are_those_of_cdnet() -> None:
    assert (STATIC, SHADOW, OUTSIDE, UNKNOWN, MOVING) == (0, 50, 85, 170, 255)


def test_sequence_without_region_files_scores_every_frame_and_pixel(tmp_path: Path) -> None:
    truth: GroundTruth = open_sequence(write_sequence(tmp_path / "street"))
    assert truth.name == "street"
    assert truth.size == FrameSize(3, 4)
    assert list(truth.numbers) == [1, 2, 3, 4]
    assert truth.region is None
    np.testing.assert_array_equal(truth.read_labels(2), LABELS)


def test_labels_stored_with_three_channels_are_read_exactly(tmp_path: Path) -> None:
    every_label = np.array([[0, 50, 85], [170, 255, 50]], dtype=np.uint8)
    (tmp_path / "groundtruth").mkdir()
    cv2.imwrite(str(tmp_path / "groundtruth/gt000001.png"), np.dstack([every_label] * 3))
    np.testing.assert_array_equal(open_sequence(tmp_path).read_labels(1), every_label)


@pytest.mark.parametrize(
    ("temporal", "expected"),
    [("2 3", (2, 3)), ("0 440\n", (0, 1, 2, 3)), ("2 2", (2,)), ("-5 1", (0, 1))],
)
def test_temporal_region_is_clipped_to_the_truth_that_exists(
    tmp_path: Path, temporal: str, expected: tuple[int, ...]
) -> None:
    sequence = write_sequence(tmp_path / "sequence", range(4), temporal=temporal)
    assert open_sequence(sequence).numbers == expected


def test_folder_of_truth_finds_the_region_files_beside_it(tmp_path: Path) -> None:
    sequence = write_sequence(tmp_path / "street", temporal="2 3")
    truth = open_sequence(str(sequence / "groundtruth"))
    assert truth.numbers == (2, 3)
    assert truth.name == "street"


def test_source_is_none_where_there_are_no_frames(tmp_path: Path) -> None:
    sequence = write_sequence(tmp_path / "street")
    assert open_sequence(sequence).source is None
    (sequence / "input").mkdir()
    assert open_sequence(sequence).source == (sequence / "input").resolve()


@pytest.mark.parametrize("name", ["ROI.bmp", "ROI.png"])
def test_black_pixels_of_the_region_are_outside(tmp_path: Path, name: str) -> None:
    sequence = write_sequence(tmp_path / "sequence")
    region = np.full(LABELS.shape, 255, dtype=np.uint8)
    region[0] = 0
    region[1, 0] = 1
    cv2.imwrite(str(sequence / name), region)
    np.testing.assert_array_equal(open_sequence(sequence).region, region > 0)


def test_tinted_roi_jpg_is_not_taken_for_a_mask(tmp_path: Path) -> None:
    sequence = write_sequence(tmp_path / "sequence")
    cv2.imwrite(str(sequence / "ROI.jpg"), np.zeros((3, 4, 3), dtype=np.uint8))
    assert open_sequence(sequence).region is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((4, 4), 255, dtype=np.uint8), "4x4 where the truth is 4x3"),
        (np.zeros((3, 4), dtype=np.uint8), "no pixel is scored"),
    ],
)
def test_region_that_does_not_fit_is_refused(
    tmp_path: Path, values: np.ndarray, message: str
) -> None:
    sequence = write_sequence(tmp_path / "sequence")
    cv2.imwrite(str(sequence / "ROI.bmp"), values)
    with pytest.raises(GroundTruthError, match=message):
        open_sequence(sequence)


def test_folder_without_truth_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(GroundTruthError, match=r"no sequence of a known .*gtNNNNNN\.png"):
        open_sequence(tmp_path)
    with pytest.raises(GroundTruthError, match=r"does not exist; .*gtNNNNNN\.png"):
        open_sequence(tmp_path / "nowhere")
    (tmp_path / "groundtruth").mkdir()
    with pytest.raises(GroundTruthError, match=r"no numbered picture; .*gtNNNNNN\.png"):
        open_sequence(tmp_path)


@pytest.mark.parametrize("temporal", ["", "470", "first last", "1 2 3", "1.5 2"])
def test_temporal_file_that_cannot_be_read_is_refused(tmp_path: Path, temporal: str) -> None:
    sequence = write_sequence(tmp_path / "sequence", temporal=temporal)
    with pytest.raises(GroundTruthError, match="first and the last scored frame"):
        open_sequence(sequence)


def test_temporal_region_without_truth_is_refused(tmp_path: Path) -> None:
    sequence = write_sequence(tmp_path / "sequence", temporal="10 20")
    with pytest.raises(GroundTruthError, match="frames 10 to 20, but truth exists for 1 to 4"):
        open_sequence(sequence)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.full((3, 4), 127, dtype=np.uint8), "the value 127, which is no label"),
        (
            np.zeros((5, 4), dtype=np.uint8),
            "of frame 3 of 'sequence' is 4x5 where the others are 4x3",
        ),
        (np.full((3, 4, 3), (0, 0, 255), dtype=np.uint8), "colour picture"),
        (np.zeros((3, 4), dtype=np.uint16), "16 bits"),
    ],
)
def test_truth_that_is_no_label_map_is_refused(
    tmp_path: Path, picture: np.ndarray, message: str
) -> None:
    sequence = write_sequence(tmp_path / "sequence")
    cv2.imwrite(str(sequence / "groundtruth/gt000003.png"), picture)
    with pytest.raises(GroundTruthError, match=message):
        open_sequence(sequence).read_labels(3)


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_damaged_truth_is_refused(tmp_path: Path, content: bytes) -> None:
    sequence = write_sequence(tmp_path / "sequence")
    (sequence / "groundtruth/gt000001.png").write_bytes(content)
    with pytest.raises(GroundTruthError, match="cannot be read as a picture"):
        open_sequence(sequence)


def test_frame_without_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GroundTruthError, match="no truth for frame 9; its scored frames are 1 to"):
        open_sequence(write_sequence(tmp_path / "sequence")).read_labels(9)


def test_two_truths_of_one_number_are_refused(tmp_path: Path) -> None:
    sequence = write_sequence(tmp_path / "sequence")
    cv2.imwrite(str(sequence / "groundtruth/gt1.png"), LABELS)
    with pytest.raises(GroundTruthError, match="are both number 1"):
        open_sequence(sequence)


@pytest.mark.data
@pytest.mark.parametrize(
    ("sequence", "first", "last", "frames"),
    [
        ("cdnet/baseline/highway", 470, 1700, 1231),
        ("sbi/HighwayI", 0, 439, 440),
        ("sbi/IBMtest2", 0, 89, 90),
        ("sbi/Board", 1, 227, 227),
    ],
)
def test_real_temporal_regions_are_clipped(
    real_data: Path, sequence: str, first: int, last: int, frames: int
) -> None:
    truth = open_sequence(real_data / sequence)
    assert (truth.numbers[0], truth.numbers[-1], len(truth.numbers)) == (first, last, frames)
