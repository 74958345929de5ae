"""The tool that measures a GPU runs on any machine, and says which one it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[1] / "tools" / "device.py"


@pytest.mark.slow
def test_one_command_measures_segmenting_and_learning(tmp_path: Path) -> None:
    options = "--device cpu --size 96x64 --frames 12 --batches 1 5 --scenes 2 --seconds 0.1"
    command = [sys.executable, str(TOOL), *options.split(), "--budget", "5steps"]
    written = tmp_path / "new" / "device.json"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, "--out", str(written)], check=True, timeout=250, env=environment)
    found = json.loads(written.read_text(encoding="utf-8"))
    assert found["machine"]["device"] == "cpu"
    assert [row["batch"] for row in found["segmenting"]] == [1, 5]
    assert all(row["frames_per_second"] > 0 for row in found["segmenting"])
    assert found["pixels_unlike_segment"] <= 1e-3
    assert found["together"]["scenes"] == 2
    for run in found["learning"]:
        assert run["steps"] == 5
        assert 0 < sum(run["stages"].values()) <= run["seconds"]
