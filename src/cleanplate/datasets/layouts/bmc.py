"""BMC 2012 (Background Models Challenge): synthetic street scenes and real recordings.

::

    111.mp4 and 111_gt.mp4                     synthetic, the truth as a video of the same length
    111_png/input/*.png, 111_png/truth/*.png   synthetic, as pictures (or private_truth/)
    Video_001/Video_001.avi                    real, with the truth of some frames in
    Video_001/private_truth/*.png              private_truth/

Truth is black and white; what lossy coding has made grey is decided at the middle (127). In the
synthetic scenes the second digit of the name is the place: 1 a street, 2 a roundabout. The truth of
a real recording belongs to the frame whose number is in its name, counted from 1, as far as its
publications tell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import cv2
import numpy as np

from cleanplate.datasets.base import (
    MOVING,
    STATIC,
    LabelMap,
    numbered_pictures,
    read_picture_file,
)
from cleanplate.datasets.sequence import (
    VIDEO_SUFFIXES,
    Archives,
    DataSet,
    LabelPictures,
    VideoSequence,
)
from cleanplate.errors import GroundTruthError
from cleanplate.frames import Frame, FrameSize, Picture
from cleanplate.video import VideoSource, open_source

INPUT_FOLDER = "input"
TRUTH_FOLDERS = ("truth", "private_truth")
TRUTH_ENDING = "_gt"
MIDDLE = 127
_SYNTHETIC = re.compile(r"([1-5])([12])([12])(_png)?")
_PLACES = {"1": "street", "2": "rotary"}


class LabelVideo:
    """Labels in a video whose frames are those of the recording; read in ascending order at best.

    Args:
        path: The video of the truth.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._source: VideoSource = open_source(path)
        count = self._source.frame_count_hint
        if count is None:
            count = sum(1 for _ in self._source.frames())
        self._count = count
        self._frames: Iterator[Frame] = iter(())
        self._last = self._count

    @property
    def size(self) -> FrameSize:
        """Size of the frames."""
        return self._source.size

    @property
    def numbers(self) -> Collection[int]:
        """Numbers of the frames that have labels."""
        return range(1, self._count + 1)

    def read(self, number: int) -> LabelMap:
        """Labels of a frame.

        Raises:
            GroundTruthError: It cannot be decoded.
        """
        if number <= self._last:
            self._frames = self._source.frames()
        for frame in self._frames:
            self._last = frame.number
            if frame.number == number:
                return black_and_white(frame.picture)
            if frame.number > number:
                break
        self._last = self._count
        raise GroundTruthError(
            f"frame {number} of '{self._path}' cannot be decoded; get another copy of the file"
        )


def read_black_and_white(path: Path) -> LabelMap:
    """Labels of a black and white picture, `(H, W)`, uint8, 0 or 255.

    Raises:
        GroundTruthError: The picture cannot be read.
    """
    picture = read_picture_file(path, cv2.IMREAD_COLOR)
    if picture is None:
        raise GroundTruthError(
            f"'{path}' cannot be read as a picture; write it again, for example as PNG"
        )
    return black_and_white(picture.astype(np.uint8, copy=False))


def black_and_white(picture: Picture) -> LabelMap:
    """Moving where a picture, `(H, W, 3)`, uint8, is brighter than the middle, else static."""
    return np.where(picture.max(axis=2) > MIDDLE, np.uint8(MOVING), np.uint8(STATIC))


def _recognises(path: Path) -> bool:
    if path.is_dir():
        return _truth_folder(path) is not None and _source(path) is not None
    return path.suffix.lower() in VIDEO_SUFFIXES and _truth_video(path) is not None


def _open(path: Path) -> VideoSequence:
    return _open_folder(path) if path.is_dir() else _open_video(path)


def _open_folder(folder: Path) -> VideoSequence:
    truth_folder = _truth_folder(folder)
    assert truth_folder is not None
    files = numbered_pictures(truth_folder, prefix="", error=GroundTruthError)
    if not files:
        raise GroundTruthError(
            f"'{truth_folder}' holds no numbered picture; expected is {DATASET.form}"
        )
    numbers = tuple(files)
    return VideoSequence(
        name=folder.name.removesuffix("_png"),
        folder=folder,
        size=FrameSize(*read_black_and_white(files[numbers[0]]).shape),
        source=_source(folder),
        category=_category(folder.name),
        numbers=numbers,
        labels=LabelPictures(files, read_black_and_white),
    )


def _open_video(path: Path) -> VideoSequence:
    truth = _truth_video(path)
    assert truth is not None
    labels = LabelVideo(truth)
    return VideoSequence(
        name=path.stem,
        folder=path,
        size=labels.size,
        source=path,
        category=_category(path.stem),
        numbers=tuple(labels.numbers),
        labels=labels,
    )


def _category(name: str) -> str | None:
    match = _SYNTHETIC.fullmatch(name)
    if match:
        return _PLACES[match[2]]
    return "real" if name.startswith("Video_") else None


def _truth_folder(folder: Path) -> Path | None:
    return next((folder / name for name in TRUTH_FOLDERS if (folder / name).is_dir()), None)


def _truth_video(path: Path) -> Path | None:
    others = (path.with_name(f"{path.stem}{TRUTH_ENDING}{end}") for end in sorted(VIDEO_SUFFIXES))
    return next((other for other in others if other.is_file()), None)


def _source(folder: Path) -> Path | None:
    """The video named as the folder, else the folder of pictures."""
    videos = (folder / f"{folder.name}{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
    video = next((path for path in videos if path.is_file()), None)
    if video is not None:
        return video
    pictures = folder / INPUT_FOLDER
    return pictures if pictures.is_dir() else None


DATASET = DataSet(
    title="BMC 2012 (Background Models Challenge)",
    homepage="https://backgroundmodelschallenge.eu",
    citation=(
        "Vacavant, Chateau, Wilhelm and Lequièvre, A Benchmark Dataset for Outdoor "
        "Foreground/Background Extraction, ACCV Workshops 2012"
    ),
    terms="for research; no licence is known to us; cite the paper",
    form=(
        "NNN.mp4 with NNN_gt.mp4, NNN_png/{input,truth}, or Video_00N/{Video_00N.avi,private_truth}"
    ),
    recognises=_recognises,
    open=_open,
    archives=Archives(
        address="https://backgroundmodelschallenge.eu/data/{part}.zip",
        whole=(
            "bmc_synth1",
            "bmc_synth2",
            *(f"real/Video_{number:03d}" for number in range(1, 10)),
        ),
        example="real/Video_003",
    ),
)
