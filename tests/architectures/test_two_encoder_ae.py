"""What makes `two_encoder_ae` itself: two encoders, one decoder, and an answer without flow."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.two_encoder_ae import (
    ARCHITECTURE,
    TwoEncoderAE,
    TwoEncoderAESettings,
)
from cleanplate.frames import Modality, Picture
from cleanplate.objectives.weighted_reconstruction import FlowWeightedReconstruction
from cleanplate.tensor_tools.batch import FrameBatch, make_batch, to_pictures
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingSettings
from scenes import PaintedScene, paint_plate, paint_scene


def whole(scene: PaintedScene) -> FrameBatch:
    return make_batch(scene.frames, scene.extras(ARCHITECTURE.modalities))


def without_flow(batch: FrameBatch) -> FrameBatch:
    return FrameBatch(batch.rgb)


def build(scene: PaintedScene, **settings: float) -> TwoEncoderAE:
    torch.manual_seed(0)
    return TwoEncoderAE(TwoEncoderAESettings.parse(settings), BuildContext(scene.start_plate()))


def train(model: TwoEncoderAE, scene: PaintedScene, steps: int, rate: float = 3e-3) -> None:
    trainer = Trainer(
        model,
        FlowWeightedReconstruction(learning_rate=rate).phases(),
        settings=TrainingSettings(warmup_steps=5),
        budget=Budget(steps=steps),
    )
    batch = whole(scene)

    def read_batch(places: np.ndarray) -> FrameBatch:
        return FrameBatch(batch.rgb[places], {Modality.FLOW: batch.read(Modality.FLOW)[places]})

    trainer.train(read_batch, len(scene))


def backgrounds(model: TwoEncoderAE, batch: FrameBatch) -> Picture:
    with torch.no_grad():
        return to_pictures(model.eval().estimate_background(batch))


def norm_of_gradient(module: nn.Module) -> float:
    return sum(float(parameter.grad.norm()) for parameter in module.parameters())


# With and without flow


def test_without_flow_the_background_is_nearly_as_good_as_with_it() -> None:
    scene = paint_scene(32, 48, 40, drift=40, noise=1, squares=1)
    model = build(scene, width=8)
    train(model, scene, 150)
    batch = whole(scene)
    still = scene.age(np.broadcast_to(scene.best_still_plate(), scene.frames.shape))
    with_flow = scene.age(backgrounds(model, batch))
    alone = scene.age(backgrounds(model, without_flow(batch)))
    assert with_flow < 0.5 * still
    assert alone < 1.5 * with_flow


def test_the_code_that_stands_in_for_the_flow_is_learned() -> None:
    scene = paint_scene(32, 48, 12, drift=40)
    model = build(scene, flow_dropout=0.5)
    train(model, scene, 12)
    assert model.no_flow.detach().abs().max() > 1e-4


def test_a_frame_in_which_the_flow_is_dropped_is_learned_from_as_if_it_had_none() -> None:
    scene = paint_scene(32, 48, 4)
    model, batch = build(scene, flow_dropout=0.999), whole(scene)
    with torch.no_grad():
        dropped = model.train().codes(batch)
        assert torch.allclose(dropped, model.codes(without_flow(batch)), atol=1e-6)
        assert not torch.allclose(dropped, model.eval().codes(batch), atol=1e-4)


def test_nothing_is_dropped_when_it_is_asked_for_a_background() -> None:
    scene = paint_scene(32, 48, 4)
    model, batch = build(scene, flow_dropout=0.9).eval(), whole(scene)
    with torch.no_grad():
        assert torch.equal(model.codes(batch), model.codes(batch))


# Two encoders, one decoder


def test_both_encoders_receive_gradients() -> None:
    scene = paint_scene(32, 48, 8, drift=40)
    model, batch = build(scene, flow_dropout=0.3), whole(scene)
    train(model, scene, 2)  # the last layer of the decoder starts from zero
    model.train().zero_grad()
    (phase,) = FlowWeightedReconstruction().phases()
    torch.stack(list(phase.loss(model, batch, 0.5).values())).sum().backward()
    assert norm_of_gradient(model.rgb_encoder) > 0
    assert norm_of_gradient(model.flow_encoder) > 0


def test_the_codes_are_joined_before_the_decoder() -> None:
    scene = paint_scene(32, 48, 4)
    model, batch = build(scene, latent_dim=5, flow_dim=3).eval(), whole(scene)
    with torch.no_grad():
        codes = model.codes(batch)
        assert codes.shape == (4, 5)
        still = FrameBatch(batch.rgb, {Modality.FLOW: torch.zeros(4, 2, 32, 48)})
        assert not torch.allclose(codes, model.codes(still), atol=1e-4)
        grey = FrameBatch(torch.full_like(batch.rgb, 0.5), batch.extras)
        assert not torch.allclose(codes, model.codes(grey), atol=1e-4)


def test_the_estimate_is_the_frame_and_not_the_flow_where_nothing_moves() -> None:
    scene = paint_scene(32, 48, 12, squares=0, noise=0)
    torch.manual_seed(0)
    grey = np.full_like(paint_plate(32, 48), 128)
    model = TwoEncoderAE(TwoEncoderAESettings(width=8), BuildContext(grey))
    train(model, scene, 250, rate=5e-3)
    assert scene.age(np.broadcast_to(grey, scene.frames.shape)) > 15
    assert scene.age(backgrounds(model, whole(scene))) < 3
