"""Convolutional encoder and decoder whose depth follows the size of the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from cleanplate.frames import FrameSize

_SMALLEST_MAP = 4
"""Halving stops before the shorter side of a map falls below this, in pixels."""
_WIDEST = 8
"""Channels grow with depth up to this multiple of the first stage's."""
_GROUP = 8
"""Channels in a group of the normalisation."""
_LEAK = 0.2


def depth_for(size: FrameSize) -> int:
    """How often a frame can be halved until its shorter side is about 4 pixels; at least once."""
    return max(1, int(math.log2(min(size) / _SMALLEST_MAP)))


def padded_size(size: FrameSize) -> FrameSize:
    """Smallest size, not below the given one, that can be halved as often as `depth_for` says."""
    step = 2 ** depth_for(size)
    height, width = (math.ceil(side / step) * step for side in size)
    return FrameSize(height, width)


def stage_channels(width: int, depth: int) -> tuple[int, ...]:
    """Channels of each stage, doubling from `width` on."""
    return tuple(width * min(2**stage, _WIDEST) for stage in range(depth))


class ConvEncoder(nn.Module):
    """Frames `(B, C, H, W)` of one size to codes `(B, latent_dim)`, without squashing.

    No stage is normalised: that would take out how bright a frame is, and what is new in one place
    would change the statistics everywhere. Behind normalised stages two of six networks never
    followed the light of a real road, whatever else they learned.
    """

    def __init__(
        self,
        size: FrameSize,
        *,
        width: int,
        latent_dim: int,
        channels: int = 3,
    ) -> None:
        super().__init__()
        self._padded = padded_size(size)
        stages = stage_channels(width, depth_for(size))
        self.stages = nn.Sequential(*_encoder_stages(channels, stages))
        height, width_of_map = _map_size(size)
        self.to_codes = nn.Linear(stages[-1] * height * width_of_map, latent_dim)
        self.apply(_keep_strength)

    def forward(self, frames: Tensor) -> Tensor:
        """Codes of each frame."""
        return self.to_codes(self.stages(pad_to(frames, self._padded)).flatten(1))


class ConvDecoder(nn.Module):
    """Codes `(B, latent_dim)` to maps `(B, C, H, W)` of one size, unbounded."""

    def __init__(self, size: FrameSize, *, width: int, latent_dim: int, channels: int = 3) -> None:
        super().__init__()
        self._size = size
        stages = stage_channels(width, depth_for(size))[::-1]
        self._first_map = (stages[0], *_map_size(size))
        self.from_codes = nn.Linear(latent_dim, math.prod(self._first_map))
        self.stages = nn.Sequential(*_decoder_stages(stages))
        self.to_image = nn.Conv2d(stages[-1], channels, 3, padding=1)

    def forward(self, codes: Tensor) -> Tensor:
        """Maps of the frame's own size."""
        maps = self.to_image(self.stages(self.first_map(codes)))
        return maps[..., : self._size.height, : self._size.width]

    def first_map(self, codes: Tensor) -> Tensor:
        """The smallest map of each frame, `(B, C, h, w)`, which the stages enlarge."""
        return self.from_codes(codes).view(-1, *self._first_map)


def pad_to(frames: Tensor, size: FrameSize) -> Tensor:
    """Frames extended to the right and below by their own edge, `(B, C, H, W)`."""
    missing = (0, size.width - frames.shape[-1], 0, size.height - frames.shape[-2])
    return functional.pad(frames, missing, mode="replicate") if any(missing) else frames


def normalisation(channels: int) -> nn.Module:
    """Normalisation over groups of channels: it has no running statistics that could move."""
    groups = math.gcd(channels, max(1, channels // _GROUP))  # a width need not be a multiple of 8
    return nn.GroupNorm(groups, channels)


def init_weights(module: nn.Module) -> None:
    """Radford's start for a layer, N(0, 0.02) (arXiv:1511.06434); use with `Module.apply`."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)


def _keep_strength(layer: nn.Module) -> None:
    """He's start without biases (arXiv:1502.01852): the output is as strong as the input.

    With torch's own start the signal fades from layer to layer until the biases drown it: on one
    painted scene of two, 400 steps did not suffice to notice the light, and here 60 did.
    """
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight, a=_LEAK)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def _map_size(size: FrameSize) -> FrameSize:
    step = 2 ** depth_for(size)
    padded = padded_size(size)
    return FrameSize(padded.height // step, padded.width // step)


def _encoder_stages(channels: int, stages: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for wider in stages:
        layers += [nn.Conv2d(channels, wider, 4, stride=2, padding=1), nn.LeakyReLU(_LEAK)]
        channels = wider
    return layers


def _decoder_stages(stages: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for wider, narrower in zip(stages, [*stages[1:], stages[-1]], strict=True):
        # Enlarging and then convolving leaves no checkerboard, as transposed convolution does.
        layers += [nn.Upsample(scale_factor=2, mode="nearest")]
        layers += [nn.Conv2d(wider, narrower, 3, padding=1)]
        layers += [normalisation(narrower), nn.LeakyReLU(_LEAK)]
    return layers
