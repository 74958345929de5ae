"""Frames in several sizes: each is what it should be, and each has a say in the picture."""

from __future__ import annotations

import pytest
import torch

from cleanplate.architectures.base import BuildContext
from cleanplate.architectures.multi_scale_ae import MultiScaleAE, MultiScaleAESettings
from cleanplate.frames import FrameSize
from cleanplate.tensor_tools.batch import FrameBatch, to_tensor
from scenes import paint_scene

SIZES = [FrameSize(48, 64), FrameSize(37, 53), FrameSize(16, 17)]
DEPTHS = (3, 2, 1)
"""Convolutions of the encoders of 48x64 pixels and its halves."""
FORMS = [{}, {"share_encoder": True}, {"scales": 2}, {"scales": 4, "form": "plain"}]


def build(size: FrameSize, values: dict[str, object]) -> tuple[MultiScaleAE, FrameBatch]:
    """A network that is not at its start, where the residual form draws nothing."""
    scene = paint_scene(*size, 3, drift=40)
    torch.manual_seed(0)
    model = MultiScaleAE(MultiScaleAESettings.parse(values), BuildContext(scene.start_plate()))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model.eval(), FrameBatch(to_tensor(scene.frames))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("values", FORMS, ids=str)
def test_every_size_changes_the_picture_and_learns_from_it(
    size: FrameSize, values: dict[str, object]
) -> None:
    model, batch = build(size, values)
    codes = model.scale_codes(batch.rgb)
    picture = model.draw(codes, batch.rgb.shape[-2:])
    assert torch.equal(picture, model.estimate_background(batch))
    picture.square().mean().backward()
    assert len(codes) == len(model.encoders.scales) == values.get("scales", 3)
    for number, encoder in enumerate(model.encoders.scales):
        silenced = [
            torch.zeros_like(code) if at == number else code for at, code in enumerate(codes)
        ]
        change = model.draw(silenced, batch.rgb.shape[-2:]) - picture
        assert change.abs().max() > 1e-4
        gradients = [parameter.grad for parameter in encoder.parameters()]
        assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_sizes_are_the_frame_and_its_halves_with_the_same_mean(size: FrameSize) -> None:
    model, batch = build(size, {})
    frames = batch.rgb * 2 - 1
    pyramid = model.pyramid(frames)
    height, width = size
    assert [tuple(each.shape[-2:]) for each in pyramid] == [
        (-(-height // factor), -(-width // factor)) for factor in (1, 2, 4)
    ]
    for each in pyramid:
        assert frames.min() <= each.min() <= each.max() <= frames.max()
        if not (height % 4 or width % 4):
            assert torch.allclose(each.mean(dim=(2, 3)), frames.mean(dim=(2, 3)), atol=1e-5)


def test_a_size_sees_only_what_is_left_of_the_frame_in_it() -> None:
    model, batch = build(SIZES[0], {})
    checks = torch.ones(SIZES[0])
    checks[::2, ::2] = checks[1::2, 1::2] = -1
    before, after = model.scale_codes(batch.rgb), model.scale_codes(batch.rgb + 0.1 * checks)
    # A pattern of single pixels is gone from the halves: only the first encoder can see it.
    changes = [
        float((one - two).detach().abs().max()) for one, two in zip(before, after, strict=True)
    ]
    assert changes[0] > 1e-3
    assert max(changes[1:]) < 1e-4


def test_a_shared_encoder_has_one_stack_of_convolutions() -> None:
    def convolutions(values: dict[str, object]) -> int:
        model, _ = build(SIZES[0], values)
        return sum(isinstance(each, torch.nn.Conv2d) for each in model.encoders.modules())

    assert convolutions({"share_encoder": True}) == DEPTHS[2]
    assert convolutions({"share_encoder": True, "scales": 2}) == DEPTHS[1]
    assert convolutions({}) == sum(DEPTHS)
