"""What makes `rgb_mask_ae` itself: what the mask covers is painted in, not copied."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.rgb_mask_ae import (
    ARCHITECTURE,
    RGBMaskAE,
    RGBMaskAESettings,
    grown,
)
from cleanplate.frames import Modality, Picture
from cleanplate.modalities import ModalitySettings
from cleanplate.objectives.weighted_reconstruction import MaskedReconstruction
from cleanplate.tensor_tools.batch import FrameBatch, make_batch, to_pictures
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingSettings
from scenes import PaintedScene, paint_plate, paint_scene


def whole(scene: PaintedScene, source: str = "median") -> FrameBatch:
    settings = ModalitySettings.parse({"mask": {"source": source}})
    return make_batch(scene.frames, scene.extras(ARCHITECTURE.modalities, settings))


def build(scene: PaintedScene, **settings: object) -> RGBMaskAE:
    torch.manual_seed(0)
    return RGBMaskAE(RGBMaskAESettings.parse(settings), BuildContext(scene.start_plate()))


def train(
    model: RGBMaskAE, batch: FrameBatch, objective: MaskedReconstruction, steps: int
) -> RGBMaskAE:
    trainer = Trainer(
        model,
        objective.phases(),
        settings=TrainingSettings(warmup_steps=5),
        budget=Budget(steps=steps),
    )

    def read_batch(places: np.ndarray) -> FrameBatch:
        return FrameBatch(batch.rgb[places], {Modality.MASK: batch.read(Modality.MASK)[places]})

    trainer.train(read_batch, len(batch.rgb))
    return model.eval()


def background(model: RGBMaskAE, batch: FrameBatch) -> Tensor:
    with torch.no_grad():
        return model.estimate_background(batch)


def repainted(batch: FrameBatch, colour: Tensor) -> FrameBatch:
    """The same frames with other colours under the mask."""
    return FrameBatch(torch.where(batch.read(Modality.MASK) > 0, colour, batch.rgb), batch.extras)


# Painting in


@pytest.mark.parametrize("form", ["residual", "plain"])
@pytest.mark.parametrize("working_pixels", ["auto", 600])
def test_no_colour_under_the_mask_reaches_the_background(
    form: str, working_pixels: str | int
) -> None:
    scene = paint_scene(32, 48, 6, drift=25)
    batch = whole(scene)
    model = build(scene, form=form, working_pixels=working_pixels)
    train(model, batch, MaskedReconstruction(), 3)
    expected = background(model, batch)
    for colour in (torch.zeros(()), torch.ones(()), torch.rand_like(batch.rgb)):
        assert torch.equal(background(model, repainted(batch, colour)), expected)


def test_a_colour_beside_the_mask_does_reach_the_background() -> None:
    scene = paint_scene(32, 48, 6, drift=25)
    batch = whole(scene)
    model = train(build(scene), batch, MaskedReconstruction(), 3)
    brighter = FrameBatch(batch.rgb + 0.2, batch.extras)
    assert not torch.allclose(background(model, brighter), background(model, batch), atol=1e-4)


@pytest.mark.parametrize("source", ["median", "mog2"])
def test_the_background_follows_the_light_with_every_source_of_masks(source: str) -> None:
    scene = paint_scene(32, 48, 40, drift=25, noise=1, squares=2)
    batch = whole(scene, source)
    model = train(build(scene, width=8), batch, MaskedReconstruction(learning_rate=3e-3), 150)
    still = scene.age(np.broadcast_to(scene.best_still_plate(), scene.frames.shape))
    assert scene.age(to_pictures(background(model, batch))) < 0.5 * still


def error_under_the_mask(mask_weight: float) -> float:
    """Error of the learned background where a square stands that the mask covers."""
    scene = paint_scene(32, 48, 16, squares=0, noise=1)
    covered = np.s_[:, 10:20, 14:30]
    seen = scene.frames.copy()
    seen[covered] = 250
    mask = np.zeros((len(scene), 1, *scene.size), np.float32)
    mask[:, :, 10:20, 14:30] = 1
    batch = make_batch(seen, {Modality.MASK: mask})
    objective = MaskedReconstruction(loss="mse", mask_weight=mask_weight, learning_rate=3e-3)
    pictures = to_pictures(background(train(build(scene, width=8), batch, objective, 60), batch))
    return float(np.abs(pictures.astype(float) - scene.backgrounds)[covered].mean())


def test_what_the_mask_covers_is_not_learned() -> None:
    assert error_under_the_mask(0.0) < 0.25 * error_under_the_mask(1.0)


def test_the_estimate_is_the_frame_where_nothing_moves() -> None:
    scene = paint_scene(32, 48, 12, squares=0, noise=0)
    grey: Picture = np.full_like(paint_plate(32, 48), 128)
    torch.manual_seed(0)
    model = RGBMaskAE(RGBMaskAESettings(width=8), BuildContext(grey))
    train(model, whole(scene), MaskedReconstruction(learning_rate=5e-3), 250)
    assert scene.age(np.broadcast_to(grey, scene.frames.shape)) > 15
    assert scene.age(to_pictures(background(model, whole(scene)))) < 3


# The weight and the masks of learning


def test_the_weight_is_small_under_the_mask_and_1_beside_it() -> None:
    mask = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    batch = FrameBatch(torch.zeros(1, 3, 2, 2), {Modality.MASK: mask})
    weight = MaskedReconstruction(mask_weight=0.25).pixel_weight(batch)
    assert weight is not None
    assert weight.tolist() == [[[[1.0, 0.25], [0.25, 1.0]]]]


@pytest.mark.parametrize("margin", [0, 1, 3])
def test_a_mask_grows_by_the_margin_to_each_side(margin: int) -> None:
    mask = torch.zeros(1, 1, 15, 17)
    mask[..., 7, 8] = 1
    expected = torch.zeros_like(mask)
    expected[..., 7 - margin : 8 + margin, 8 - margin : 9 + margin] = 1
    assert torch.equal(grown(mask, margin), expected)


def masks_seen_in(mode: bool, **settings: object) -> Tensor:
    """Share of each frame that is covered at the encoder, for many frames with one mask."""
    scene = paint_scene(32, 48, 4)
    model = build(scene, **settings).train(mode)
    seen: list[Tensor] = []
    model.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][:, 3]))
    mask = torch.zeros(16, 1, 32, 48)
    mask[..., 10:20, 10:20] = 1
    batch = FrameBatch(torch.zeros(16, 3, 32, 48), {Modality.MASK: mask})
    for _ in range(8):
        background(model, batch)
    return torch.cat(seen).mean(dim=(1, 2)) * 32 * 48


def test_masks_are_dropped_and_grown_while_learning_only() -> None:
    varied = masks_seen_in(True, mask_dropout=0.5, mask_dilation=0.1)
    assert 0.3 < float((varied < 0.5).float().mean()) < 0.7
    areas = set(varied[varied > 0.5].round().int().tolist())
    assert areas <= {100, 144, 196, 256}
    assert len(areas) > 1
    assert torch.allclose(masks_seen_in(False), torch.tensor(100.0))
