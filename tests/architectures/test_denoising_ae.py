"""The network sees corrupted frames, is compared with clean ones, and takes out what is pasted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.denoising_ae import DenoisingAE, DenoisingAESettings
from cleanplate.frames import Picture
from cleanplate.model import BackgroundModel
from cleanplate.objectives.denoising import Denoising
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingSettings
from scenes import PaintedScene, paint_scene

NO_CORRUPTION = {"patches": 0, "gaussian": 0.0}


class Echo(BackgroundModel):
    """Gives back what it sees, and remembers it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.seen: Tensor | None = None

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        self.seen = batch.rgb
        return self.weight * batch.rgb


def terms(objective: Denoising, model: BackgroundModel, frames: Tensor) -> Mapping[str, Tensor]:
    (phase,) = objective.phases()
    return phase.loss(model, FrameBatch(frames), 1.0)


@pytest.mark.parametrize(
    "corruption",
    [{"patches": 4}, {"gaussian": 20.0}, {"masking": 0.3}, {"salt_and_pepper": 0.3}],
    ids=lambda each: next(iter(each)),
)
def test_the_network_sees_the_corrupted_frame_and_is_compared_with_the_clean_one(
    corruption: dict[str, float],
) -> None:
    torch.manual_seed(3)
    frames = to_tensor(paint_scene(32, 48, 4).frames)
    model = Echo()
    objective = Denoising.model_validate({"loss": "l1", **NO_CORRUPTION, **corruption})
    error = terms(objective, model, frames)["l1"]
    assert model.seen is not None
    assert not torch.equal(model.seen, frames)
    assert float(error.detach()) == pytest.approx(
        float((model.seen - frames).abs().mean()), rel=1e-5
    )


def test_without_corruption_it_is_an_auto_encoder() -> None:
    frames = to_tensor(paint_scene(32, 48, 2).frames)
    objective = Denoising.model_validate({"loss": "l1", **NO_CORRUPTION})
    assert terms(objective, Echo(), frames)["l1"].item() == 0


def build(scene: PaintedScene, **settings: float) -> DenoisingAE:
    return DenoisingAE(
        DenoisingAESettings.model_validate(settings), BuildContext(scene.start_plate())
    )


def test_a_further_pass_sees_the_background_where_the_residual_is_large() -> None:
    scene = paint_scene(32, 48, 3)
    model = build(scene, passes=2, tolerance=60.0).eval()
    with torch.no_grad():
        model.decoder.to_image.bias.fill_(0.02)  # type: ignore[union-attr]
    frames = to_tensor(scene.frames)
    seen: list[Tensor] = []
    original = model.reconstruct

    def spy(pictures: Tensor) -> Tensor:
        seen.append(pictures)
        return original(pictures)

    model.reconstruct = spy  # type: ignore[method-assign]
    with torch.no_grad():
        model.estimate_background(FrameBatch(frames))
        first = original(frames)
    is_near = (frames - first).abs().sum(dim=1, keepdim=True) < 60 / 255
    assert len(seen) == 2
    assert torch.equal(seen[0], frames)
    assert torch.equal(seen[1], torch.where(is_near, frames, first))
    assert 0 < float(is_near.float().mean()) < 1
    model.train()
    model.estimate_background(FrameBatch(frames))
    assert len(seen) == 3  # in training one pass, as the published network learns


def with_a_pasted_car(pictures: Picture) -> tuple[Picture, tuple[slice, ...]]:
    """A colour and a texture that no frame had."""
    place = (slice(None), slice(8, 22), slice(14, 34))
    pasted = pictures.copy()
    pasted[place] = (230, 20, 120)
    pasted[:, 8:22:3, 14:34] = (20, 240, 230)
    return pasted, place


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_a_pasted_object_that_was_never_seen_is_taken_out(seed: int) -> None:
    scene = paint_scene(32, 48, 60, drift=25, squares=2, seed=seed)
    torch.manual_seed(seed)
    model = build(scene)
    trainer = Trainer(
        model,
        Denoising(learning_rate=2e-3, ramp=0).phases(),
        settings=TrainingSettings(),
        budget=Budget(steps=400),
        seed=seed,
    )
    tensor = to_tensor(scene.frames)
    trainer.train(lambda places: FrameBatch(tensor[torch.from_numpy(places)]), len(scene))
    pasted, car = with_a_pasted_car(scene.frames)
    with torch.no_grad():
        estimate = model.estimate_background(FrameBatch(to_tensor(pasted)))
    background = estimate.mul(255).permute(0, 2, 3, 1).numpy()
    truth = scene.backgrounds.astype(np.float32)
    still = np.abs(scene.best_still_plate() - truth).mean()
    assert np.abs(background - truth)[car].mean() < still
    # Without learning it draws the plate: the light is followed although the car is there.
    assert np.abs(background - truth).mean() < 0.8 * still
