"""The second network learns what the first one makes of the frames, and learns it better."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.coupled_ae import CoupledAE, CoupledAESettings
from cleanplate.objectives.coupled import Coupled
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingSettings
from scenes import PaintedScene, paint_scene

STEPS = 150


def build(scene: PaintedScene, *, tolerance: float = 30.0, spread_factor: float = 2.0) -> CoupledAE:
    settings = CoupledAESettings(tolerance=tolerance, spread_factor=spread_factor)
    return CoupledAE(settings, BuildContext(scene.start_plate()))


def learned(scene: PaintedScene, objective: Coupled, *, seed: int) -> CoupledAE:
    torch.manual_seed(seed)
    model = build(scene)
    trainer = Trainer(
        model,
        objective.phases(),
        settings=TrainingSettings(),
        budget=Budget(steps=STEPS),
        seed=seed,
    )
    frames = to_tensor(scene.frames)
    trainer.train(lambda places: FrameBatch(frames[torch.from_numpy(places)]), len(scene))
    return model


def grey_levels(backgrounds: Tensor) -> np.ndarray:
    return backgrounds.detach().clamp(0, 1).mul(255).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_second_background_is_nearer_to_the_truth_than_the_first(seed: int) -> None:
    """The first network pays as published, for every difference: it keeps ghosts."""
    scene = paint_scene(32, 48, 40, drift=25, squares=3, seed=seed)
    model = learned(scene, Coupled(loss="mse", learning_rate=2e-3), seed=seed)
    batch = FrameBatch(to_tensor(scene.frames))
    with torch.no_grad():
        backgrounds = (model.extract(batch.rgb), model.estimate_background(batch))
    first, second = (grey_levels(each) for each in backgrounds)
    assert scene.age(second) < 0.5 * scene.age(first)
    plates = [np.median(each, axis=0) for each in (first, second)]
    errors = [np.abs(plate - scene.best_still_plate().astype(np.float32)) for plate in plates]
    assert errors[1].mean() < 0.5 * errors[0].mean()
    still = np.broadcast_to(scene.best_still_plate(), scene.frames.shape)
    assert scene.age(second) < 0.5 * scene.age(still)  # not by giving one picture for all frames


def test_a_pixel_is_replaced_where_it_differs_by_more_than_its_tolerance() -> None:
    model = build(paint_scene(16, 20, 4), tolerance=30, spread_factor=2.0)
    with torch.no_grad():
        model.spread.fill_(6 / 255)
        model.spread[..., 10:] = 20 / 255
    background = torch.full((1, 3, 16, 20), 0.5)
    frames = background + 15 / 255  # 45 grey levels over the three colours
    frames[:, :, 0] += 15 / 255  # 90
    frames[:, :, 1] -= 29 / 255  # 42 the other way
    cleaned, accepted = model.separate(frames, background)
    expected = torch.zeros(1, 1, 16, 20, dtype=torch.bool)
    expected[..., 10:] = True  # up to 70 here, up to 42 on the left
    expected[..., 0, :] = False
    expected[..., 1, :] = True
    assert torch.equal(accepted, expected)
    assert torch.equal(cleaned, torch.where(expected, frames, background))


def test_with_no_tolerance_the_second_network_sees_the_first_background_alone() -> None:
    scene = paint_scene(16, 20, 4)
    model = build(scene, tolerance=0, spread_factor=0)
    frames = to_tensor(scene.frames)
    background = torch.full_like(frames, 0.3)
    assert torch.equal(model.separate(frames, background).frames, background)


def test_what_the_second_network_pays_for_does_not_reach_the_first() -> None:
    scene = paint_scene(16, 20, 4)
    model, objective = build(scene), Coupled(strength=0)
    batch = FrameBatch(to_tensor(scene.frames))
    extraction, learning = objective.phases()
    torch.stack(list(learning.loss(model, batch, 1.0).values())).sum().backward()
    assert {name.partition(".")[0] for name, value in gradients(model).items()} == {"second"}
    model.zero_grad(set_to_none=True)
    torch.stack(list(extraction.loss(model, batch, 1.0).values())).sum().backward()
    assert {name.partition(".")[0] for name in gradients(model)} == {"first", "spread"}


def test_the_second_network_learns_from_what_it_will_see() -> None:
    scene = paint_scene(32, 48, 4)
    model, frames = build(scene), to_tensor(scene.frames)
    contested = torch.zeros(1, 1, 32, 48, dtype=torch.bool)
    contested[..., 10:20, 10:30] = True
    batch = FrameBatch(frames, expected=torch.zeros_like(frames), contested=contested)
    seen: list[Tensor] = []
    model.second.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach()))
    with torch.no_grad():
        model.estimate_background(batch)  # with who stands at contested places in the frames
        Coupled().phases()[1].loss(model, batch, 1.0)
    assert torch.equal(*seen)


def gradients(model: CoupledAE) -> dict[str, Tensor]:
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def test_the_second_network_may_pay_for_accepted_pixels_alone() -> None:
    scene = paint_scene(16, 20, 4)
    model = build(scene, tolerance=0, spread_factor=0)
    batch = FrameBatch(1 - to_tensor(scene.frames))  # nothing that the plate explains
    losses = []
    for accepted_only in (False, True):
        _, learning = Coupled(second_loss="l1", accepted_only=accepted_only).phases()
        with torch.no_grad():
            model.second.decoder.to_image.bias.fill_(0.1)  # type: ignore[union-attr]
            losses.append(float(learning.loss(model, batch, 1.0)["l1"]))
    assert losses == pytest.approx([0.1, 0.0], abs=1e-6)


def test_the_spread_becomes_the_median_difference_of_a_pixel() -> None:
    scene = paint_scene(16, 20, 4)
    model = build(scene)
    frames = to_tensor(scene.frames)
    extraction, _ = Coupled().phases()
    optimizer = torch.optim.SGD([model.spread], lr=4.0)
    for _ in range(300):
        optimizer.zero_grad()
        extraction.loss(model, FrameBatch(frames), 0.0)["spread"].backward()
        optimizer.step()
    with torch.no_grad():
        residual = (frames - model.extract(frames)).abs().sum(dim=1, keepdim=True)
    lower, upper = residual.sort(dim=0).values[1:3]
    inside = (model.spread[0] >= lower - 8e-3) & (model.spread[0] <= upper + 8e-3)
    assert inside.float().mean() > 0.95
