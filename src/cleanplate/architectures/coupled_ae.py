"""Coupled auto-encoders: the first cleans the frames, the second learns the cleaned ones."""

from __future__ import annotations

from collections.abc import Mapping

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
from cleanplate.model import BackgroundModel
from cleanplate.nn.conv import ConvDecoder, ConvEncoder
from cleanplate.nn.view import WorkingView, start_from_zero
from cleanplate.objectives.coupled import Coupled, Separation
from cleanplate.tensor_tools.batch import FrameBatch

_GREY_LEVELS = 255
_FIRST_SPREAD = 6.0
"""Usual difference of a pixel before anything is learned, in grey levels."""


class CoupledAESettings(NetworkSettings):
    """Settings of `coupled_ae`."""

    latent_dim: int = Field(4, ge=1, description="numbers in the code of a frame, in each network")
    tolerance: float = Field(
        30.0,
        ge=0,
        description="difference from which the first background replaces a pixel, summed over "
        "RGB, in grey levels",
    )
    spread_factor: float = Field(
        2.0, ge=0, description="how much a pixel's usual difference adds to its tolerance"
    )


class CoupledAE(BackgroundModel):
    """Two auto-encoders in a cascade with a separation between them."""

    def __init__(self, settings: CoupledAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        self.first = _AutoEncoder(settings, self.view)
        self.second = _AutoEncoder(settings, self.view)
        self.tolerance = settings.tolerance / _GREY_LEVELS
        self.spread_factor = settings.spread_factor
        # A parameter and not a running mean: it belongs to a phase and to the scene file.
        self.spread = nn.Parameter(torch.full((1, 1, *start.size), _FIRST_SPREAD / _GREY_LEVELS))

    def extract(self, frames: Tensor) -> Tensor:
        """The first network's background of each frame, `(B, 3, H, W)`."""
        return self.view.background(self.first(self.view.reduce(frames)), frames.shape[-2:])

    def separate(self, frames: Tensor, background: Tensor) -> Separation:
        """Frames in which the background stands where it does not explain a pixel."""
        difference = (frames - background).abs().sum(dim=1, keepdim=True)
        accepted = difference <= self.tolerance + self.spread_factor * self.spread
        return Separation(torch.where(accepted, frames, background), accepted)

    def learn(self, cleaned: Tensor) -> Tensor:
        """The second network's background of cleaned frames, `(B, 3, H, W)`."""
        return self.view.background(self.second(self.view.reduce(cleaned)), cleaned.shape[-2:])

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        cleaned = self.separate(batch.rgb, self.extract(batch.rgb)).frames
        return self.learn(cleaned)

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame in the second network, `(B, latent_dim)`."""
        cleaned = self.separate(batch.rgb, self.extract(batch.rgb)).frames
        return self.second.encoder(self.view.reduce(cleaned))

    def pictures(self, batch: FrameBatch) -> Mapping[str, Tensor]:
        """What passes between the two networks."""
        extracted = self.extract(batch.rgb)
        return {
            "first background": extracted,
            "cleaned frames": self.separate(batch.rgb, extracted).frames,
        }


class _AutoEncoder(nn.Module):
    """Reduced frames `(B, 3, h, w)` to unbounded maps of the same shape through a narrow code."""

    def __init__(self, settings: CoupledAESettings, view: WorkingView) -> None:
        super().__init__()
        width, latent_dim = settings.width, settings.latent_dim
        # The first network has to know the light soon: until then good pixels are replaced.
        self.encoder = ConvEncoder(view.size, width=width, latent_dim=latent_dim)
        self.decoder = ConvDecoder(view.size, width=width, latent_dim=latent_dim)
        if view.is_residual:
            start_from_zero(self.decoder.to_image)

    def forward(self, reduced: Tensor) -> Tensor:
        """Maps of the reduced frames' own size."""
        maps: Tensor = self.decoder(self.encoder(reduced))
        return maps


ARCHITECTURE = Architecture(
    source=(
        "Xu et al., Dynamic background learning through deep auto-encoder networks, ACM MM 2014, "
        "doi:10.1145/2647868.2654914"
    ),
    settings=CoupledAESettings,
    objective=Coupled,
    build=CoupledAE,
    steps=300,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {
            "model.form": "plain",
            "objective.loss": "bce",
            "objective.second_loss": "bce",
        },
    },
)
