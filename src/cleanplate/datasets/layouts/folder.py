"""A folder of your own: frames, and what there is of masks and a plate.

::

    SEQUENCE/
      frames/0001.jpg         or frames.mp4, or input for frames
      masks/0001.png          optional: 0 static, 255 moving; CDnet's 50, 85 and 170 too
      plate.png               optional: the true empty scene
      plate_valid.png         optional: not 0 where plate.png is true
      region.png              optional: 0 where pixels are not scored

Masks belong to the frame of the same number; frames without a mask are not scored.
"""

from __future__ import annotations

from pathlib import Path

from cleanplate.datasets.base import numbered_pictures
from cleanplate.datasets.layouts.cdnet import read_label_picture
from cleanplate.datasets.sequence import (
    VIDEO_SUFFIXES,
    DataSet,
    LabelPictures,
    TruePlate,
    VideoSequence,
    pictures_of,
    read_region,
    true_plates,
)
from cleanplate.datasets.sizes import picture_size, source_size
from cleanplate.errors import GroundTruthError
from cleanplate.frames import FrameSize

FRAMES = ("frames", "input")
MASKS = "masks"


def _recognises(folder: Path) -> bool:
    return folder.is_dir() and _source(folder) is not None


def _open(folder: Path) -> VideoSequence:
    source = _source(folder)
    assert source is not None
    masks = folder / MASKS
    files = numbered_pictures(masks, prefix="", error=GroundTruthError) if masks.is_dir() else {}
    plates = _plates(folder)
    numbers = tuple(files)
    if files:
        size = FrameSize(*read_label_picture(files[numbers[0]]).shape)
    elif plates:
        size = picture_size(plates[0].picture, error=GroundTruthError)
    else:
        size = source_size(source)
    region = _picture(folder, "region")
    return VideoSequence(
        name=folder.name,
        folder=folder,
        size=size,
        source=source,
        numbers=numbers,
        region=None if region is None else read_region(region, size),
        plates=plates,
        labels=LabelPictures(files, read_label_picture) if files else None,
    )


def _source(folder: Path) -> Path | None:
    """The folder or the video of the frames."""
    for name in FRAMES:
        if pictures_of(folder / name):
            return folder / name
        videos = (folder / f"{name}{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
        video = next((path for path in videos if path.is_file()), None)
        if video is not None:
            return video
    return None


def _plates(folder: Path) -> tuple[TruePlate, ...]:
    plate = _picture(folder, "plate")
    if plate is None:
        return true_plates(folder)
    return (TruePlate(plate, _picture(folder, "plate_valid")),)


def _picture(folder: Path, stem: str) -> Path | None:
    return next((path for path in pictures_of(folder) if path.stem == stem), None)


DATASET = DataSet(
    title="A folder of your own",
    homepage="",
    citation="",
    terms="yours",
    form="frames/ (or a video frames.mp4; or input) with masks/ and plate.png where there are any",
    recognises=_recognises,
    open=_open,
    generality=2,
)
