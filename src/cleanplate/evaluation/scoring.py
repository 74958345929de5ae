"""Scores of a folder of masks and of a plate file against ground truth, one frame at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import cv2
import numpy as np

from cleanplate.datasets import GroundTruth, Region, VideoSequence
from cleanplate.datasets.base import numbered_pictures, read_grey, read_picture_file
from cleanplate.errors import GroundTruthError, SourceError, UsageError
from cleanplate.evaluation.counts import Counts, count_frame
from cleanplate.evaluation.measures import Measures, measure
from cleanplate.evaluation.plates import PlateMeasures, measure_plate
from cleanplate.frames import Mask, Picture

MissingMasks: TypeAlias = Literal["error", "negative"]


@dataclass(frozen=True)
class SequenceScore:
    """Score of the masks of one sequence.

    Attributes:
        name: Name of the sequence.
        measures: CDnet's measures over all scored frames.
        counts: Pixel counts over all scored frames.
        frames: Number of scored frames, those without a mask included.
        missing: Number of frames without a mask, counted as all background.
        F_by_frame: F of each frame by its number, nan where the truth of the frame has no
            foreground; None where it was not asked for.
    """

    name: str
    measures: Measures
    counts: Counts
    frames: int
    missing: int
    F_by_frame: Mapping[int, float] | None = None


def score_masks(
    masks_folder: Path | str,
    truth: GroundTruth,
    *,
    missing: MissingMasks = "error",
    per_frame: bool = False,
) -> SequenceScore:
    """Score of a folder of masks `binNNNNNN.png`.

    A mask belongs to the frame whose number is the last run of digits in its name; where any
    name begins with `bin`, other pictures of the folder are left out.

    Args:
        masks_folder: Folder of pictures with the values 0 and 255.
        truth: Ground truth of the sequence.
        missing: What a scored frame without a mask is: an error, or all background.
        per_frame: Whether the F of each frame is kept.

    Raises:
        SourceError: A mask is missing, given twice, damaged, or holds other values.
        GroundTruthError: A mask is not of the size of the truth, or the truth is damaged or has
            no labels.
        UsageError: `missing` has another value.
    """
    if missing not in ("error", "negative"):
        raise UsageError(f"missing='{missing}' is not known; give 'error' or 'negative'")
    if not truth.numbers:
        raise GroundTruthError(
            f"'{truth.name}' has no labels of its frames, so that masks cannot be scored on it; "
            "a true plate is for plates (score-plate)"
        )
    masks = _find_masks(Path(masks_folder), truth, missing=missing)
    total = Counts()
    scores: dict[int, float] = {}
    for number in truth.numbers:
        counts = _count_mask(masks.get(number), truth, number=number)
        total += counts
        if per_frame:
            scores[number] = measure(counts, frames=1).F
    frames = len(truth.numbers)
    return SequenceScore(
        name=truth.name,
        measures=measure(total, frames=frames),
        counts=total,
        frames=frames,
        missing=sum(number not in masks for number in truth.numbers),
        F_by_frame=scores if per_frame else None,
    )


def score_plate(
    plate: Path | str | Picture,
    truth: Path | str | Picture,
    *,
    valid: Path | str | Region | Mask | None = None,
) -> PlateMeasures:
    """Measures of a plate; each argument is a picture file or an array.

    Args:
        plate: RGB picture.
        truth: RGB picture of the true background.
        valid: Grey picture or array, not 0 where the truth is known; None where it is
            known everywhere.

    Raises:
        SourceError: The file of the plate cannot be read.
        GroundTruthError: The file of the truth or of the valid mask cannot be read, the sizes
            differ, or no pixel is valid.
        FrameSizeError: A side is shorter than 11 pixels.
    """
    region = (
        read_grey(Path(valid), error=GroundTruthError) if isinstance(valid, Path | str) else valid
    )
    return measure_plate(
        _read_picture(plate, error=SourceError),
        _read_picture(truth, error=GroundTruthError),
        valid=region,
    )


def score_sequence_plate(plate: Path | str | Picture, truth: VideoSequence) -> PlateMeasures:
    """Measures of a plate against the true plate of a sequence.

    Where a sequence has several, because its scene changes, the one with the lowest AGE counts.

    Raises:
        SourceError: The file of the plate cannot be read.
        GroundTruthError: The sequence has no true plate, one cannot be read, or the sizes differ.
        FrameSizeError: A side is shorter than 11 pixels.
    """
    if not truth.plates:
        raise GroundTruthError(
            f"'{truth.name}' has no true plate; give a picture of the empty scene as the truth"
        )
    scores = [score_plate(plate, true.picture, valid=true.valid) for true in truth.plates]
    return min(scores, key=lambda measures: measures.AGE)


def _find_masks(folder: Path, truth: GroundTruth, *, missing: MissingMasks) -> Mapping[int, Path]:
    if not folder.is_dir():
        raise SourceError(f"'{folder}' is not a folder; give a folder of masks binNNNNNN.png")
    masks = numbered_pictures(folder, prefix="bin", error=SourceError)
    absent = [number for number in truth.numbers if number not in masks]
    if not absent:
        return masks
    name = f"bin{absent[0]:06d}.png"
    if len(absent) == len(truth.numbers):
        raise SourceError(
            f"'{folder}' holds no mask of the {len(absent)} scored frames of '{truth.name}', the "
            f"first of which would be {name}; give masks with the numbers of the frames"
        )
    if missing == "error":
        raise SourceError(
            f"{name} is missing in '{folder}' ({len(absent)} of {len(truth.numbers)} masks are); "
            "add it, or count frames without a mask as all background (--missing negative)"
        )
    return masks


def _count_mask(path: Path | None, truth: GroundTruth, *, number: int) -> Counts:
    labels = truth.read_labels(number)
    if path is None:
        nothing = np.zeros(labels.shape, dtype=np.uint8)
        return count_frame(nothing, labels, region=truth.region, name=f"frame {number}")
    mask = read_grey(path, error=SourceError)
    return count_frame(mask, labels, region=truth.region, name=path.name)


def _read_picture(
    picture: Path | str | Picture, *, error: type[SourceError | GroundTruthError]
) -> Picture:
    if not isinstance(picture, Path | str):
        return picture
    stored = read_picture_file(Path(picture), cv2.IMREAD_COLOR)
    if stored is None:
        raise error(f"'{picture}' cannot be read as a picture; give for example a PNG file")
    return np.ascontiguousarray(stored[..., ::-1], dtype=np.uint8)
