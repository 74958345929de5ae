"""A data set that another installed package brings, found by its entry point."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from cleanplate.cli.main import run
from cleanplate.datasets import find_sequences, known_datasets, open_sequence
from cleanplate.datasets.registry import ENTRY_POINT_GROUP, dataset
from cleanplate.errors import GroundTruthError, UnknownNameError
from foreign_packages import install
from scenes import paint_scene

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-dataset.md"
COUNT = 6


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data set of the page, as a package of its own that also claims a name of ours."""
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    place = tmp_path / "site-packages"
    value = "yard_pack:DATASET"
    install(place, "yard_pack", source, {ENTRY_POINT_GROUP: {"yard": value, "cdnet": value}})
    monkeypatch.syspath_prepend(place)
    yield place
    sys.modules.pop("yard_pack", None)


@pytest.fixture
def yard(tmp_path: Path) -> Path:
    """A sequence in its form."""
    painted = paint_scene(48, 64, COUNT)
    folder = tmp_path / "sets" / "yard_03"
    for name, pictures in (("rgb", painted.frames[..., ::-1]), ("fg", painted.masks)):
        (folder / name).mkdir(parents=True)
        for number, picture in enumerate(pictures, start=1):
            assert cv2.imwrite(str(folder / name / f"{number:04d}.png"), picture)
    return folder


def test_it_is_known_beside_ours_and_takes_no_name_of_them(package: Path) -> None:
    assert dataset("yard").title == "Yard"
    assert dataset("cdnet").title != "Yard"
    with pytest.raises(UnknownNameError, match="did you mean 'yard'"):
        dataset("yarb")


def test_its_sequences_are_opened_and_found(package: Path, yard: Path) -> None:
    sequence = open_sequence(yard)
    assert sequence.dataset == "yard"
    assert sequence.numbers == tuple(range(1, COUNT + 1))
    labels = sequence.read_labels(1)
    assert set(np.unique(labels)) == {0, 255}
    assert [each.name for each in find_sequences(yard.parent)] == ["yard_03"]


def test_the_command_line_scores_and_checks_it(
    package: Path, yard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    for number in range(1, COUNT + 1):
        truth = cv2.imread(str(yard / "fg" / f"{number:04d}.png"), cv2.IMREAD_GRAYSCALE)
        assert cv2.imwrite(str(masks / f"bin{number:06d}.png"), truth)
    assert run(["score", str(masks), "--truth", str(yard), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["F"] == 1
    assert run(["datasets", "check", str(yard.parent), "--json"]) == 0
    assert "yard" in capsys.readouterr().out


def test_without_the_package_its_form_is_unknown(yard: Path) -> None:
    assert "yard" not in known_datasets()
    with pytest.raises(GroundTruthError, match="no sequence of a known data set"):
        open_sequence(yard)
