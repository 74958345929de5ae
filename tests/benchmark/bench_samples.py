"""Tiny painted sequences in CDnet's form."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from cleanplate.frames import Mask
from scenes import paint_scene, write_image_folder

FRAMES, FIRST_SCORED = 40, 9


def write_sequence(folder: Path, *, seed: int = 0, count: int = FRAMES) -> Path:
    """A painted sequence, scored from frame 9, with its true plate."""
    scene = paint_scene(32, 48, count, seed=seed, squares=1)
    write_image_folder(folder / "input", scene.frames)
    (folder / "groundtruth").mkdir()
    for number, mask in enumerate(scene.masks, start=1):
        cv2.imwrite(str(folder / "groundtruth" / f"gt{number:06d}.png"), mask)
    (folder / "temporalROI.txt").write_text(f"{FIRST_SCORED} {count}", encoding="utf-8")
    (folder / "GT").mkdir()
    plate = np.ascontiguousarray(scene.best_still_plate()[..., ::-1])
    cv2.imwrite(str(folder / "GT" / "GT_background.png"), plate)
    return folder


def true_masks(seed: int = 0) -> Mask:
    return paint_scene(32, 48, FRAMES, seed=seed, squares=1).masks
