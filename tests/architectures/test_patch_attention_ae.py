"""What makes `patch_attention_ae` itself: shortcuts that pass what stands still, and only that."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.patch_attention_ae import PatchAttentionAE, PatchAttentionAESettings
from cleanplate.losses import LOSS_NAMES
from cleanplate.objectives.attention import GatedEstimate, GatedReconstruction
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingSettings
from scenes import PaintedScene, as_bytes, paint_scene

_CLOUDS = 3
"""Standard deviation of the clouds, in grey levels."""


class Held(nn.Module):
    """A gate that is held at one logit."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.tensor(logit))

    def forward(self, residual: Tensor, _drawn: Tensor) -> Tensor:
        return self.logit.expand_as(residual[:, :1])


class Learned(NamedTuple):
    """A network, with frames that it has not seen."""

    model: PatchAttentionAE
    frames: Tensor
    backgrounds: Tensor
    is_moving: Tensor


def cloudy_scene() -> PaintedScene:
    """Squares that cross drifting light and clouds, which no small code can hold."""
    scene = paint_scene(48, 64, 80, drift=25, noise=2, squares=3)
    random = np.random.default_rng(0)
    rough = random.normal(0, 1, (len(scene), *scene.size))
    clouds = np.stack([cv2.GaussianBlur(each, (0, 0), 5.0) for each in rough])[..., None]
    clouds *= _CLOUDS / clouds.std()
    is_moving = scene.masks[..., None] > 0
    return dataclasses.replace(
        scene,
        frames=np.where(is_moving, scene.frames, as_bytes(scene.frames + clouds)),
        backgrounds=as_bytes(scene.backgrounds + clouds),
    )


def build(plate: np.ndarray, **settings: object) -> PatchAttentionAE:
    torch.manual_seed(0)
    return PatchAttentionAE(PatchAttentionAESettings.parse(settings), BuildContext(plate))


@pytest.fixture(scope="module")
def learned() -> Learned:
    scene = cloudy_scene()
    torch.set_num_threads(1)  # a module's fixture runs before the one that does it for each test
    model, is_held_out = build(scene.start_plate()), np.arange(len(scene)) % 4 == 0
    seen = to_tensor(scene.frames[~is_held_out])
    trainer = Trainer(
        model,
        GatedReconstruction(learning_rate=2e-3).phases(),
        settings=TrainingSettings(),
        budget=Budget(steps=220),
    )
    trainer.train(lambda places: FrameBatch(seen[torch.from_numpy(places)]), len(seen))
    return Learned(
        model,
        to_tensor(scene.frames[is_held_out]),
        to_tensor(scene.backgrounds[is_held_out]),
        torch.from_numpy(scene.masks[is_held_out] > 0)[:, None],
    )


def errors(learned: Learned) -> tuple[float, float]:
    """Mean error of the background on what moves and elsewhere, in grey levels."""
    with torch.no_grad():
        estimate = learned.model.estimate_background(FrameBatch(learned.frames))
    error = 255 * (estimate - learned.backgrounds).abs().mean(dim=1, keepdim=True)
    return float(error[learned.is_moving].mean()), float(error[~learned.is_moving].mean())


def test_the_gate_is_closed_on_what_moves_and_open_elsewhere(learned: Learned) -> None:
    with torch.no_grad():
        gate = learned.model.background_probability(FrameBatch(learned.frames))
    assert float(gate[learned.is_moving].mean()) < 0.2
    assert float(gate[~learned.is_moving].mean()) > 0.8


def test_a_gate_that_is_held_open_takes_in_what_moves(
    learned: Learned, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_what_moves, elsewhere = errors(learned)
    monkeypatch.setattr(learned.model, "gate", Held(20.0))
    on_what_moves_when_open, _ = errors(learned)
    assert on_what_moves < 2 * elsewhere
    assert on_what_moves_when_open > 1.5 * on_what_moves


# The shortcuts


def unlearned() -> tuple[PatchAttentionAE, FrameBatch]:
    """A network that draws something, and frames for it."""
    model = build(np.full((37, 53, 3), 90, np.uint8))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval(), FrameBatch(torch.rand(2, 3, 37, 53))


def drawn_from_other_features(gate: float) -> Tensor:
    """What changes of a picture when the features of the shortcuts do, and the code does not."""
    model, batch = unlearned()
    with torch.no_grad():
        features = model.encoder.features(model.grid.cut(model.view.reduce(batch.rgb)))
        codes = model.encoder.to_codes(features[-1])
        held = torch.full((2, 1, *model.view.size), gate)
        others = [torch.randn_like(maps) for maps in features]
        return (model.draw(codes, features, held) - model.draw(codes, others, held)).abs().amax()


def test_through_a_closed_gate_the_picture_knows_nothing_of_the_shortcuts() -> None:
    assert float(drawn_from_other_features(gate=0.0)) == 0
    assert float(drawn_from_other_features(gate=1.0)) > 0.01


def test_through_a_closed_gate_the_picture_is_what_the_code_alone_draws() -> None:
    model, batch = unlearned()
    for logit, is_same in ((-200.0, True), (200.0, False)):
        model.gate = Held(logit)  # type: ignore[assignment]
        with torch.no_grad():
            estimate = model.gated_estimate(batch)
        assert torch.equal(estimate.background, estimate.code_background) is is_same


# The objective


def gradients_of(model: PatchAttentionAE, loss: Tensor) -> set[str]:
    """First parts of the names of all parameters that a loss would change."""
    model.zero_grad()
    loss.backward()
    return {
        name.split(".")[0]
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and bool(parameter.grad.any())
    }


def terms_of(model: PatchAttentionAE, loss: str) -> dict[str, Tensor]:
    (phase,) = GatedReconstruction.parse({"loss": loss}).phases()
    return dict(phase.loss(model, FrameBatch(torch.rand(2, 3, 32, 48)), 1.0))


@pytest.mark.parametrize("form", ["residual", "plain"])
def test_redrawing_the_frame_does_not_move_the_gate_and_the_gate_moves_nothing_else(
    form: str,
) -> None:
    model = build(np.full((32, 48, 3), 90, np.uint8), form=form)
    terms = terms_of(model, "mse")
    assert terms.keys() == {"mse", "code_mse", "gate", "held_back"}
    assert "gate" not in gradients_of(model, terms["mse"] + terms["code_mse"])
    assert gradients_of(model, terms["gate"] + terms["held_back"]) == {"gate"}


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_every_loss_can_be_chosen(loss: str) -> None:
    model = build(np.full((32, 48, 3), 90, np.uint8))
    assert all(torch.isfinite(term) for term in terms_of(model, loss).values())


class Fixed:
    """A model that has drawn grey, with a gate and a residual that are given."""

    def __init__(self, residual: Tensor, gate_logits: Tensor) -> None:
        self._estimate = GatedEstimate(residual, residual, residual, gate_logits)

    def gated_estimate(self, _batch: FrameBatch) -> GatedEstimate:
        return self._estimate


def test_the_gate_is_to_be_closed_where_the_residual_is_large() -> None:
    residual = torch.full((1, 3, 8, 8), 4 / 255)
    residual[..., 4:] = -12 / 255
    target = GatedReconstruction().gate_target(residual)
    assert torch.equal(target[0, 0], (torch.arange(8) < 4).float().expand(8, 8))


def test_a_gate_that_agrees_with_the_residual_is_cheapest() -> None:
    residual = torch.zeros(1, 3, 8, 8)
    residual[..., 4:] = 0.5
    agreeing = 8 * GatedReconstruction().gate_target(residual) - 4
    (phase,) = GatedReconstruction().phases()
    prices = []
    for logits in (agreeing, torch.full_like(agreeing, 4.0), torch.full_like(agreeing, -4.0)):
        terms = phase.loss(Fixed(residual, logits), FrameBatch(residual), 1.0)
        prices.append(float(terms["gate"] + terms["held_back"]))
    assert prices == sorted(prices)
    assert prices[0] < 0.1 < prices[1]
