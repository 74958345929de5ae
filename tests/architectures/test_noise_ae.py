"""What makes `noise_ae`: it foresees its own error, and every layer knows where it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_architectures import learn, start_of
from torch import Tensor

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.noise_ae import (
    ARCHITECTURE,
    NoiseAE,
    NoiseAESettings,
    encoder_channels,
    generator_channels,
    shrinking_sizes,
)
from cleanplate.frames import FrameSize
from cleanplate.objectives.noise_estimation import Estimate, NoiseEstimation
from cleanplate.tensor_tools.batch import FrameBatch, make_batch, to_tensor
from lights import jumped
from scenes import PaintedScene, as_bytes, paint_plate, paint_scene


def restless_scene() -> PaintedScene:
    """A still scene whose right half flickers, as leaves do."""
    scene = paint_scene(32, 48, 40, squares=0, noise=1)
    flicker = np.random.default_rng(0).normal(0, 25, (40, 32, 24, 1))
    frames = scene.frames.astype(np.float32)
    frames[:, :, 24:] += flicker
    return PaintedScene(as_bytes(frames), scene.backgrounds, scene.masks)


def test_the_expected_error_is_larger_where_the_scene_is_restless() -> None:
    scene = restless_scene()
    model = learn(scene, "method=noise_ae", "budget=150steps", "objective.strength=0.5")
    assert isinstance(model, NoiseAE)
    with torch.no_grad():
        noise = model.estimate(make_batch(scene.frames, {})).noise.mean((0, 1))
    still, restless = float(noise[:, :20].mean()), float(noise[:, 28:].mean())
    assert restless > 2 * still


def test_a_code_shows_light_of_a_few_grey_levels_beside_the_coordinates() -> None:
    """At 0.07 to 0.17 of the code the generator learned to look away from it, on a real road."""
    plate = paint_plate(120, 160, seed=4)
    lights = make_batch(np.stack([jumped(plate, -5), jumped(plate, 5)]), {})
    for seed in range(4):
        torch.manual_seed(seed)
        model = ARCHITECTURE.build(NoiseAESettings(), BuildContext(plate))
        assert isinstance(model, NoiseAE)
        with torch.no_grad():
            darker, brighter = model.codes(lights)
        assert (brighter - darker).norm() > 0.3 * torch.stack([darker, brighter]).norm() / 2**0.5


class _Known:
    """A model that gives what it is told."""

    def __init__(self, background: Tensor, noise: Tensor) -> None:
        self.background, self.noise = background, noise

    def estimate(self, _: FrameBatch) -> Estimate:
        return Estimate(self.background, self.noise)


def terms(background: Tensor, noise: Tensor, frame: Tensor) -> dict[str, Tensor]:
    (phase,) = NoiseEstimation(ramp=0.0).phases()
    return dict(phase.loss(_Known(background, noise), FrameBatch(frame, {}), 1.0))


def test_the_best_expected_error_is_the_error_over_the_three_colours() -> None:
    frame = torch.full((1, 3, 8, 8), 0.5)
    background = frame + torch.tensor([0.02, 0.04, 0.06]).view(1, 3, 1, 1)
    noise = torch.zeros(1, 1, 8, 8, requires_grad=True)
    optimizer = torch.optim.Adam([noise], lr=1e-3)
    for _ in range(400):
        optimizer.zero_grad()
        terms(background, noise, frame)["expected_error"].backward()
        optimizer.step()
    assert noise.mean().item() == pytest.approx(0.04, abs=0.008)  # Huber takes off a part


def test_the_background_does_not_learn_from_what_was_expected() -> None:
    frame = torch.rand(1, 3, 8, 8)
    background = torch.rand(1, 3, 8, 8, requires_grad=True)
    noise = torch.rand(1, 1, 8, 8, requires_grad=True)
    terms(background, noise, frame)["expected_error"].backward()
    assert background.grad is None
    assert noise.grad is not None


def test_the_layers_are_those_of_the_paper() -> None:
    """Five layers at 320x240, six at 720x480, seven at 1280x720; channels at a width of 64."""
    counts = {FrameSize(240, 320): 5, FrameSize(480, 720): 6, FrameSize(720, 1280): 7}
    for size, count in counts.items():
        sizes = shrinking_sizes(size)
        assert len(sizes) - 1 == count
        assert sizes[-1] == (1, 1)
    assert encoder_channels(64, 6) == [64, 160, 160, 160, 32]
    assert encoder_channels(64, 5) == [64, 160, 160, 32]
    assert generator_channels(64, 6) == [32, 256, 512, 256, 144]
    assert generator_channels(64, 5) == [32, 256, 256, 144]


def test_at_the_width_of_the_paper_it_has_the_parameters_of_the_paper() -> None:
    """1.06 and 2.82 million at 320x240 for the encoder and the generator of a simple scene."""
    settings = NoiseAESettings(form="plain", width=64, working_pixels=240 * 320)
    scene = paint_scene(240, 320, 2)
    model = ARCHITECTURE.build(settings, start_of(scene))
    assert isinstance(model, NoiseAE)
    sizes = [
        sum(parameter.numel() for parameter in part.parameters()) / 1e6
        for part in (model.encoder, model.generator)
    ]
    assert sizes == [pytest.approx(1.06, abs=0.02), pytest.approx(2.82, abs=0.03)]


def test_the_expected_error_can_be_looked_at() -> None:
    scene = paint_scene(32, 48, 3)
    model = ARCHITECTURE.build(NoiseAESettings(), start_of(scene))
    with torch.no_grad():
        picture = model.pictures(FrameBatch(to_tensor(scene.frames), {}))["expected error"]
    assert picture.shape == (3, 3, 32, 48)
    assert 0 < float(picture.mean()) < 0.5
