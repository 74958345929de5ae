"""Makes docs/images/kinds.jpg: a frame of each kind of painted scene, its truth and its plate.

Usage: python tools/kinds.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from cleanplate.datasets.painted import DEFAULT_KIND, KINDS, PaintedSettings, paint_scene
from cleanplate.frames import Picture

SIZE = (120, 160)
SEEDS = {"arena": 1}
MOMENTS = {"sunpatch": 0.55, "water": 0.15}
COLUMNS = 3
GAP = 3


def main() -> None:
    tiles = [tile(kind) for kind in KINDS if kind != DEFAULT_KIND]
    rows = [np.concatenate(tiles[i : i + COLUMNS], axis=1) for i in range(0, len(tiles), COLUMNS)]
    target = Path(__file__).parents[1] / "docs" / "images" / "kinds.jpg"
    picture = np.concatenate(rows)[..., ::-1]
    cv2.imwrite(str(target), picture, [cv2.IMWRITE_JPEG_QUALITY, 72])


def tile(kind: str) -> Picture:
    """The frame, and below it its labels and the empty scene at half the size."""
    seed = SEEDS.get(kind, 0)
    scene = paint_scene(PaintedSettings(kind=kind, size=(2 * SIZE[0], 2 * SIZE[1]), seed=seed))
    frame = scene.frame(round(MOMENTS.get(kind, 0.5) * len(scene)))
    labels = np.repeat(frame.labels[..., None], 3, axis=2)
    height, width = SIZE
    whole = cv2.resize(frame.picture, (2 * width, 2 * height), interpolation=cv2.INTER_AREA)
    halves = [
        cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
        for part in (labels, frame.plate)
    ]
    both = np.concatenate([whole, np.concatenate(halves, axis=1)])
    return np.pad(both, ((GAP, GAP), (GAP, GAP), (0, 0)), constant_values=255)


if __name__ == "__main__":
    main()
