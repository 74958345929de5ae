"""Sizes of frames and pictures."""

from __future__ import annotations

from pathlib import Path

import cv2

from cleanplate.datasets.base import read_picture_file
from cleanplate.errors import CleanplateError
from cleanplate.frames import FrameSize
from cleanplate.video import open_source


def picture_size(path: Path, *, error: type[CleanplateError]) -> FrameSize:
    """Size of a picture file.

    Raises:
        error: It cannot be read.
    """
    picture = read_picture_file(path, cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise error(f"'{path}' cannot be read as a picture; write it again, for example as PNG")
    return FrameSize(picture.shape[0], picture.shape[1])


def source_size(source: Path) -> FrameSize:
    """Size of the frames of a recording.

    Raises:
        SourceError: It cannot be read.
    """
    return open_source(source).size
