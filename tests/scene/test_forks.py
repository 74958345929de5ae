"""A process that is forked after a scene was loaded can load and segment one itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cleanplate import learn
from scenes import paint_scene, write_image_folder

FORK = """
import os, sys
import torch
torch.set_num_threads(2)
import cleanplate
scene = cleanplate.load(sys.argv[1])
if sys.argv[3] == "segment":
    list(scene.segment(sys.argv[2]))
    torch.ones(3000, 3000).mul(2)
child = os.fork()
if child == 0:
    again = cleanplate.load(sys.argv[1])
    print(sum(int(result.mask.sum()) for result in again.segment(sys.argv[2])), flush=True)
    torch.ones(3000, 3000).mul(2)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = paint_scene(240, 320, 6).frames  # so large that torch shares its work among threads
    return write_image_folder(tmp_path_factory.mktemp("recording"), frames)


@pytest.fixture(scope="module")
def scene(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scene") / "run"
    learn(recording, out=folder, budget="1steps", device="cpu")
    return folder


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("first", ["load", "segment"])
def test_it_does_not_wait_for_threads_that_it_has_not(
    scene: Path, recording: Path, first: str
) -> None:
    command = [sys.executable, "-c", FORK, str(scene), str(recording), first]
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().isdecimal()
