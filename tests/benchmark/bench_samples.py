"""Tiny painted sequences in CDnet's form, and results of cells that were never measured."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from cleanplate.benchmark.cells import Cell
from cleanplate.benchmark.results import (
    CellResult,
    Cost,
    Environment,
    Findings,
    FrameCounts,
    MaskMeasures,
    SweepFigures,
)
from cleanplate.evaluation import Counts, measure
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


def cell_result(
    sequence: str,
    f: float | None,
    *,
    method: str = "lowrank_ae",
    seed: int = 0,
    best: float | None = None,
    seconds: float = 1.0,
) -> CellResult:
    """A cell with an F, 100 frames in so many seconds; None: it failed."""
    category = sequence.partition("/")[0]
    cell = Cell(
        sequence=sequence, category=category, method=method, seed=seed, protocol="transductive"
    )
    values = {"identity": f"{cell}", "cell": cell, "kind": cell.kind, "settings": {}}
    if f is None:
        return CellResult.model_validate({**values, "wall_seconds": 1, "failed": "no reason"})
    measures = MaskMeasures.of(measure(Counts(1, 1, 1, 1), frames=1)).model_copy(
        update={"F": None if math.isnan(f) else f}
    )
    sweep = best and SweepFigures(
        name="t", default=1, values=(1,), F=(best,), best_value=1, best_F=best
    )
    findings = Findings(
        frames=FrameCounts(
            recording=100, learned_from=0, segmented=100, scored=1, first_scored=1, last_scored=1
        ),
        cost=Cost(
            learn_seconds=1,
            learn_cpu_seconds=1,
            segment_seconds=seconds,
            segment_cpu_seconds=1,
            frames_per_second=100 / seconds,
            learn_peak_memory_bytes=1,
            segment_peak_memory_bytes=2,
            device_memory_bytes=None,
        ),
        environment=Environment(platform="p", processors=1, threads=1, device="cpu", versions={}),
        measures=measures,
        sweep=sweep or None,
    )
    return CellResult.model_validate({**values, "wall_seconds": 1, "findings": findings})
