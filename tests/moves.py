"""Painted recordings whose camera is moved: views cut out of one wide scene, one after another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from cleanplate.evaluation.counts import Counts, count_frame
from cleanplate.evaluation.measures import measure
from cleanplate.frames import Mask
from scenes import PaintedScene, paint_scene

HEIGHT, WIDTH, PAN = 96, 128, 15
RATE = 25


def paint_moves(lengths: Sequence[int], *, seed: int = 3) -> PaintedScene:
    """Views that last so many frames, each with its camera `PAN` pixels further right."""
    wide = paint_scene(HEIGHT, WIDTH + PAN * (len(lengths) - 1), sum(lengths), seed=seed)
    shown = [
        slice(PAN * view, PAN * view + WIDTH)
        for view, length in enumerate(lengths)
        for _ in range(length)
    ]
    return PaintedScene(
        *(
            np.stack([picture[:, place] for picture, place in zip(pictures, shown, strict=True)])
            for pictures in (wide.frames, wide.backgrounds, wide.masks)
        )
    )


def part_of(scene: PaintedScene, first: int, end: int | None = None) -> PaintedScene:
    """Frames by their index."""
    where = slice(first, end)
    return PaintedScene(scene.frames[where], scene.backgrounds[where], scene.masks[where])


def f_measure(masks: Iterable[Mask], truths: Iterable[Mask]) -> float:
    """F of masks; the pixels of an outline belong to neither side, as in CDnet's truth."""
    counts, frames = Counts(), 0
    for mask, truth in zip(masks, truths, strict=True):
        rim = cv2.morphologyEx(truth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        counts += count_frame(mask, np.where(rim, 170, truth).astype(np.uint8))
        frames += 1
    return measure(counts, frames=frames).F
