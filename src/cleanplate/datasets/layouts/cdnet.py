"""CDnet 2012 and 2014, and everything else in its folder form.

::

    CATEGORY/SEQUENCE/
      input/in000001.jpg          frames (.jpg, .png or .bmp)
      groundtruth/gt000001.png    labels 0, 50, 85, 170, 255
      temporalROI.txt             optional: numbers of the first and the last scored frame
      ROI.bmp (or ROI.png)        optional: pixels that are 0 are outside the region of interest

CDnet's `ROI.jpg` is no mask but a frame tinted red, made for people, and is not read. True plates
(`GT/GT_background.png`) are no part of CDnet, and are taken where they have been added.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from cleanplate.datasets.base import LABELS, LabelMap, Region, numbered_pictures, read_grey
from cleanplate.datasets.sequence import (
    Archives,
    DataSet,
    LabelPictures,
    VideoSequence,
    read_region,
    true_plates,
)
from cleanplate.errors import GroundTruthError
from cleanplate.frames import FrameSize

INPUT_FOLDER = "input"
TRUTH_FOLDER = "groundtruth"
REGION_FILES = ("ROI.bmp", "ROI.png")
FORM = "groundtruth/gtNNNNNN.png and input/inNNNNNN.jpg"
CATEGORIES = (
    "PTZ",
    "badWeather",
    "baseline",
    "cameraJitter",
    "dynamicBackground",
    "intermittentObjectMotion",
    "lowFramerate",
    "nightVideos",
    "shadow",
    "thermal",
    "turbulence",
)
"""Categories of 2014; six of them are those of 2012."""


def has_form(folder: Path) -> bool:
    """Whether a folder has the form of CDnet."""
    return (folder / TRUTH_FOLDER).is_dir()


def open_form(folder: Path) -> VideoSequence:
    """A sequence in the form of CDnet, of whatever data set.

    Raises:
        GroundTruthError: There is no truth, or one of the files is damaged or does not fit.
    """
    truth_folder = folder / TRUTH_FOLDER
    files = numbered_pictures(truth_folder, prefix="gt", error=GroundTruthError)
    if not files:
        raise GroundTruthError(f"'{truth_folder}' holds no numbered picture; expected is {FORM}")
    numbers = _scored_numbers(folder, tuple(files))
    size = FrameSize(*read_label_picture(files[numbers[0]]).shape)
    source = folder / INPUT_FOLDER
    return VideoSequence(
        name=folder.name,
        folder=folder,
        size=size,
        source=source if source.is_dir() else None,
        numbers=numbers,
        region=_find_region(folder, size),
        plates=true_plates(folder),
        labels=LabelPictures(files, read_label_picture),
    )


def read_label_picture(path: Path) -> LabelMap:
    """Labels of a grey picture, `(H, W)`, uint8, as stored.

    Raises:
        GroundTruthError: The picture is damaged, or holds a value that is no label.
    """
    labels = read_grey(path, error=GroundTruthError)
    present = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
    unknown = np.setdiff1d(present, LABELS)
    if unknown.size:
        raise GroundTruthError(
            f"'{path}' holds the value {unknown[0]}, which is no label; the labels are "
            "0 (static), 50 (shadow), 85 (outside), 170 (unknown) and 255 (moving)"
        )
    return labels


def _open(folder: Path) -> VideoSequence:
    parent = folder.parent.name
    return replace(open_form(folder), category=parent if parent in CATEGORIES else None)


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


def _find_region(folder: Path, size: FrameSize) -> Region | None:
    path = next((folder / name for name in REGION_FILES if (folder / name).is_file()), None)
    return None if path is None else read_region(path, size)


DATASET = DataSet(
    title="CDnet 2012 and 2014 (changedetection.net)",
    homepage="http://changedetection.net",
    citation=(
        "Wang et al., CDnet 2014: An Expanded Change Detection Benchmark Dataset, CVPR Workshops "
        "2014; of the categories of 2012: Goyette et al., changedetection.net, CVPR Workshops 2012"
    ),
    terms="free of charge; the authors ask to be cited and the web site to be named",
    form=FORM,
    recognises=has_form,
    open=_open,
    generality=1,
    archives=Archives(
        address="http://jacarini.dinf.usherbrooke.ca/static/dataset/{part}.zip",
        whole=("dataset2014",),
        example="baseline/highway",
    ),
)
