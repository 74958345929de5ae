"""Denoising auto-encoder: it sees frames with pasted objects and learns to take them out."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from cleanplate.architectures.base import (
    AS_PUBLISHED,
    ROBUST,
    Architecture,
    BuildContext,
    NetworkSettings,
)
from cleanplate.model import BackgroundModel
from cleanplate.nn.conv import ConvDecoder, ConvEncoder
from cleanplate.nn.view import start_from_zero
from cleanplate.objectives.denoising import Denoising
from cleanplate.tensor_tools.batch import FrameBatch

_GREY_LEVELS = 255


class DenoisingAESettings(NetworkSettings):
    """Settings of `denoising_ae`."""

    latent_dim: int = Field(4, ge=1, description="numbers in the code of a frame")
    saturation: float = Field(
        40.0,
        gt=0,
        description="difference to the plate, in grey levels, beyond which the network sees that a "
        "pixel differs, but hardly how much; residual form only",
    )
    passes: int = Field(
        1, ge=1, le=3, description="how often a learned network is applied to a frame"
    )
    tolerance: float = Field(
        60.0,
        gt=0,
        description="difference from which a further pass sees the background instead of the "
        "frame, summed over RGB, in grey levels",
    )


class DenoisingAE(BackgroundModel):
    """Encoder, code, decoder; what corrupts the frames in training stands in the objective."""

    def __init__(self, settings: DenoisingAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        size, latent_dim = self.view.size, settings.latent_dim
        self.encoder = ConvEncoder(size, width=settings.width, latent_dim=latent_dim)
        self.decoder = ConvDecoder(size, width=settings.width, latent_dim=latent_dim)
        self.saturation = settings.saturation / _GREY_LEVELS
        self.passes = settings.passes
        self.tolerance = settings.tolerance / _GREY_LEVELS
        if self.view.is_residual:
            start_from_zero(self.decoder.to_image)

    def reconstruct(self, frames: Tensor) -> Tensor:
        """Background after one pass, `(B, 3, H, W)`, of frames of the same shape."""
        return self.view.background(self.decoder(self._encode(frames)), frames.shape[-2:])

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame after the first pass, `(B, latent_dim)`."""
        return self._encode(batch.rgb)

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1].

        In training always one pass, as the published network learns. In evaluation each further
        pass sees the frame where the background before it explains it, and that background
        elsewhere.
        """
        frames = batch.rgb
        background = self.reconstruct(frames)
        for _ in range(0 if self.training else self.passes - 1):
            difference = (frames - background).abs().sum(dim=1, keepdim=True)
            background = self.reconstruct(
                torch.where(difference < self.tolerance, frames, background)
            )
        return background

    def _encode(self, frames: Tensor) -> Tensor:
        reduced = self.view.reduce(frames)
        if self.view.is_residual:
            # An object outweighs the light by its contrast otherwise: measured on painted scenes,
            # the error behind a pasted object that was never seen is halved.
            reduced = self.saturation * torch.tanh(reduced / self.saturation)
        return self.encoder(reduced)


ARCHITECTURE = Architecture(
    source=(
        "Vincent et al., ICML 2008, doi:10.1145/1390156.1390294, and JMLR 11 (2010), 3371-3408; "
        "pasted patches: this project"
    ),
    settings=DenoisingAESettings,
    objective=Denoising,
    build=DenoisingAE,
    steps=400,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {
            "model.form": "plain",
            "objective.loss": "bce",
            "objective.patches": 0,
            "objective.gaussian": 0,
            "objective.masking": 0.25,
            "objective.grain": 1,
        },
    },
)
