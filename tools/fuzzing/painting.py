"""A few small frames of a scene with something in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

HEIGHT, WIDTH, COUNT = 24, 32, 12


def paint_frames() -> Any:
    """`(12, 24, 32, 3)`, uint8: a square passes over an uneven ground."""
    random = np.random.default_rng(0)
    ground = cv2.GaussianBlur(random.uniform(0, 255, (HEIGHT, WIDTH, 3)), (0, 0), 2.0)
    frames = np.repeat(ground[None], COUNT, axis=0)
    for index in range(COUNT):
        frames[index, 8:16, 2 * index : 2 * index + 8] = 240
    return np.clip(frames + random.normal(0, 2, frames.shape), 0, 255).astype(np.uint8)


def write_folder(folder: Path, frames: Any, suffix: str = ".png") -> Path:
    """The frames as pictures of a folder."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, start=1):
        cv2.imwrite(str(folder / f"in{number:03d}{suffix}"), frame)
    return folder
