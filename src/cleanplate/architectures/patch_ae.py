"""Patch auto-encoder: own weights for every place of the picture, patches blended without seams."""

from __future__ import annotations

from typing import Literal

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
from cleanplate.frames import FrameSize
from cleanplate.model import BackgroundModel
from cleanplate.nn.patches import (
    Codes,
    PatchDecoder,
    PatchEncoder,
    PatchGrid,
    PatchSide,
    patch_side_for,
)
from cleanplate.nn.view import start_from_zero
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch


class PatchAESettings(NetworkSettings):
    """Settings of `patch_ae`."""

    width: int = Field(8, ge=4, description="channels of the first stage at each place")
    patch: Literal["auto"] | PatchSide = Field(
        "auto",
        description=(
            "side of a patch in pixels of the working size; auto: about a quarter of its shorter "
            "side, a half where each patch has a code"
        ),
    )
    overlap: float = Field(
        0.5, ge=0, le=0.5, description="share of a patch that it has in common with the next one"
    )
    codes: Codes = Field(
        "shared", description="one code for the frame, or one of its own for each patch"
    )
    latent_dim: int = Field(4, ge=1, description="numbers in a code")
    input_noise: float = Field(
        0.0, ge=0, le=1, description="noise on what the network sees while it learns, 1: full range"
    )

    def patch_side(self, size: FrameSize) -> int:
        """Side of a patch in pixels, for a working size."""
        return patch_side_for(size, self.codes) if self.patch == "auto" else self.patch


class PatchAE(BackgroundModel):
    """An encoder and a decoder at every place, joined by one code or by a code each."""

    def __init__(self, settings: PatchAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        self._noise = settings.input_noise
        side = settings.patch_side(self.view.size)
        self.grid = PatchGrid(self.view.size, side=side, overlap=settings.overlap)
        width, codes, latent_dim = settings.width, settings.codes, settings.latent_dim
        self.encoder = PatchEncoder(self.grid, width=width, codes=codes, latent_dim=latent_dim)
        self.decoder = PatchDecoder(self.grid, width=width, codes=codes, latent_dim=latent_dim)
        if self.view.is_residual:
            start_from_zero(self.decoder.to_image)

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame, `(B, latent_dim)`, or those of its patches one after the other."""
        return self.patch_codes(batch.rgb).flatten(1)

    def patch_codes(self, frames: Tensor) -> Tensor:
        """Codes of each frame, `(B, latent_dim, 1, 1)`, or those of its patches side by side."""
        seen = self.view.reduce(frames)
        if self.training and self._noise > 0:
            seen = seen + self._noise * torch.randn_like(seen)
        return self.encoder(self.grid.cut(seen))

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        maps = self.grid.blend(self.decoder(self.patch_codes(batch.rgb)))
        return self.view.background(maps, batch.rgb.shape[-2:])


ARCHITECTURE = Architecture(
    source=(
        "shifted tilings: Garcia-Gonzalez et al. 2019, Background Modeling by Shifted Tilings of "
        "Stacked Denoising Autoencoders; blocks: Zhang et al. 2015, Deep Learning Driven "
        "Blockwise Moving Object Detection with Binary Scene Modeling"
    ),
    settings=PatchAESettings,
    objective=Reconstruction,
    build=PatchAE,
    steps=300,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {
            "model.form": "plain",
            "model.codes": "per_patch",
            "model.latent_dim": 16,
            "model.input_noise": 0.2,
            "objective.loss": "mse",
        },
    },
)
