"""What makes `patch_ae` itself: no seams, and a code that is too small for a car that waits."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.patch_ae import PatchAE, PatchAESettings
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from cleanplate.training.budget import Budget
from cleanplate.training.trainer import Trainer, TrainingSettings
from scenes import PaintedScene, paint_scene

_SIDE = 16
"""Of the car that waits, and of the patches."""
_PLACE = (slice(None), slice(16, 16 + _SIDE), slice(16, 16 + _SIDE))
"""Where it waits: on a patch of its own."""


@cache
def drifting_scene() -> PaintedScene:
    """Light that drifts, and squares that cross it."""
    return paint_scene(48, 64, 60, drift=25, noise=2, squares=3)


@cache
def waiting_scene() -> PaintedScene:
    """Light that drifts, a square that passes, and cars that stop at one place, 2 frames of 5."""
    scene = paint_scene(48, 64, 60, drift=25, noise=2, squares=1)
    frames, masks = scene.frames.copy(), scene.masks.copy()
    cycle, phase = np.divmod(np.arange(len(scene)), 15)
    waits = phase < 6
    colours = np.array([[20, 30, 120], [200, 40, 60]])[cycle % 2]
    frames[_PLACE][waits] = colours[waits, None, None]
    masks[_PLACE][waits] = 255
    return dataclasses.replace(scene, frames=frames, masks=masks)


def build(settings: PatchAESettings, scene: PaintedScene) -> PatchAE:
    torch.manual_seed(0)
    return PatchAE(settings, BuildContext(scene.start_plate()))


def learned_backgrounds(
    scene: PaintedScene, settings: PatchAESettings, *, steps: int
) -> NDArray[np.float32]:
    """What a network has learned of the scene, `(N, H, W, 3)`, in grey levels."""
    model, frames = build(settings, scene), to_tensor(scene.frames)
    trainer = Trainer(
        model,
        Reconstruction(learning_rate=2e-3).phases(),
        settings=TrainingSettings(),
        budget=Budget(steps=steps),
    )
    trainer.train(lambda places: FrameBatch(frames[torch.from_numpy(places)]), len(frames))
    with torch.no_grad():
        estimates = model.estimate_background(FrameBatch(frames))
    return 255 * estimates.permute(0, 2, 3, 1).numpy()


def seam_energy(maps: NDArray[np.float32], stride: int) -> float:
    """Mean step from pixel to pixel across the edges of the patches, by that inside them."""
    across, inside = [], []
    for axis in (1, 2):
        steps = np.abs(np.diff(maps, axis=axis))
        at_edge = np.arange(1, maps.shape[axis]) % stride == 0
        across.append(np.compress(at_edge, steps, axis=axis).mean())
        inside.append(np.compress(~at_edge, steps, axis=axis).mean())
    return float(np.mean(across) / np.mean(inside))


def test_patches_that_overlap_show_no_seams_and_a_hard_tiling_does() -> None:
    energies = []
    for overlap, stride in ((0.5, _SIDE // 2), (0.0, _SIDE)):
        settings = PatchAESettings(patch=_SIDE, overlap=overlap)
        learned = learned_backgrounds(drifting_scene(), settings, steps=100)
        # The plate has edges of its own; how the picture changes from frame to frame has none.
        energies.append(seam_energy(learned - learned.mean(axis=0), stride))
    assert energies[0] < 1.3
    assert energies[1] > 1.6


def test_the_shared_code_follows_the_light_but_does_not_hold_the_car_that_waits() -> None:
    scene = waiting_scene()
    settings = PatchAESettings(patch=_SIDE, overlap=0)
    learned = learned_backgrounds(scene, settings, steps=180)
    still = np.broadcast_to(scene.best_still_plate(), scene.frames.shape)
    assert scene.age(learned) < 0.5 * scene.age(still)
    assert error_at_the_car(learned) < 6


def test_a_patch_with_a_code_of_its_own_draws_a_car_that_fills_it() -> None:
    settings = PatchAESettings(patch=_SIDE, overlap=0, codes="per_patch")
    learned = learned_backgrounds(waiting_scene(), settings, steps=180)
    assert error_at_the_car(learned) > 20


def error_at_the_car(learned: NDArray[np.float32]) -> float:
    scene = waiting_scene()
    waits = scene.masks[_PLACE].min(axis=(1, 2)) > 0
    truth = scene.backgrounds.astype(np.float32)
    return float(np.abs(learned - truth)[_PLACE][waits].mean())


@pytest.mark.parametrize("codes", ["shared", "per_patch"])
@pytest.mark.parametrize("form", ["residual", "plain"])
@pytest.mark.parametrize("overlap", [0, 0.3])
def test_every_form_takes_every_frame(codes: str, form: str, overlap: float) -> None:
    settings = PatchAESettings.parse({"codes": codes, "form": form, "overlap": overlap})
    for size in ((16, 16), (37, 53)):
        model = PatchAE(settings, BuildContext(np.full((*size, 3), 90, np.uint8)))
        assert model.estimate_background(random_batch(size)).shape == (3, 3, *size)


def test_the_residual_form_starts_from_the_plate() -> None:
    model = build(PatchAESettings(), drifting_scene())
    batch = random_batch((48, 64))
    assert torch.allclose(
        model.estimate_background(batch), model.view.plate.expand(3, -1, -1, -1), atol=1e-6
    )


def test_noise_is_added_while_the_network_learns_and_only_then() -> None:
    model = build(PatchAESettings(input_noise=0.2), drifting_scene())
    batch = random_batch((48, 64))

    def codes() -> Tensor:
        return model.codes(batch)

    assert not torch.equal(codes(), codes())
    model.eval()
    assert torch.equal(codes(), codes())


def random_batch(size: tuple[int, int]) -> FrameBatch:
    return FrameBatch(torch.rand(3, 3, *size))
