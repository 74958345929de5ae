"""Makes docs/images/overview.jpg: frames of the painted crossroads and what is made of them.

Usage: python tools/overview.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np

import cleanplate
from cleanplate.datasets.painted import PaintedIntersection, PaintedSettings, write_video
from cleanplate.frames import Picture
from cleanplate.video import draw_overlay

SIZE = (360, 480)
MOMENTS = (60, 172, 340)
GAP = 8


def main() -> None:
    painted = PaintedIntersection(PaintedSettings(size=SIZE, red_share=0.4))
    with tempfile.TemporaryDirectory() as folder:
        video = write_video(painted, Path(folder) / "crossroads.avi")
        scene = cleanplate.learn(video)
        rows = [
            row(result.picture, result.background, result.mask)
            for result in scene.segment(video)
            if result.number in MOMENTS
        ]
    picture = np.concatenate([part for r in rows for part in (r, gap(r.shape[1], axis=0))][:-1])
    target = Path(__file__).parents[1] / "docs" / "images" / "overview.jpg"
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


def row(picture: Picture, background: Picture, mask: Picture) -> Picture:
    grey = np.repeat(mask[..., None], 3, axis=2)
    parts = (picture, background, grey, draw_overlay(picture, mask))
    between = gap(picture.shape[0], axis=1)
    return np.concatenate([p for part in parts for p in (part, between)][:-1], axis=1)


def gap(length: int, *, axis: int) -> Picture:
    shape = (GAP, length, 3) if axis == 0 else (length, GAP, 3)
    return np.full(shape, 255, np.uint8)


if __name__ == "__main__":
    main()
