"""Measures every method on real sequences, cell by cell, into benchmarks/methods.json.

Usage: CLEANPLATE_DATA=FOLDER python tools/table.py [--methods M ...] [--jobs N] [--out F]
       With `--budget auto --recipes robust --sequences sbi/HighwayI --out benchmarks/defaults.json`
       it measures what the methods take and reach with their own budgets.

Protocol: each scene is learned for 45 s from all frames of its sequence, seed 0 (transductive: no
truth is read while learning). At most 500 frames, spread evenly over the temporal region of
interest, are scored by the rules of CDnet 2014. Each cell has a process of its own; several cells
at a time share the processors evenly. Cells that are in the file already are not measured again, so
that a run that was broken off can go on. tools/pages.py writes the table into the pages.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from measured import measured

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "benchmarks" / "methods.json"
BUDGET = "45s"
MOST_SCORED = 500
SEQUENCES = {
    "robust": (
        "sbi/HighwayI",
        "sbi/Board",
        "sbi/CAVIAR2",
        "cdnet/baseline/highway",
        "cdnet/baseline/pedestrians",
    ),
    "as_published": ("sbi/HighwayI", "sbi/Board"),
}
KEY = ("method", "recipe", "sequence")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", default=None)
    parser.add_argument("--recipes", nargs="+", default=None)
    parser.add_argument("--sequences", nargs="+", default=None)
    parser.add_argument("--budget", default=BUDGET, help="auto: the method's own")
    parser.add_argument("--jobs", type=int, default=1, help="cells that are measured at a time")
    parser.add_argument("--note", default="", help="of the machine, for example: other work ran")
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--cell", nargs=3, metavar=("METHOD", "RECIPE", "SEQUENCE"))
    arguments = parser.parse_args()
    if arguments.cell:
        sys.stdout.write(json.dumps(measure(*arguments.cell, budget=arguments.budget)) + "\n")
        return
    rows = json.loads(arguments.out.read_text())["rows"] if arguments.out.exists() else []
    done = {tuple(row[key] for key in KEY) for row in rows}
    wanted = [
        cell
        for cell in cells(arguments.methods)
        if cell not in done
        and cell[1] in (arguments.recipes or SEQUENCES)
        and cell[2] in (arguments.sequences or cell[2:])
    ]
    threads = max(1, (os.cpu_count() or 1) // arguments.jobs)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        measured = [pool.submit(measure_apart, cell, arguments.budget, threads) for cell in wanted]
        for row in as_completed(measured):
            rows.append(row.result())
            note = f"{threads} threads a cell, {arguments.jobs} cells at a time; {arguments.note}"
            write(arguments.out, rows, budget=arguments.budget, note=note)


def cells(methods: list[str] | None) -> list[tuple[str, str, str]]:
    from cleanplate.baselines import STILL_BASELINES
    from cleanplate.settings import known_methods

    names = methods or sorted(known_methods(), key=lambda name: (name not in STILL_BASELINES, name))
    return [
        (method, recipe, sequence)
        for recipe, sequences in SEQUENCES.items()
        for sequence in sequences
        for method in names
        # A statistic has no recipe.
        if recipe == "robust" or method not in STILL_BASELINES
    ]


def measure_apart(cell: tuple[str, str, str], budget: str, threads: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--budget", budget, "--cell", *cell]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
    if done.returncode != 0:
        row: dict[str, Any] = {**dict(zip(KEY, cell, strict=True)), "failed": done.returncode}
    else:
        row = json.loads(done.stdout)
    sys.stderr.write(f"{row}\n")
    return row


def measure(method: str, recipe: str, sequence: str, *, budget: str) -> dict[str, Any]:
    import cleanplate
    from cleanplate.background import spread_positions
    from cleanplate.datasets import open_sequence
    from cleanplate.evaluation import score_plate
    from cleanplate.evaluation.counts import Counts, count_frame
    from cleanplate.evaluation.measures import measure as measures_of
    from cleanplate.video import open_source

    folder = Path(os.environ["CLEANPLATE_DATA"]) / sequence
    truth = open_sequence(folder)
    scene = cleanplate.learn(folder / "input", method=method, recipe=recipe, budget=budget)
    scored = {truth.numbers[at] for at in spread_positions(len(truth.numbers), MOST_SCORED)}
    others = {frame.number for frame in open_source(folder / "input").frames()} - scored

    counts, shares, frames = Counts(), [], 0
    start_plate = scene.model.main.estimator.tensors().get("start_plate_picture", scene.plate)
    begin = time.monotonic()
    busy = 0.0
    for result in scene.segment(folder / "input", skip=others):
        busy += time.monotonic() - begin
        counts += count_frame(result.mask, truth.read_labels(result.number), region=truth.region)
        shares.append(difference(result.working_background, start_plate))
        frames += 1
        begin = time.monotonic()
    plate = score_plate(
        scene.plate,
        folder / "GT" / "GT_background_derived.png",
        valid=folder / "GT" / "GT_background_valid.png",
    )
    found = measures_of(counts, frames=frames)
    return {
        **dict(zip(KEY, (method, recipe, sequence), strict=True)),
        "F": found.F,
        "recall": found.recall,
        "precision": found.precision,
        "scored_frames": frames,
        "plate_AGE": plate.AGE,
        "network_share": sum(shares) / len(shares),
        "steps": scene.provenance["steps"],
        "learn_seconds": scene.provenance["seconds"],
        "learn_peak_memory_bytes": scene.provenance["peak_memory_bytes"],
        "segment_frames_per_second": frames / busy,
        "parameters": scene.provenance["parameters"],
    }


def difference(background: Any, plate: Any) -> float:
    """Mean over pixels and colours, in grey levels."""
    import cv2

    return float(cv2.absdiff(background, plate).mean())


def write(path: Path, rows: list[dict[str, Any]], *, budget: str, note: str) -> None:
    import torch

    import cleanplate

    spent = "the method's own budget" if budget == "auto" else budget
    machine = {
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cleanplate": cleanplate.__version__,
        "note": note,
    }
    result = {
        "schema_version": 1,
        "measured": measured(),
        "protocol": (
            f"learned for {spent} from all frames, seed 0, other settings by recipe; at most "
            f"{MOST_SCORED} frames scored, spread over the temporal region of interest"
        ),
        "machine": machine,
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    main()
