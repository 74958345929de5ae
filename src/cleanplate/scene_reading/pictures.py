"""Pictures of a scene: their headers are read before they are decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cleanplate.errors import SceneFileError, shortened
from cleanplate.frames import FrameSize
from cleanplate.pixels.picture_header import PictureHeader, jpeg_header, png_header
from cleanplate.scene_file import COVERAGE_PICTURE, PLOTS, SAMPLES, SAMPLES_INDEX, Sample
from cleanplate.scene_reading.files import damaged, read_part
from cleanplate.scene_reading.texts import is_number
from cleanplate.untrusted import UntrustedError, parse_json

_MOST_PLOT_PIXELS = 1 << 24
"""Of a picture for people."""
_MOST_SAMPLES = 16
_MOST_SAMPLE_PIXELS = 1 << 22


def decoded(folder: Path, content: bytes, name: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A picture of 8 bits from the content of a PNG.

    Raises:
        SceneFileError: It is none of that shape.
    """
    channels = shape[2] if len(shape) > 2 else 1
    picture = None
    if png_header(content) == PictureHeader(FrameSize(*shape[:2]), channels, 8):
        picture = _picture(content, cv2.IMREAD_UNCHANGED)
    if picture is None or picture.shape != shape or picture.dtype != np.uint8:
        raise damaged(folder, name, "not a picture of its size")
    return picture


def read_plots(folder: Path) -> dict[str, bytes]:
    """Contents of the files for people by name; the one that a report redraws is small enough.

    Raises:
        SceneFileError: One is too large, or no regular file.
    """
    names = [name for name in PLOTS if (folder / name).exists()]
    plots = {name: read_part(folder, name) for name in names}
    if COVERAGE_PICTURE in plots:
        header = png_header(plots[COVERAGE_PICTURE])
        _require_small(header, f"{COVERAGE_PICTURE} of {folder}", _MOST_PLOT_PIXELS)
    return plots


def read_samples(folder: Path) -> list[Sample]:
    """The frames that are kept for the report; none where there is no folder of them.

    Raises:
        SceneFileError: They are damaged or too large.
    """
    if not (folder / SAMPLES / SAMPLES_INDEX).exists():
        return []
    try:
        index = _require_list(parse_json(read_part(folder, f"{SAMPLES}/{SAMPLES_INDEX}")))
        return [_read_sample(folder, entry) for entry in index]
    except (UntrustedError, SceneFileError) as error:
        raise SceneFileError(
            f"the samples in {folder / SAMPLES} are damaged ({shortened(error)}); "
            "remove that folder"
        ) from error


def _require_list(index: object) -> list[object]:
    if not isinstance(index, list) or len(index) > _MOST_SAMPLES:
        raise UntrustedError(f"the index is no list of at most {_MOST_SAMPLES} entries")
    return index


def _read_sample(folder: Path, entry: object) -> Sample:
    if not isinstance(entry, dict) or entry.keys() != {"number", "time"}:
        raise UntrustedError("an entry has not a number and a time")
    number, time = entry["number"], entry["time"]
    if type(number) is not int or number < 0 or not is_number(time):
        raise UntrustedError("an entry has not a number and a time")
    stem = f"{SAMPLES}/{number:06d}"
    picture = _sample_picture(folder, f"{stem}-frame.jpg", jpeg_header, cv2.IMREAD_COLOR_RGB)
    background = _sample_picture(
        folder, f"{stem}-background.jpg", jpeg_header, cv2.IMREAD_COLOR_RGB
    )
    mask = _sample_picture(folder, f"{stem}-mask.png", png_header, cv2.IMREAD_GRAYSCALE)
    if picture.shape != background.shape or picture.shape[:2] != mask.shape:
        raise UntrustedError(f"pictures of frame {number} have several sizes")
    return Sample(number, float(time), picture, background, mask)


def _sample_picture(
    folder: Path, name: str, header_of: Callable[[bytes], PictureHeader | None], how: int
) -> NDArray[np.uint8]:
    content = read_part(folder, name)
    header = _require_small(header_of(content), name, _MOST_SAMPLE_PIXELS)
    picture = _picture(content, how)
    if picture is None or picture.dtype != np.uint8 or picture.shape[:2] != header.size:
        raise UntrustedError(f"{name} is no picture")
    return picture


def _require_small(header: PictureHeader | None, name: str, most: int) -> PictureHeader:
    if header is None or not 0 < header.size.pixels <= most:
        raise SceneFileError(f"{name} is damaged: not a picture that can be read; remove it")
    return header


def _picture(content: bytes, how: int) -> NDArray[Any] | None:
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), how)
    except cv2.error:
        return None
