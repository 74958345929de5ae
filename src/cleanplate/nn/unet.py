"""A discriminator that judges the whole picture and each pixel of it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from cleanplate.frames import FrameSize
from cleanplate.nn.conv import depth_for, normalisation, pad_to, padded_size, stage_channels

_LEAK = 0.2


class Discrimination(NamedTuple):
    """Logits of being real: above 0 for what looks like a frame of the camera.

    Attributes:
        image: Of each picture, `(B,)`.
        pixels: Of each pixel, `(B, 1, H, W)`.
    """

    image: Tensor
    pixels: Tensor


class UNetDiscriminator(nn.Module):
    """Encoder that judges the picture, decoder with shortcuts that judges its pixels.

    Schoenfeld, Schiele and Khoreva 2020 (arXiv:2002.12655), with the layers of Radford et al. 2015
    (arXiv:1511.06434): strided convolutions, LeakyReLU 0.2, no normalisation where pictures come
    in. Pictures `(B, C, H, W)` are all of one size.
    """

    def __init__(self, size: FrameSize, *, width: int, channels: int = 3) -> None:
        super().__init__()
        self._size = size
        self._padded = padded_size(size)
        stages = stage_channels(width, depth_for(size))
        inputs = (channels, *stages[:-1])
        self.encoder = nn.ModuleList(
            _down(narrow, wide, normalised=number > 0)
            for number, (narrow, wide) in enumerate(zip(inputs, stages, strict=True))
        )
        self.to_image_logit = nn.Linear(stages[-1], 1)
        # Each stage meets what the encoder had seen in that size; the last one the picture itself.
        outputs = (width, *stages[:-1])
        self.decoder = nn.ModuleList(
            _up(wide + beside, narrow)
            for wide, beside, narrow in reversed(list(zip(stages, inputs, outputs, strict=True)))
        )
        self.to_pixel_logits = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, pictures: Tensor) -> Discrimination:
        """Logits, not probabilities: their loss is a cross entropy with logits."""
        maps = pad_to(pictures, self._padded)
        seen = []
        for stage in self.encoder:
            seen.append(maps)
            maps = stage(maps)
        image = self.to_image_logit(maps.mean(dim=(2, 3))).squeeze(1)
        for stage in self.decoder:
            larger = functional.interpolate(maps, scale_factor=2.0, mode="nearest")
            maps = stage(torch.cat((larger, seen.pop()), dim=1))
        pixels = self.to_pixel_logits(maps)
        return Discrimination(image, pixels[..., : self._size.height, : self._size.width])


def _down(channels: int, wider: int, *, normalised: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(channels, wider, 4, stride=2, padding=1)]
    layers += [normalisation(wider)] if normalised else []
    return nn.Sequential(*layers, nn.LeakyReLU(_LEAK))


def _up(channels: int, narrower: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels, narrower, 3, padding=1)
    return nn.Sequential(convolution, normalisation(narrower), nn.LeakyReLU(_LEAK))
