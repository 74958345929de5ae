"""A discriminator that judges pictures and their pixels."""

from __future__ import annotations

import pytest
import torch

from cleanplate.frames import FrameSize
from cleanplate.nn.unet import UNetDiscriminator

SIZES = [
    *(FrameSize(8, 8), FrameSize(16, 16), FrameSize(37, 53), FrameSize(17, 130)),
    FrameSize(48, 64),
]


def judged(size: FrameSize, count: int = 2) -> tuple[UNetDiscriminator, torch.Tensor]:
    return UNetDiscriminator(size, width=4), torch.rand(count, 3, *size) * 2 - 1


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_there_is_a_logit_for_each_picture_and_for_each_pixel(size: FrameSize) -> None:
    network, pictures = judged(size)
    verdict = network(pictures)
    assert verdict.image.shape == (2,)
    assert verdict.pixels.shape == (2, 1, *size)


def test_the_verdicts_are_logits_and_no_probabilities() -> None:
    network, pictures = judged(SIZES[2])
    with torch.no_grad():
        for layer in (network.to_image_logit, network.to_pixel_logits):
            assert layer.bias is not None
            layer.bias.fill_(-7.0)
        verdict = network(pictures)
    assert verdict.image.max() < -3
    assert verdict.pixels.max() < -3


def test_a_verdict_does_not_depend_on_the_other_pictures() -> None:
    network, pictures = judged(SIZES[2], count=3)
    with torch.no_grad():
        together, alone = network(pictures), network(pictures[1:2])
    assert torch.allclose(together.image[1], alone.image[0], atol=1e-5)
    assert torch.allclose(together.pixels[1], alone.pixels[0], atol=1e-5)


def test_the_pixels_see_the_picture_itself_and_the_whole_picture() -> None:
    network, pictures = judged(FrameSize(16, 16), count=1)
    pictures.requires_grad_()
    (gradient,) = torch.autograd.grad(network(pictures).pixels[0, 0, 3, 4], pictures)
    strength = gradient.abs().sum(dim=1)[0]
    assert (strength[2:5, 3:6] > 0).all()
    assert strength[15, 15] > 0


def test_every_part_has_its_share_in_the_verdicts() -> None:
    network, pictures = judged(SIZES[2])
    verdict = network(pictures)
    of_image = torch.autograd.grad(
        verdict.image.sum(), list(network.parameters()), retain_graph=True, allow_unused=True
    )
    of_pixels = torch.autograd.grad(
        verdict.pixels.sum(), list(network.parameters()), allow_unused=True
    )
    names = [name for name, _ in network.named_parameters()]
    decides = [
        {
            name.split(".")[0]
            for name, gradient in zip(names, part, strict=True)
            if gradient is not None
        }
        for part in (of_image, of_pixels)
    ]
    assert decides == [{"encoder", "to_image_logit"}, {"encoder", "decoder", "to_pixel_logits"}]
