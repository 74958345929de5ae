"""Parts of a recording as folders of pictures that every method can be given."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from cleanplate.frames import Frame, Picture
from cleanplate.video import open_source

Change = Callable[[Frame], Picture]


def frame_numbers(recording: Path) -> list[int]:
    """Numbers of the frames that can be read, ascending."""
    return [frame.number for frame in open_source(recording).frames()]


def first_half(numbers: Sequence[int]) -> tuple[int, ...]:
    """The frames that the held-out protocol learns from; of an odd number the smaller half."""
    return tuple(numbers[: len(numbers) // 2])


def write_frames(recording: Path, folder: Path, *, last: int, change: Change | None = None) -> None:
    """Frames of a recording as PNG files with their numbers.

    Args:
        recording: Where they come from.
        folder: Where they go; made if it is missing.
        last: Number of the last frame that is written.
        change: Gives the picture of a frame; None: its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for frame in open_source(recording).frames():
        if frame.number > last:
            break
        picture = frame.picture if change is None else change(frame)
        bgr = np.ascontiguousarray(picture[..., ::-1])
        encoded = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
        (folder / f"in{frame.number:06d}.png").write_bytes(encoded.tobytes())


def link_frames(frames: Path, folder: Path, *, last: int) -> None:
    """The frames of a folder up to a number, in another folder, without copying them."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in frames.iterdir():
        if int(path.stem.removeprefix("in")) <= last:
            os.link(path, folder / path.name)
