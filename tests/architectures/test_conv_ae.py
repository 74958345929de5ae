"""What makes `conv_ae` itself: depth by the size, a narrow code, and two forms of the picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.conv_ae import ConvAE, ConvAESettings
from cleanplate.frames import FrameSize
from cleanplate.nn.conv import depth_for
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from cleanplate.training.loop import PhaseRunner, Step
from scenes import PaintedScene, paint_scene

FORMS = ("residual", "plain")


def build(scene: PaintedScene, **values: object) -> ConvAE:
    torch.manual_seed(0)
    return ConvAE(ConvAESettings.parse(values), BuildContext(scene.start_plate()))


def moved(model: ConvAE) -> ConvAE:
    """The network away from its start, where the residual form draws nothing."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


@pytest.mark.parametrize(
    ("size", "halvings"),
    [
        (FrameSize(16, 16), 2),
        (FrameSize(37, 53), 3),
        (FrameSize(64, 96), 4),
        (FrameSize(120, 160), 4),
    ],
)
def test_the_depth_follows_the_size(size: FrameSize, halvings: int) -> None:
    model = build(paint_scene(*size, 2))
    strided = [
        layer
        for layer in model.encoder.modules()
        if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2)
    ]
    assert len(strided) == depth_for(size) == halvings


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("latent_dim", [1, 6])
def test_all_that_the_picture_knows_of_the_frame_are_the_numbers_of_its_code(
    form: str, latent_dim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = paint_scene(37, 53, 4, drift=40)
    model = moved(build(scene, form=form, latent_dim=latent_dim))
    batch = FrameBatch(to_tensor(scene.frames))
    with torch.no_grad():
        codes = model.codes(batch)
        assert codes.shape == (4, latent_dim)
        pictures = model.estimate_background(batch)
        assert not torch.equal(pictures[0], pictures[2])
        monkeypatch.setattr(model, "codes", lambda _batch: codes[:1].expand(4, -1))
        alike = model.estimate_background(batch)
    assert torch.allclose(alike, pictures[:1].expand_as(alike), atol=1e-6)


@pytest.mark.parametrize("working_pixels", ["auto", 256])
def test_the_residual_form_begins_at_the_plate_in_full_size(working_pixels: str | int) -> None:
    scene = paint_scene(48, 64, 4)
    model = build(scene, working_pixels=working_pixels).eval()
    plate = to_tensor(scene.start_plate()[None])
    batch = FrameBatch(to_tensor(scene.frames))
    with torch.no_grad():
        assert torch.equal(model.estimate_background(batch), plate.expand(4, -1, -1, -1))
        assert not torch.equal(moved(model).estimate_background(batch)[:1], plate)


def test_the_plain_form_knows_no_plate() -> None:
    scene = paint_scene(32, 48, 4)
    batch = FrameBatch(to_tensor(scene.frames))
    pictures = []
    for plate in (scene.start_plate(), np.zeros_like(scene.start_plate())):
        torch.manual_seed(0)
        model = ConvAE(ConvAESettings(form="plain"), BuildContext(plate)).eval()
        with torch.no_grad():
            pictures.append(model.estimate_background(batch))
    assert torch.equal(*pictures)


@pytest.mark.parametrize("form", FORMS)
def test_the_code_and_the_picture_learn_together(form: str) -> None:
    scene = paint_scene(32, 48, 8, drift=40)
    model, batch = build(scene, form=form).train(), FrameBatch(to_tensor(scene.frames))
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    runner = PhaseRunner(model, Reconstruction().phases())
    for number in range(3):  # what stands before a last layer of zeros moves one step later
        runner.run(batch, Step(number, progress=0.5, rate=1.0))
    still = [name for name, tensor in model.named_parameters() if tensor.equal(before[name])]
    assert still == []
