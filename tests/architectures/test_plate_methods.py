"""The initialisations that are trained: plates that what stands for long does not enter."""

from __future__ import annotations

import dataclasses
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import cleanplate
from cleanplate.architectures import load_architecture
from cleanplate.background import still_plate
from cleanplate.cli.main import run
from cleanplate.errors import UnknownNameError
from cleanplate.evaluation import score_plate
from cleanplate.frames import Modality, Picture
from cleanplate.objectives.bootstrapping import Bootstrapping, motion
from cleanplate.scene_model.estimator import START_PLATE
from cleanplate.settings import known_plates, resolve
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from cleanplate.video import ArrayStack
from scenes import paint_scene, write_image_folder

QUICK = {"budget": "60steps", "device": "cpu"}


def visited_often(seed: int) -> tuple[Picture, Picture]:
    """Frames of a scene in which something stands for 40 % of the time, and its true plate."""
    painted = paint_scene(40, 56, 40, squares=0, seed=seed)
    frames = painted.frames.copy()
    frames[::5, 8:28, 10:34] = (250, 240, 20)
    frames[1::5, 8:28, 10:34] = (20, 30, 200)
    return frames, painted.best_still_plate()


def error(plate: Picture, truth: Picture) -> float:
    return float(np.abs(plate.astype(float) - truth).mean())


def of_steps(monkeypatch: pytest.MonkeyPatch, method: str, steps: int) -> None:
    """Gives a method another budget of its own, for where none can be given."""
    quick = dataclasses.replace(load_architecture(method), steps=steps)
    monkeypatch.setattr(f"cleanplate.architectures.{method}.ARCHITECTURE", quick)


@pytest.mark.parametrize("method", ["pooled_plate", "bootstrap_plate"])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_trained_plate_is_nearer_to_the_truth_than_the_mean(
    method: str, seed: int, tmp_path: Path
) -> None:
    frames, truth = visited_often(seed)
    source = write_image_folder(tmp_path, frames)
    # It begins at the mean itself, so that what is nearer was learned.
    first, last = (
        cleanplate.learn(source, method=method, init="mean", budget=budget, device="cpu").plate
        for budget in ("1step", QUICK["budget"])
    )
    mean = error(still_plate("mean", ArrayStack(frames)), truth)
    assert error(first, truth) > 0.9 * mean
    assert error(last, truth) < 0.4 * mean


def test_flow_weighs_the_loss_of_a_plate_and_is_not_computed_for_its_frames(tmp_path: Path) -> None:
    frames, _ = visited_often(0)
    scene = cleanplate.learn(
        write_image_folder(tmp_path, frames), method="bootstrap_plate", **QUICK
    )
    assert Modality.FLOW in load_architecture("bootstrap_plate").modalities
    assert not scene.model.main.estimator.feature_extractors()


@pytest.mark.slow
@pytest.mark.data
def test_the_pooled_plate_is_nearer_to_the_truth_of_a_real_recording_than_the_mean(
    real_data: Path,
) -> None:
    folder = real_data / "sbi/Board"  # people stand in most of its frames
    errors = {}
    for method, budget in (("mean", "auto"), ("pooled_plate", "15steps")):
        scene = cleanplate.learn(folder / "input", method=method, budget=budget, device="cpu")
        measures = score_plate(
            scene.plate,
            folder / "GT/GT_background_derived.png",
            valid=folder / "GT/GT_background_valid.png",
        )
        errors[method] = measures.AGE
    assert errors["mean"] > 30
    assert errors["pooled_plate"] < 0.8 * errors["mean"]


def test_a_trained_plate_is_the_same_for_every_frame(tmp_path: Path) -> None:
    frames, _ = visited_often(0)
    source = write_image_folder(tmp_path, frames)
    scene = cleanplate.learn(source, method="pooled_plate", budget="3steps")
    first, second = (result.background for result in islice(scene.segment(source), 2))
    np.testing.assert_array_equal(first, second)


def test_the_pooling_over_time_learns_and_the_frames_do_not_change(tmp_path: Path) -> None:
    frames, _ = visited_often(0)
    source = write_image_folder(tmp_path, frames)
    before, after = (
        cleanplate.learn(
            source, method="pooled_plate", budget=budget
        ).model.main.estimator.tensors()
        for budget in ("1steps", "20steps")
    )
    np.testing.assert_array_equal(before["frames"], after["frames"])
    for part in ("features.0.weight", "scores.2.weight", "refinement.2.weight"):
        assert not np.array_equal(before[part], after[part]), part


@pytest.mark.parametrize("init", ["pooled", "bootstrap"])
def test_another_method_can_start_from_a_trained_plate(
    init: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_steps(monkeypatch, f"{init}_plate", 5)
    frames, _ = visited_often(0)
    source = write_image_folder(tmp_path / "frames", frames[:10])
    cleanplate.learn(source, init=init, budget="2steps", out=tmp_path / "run", device="cpu")
    scene = cleanplate.load(tmp_path / "run", device="cpu")
    assert scene.settings.general.init == init
    start = scene.model.main.estimator.tensors()[START_PLATE]
    trained = cleanplate.learn(source, method=f"{init}_plate", device="cpu").plate
    np.testing.assert_allclose(start.astype(int), trained.astype(int), atol=1)
    assert not np.array_equal(start, cleanplate.learn(source, method="candidates").plate)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["pooled", "bootstrap"])
def test_the_plate_command_trains_a_plate(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_steps(monkeypatch, f"{how}_plate", 60)
    frames, truth = visited_often(0)
    source = write_image_folder(tmp_path / "frames", frames)
    out = tmp_path / "plate.png"
    assert run(["plate", str(source), "--out", str(out), "--how", how, "--quiet"]) == 0
    plate = cv2.imread(str(out), cv2.IMREAD_COLOR_RGB)
    assert plate is not None
    mean = still_plate("mean", ArrayStack(frames))
    assert error(plate, truth) < 0.7 * error(mean, truth)
    start = cleanplate.learn(source, method="candidates").plate
    assert not np.array_equal(plate, start)


def test_the_plates_that_are_trained_are_known_by_their_file_names() -> None:
    assert {"pooled", "bootstrap", "median"} <= set(known_plates())
    with pytest.raises(UnknownNameError, match="did you mean 'pooled'"):
        resolve({"init": "poled"})


def test_motion_grows_with_the_length_of_the_flow_up_to_one() -> None:
    flow = torch.zeros(1, 2, 4, 400)
    flow[0, :, 0, 0] = torch.tensor([0.3, 0.4])
    flow[0, :, 0, 1] = torch.tensor([3.0, 4.0])
    length_at_end = 400 * 255 / 40_000
    expected = torch.tensor([0.5 / length_at_end, 1.0, 0.0])
    torch.testing.assert_close(motion(flow)[0, 0, 0, :3], expected)


def test_what_moves_and_frames_that_differ_as_a_whole_count_less() -> None:
    frames, _ = visited_often(0)
    batch = FrameBatch(to_tensor(frames[:4]), {Modality.FLOW: torch.full((4, 2, 40, 56), 9.0)})
    model = _Still(to_tensor(frames[2:3]))
    (phase,) = Bootstrapping().phases()
    (still,) = Bootstrapping(flow_strength=0.0).phases()
    (equal,) = Bootstrapping(flow_strength=0.0, frame_strength=0.0).phases()
    moving, standing, unweighted = (
        float(part.loss(model, batch, 1.0)["bootstrapped"]) for part in (phase, still, equal)
    )
    assert moving == pytest.approx(standing * np.exp(-2), rel=1e-5)
    assert standing < unweighted


class _Still(torch.nn.Module):
    def __init__(self, plate: torch.Tensor) -> None:
        super().__init__()
        self.plate = plate

    def estimate_background(self, batch: FrameBatch) -> torch.Tensor:
        return self.plate.expand(batch.rgb.shape)
