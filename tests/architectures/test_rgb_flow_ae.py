"""What makes `rgb_flow_ae` itself: flow at the input, and what moves counts less in the loss."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.rgb_flow_ae import ARCHITECTURE, RGBFlowAE, RGBFlowAESettings
from cleanplate.frames import Modality, Picture
from cleanplate.losses import LOSS_NAMES, reconstruction_terms
from cleanplate.objectives.weighted_reconstruction import FlowWeightedReconstruction, flow_weight
from cleanplate.tensor_tools.batch import FrameBatch, make_batch, to_pictures
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingSettings
from scenes import PaintedScene, paint_plate, paint_scene


def whole(scene: PaintedScene) -> FrameBatch:
    return make_batch(scene.frames, scene.extras(ARCHITECTURE.modalities))


def backgrounds_after_learning(
    scene: PaintedScene, plate: Picture, objective: FlowWeightedReconstruction, steps: int
) -> Picture:
    torch.manual_seed(0)
    model = RGBFlowAE(RGBFlowAESettings(width=8), BuildContext(plate))
    trainer = Trainer(
        model,
        objective.phases(),
        settings=TrainingSettings(warmup_steps=5),
        budget=Budget(steps=steps),
    )
    batch = whole(scene)

    def read_batch(places: np.ndarray) -> FrameBatch:
        return FrameBatch(batch.rgb[places], {Modality.FLOW: batch.read(Modality.FLOW)[places]})

    trainer.train(read_batch, len(scene))
    with torch.no_grad():
        return to_pictures(model.estimate_background(batch))


def error_where_squares_pass(scene: PaintedScene, backgrounds: Picture) -> float:
    """Mean absolute error of the backgrounds under the squares, in grey levels."""
    difference = np.abs(backgrounds.astype(float) - scene.backgrounds)
    return float(difference[scene.masks > 0].mean())


# The weight


def weight_by_hand(right: float, down: float, width: int, strength: float) -> float:
    saturation = width * 255 / 40_000
    return math.exp(-strength * min(1.0, math.hypot(right, down) / saturation))


@pytest.mark.parametrize("strength", [0.0, 2.0, 5.0])
@pytest.mark.parametrize("width", [40, 320])
def test_the_weight_is_that_of_a_slow_reference(width: int, strength: float) -> None:
    flow = torch.randn(2, 2, 5, width)
    weight = flow_weight(flow, strength)
    assert weight.shape == (2, 1, 5, width)
    for frame, row, column in [(0, 0, 0), (0, 4, 7), (1, 2, 39), (1, 3, 20)]:
        right, down = flow[frame, :, row, column].tolist()
        expected = weight_by_hand(right, down, width, strength)
        assert float(weight[frame, 0, row, column]) == pytest.approx(expected, rel=1e-5)


def test_what_moves_at_full_speed_counts_as_the_paper_says() -> None:
    flow = torch.zeros(1, 2, 4, 4)
    flow[:, 0, :2] = 100.0
    weight = flow_weight(flow, 2.0)
    assert torch.allclose(weight[..., :2, :], torch.tensor(math.exp(-2)))
    assert (weight[..., 2:, :] == 1).all()


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_every_loss_takes_the_weight(loss: str) -> None:
    scene = paint_scene(32, 48, 4)
    batch = whole(scene)
    model = RGBFlowAE(RGBFlowAESettings(width=8), BuildContext(scene.start_plate())).eval()
    objective = FlowWeightedReconstruction.parse({"loss": loss, "flow_strength": 3.0})
    with torch.no_grad():
        (phase,) = objective.phases()
        terms = phase.loss(model, batch, 1.0)
        expected = reconstruction_terms(
            loss,
            model.estimate_background(batch),
            batch.rgb,
            weight=flow_weight(batch.read(Modality.FLOW), 3.0),
            strength=objective.strength,
        )
    assert terms == expected


def learned_error(scene: PaintedScene, flow_strength: float) -> float:
    objective = FlowWeightedReconstruction(
        loss="mse", flow_strength=flow_strength, learning_rate=3e-3
    )
    # The mean of the frames is what mse alone would keep for ever: with the ghosts of the squares.
    ghosts = scene.frames.mean(axis=0).astype(np.uint8)
    return error_where_squares_pass(
        scene, backgrounds_after_learning(scene, ghosts, objective, steps=120)
    )


def test_the_background_behind_what_moves_is_nearer_to_the_truth_by_the_weight() -> None:
    scene = paint_scene(48, 64, 40, squares=2, noise=1)
    assert learned_error(scene, 2.0) < 0.8 * learned_error(scene, 0.0)


# The target and the input


def test_the_estimate_is_the_frame_where_nothing_moves() -> None:
    scene = paint_scene(32, 48, 12, squares=0, noise=0)
    grey = np.full_like(paint_plate(32, 48), 128)
    before = scene.age(np.broadcast_to(grey, scene.frames.shape))
    objective = FlowWeightedReconstruction(learning_rate=5e-3)
    after = scene.age(backgrounds_after_learning(scene, grey, objective, steps=250))
    assert before > 15
    assert after < 3


def background(model: RGBFlowAE, batch: FrameBatch, flow: Tensor) -> Tensor:
    with torch.no_grad():
        return model.estimate_background(FrameBatch(batch.rgb, {Modality.FLOW: flow}))


def test_the_flow_reaches_the_code_and_no_motion_is_too_fast_for_it() -> None:
    scene = paint_scene(32, 48, 4)
    model, batch = (
        RGBFlowAE(RGBFlowAESettings(), BuildContext(scene.start_plate())).eval(),
        whole(scene),
    )
    still = torch.zeros_like(batch.read(Modality.FLOW))
    with torch.no_grad():
        codes = [
            model.codes(FrameBatch(batch.rgb, {Modality.FLOW: flow}))
            for flow in (still, still + 2, still + 1000, still + 60_000)
        ]
    assert not torch.allclose(codes[0], codes[1], atol=1e-3)
    assert torch.allclose(codes[2], codes[3])


def test_motion_is_measured_by_the_width_of_the_frame() -> None:
    settings = RGBFlowAESettings(flow_scale=0.1)
    model = RGBFlowAE(settings, BuildContext(paint_plate(32, 40)))
    seen: list[Tensor] = []
    model.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    batch = make_batch(paint_plate(32, 40)[None], {})
    background(model, batch, torch.full((1, 2, 32, 40), 4.0))
    assert seen[0].shape == (1, 5, 32, 40)
    assert torch.allclose(seen[0][:, 3:], torch.tensor(1.0).tanh())
