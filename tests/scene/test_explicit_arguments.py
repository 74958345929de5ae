"""What is given to `learn` by name wins over the tree of settings, from Python and a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import cleanplate
from cleanplate.cli.main import run
from cleanplate.scene_reading import read_config
from scenes import paint_scene, write_image_folder

TREE = {
    "method": "mean",
    "seed": 3,
    "budget": "7steps",
    "device": "cuda:98",
    "init": "low_motion",
    "sampling": {"range": [10, 90], "max_frames": 5},
}
"""Of a still plate, which needs no device and takes any budget."""
NAMED: list[tuple[str, Any]] = [
    ("method", "median"),
    ("seed", 5),
    ("seed", 0),
    ("budget", "9steps"),
    ("budget", "auto"),
    ("device", "cpu"),
    ("device", "auto"),
]
"""Defaults too: who names one wants it."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_image_folder(tmp_path_factory.mktemp("junction"), paint_scene(24, 32, 8).frames)


@pytest.mark.parametrize(("name", "value"), NAMED)
def test_a_name_wins_over_the_tree(recording: Path, name: str, value: object) -> None:
    scene = cleanplate.learn(recording, settings=TREE, **{name: value})  # type: ignore[arg-type]
    found = scene.settings.as_tree()
    assert found[name] == value
    for other in {"method", "seed", "budget", "device"} - {name}:
        assert found[other] == TREE[other]
    assert found["sampling"]["max_frames"] == 5


def test_the_plate_the_recipe_and_the_range_win_too(recording: Path) -> None:
    tree = {"init": "low_motion", "recipe": "robust", "sampling": {"range": [10, 90]}}
    quick = {"budget": "1steps", "device": "cpu"}
    scene = cleanplate.learn(
        recording, settings={**tree, **quick}, init="mean", recipe="as_published",
        value_range=(20.0, 80.0),
    )  # fmt: skip
    general = scene.settings.general
    assert (general.init, general.recipe) == ("mean", "as_published")
    assert scene.settings.sampling.range == (20.0, 80.0)


@pytest.mark.parametrize(("name", "value"), NAMED)
def test_an_option_wins_over_assignments_and_the_file(
    recording: Path, tmp_path: Path, name: str, value: object
) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text(f"{name}: {TREE[name]}\n", encoding="utf-8")
    trees = [
        "--config",
        str(config),
        "--set",
        f"{name}={TREE[name]}",
        "--set",
        "sampling.max_frames=5",
    ]
    if name != "method":
        trees += ["--set", "method=mean"]
    options = [f"--{name}", str(value), "--quiet", "--out", str(tmp_path / "run")]
    assert run(["learn", str(recording), *trees, *options]) == 0
    found = read_config(tmp_path / "run")["settings"]
    assert found[name] == value
    assert found["sampling"]["max_frames"] == 5
