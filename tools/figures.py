"""Measures the main job on real sequences by the command line, and writes the figures as JSON.

Usage: CLEANPLATE_DATA=FOLDER python tools/figures.py [--method M ...] [--sequences S ...] [--out F]

Protocol: each scene is learned from all frames of the sequence with the defaults and seed 0
(transductive: no truth is read while learning), all frames are segmented, and the frames of the
temporal region of interest are scored by the rules of CDnet 2014.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from measured import measured

SEQUENCES = (
    "cdnet/baseline/highway",
    "cdnet/baseline/pedestrians",
    "sbi/HighwayI",
    "sbi/CAVIAR2",
    "sbi/IBMtest2",
    "sbi/Board",
    "sbi/CaVignal",
    "sbi/Foliage",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequences", nargs="+", default=SEQUENCES)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--method", nargs="+", default=["lowrank_ae"])
    arguments = parser.parse_args()
    data = Path(os.environ["CLEANPLATE_DATA"])
    rows = [
        measure(data / name, name, method)
        for method in arguments.method
        for name in arguments.sequences
    ]
    result = {
        "schema_version": 1,
        "measured": measured(),
        "protocol": "learned from all frames, defaults, seed 0; scored on the temporal ROI",
        "machine": {
            "platform": platform.platform(),
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "cleanplate": version("cleanplate"),
            "torch": version("torch"),
        },
        "rows": rows,
    }
    text = json.dumps(result, indent=2) + "\n"
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def measure(sequence: Path, name: str, method: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        run, masks, plate = (Path(folder) / part for part in ("run", "masks", "plate.png"))
        source = sequence / "input"
        learned = call("learn", source, "--out", run, "--method", method)
        segmented = call("segment", source, "--model", run, "--out", masks)
        scored = call("score", masks, "--truth", sequence)
        call("plate", run, "--out", plate)
        truth = sequence / "GT" / "GT_background_derived.png"
        valid = sequence / "GT" / "GT_background_valid.png"
        background = call("score-plate", plate, "--truth", truth, "--valid", valid)
    row = {
        "sequence": name,
        "method": method,
        **{key: scored[key] for key in ("F", "recall", "precision", "PWC", "frames")},
        "plate_AGE": background["AGE"],
        "learn_seconds": learned["seconds"],
        "learn_peak_memory_bytes": learned["peak_memory_bytes"],
        "segment_seconds": segmented["seconds"],
        "segment_frames_per_second": segmented["frames_per_second"],
    }
    sys.stderr.write(f"{row}\n")
    return row


def call(*arguments: str | Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "cleanplate", *map(str, arguments), "--json", "--quiet"]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    values: dict[str, Any] = json.loads(output)
    return values


if __name__ == "__main__":
    main()
