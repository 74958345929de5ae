"""Bootstrapped auto-encoder with a noise map: it also draws how far off it expects to be.

Every layer sees where it is (two planes of coordinates), frames shrink by thirds to one code, and
a fourth channel of the output is the error that the network expects of each pixel of this frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from cleanplate.architectures.base import (
    AS_PUBLISHED,
    ROBUST,
    Architecture,
    BuildContext,
    NetworkSettings,
)
from cleanplate.frames import FrameSize
from cleanplate.model import BackgroundModel
from cleanplate.nn.view import enlarge, start_from_zero
from cleanplate.objectives.noise_estimation import Estimate, NoiseEstimation
from cleanplate.tensor_tools.batch import FrameBatch

_KERNEL, _STRIDE = 5, 3
_GROUP = 16
"""Channels in a group of the normalisation."""
_FIRST_NOISE = -4.0
"""Logit of the expected error before anything is learned: 4.6 grey levels."""
_SHOWN_GAIN = 8.0
"""How much brighter than it is the expected error is shown to people."""


class NoiseAESettings(NetworkSettings):
    """Settings of `noise_ae`."""

    latent_dim: int = Field(16, ge=1, description="numbers in the code of a frame")


class _Step(NamedTuple):
    """How one side of a map shrinks by a convolution, or grows by its transpose."""

    kernel: int
    stride: int
    padding: int

    def rest(self, small: int, large: int) -> int:
        """Pixels that a transpose has to add, since several sides shrink to the same."""
        return large - ((small - 1) * self.stride - 2 * self.padding + self.kernel)


class NoiseAE(BackgroundModel):
    """Encoder, code, generator of four channels at a working resolution."""

    def __init__(self, settings: NoiseAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        sizes = shrinking_sizes(self.view.size)
        count, width = len(sizes) - 1, settings.width
        narrow = encoder_channels(width, count)
        wide = generator_channels(width, count)
        self.encoder = _encoder(sizes, [3, *narrow, settings.latent_dim])
        self.generator = _generator(sizes[::-1], [settings.latent_dim, *wide, 4])
        if self.view.is_residual:
            start_from_zero(self.generator[-1])

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame, `(B, latent_dim)`."""
        # Light of 0.02 would drown in coordinates of 0.5 and in the biases, and from a code that
        # hardly differs between frames the generator learns to look away.
        seen = self.view.reduce_maps(self.view.unexplained(batch.rgb))
        return self.encoder(seen).flatten(1)

    def estimate(self, batch: FrameBatch) -> Estimate:
        """Background and expected error of each frame."""
        maps = self.generator(self.codes(batch)[..., None, None])
        size = batch.rgb.shape[-2:]
        noise = torch.sigmoid(maps[:, 3:] + _FIRST_NOISE)
        return Estimate(self.view.background(maps[:, :3], size), enlarge(noise, size))

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        return self.estimate(batch).background

    def pictures(self, batch: FrameBatch) -> Mapping[str, Tensor]:
        """The expected error, eight times as bright as it is."""
        noise = (self.estimate(batch).noise * _SHOWN_GAIN).clamp(max=1)
        return {"expected error": noise.expand(-1, 3, -1, -1)}


def shrinking_sizes(size: FrameSize) -> list[FrameSize]:
    """Sizes of the maps from a frame to a single pixel: by thirds, the last few pixels at once."""
    sizes = [size]
    while sizes[-1].pixels > 1:
        sizes.append(FrameSize(*(_smaller(side) for side in sizes[-1])))
    return sizes


def encoder_channels(width: int, count: int) -> list[int]:
    """Channels between frame and code for so many layers; 64, 160, 160, 32 for five of 64."""
    middle = [width * 5 // 2] * max(0, count - 3)
    return [width, *middle, max(width // 2, _GROUP)][: count - 1]


def generator_channels(width: int, count: int) -> list[int]:
    """Channels between code and output; 32, 256, 256, 144 for five layers of 64."""
    middle = [width * 8] * max(0, count - 5)
    from_output = [width * 9 // 4, width * 4, *middle, width * 4, max(width // 2, _GROUP)]
    return from_output[: count - 1][::-1]


class _Placed(nn.Module):
    """A layer that also sees the coordinates of each pixel, -0.5 to 0.5."""

    grid: Tensor

    def __init__(self, layer: nn.Module, size: FrameSize) -> None:
        super().__init__()
        self.layer = layer
        sides = (torch.linspace(-0.5, 0.5, side) if side > 1 else torch.zeros(1) for side in size)
        grid = torch.stack(torch.meshgrid(*sides, indexing="ij"))[None]
        self.register_buffer("grid", grid, persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        """What the layer makes of the maps and their coordinates."""
        grid = self.grid.expand(maps.shape[0], -1, -1, -1)
        return self.layer(torch.cat([maps, grid.to(maps.dtype)], 1))


def _encoder(sizes: Sequence[FrameSize], channels: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, (size, (fewer, more)) in enumerate(
        zip(sizes[:-1], pairwise(channels), strict=True)
    ):
        kernel, stride, padding = zip(*(_step(side) for side in size), strict=True)
        layer = nn.Conv2d(fewer + 2, more, kernel, stride, padding)
        is_first, is_last = number == 0, number == len(sizes) - 2
        layers.append(_Placed(layer, size))
        # The first would hide how bright the frame is, the last how far the code is from 0.
        layers += [] if is_first or is_last else [_normalisation(more)]
        layers += [] if is_last else [nn.CELU()]
    return nn.Sequential(*layers)


def _generator(sizes: Sequence[FrameSize], channels: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, ((small, large), (fewer, more)) in enumerate(
        zip(pairwise(sizes), pairwise(channels), strict=True)
    ):
        down, across = (_step(side) for side in large)
        layer = nn.ConvTranspose2d(
            fewer + 2,
            more,
            (down.kernel, across.kernel),
            (down.stride, across.stride),
            (down.padding, across.padding),
            (down.rest(small.height, large.height), across.rest(small.width, large.width)),
        )
        layers.append(_Placed(layer, small))
        if number < len(channels) - 2:
            layers += [_normalisation(more), nn.CELU()]
    return nn.Sequential(*layers)


def _step(side: int) -> _Step:
    if side > _KERNEL:
        return _Step(_KERNEL, _STRIDE, _KERNEL // 2)
    return _Step(side, 1, 0)


def _smaller(side: int) -> int:
    return -(-side // _STRIDE) if side > _KERNEL else 1


def _normalisation(channels: int) -> nn.Module:
    groups = max(1, channels // _GROUP)
    return nn.GroupNorm(groups if channels % groups == 0 else 1, channels)


ARCHITECTURE = Architecture(
    source="Sauvalle & de La Fortelle, WACV 2023, arXiv:2112.08001",
    settings=NoiseAESettings,
    objective=NoiseEstimation,
    build=NoiseAE,
    steps=400,
    recipes={
        ROBUST: {},
        AS_PUBLISHED: {
            "model.form": "plain",
            "model.width": 64,
            "objective.learning_rate": 5e-4,
            "objective.ramp": 0.0,
            "training.batch_size": 32,
        },
    },
)
