"""Ground truth in the folder form of CDnet 2014, which the annotated SBI sequences share.

::

    sequence/
      input/in000001.jpg          frames (.jpg, .png or .bmp)
      groundtruth/gt000001.png    labels 0, 50, 85, 170, 255
      temporalROI.txt             optional: numbers of the first and the last scored frame
      ROI.bmp (or ROI.png)        optional: pixels that are 0 are outside the region of interest

CDnet's `ROI.jpg` is no mask but a frame tinted red, made for people, and is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cleanplate.datasets.base import LABELS, LabelMap, Region, numbered_pictures, read_grey
from cleanplate.errors import GroundTruthError
from cleanplate.frames import FrameSize

TRUTH_FOLDER = "groundtruth"
REGION_FILES = ("ROI.bmp", "ROI.png")
EXPECTED = "a folder with groundtruth/gtNNNNNN.png and input/inNNNNNN.jpg is expected"


@dataclass(frozen=True, eq=False)
class CDnetSequence:
    """Ground truth of one sequence; label maps are read when they are asked for.

    Attributes:
        name: Name of the sequence folder.
        folder: The sequence folder.
        size: Size of every label map.
        numbers: Numbers of the scored frames, ascending: the truth that exists within the
            temporal region of interest.
        region: Region of interest, `(H, W)`, true where pixels are scored; None scores all.
    """

    name: str
    folder: Path
    size: FrameSize
    numbers: tuple[int, ...]
    region: Region | None
    _label_files: Mapping[int, Path] = field(repr=False)

    @property
    def input_folder(self) -> Path | None:
        """Folder of the frames; None where the sequence has none."""
        folder = self.folder / "input"
        return folder if folder.is_dir() else None

    def read_labels(self, number: int) -> LabelMap:
        """Label map of a frame, `(H, W)`, uint8, values as stored.

        Raises:
            GroundTruthError: The frame has no truth, or its picture is damaged, of another size
                than the first, or holds a value that is no label.
        """
        path = self._label_files.get(number)
        if path is None:
            raise GroundTruthError(
                f"'{self.name}' has no truth for frame {number}; its scored frames are "
                f"{self.numbers[0]} to {self.numbers[-1]}"
            )
        labels = _read_label_map(path)
        if labels.shape != self.size:
            raise GroundTruthError(
                f"'{path}' is {FrameSize(*labels.shape)} where the truth of '{self.name}' is "
                f"{self.size}; give truth of one size"
            )
        return labels


def open_sequence(path: Path | str) -> CDnetSequence:
    """Ground truth of a sequence folder, or of its `groundtruth` folder.

    Raises:
        GroundTruthError: The folder holds no truth, or one of its files is damaged or does not
            fit the others.
    """
    folder, truth_folder = _locate(Path(path))
    label_files = numbered_pictures(truth_folder, prefix="gt", error=GroundTruthError)
    if not label_files:
        raise GroundTruthError(f"'{truth_folder}' holds no numbered picture; {EXPECTED}")
    numbers = _scored_numbers(folder, tuple(label_files))
    size = FrameSize(*_read_label_map(label_files[numbers[0]]).shape)
    return CDnetSequence(
        name=folder.name,
        folder=folder,
        size=size,
        numbers=numbers,
        region=_read_region(folder, size),
        _label_files=label_files,
    )


def _locate(path: Path) -> tuple[Path, Path]:
    """The sequence folder and its folder of truth, from either of them."""
    path = path.resolve()
    if not path.is_dir():
        raise GroundTruthError(f"'{path}' is not a folder; {EXPECTED}")
    if (path / TRUTH_FOLDER).is_dir():
        return path, path / TRUTH_FOLDER
    if path.name == TRUTH_FOLDER:
        return path.parent, path
    raise GroundTruthError(f"'{path}' has no folder '{TRUTH_FOLDER}'; {EXPECTED}")


def _scored_numbers(folder: Path, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Numbers within the temporal region of interest; all of them where there is none."""
    path = folder / "temporalROI.txt"
    if not path.is_file():
        return numbers
    try:
        first, last = (int(word) for word in path.read_text(encoding="utf-8-sig").split())
    except ValueError:
        raise GroundTruthError(
            f"'{path}' cannot be read; write the numbers of the first and the last scored frame, "
            "for example '470 1700'"
        ) from None
    scored = tuple(number for number in numbers if first <= number <= last)
    if not scored:
        raise GroundTruthError(
            f"'{path}' scores frames {first} to {last}, but truth exists for {numbers[0]} to "
            f"{numbers[-1]} only; correct the file or remove it to score all frames"
        )
    return scored


def _read_region(folder: Path, size: FrameSize) -> Region | None:
    path = next((folder / name for name in REGION_FILES if (folder / name).is_file()), None)
    if path is None:
        return None
    region: Region = read_grey(path, error=GroundTruthError) != 0
    if region.shape != size:
        raise GroundTruthError(
            f"'{path}' is {FrameSize(*region.shape)} where the truth is {size}; give a region of "
            "interest of the size of the truth"
        )
    if not region.any():
        raise GroundTruthError(f"'{path}' is black, so that no pixel is scored; remove or redo it")
    return region


def _read_label_map(path: Path) -> LabelMap:
    labels = read_grey(path, error=GroundTruthError)
    present = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
    unknown = np.setdiff1d(present, LABELS)
    if unknown.size:
        raise GroundTruthError(
            f"'{path}' holds the value {unknown[0]}, which is no label; the labels are "
            "0 (static), 50 (shadow), 85 (outside), 170 (unknown) and 255 (moving)"
        )
    return labels
