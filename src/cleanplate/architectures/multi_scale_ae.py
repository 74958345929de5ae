"""The frame in several sizes, an encoder for each, their codes fused before one decoder.

The smaller a frame is made, the less is left in it of what is small, and the more of the scene one
layer sees at once. The fused code is as narrow as that of a single encoder: what moves does not
get through.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from cleanplate.nn.conv import (
    ConvDecoder,
    ConvEncoder,
    depth_for,
    pad_to,
    padded_size,
    stage_channels,
)
from cleanplate.nn.scales import reduce_by, size_at
from cleanplate.nn.view import start_from_zero
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch


class MultiScaleAESettings(NetworkSettings):
    """Settings of `multi_scale_ae`."""

    scales: int = Field(3, ge=2, le=4, description="sizes that are read, each half of the last")
    share_encoder: bool = Field(
        default=False, description="one stack of convolutions for all sizes, not one for each"
    )
    # More numbers suffice to draw what moves, as in `conv_ae`.
    latent_dim: int = Field(4, ge=1, description="numbers in each size's code and in the fused one")


class ScaleEncoders(nn.Module):
    """One encoder for each size, largest first; each is as deep as its size allows."""

    def __init__(self, sizes: Sequence[FrameSize], *, width: int, latent_dim: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            ConvEncoder(size, width=width, latent_dim=latent_dim) for size in sizes
        )

    def forward(self, pyramid: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Codes of each size, each `(B, latent_dim)`."""
        pairs = zip(self.scales, pyramid, strict=True)
        return tuple(encoder(frames) for encoder, frames in pairs)


class SharedEncoder(nn.Module):
    """The same convolutions for every size, and a last layer for each, largest first.

    They are as deep as the smallest size allows; the maps of larger ones are pooled to that of the
    smallest.
    """

    def __init__(self, sizes: Sequence[FrameSize], *, width: int, latent_dim: int) -> None:
        super().__init__()
        smallest = sizes[-1]
        depth = depth_for(smallest)
        self._padded = padded_size(smallest)
        self.stages = ConvEncoder(smallest, width=width, latent_dim=latent_dim).stages
        features = stage_channels(width, depth)[-1] * size_at(smallest, 2**depth).pixels
        self.scales = nn.ModuleList(nn.Linear(features, latent_dim) for _ in sizes)

    def forward(self, pyramid: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Codes of each size, each `(B, latent_dim)`."""
        codes: list[Tensor] = []
        for number, (to_codes, frames) in enumerate(zip(self.scales, pyramid, strict=True)):
            factor = 2 ** (len(self.scales) - 1 - number)
            padded = FrameSize(self._padded.height * factor, self._padded.width * factor)
            maps = reduce_by(self.stages(pad_to(frames, padded)), factor)
            codes.append(to_codes(maps.flatten(1)))
        return tuple(codes)


class MultiScaleAE(BackgroundModel):
    """Encoders of several sizes, one fused code, one decoder at a working resolution."""

    def __init__(self, settings: MultiScaleAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        width, latent_dim = settings.width, settings.latent_dim
        self._factors = tuple(2**number for number in range(settings.scales))
        sizes = [size_at(self.view.size, factor) for factor in self._factors]
        build = SharedEncoder if settings.share_encoder else ScaleEncoders
        self.encoders = build(sizes, width=width, latent_dim=latent_dim)
        self.fusion = nn.Linear(settings.scales * latent_dim, latent_dim)
        self.decoder = ConvDecoder(self.view.size, width=width, latent_dim=latent_dim)
        if self.view.is_residual:
            start_from_zero(self.decoder.to_image)

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        return self.draw(self.scale_codes(batch.rgb), batch.rgb.shape[-2:])

    def codes(self, batch: FrameBatch) -> Tensor:
        """Fused code of each frame, `(B, latent_dim)`."""
        return self._fuse(self.scale_codes(batch.rgb))

    def scale_codes(self, frames: Tensor) -> tuple[Tensor, ...]:
        """Codes of frames `(B, 3, H, W)` in each size, each `(B, latent_dim)`, largest first."""
        return self.encoders(self.pyramid(self.view.reduce(frames)))

    def draw(self, codes: Sequence[Tensor], frame_size: tuple[int, ...]) -> Tensor:
        """Backgrounds `(B, 3, H, W)` in a size, from the codes of each size."""
        return self.view.background(self.decoder(self._fuse(codes)), frame_size)

    def pyramid(self, reduced: Tensor) -> tuple[Tensor, ...]:
        """Reduced frames `(B, 3, h, w)` in each size, by area, largest first."""
        return tuple(reduce_by(reduced, factor) for factor in self._factors)

    def _fuse(self, codes: Sequence[Tensor]) -> Tensor:
        return self.fusion(torch.cat(tuple(codes), dim=1))


ARCHITECTURE = Architecture(
    source=(
        "encoders for three sizes of the frame: FgSegNet (supervised), Lim & Keles 2018, "
        "arXiv:1801.02225"
    ),
    settings=MultiScaleAESettings,
    objective=Reconstruction,
    build=MultiScaleAE,
    steps=400,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {"model.form": "plain", "objective.loss": "mse"},
    },
)
