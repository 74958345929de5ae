"""What a scene says of how well its recording showed the empty scene."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import cleanplate
from cleanplate.background import RegionEvidence, judge
from cleanplate.errors import SceneFileError
from cleanplate.frames import FrameSize
from cleanplate.learning.artifacts.coverage import coverage_figures, draw_coverage
from cleanplate.report import write_report
from roads import SIZE, road, seen
from scenes import write_image_folder

COLOURS = ((20, 20, 24), (200, 200, 205), (120, 20, 20), (30, 60, 140), (235, 235, 235))


def film(folder: Path, *, queue: bool) -> Path:
    """A road on which vehicles wait and are followed at once by others, or nothing at all."""
    cars = [[(60, 50, COLOURS[time // 4 % 5])] if queue else [] for time in range(40)]
    return write_image_folder(folder, np.stack([seen(c, at=t) for t, c in enumerate(cars)]))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("queue")
    cleanplate.learn(film(folder / "in", queue=True), out=folder / "run", method="candidates")
    return folder / "run"


def test_learning_leaves_a_picture_and_figures(run: Path) -> None:
    figures = json.loads((run / "coverage.json").read_text())
    assert figures["samples"] == 40
    assert figures["doubtful_share"] == pytest.approx(40 * 24 / SIZE.pixels, rel=0.2)
    (region,) = figures["regions"]
    assert region["name"] == "centre"
    assert region["share"] == figures["doubtful_share"]
    assert cv2.imread(str(run / "coverage.png")).shape[1] == 640
    assert cleanplate.load(run).coverage == figures


@pytest.mark.parametrize("method", ["median", "mean", "lowrank_ae"])
def test_every_start_has_coverage(method: str, tmp_path: Path) -> None:
    recording = film(tmp_path / "in", queue=True)
    init = {} if method in {"median", "mean"} else {"init": "median", "budget": "3steps"}
    scene = cleanplate.learn(recording, method=method, **init)
    assert scene.coverage is not None
    assert scene.coverage["doubtful_share"] > 0.03
    assert "centre" in scene.coverage["sentence"]


def test_nothing_is_said_of_an_empty_road(tmp_path: Path) -> None:
    scene = cleanplate.learn(film(tmp_path / "in", queue=False), method="median")
    assert scene.coverage is not None
    assert scene.coverage["sentence"] == ""
    assert scene.coverage["regions"] == []
    assert scene.coverage["mean_seen"] > 0.98


def test_the_report_tells_it(run: Path, tmp_path: Path) -> None:
    page = write_report(run, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h2>Coverage</h2>" in page
    assert "was never seen empty for certain" in page
    assert "something else stood here for about as long" in page


def test_a_scene_from_before_is_read_and_told_without_it(run: Path, tmp_path: Path) -> None:
    scene = cleanplate.load(run)
    scene.save(tmp_path / "old")
    (tmp_path / "old" / "coverage.json").unlink()
    (tmp_path / "old" / "coverage.png").unlink()
    old = cleanplate.load(tmp_path / "old")
    assert old.coverage is None
    assert "<h2>Coverage</h2>" not in write_report(tmp_path / "old").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", ["no json", "[]", '{"samples": 3}'])
def test_damaged_figures_are_named(run: Path, tmp_path: Path, content: str) -> None:
    cleanplate.load(run).save(tmp_path / "copy")
    (tmp_path / "copy" / "coverage.json").write_text(content)
    with pytest.raises(SceneFileError, match=r"coverage\.json"):
        assert cleanplate.load(tmp_path / "copy").coverage


def evidence(size: FrameSize) -> RegionEvidence:
    """The left half was never seen."""
    seen_share = np.ones(size, np.float32)
    seen_share[:, : size.width // 2] = 0
    visits = (seen_share > 0).astype(np.int32)
    return RegionEvidence(seen_share, visits, seen_share, np.zeros(size, np.bool_))


def test_boxes_are_in_pixels_of_the_frame() -> None:
    coverage = judge(evidence(SIZE))
    figures = coverage_figures(coverage, frame_size=FrameSize(360, 320), samples=9)
    assert [region["box"] for region in figures["regions"]] == [[0, 0, 160, 360]]


def test_the_picture_is_red_where_nothing_was_seen_and_dimmed_elsewhere() -> None:
    picture = draw_coverage(judge(evidence(SIZE)), road()).astype(int)
    height = round(SIZE.height * 640 / SIZE.width)
    never, always = picture[50 : height - 50, 50:250], picture[50 : height - 50, 400:600]
    assert (never[..., 0] - never[..., 2]).mean() > 60
    assert abs((always[..., 0] - always[..., 2]).mean()) < 15
    assert always.mean() < road().mean() * 0.7
    assert picture.shape[0] > height  # the scale
