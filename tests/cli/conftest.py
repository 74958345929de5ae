"""A recording and what was learned from it, made once for all tests of the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from calls import CommandLine, Outcome

from cleanplate import learn
from cleanplate.cli.main import run as run_command
from scenes import PaintedScene, paint_scene, write_image_folder


@pytest.fixture
def cleanplate(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = run_command([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return call


@pytest.fixture(scope="session")
def painted() -> PaintedScene:
    return paint_scene(32, 48, 30)


@pytest.fixture(scope="session")
def recording(painted: PaintedScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_folder(tmp_path_factory.mktemp("recording"), painted.frames)


@pytest.fixture(scope="session")
def thermal(painted: PaintedScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as counts of a thermal camera, 16-bit grey from 7,000 up to 8,275 at most."""
    folder = tmp_path_factory.mktemp("thermal")
    for number, frame in enumerate(painted.frames, start=1):
        counts = 7000 + 5 * frame[..., 0].astype(np.uint16)
        assert cv2.imwrite(str(folder / f"t{number:04d}.png"), counts)
    return folder


@pytest.fixture(scope="session")
def learned(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene of the default method; not to be changed."""
    folder = tmp_path_factory.mktemp("learned") / "run"
    learn(recording, out=folder, budget="12steps", device="cpu")
    return folder


@pytest.fixture
def scene(recording: Path, tmp_path: Path) -> Path:
    """A scene of the fastest method, in a folder of its own."""
    folder = tmp_path / "scene"
    learn(recording, out=folder, method="median")
    return folder


@pytest.fixture
def copy(learned: Path, tmp_path: Path) -> Path:
    """A scene of the default method, to be changed."""
    return Path(shutil.copytree(learned, tmp_path / "copy"))
