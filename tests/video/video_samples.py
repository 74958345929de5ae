"""Tiny recordings of every kind, painted by the tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from cleanplate.frames import FrameSize, Picture
from cleanplate.video import silence_decoders

SIZE = FrameSize(24, 32)
COUNT = 12

FOURCC = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "VP90", ".webm": "VP90"}
KINDS = ("mp4", "avi", "webm", "folder", "glob")


def paint(index: int, size: FrameSize = SIZE) -> Picture:
    """A red and green ramp with a square that moves right; RGB."""
    picture = np.zeros((*size, 3), np.uint8)
    picture[..., 0] = np.linspace(40, 200, size.width)
    picture[..., 1] = np.linspace(20, 120, size.height)[:, None]
    left = 2 * index % (size.width - 8)
    picture[8:16, left : left + 8] = (0, 0, 240)
    return picture


def write_movie(path: Path, pictures: Sequence[Picture], rate: float = 25.0) -> Path:
    silence_decoders()
    height, width = pictures[0].shape[:2]
    code = cv2.VideoWriter.fourcc(*FOURCC[path.suffix])
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, rate, (width, height))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def write_picture(path: Path, picture: Picture) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture
    assert cv2.imwrite(str(path), stored)
    return path


def write_folder(folder: Path, count: int = COUNT) -> Path:
    for index in range(count):
        write_picture(folder / f"in{index + 1:06d}.png", paint(index))
    return folder


def make_source_path(kind: str, folder: Path) -> str:
    """Path of a new recording of a kind, with `COUNT` painted frames."""
    if kind == "folder":
        return str(write_folder(folder / "input"))
    if kind == "glob":
        return str(write_folder(folder / "input") / "*.png")
    return str(write_movie(folder / f"clip.{kind}", [paint(index) for index in range(COUNT)]))
