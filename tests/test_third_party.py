"""An architecture that another installed package brings, found by its entry point."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest

import cleanplate
from cleanplate.architectures import (
    ENTRY_POINT_GROUP,
    architecture_summaries,
    load_architecture,
)
from cleanplate.cli.main import run
from cleanplate.errors import SceneFileError, UnknownNameError
from cleanplate.settings import known_methods, resolve
from foreign_packages import install
from scenes import paint_scene, write_image_folder

MODULE = '''
"""A plate that learns."""

from pydantic import Field
from torch import Tensor, nn

from cleanplate.architectures.base import Architecture, BuildContext
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from cleanplate.model import BackgroundModel
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.parameters import Parameters


class Settings(Parameters):
    """Settings of `learning_plate`."""

    brightness: float = Field(1.0, gt=0, description="factor on the initial plate")


class LearningPlate(BackgroundModel):
    """One picture for all frames."""

    def __init__(self, settings: Settings, start: BuildContext) -> None:
        super().__init__()
        self.plate = nn.Parameter(to_tensor(start.plate[None]) * settings.brightness)

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame."""
        return self.plate.expand_as(batch.rgb)


ARCHITECTURE = Architecture(
    source="a test", settings=Settings, objective=Reconstruction, build=LearningPlate, steps=3
)
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Puts a package onto the path as an installer would have left it."""
    place = tmp_path / "site-packages"
    value = "plate_pack:ARCHITECTURE"
    points = {ENTRY_POINT_GROUP: {"learning_plate": value, "lowrank_ae": value}}
    install(place, "plate_pack", MODULE, points)
    monkeypatch.syspath_prepend(place)
    yield place
    sys.modules.pop("plate_pack", None)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_image_folder(tmp_path / "junction", paint_scene(32, 48, 12).frames)


def test_it_is_listed_with_the_package_it_comes_from_and_not_imported(package: Path) -> None:
    assert known_methods()["learning_plate"] == "from plate-pack"
    assert "plate_pack" not in sys.modules


def test_it_is_listed_and_described_on_the_command_line(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["methods", "--json"]) == 0
    listed = {method["name"]: method for method in json.loads(capsys.readouterr().out)["methods"]}
    assert listed["learning_plate"]["kind"] == "network"
    assert run(["methods", "learning_plate", "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert "model.brightness" in {setting["key"] for setting in described["settings"]}
    assert described["source"] == "a test"


def test_its_settings_are_resolved_and_checked(package: Path) -> None:
    settings = resolve({"method": "learning_plate", "model": {"brightness": 0.9}})
    assert settings.as_tree()["model"] == {"brightness": 0.9}
    assert settings.general.budget == "3steps"
    with pytest.raises(cleanplate.CleanplateError, match="did you mean 'brightness'"):
        resolve({"method": "learning_plate", "model": {"brightnes": 0.9}})


def test_it_learns_segments_and_comes_back_from_disk(
    package: Path, recording: Path, tmp_path: Path
) -> None:
    learned = cleanplate.learn(
        recording, out=tmp_path / "scene", method="learning_plate", device="cpu"
    )
    loaded = cleanplate.load(tmp_path / "scene", device="cpu")
    assert loaded.settings.method == "learning_plate"
    assert loaded.provenance["steps"] == 3
    for first, again in zip(learned.segment(recording), loaded.segment(recording), strict=True):
        assert np.array_equal(first.background, again.background)
        assert np.array_equal(first.mask, again.mask)


def test_without_its_package_the_scene_says_what_is_missing(
    package: Path, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleanplate.learn(recording, out=tmp_path / "scene", method="learning_plate", device="cpu")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(package)])
    assert "learning_plate" not in entry_points(group=ENTRY_POINT_GROUP).names
    with pytest.raises(SceneFileError, match="unknown method 'learning_plate'"):
        cleanplate.load(tmp_path / "scene")


def test_it_cannot_take_the_name_of_one_of_ours(package: Path) -> None:
    assert load_architecture("lowrank_ae").source != "a test"
    assert not architecture_summaries()["lowrank_ae"].startswith("from ")


def test_a_name_that_nobody_registered_is_refused_with_all_known_ones(package: Path) -> None:
    with pytest.raises(UnknownNameError, match="learning_plate"):
        load_architecture("learning_plates")
