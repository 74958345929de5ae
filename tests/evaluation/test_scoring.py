"""Scores of folders of masks and of plate files."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cleanplate.datasets import VideoSequence, open_sequence
from cleanplate.errors import GroundTruthError, SourceError, UsageError
from cleanplate.evaluation import Counts, measure_plate, score_masks, score_plate

LABELS = np.zeros((16, 16), dtype=np.uint8)
LABELS[4:8, 4:8] = 255
LABELS[8:10, 4:8] = 50
LABELS[3, 4:8] = 170
PERFECT = np.where(LABELS == 255, 255, 0).astype(np.uint8)


@pytest.fixture
def truth(tmp_path: Path) -> VideoSequence:
    """Frames 470 to 472 with the labels above, the last of them without foreground."""
    folder = tmp_path / "street/groundtruth"
    folder.mkdir(parents=True)
    for number in (470, 471, 472):
        labels = LABELS if number < 472 else np.zeros_like(LABELS)
        cv2.imwrite(str(folder / f"gt{number:06d}.png"), labels)
    return open_sequence(folder.parent)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """Masks of the frames that equal the truth."""
    folder = tmp_path / "masks"
    folder.mkdir()
    for number in (470, 471, 472):
        mask = PERFECT if number < 472 else np.zeros_like(PERFECT)
        cv2.imwrite(str(folder / f"bin{number:06d}.png"), mask)
    return folder


def test_masks_that_equal_the_truth_score_one(masks: Path, truth: VideoSequence) -> None:
    score = score_masks(masks, truth)
    assert score.name == "street"
    assert (score.frames, score.missing, score.measures.frames) == (3, 0, 3)
    assert score.measures.F == 1
    assert score.counts == Counts(
        true_positives=2 * 16, true_negatives=2 * (256 - 16 - 4) + 256, shadow_pixels=2 * 8
    )
    assert score.F_by_frame is None


def test_per_frame_scores_are_undefined_where_a_frame_has_no_foreground(
    masks: Path, truth: VideoSequence
) -> None:
    by_frame = score_masks(str(masks), truth, per_frame=True).F_by_frame
    assert by_frame is not None
    assert list(by_frame) == [470, 471, 472]
    assert by_frame[470] == 1
    assert math.isnan(by_frame[472])


def test_masks_of_other_names_are_found_by_their_number(masks: Path, truth: VideoSequence) -> None:
    for path in list(masks.iterdir()):
        path.rename(masks / f"cam2_{path.stem[3:]}.png")
    (masks / "notes.txt").write_text("not a picture")
    assert score_masks(masks, truth).measures.F == 1


def test_other_pictures_beside_masks_are_left_out(masks: Path, truth: VideoSequence) -> None:
    cv2.imwrite(str(masks / "background000470.png"), np.full((16, 16, 3), 90, dtype=np.uint8))
    assert score_masks(masks, truth).measures.F == 1


def test_masks_stored_with_three_channels_are_read(masks: Path, truth: VideoSequence) -> None:
    cv2.imwrite(str(masks / "bin000470.png"), np.dstack([PERFECT] * 3))
    assert score_masks(masks, truth).measures.F == 1


def test_first_missing_mask_is_named(masks: Path, truth: VideoSequence) -> None:
    (masks / "bin000470.png").unlink()
    (masks / "bin000472.png").unlink()
    with pytest.raises(SourceError, match=r"^bin000470\.png is missing.*\(2 of 3 masks are\)"):
        score_masks(masks, truth)


def test_missing_masks_count_as_background_on_request(masks: Path, truth: VideoSequence) -> None:
    (masks / "bin000470.png").unlink()
    score = score_masks(masks, truth, missing="negative")
    assert score.missing == 1
    assert (score.counts.true_positives, score.counts.false_negatives) == (16, 16)
    assert score.measures.recall == pytest.approx(0.5)


def test_folder_without_any_mask_is_refused_whatever_is_asked(
    masks: Path, truth: VideoSequence
) -> None:
    for path in list(masks.iterdir()):
        path.rename(masks / f"bin{int(path.stem[3:]) - 470:06d}.png")
    with pytest.raises(SourceError, match=r"no mask of the 3 scored frames.*bin000470\.png"):
        score_masks(masks, truth, missing="negative")


def duplicate(folder: Path) -> None:
    cv2.imwrite(str(folder / "bin470.png"), PERFECT)


def damage(folder: Path) -> None:
    (folder / "bin000471.png").write_bytes(b"no picture")


def shade(folder: Path) -> None:
    cv2.imwrite(str(folder / "bin000471.png"), np.full((16, 16), 127, dtype=np.uint8))


def shrink(folder: Path) -> None:
    cv2.imwrite(str(folder / "bin000471.png"), PERFECT[:8])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (duplicate, SourceError, "are both number 470"),
        (damage, SourceError, r"bin000471\.png' cannot be read as a picture"),
        (shade, SourceError, r"bin000471\.png holds the value 127"),
        (shrink, GroundTruthError, r"bin000471\.png is 16x8 where the truth is 16x16"),
    ],
)
def test_masks_that_do_not_fit_are_refused(
    masks: Path,
    truth: VideoSequence,
    change: Callable[[Path], None],
    error: type[Exception],
    message: str,
) -> None:
    change(masks)
    with pytest.raises(error, match=message):
        score_masks(masks, truth)


def test_wrong_arguments_are_refused(masks: Path, truth: VideoSequence) -> None:
    with pytest.raises(UsageError, match="missing='skip' is not known"):
        score_masks(masks, truth, missing="skip")  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="is not a folder"):
        score_masks(masks / "nowhere", truth)


def test_plate_files_score_as_their_arrays(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    plate, true = generator.integers(0, 256, (2, 24, 32, 3), dtype=np.uint8)
    valid = (generator.random((24, 32)) < 0.8).astype(np.uint8) * 255
    for name, picture in (("plate", plate[..., ::-1]), ("truth", true[..., ::-1]), ("ok", valid)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture)
    expected = measure_plate(plate, true, valid=valid)
    files = (tmp_path / "plate.png", str(tmp_path / "truth.png"))
    assert score_plate(*files, valid=tmp_path / "ok.png") == expected
    assert score_plate(plate, true, valid=valid) == expected
    with pytest.raises(SourceError, match="cannot be read as a picture"):
        score_plate(tmp_path / "none.png", true)
    with pytest.raises(GroundTruthError, match="cannot be read as a picture"):
        score_plate(plate, tmp_path / "none.png")


def test_scoring_imports_no_torch() -> None:
    code = "import sys, cleanplate.evaluation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.data
def test_truth_of_highway_as_masks_scores_one(real_data: Path, tmp_path: Path) -> None:
    truth = open_sequence(real_data / "cdnet/baseline/highway")
    for number in truth.numbers:
        mask = np.where(truth.read_labels(number) == 255, 255, 0).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"bin{number:06d}.png"), mask)
    score = score_masks(tmp_path, truth)
    assert score.frames == 1231
    assert score.measures.F == 1
    assert score.measures.PWC == 0


@pytest.mark.data
@pytest.mark.parametrize(("scene", "error"), [("Board", 22.2), ("CaVignal", 11.0)])
def test_median_plates_have_the_known_error(real_data: Path, scene: str, error: float) -> None:
    folder = real_data / "sbi" / scene
    frames = [cv2.imread(str(path)) for path in sorted((folder / "input").iterdir())]
    median = np.median(np.stack(frames), axis=0).astype(np.uint8)
    measures = score_plate(
        median[..., ::-1],
        folder / "GT/GT_background_derived.png",
        valid=folder / "GT/GT_background_valid.png",
    )
    assert measures.as_json()["AGE"] == pytest.approx(error, abs=0.1)
