"""Counts of a cell's masks, its worst frames, and F over the values of a sweep."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cleanplate.baselines import Sweep
from cleanplate.benchmark.results import SweepFigures, WorstFrame
from cleanplate.benchmark.subjects import FrameMasks
from cleanplate.datasets import MOVING, SHADOW, GroundTruth, LabelMap, Region
from cleanplate.datasets.base import LABELS
from cleanplate.evaluation import Counts, Measures, count_frame, measure
from cleanplate.frames import FrameSize, Mask, Picture
from cleanplate.scene_model.sizes import resized
from cleanplate.video import open_source
from cleanplate.writing import make_own_folder, write_whole

WORST_FRAMES = 3
_FRAMES_BETWEEN = 25
"""Neighbours of a bad frame are as bad; the next one to show is at least so far away."""
_PICTURE_WIDTH = 320
_JPEG_QUALITY = 88

FOUND, WRONG, MISSED, EMPTY, SHADED, UNSCORED = (
    (255, 255, 255),
    (226, 74, 51),
    (52, 138, 189),
    (16, 18, 20),
    (70, 74, 78),
    (128, 132, 136),
)
"""Colours of the pictures of truth and mask, RGB."""

MaskReader = Callable[[int], Mask | None]


@dataclass(frozen=True)
class FrameCount:
    """Counts of one frame."""

    number: int
    counts: Counts

    @property
    def wrong_share(self) -> float:
        """Share of the scored pixels that are wrong; 0 where none is scored."""
        wrong = self.counts.false_positives + self.counts.false_negatives
        return wrong / self.counts.pixels if self.counts.pixels else 0.0


def count_masks(
    read_mask: MaskReader, truth: GroundTruth, numbers: Sequence[int]
) -> list[FrameCount]:
    """Counts of every scored frame; one without a mask counts as all background."""
    found = []
    for number in numbers:
        labels = truth.read_labels(number)
        mask = read_mask(number)
        mask = np.zeros(labels.shape, np.uint8) if mask is None else mask
        counts = count_frame(mask, labels, region=truth.region, name=f"of frame {number}")
        found.append(FrameCount(number, counts))
    return found


def measure_counts(frames: Sequence[FrameCount]) -> Measures:
    """CDnet's measures over all frames."""
    return measure(sum((frame.counts for frame in frames), Counts()), frames=len(frames))


def sweep_figures(
    sweep: Sweep,
    masks: Iterable[FrameMasks],
    truth: GroundTruth,
    numbers: Sequence[int],
) -> SweepFigures | None:
    """F at each value of a sweep over the scored frames; None where the truth defines no F.

    Args:
        sweep: Whose values the masks were cut at.
        masks: Of all frames in order.
        truth: Labels of the scored frames.
        numbers: Of the scored frames.
    """
    totals = [Counts()] * len(sweep.values)
    wanted, last = frozenset(numbers), max(numbers)
    for number, cut in masks:
        if number in wanted:
            labels = truth.read_labels(number)
            totals = [
                total + count_frame(mask, labels, region=truth.region)
                for total, mask in zip(totals, cut, strict=True)
            ]
        if number >= last:
            break
    found = [measure(total, frames=len(numbers)).F for total in totals]
    if any(math.isnan(value) for value in found):
        return None
    best = int(np.argmax(found))
    return SweepFigures(
        name=sweep.name,
        default=sweep.default,
        values=sweep.values,
        F=tuple(found),
        best_value=sweep.values[best],
        best_F=found[best],
    )


def worst_frames(frames: Sequence[FrameCount]) -> list[FrameCount]:
    """The frames with the largest share of wrong pixels, well apart from each other."""
    worst: list[FrameCount] = []
    for frame in sorted(frames, key=lambda frame: -frame.wrong_share):
        if len(worst) == WORST_FRAMES or frame.wrong_share == 0:
            break
        if all(abs(frame.number - other.number) >= _FRAMES_BETWEEN for other in worst):
            worst.append(frame)
    return worst


def draw_worst_frames(
    frames: Sequence[FrameCount],
    recording: Path,
    read_mask: MaskReader,
    truth: GroundTruth,
    folder: Path,
) -> tuple[WorstFrame, ...]:
    """Writes input, truth and mask of each frame as pictures.

    Args:
        frames: Those that are shown.
        recording: Where their pictures come from.
        read_mask: Gives the mask of a frame.
        truth: Labels of the frames.
        folder: Where the pictures go; their paths are given relative to the folder above it.
    """
    wanted = {frame.number: frame for frame in frames}
    found: dict[int, WorstFrame] = {}
    folder.parent.mkdir(parents=True, exist_ok=True)
    make_own_folder(folder)
    for shown in open_source(recording).frames() if wanted else ():
        frame = wanted.get(shown.number)
        if frame is None:
            continue
        labels = truth.read_labels(frame.number)
        mask = read_mask(frame.number)
        mask = np.zeros(labels.shape, np.uint8) if mask is None else mask
        pictures = {
            "input": (shown.picture, ".jpg"),
            "truth": (draw_truth(labels, truth.region), ".png"),
            "mask": (draw_mask(mask, labels, truth.region), ".png"),
        }
        single = measure(frame.counts, frames=1).F
        found[frame.number] = WorstFrame(
            number=frame.number,
            wrong_share=frame.wrong_share,
            F=None if math.isnan(single) else single,
            pictures=_write(pictures, folder, frame.number),
        )
        if len(found) == len(wanted):
            break
    return tuple(found[frame.number] for frame in frames if frame.number in found)


def draw_truth(labels: LabelMap, region: Region | None) -> Picture:
    """Truth in colours: foreground white, shadow dark grey, what is not scored lighter grey."""
    table = np.full((256, 3), UNSCORED, np.uint8)
    table[LABELS[0]], table[SHADOW], table[MOVING] = EMPTY, SHADED, FOUND
    picture = table[labels]
    if region is not None:
        picture[~region] = UNSCORED
    return picture


def draw_mask(mask: Mask, labels: LabelMap, region: Region | None) -> Picture:
    """Mask in colours: found white, wrong red, missed blue, what is not scored grey."""
    picture = draw_truth(labels, region)
    scored = np.isin(labels, (LABELS[0], SHADOW, MOVING))
    if region is not None:
        scored &= region
    moving = labels == MOVING
    picture[scored & ~moving] = EMPTY
    picture[scored & ~moving & (mask > 0)] = WRONG
    picture[scored & moving & (mask == 0)] = MISSED
    return picture


def _write(
    pictures: Mapping[str, tuple[Picture, str]], folder: Path, number: int
) -> dict[str, str]:
    paths = {}
    for name, (picture, suffix) in pictures.items():
        height, width = picture.shape[:2]
        scale = min(1.0, _PICTURE_WIDTH / width)
        small = resized(picture, FrameSize(max(1, round(height * scale)), round(width * scale)))
        path = folder / f"{number:06d}-{name}{suffix}"
        options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix == ".jpg" else []
        encoded = cv2.imencode(suffix, np.ascontiguousarray(small[..., ::-1]), options)[1]
        write_whole(path, encoded.tobytes(), durable=False)
        paths[name] = path.relative_to(folder.parents[1]).as_posix()
    return paths
