"""Auto-encoder that reads the mask of a simple method and paints in what the mask covers."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from cleanplate.architectures.base import (
    AS_PUBLISHED,
    ROBUST,
    Architecture,
    BuildContext,
    NetworkSettings,
)
from cleanplate.frames import Modality
from cleanplate.model import BackgroundModel
from cleanplate.nn.conv import ConvDecoder, ConvEncoder
from cleanplate.nn.view import start_from_zero
from cleanplate.objectives.weighted_reconstruction import MaskedReconstruction
from cleanplate.tensor_tools.batch import FrameBatch

_RGB_CHANNELS = 3
_LEAST_VISIBLE = 1e-3
"""Share of a cell that has to be visible for its colour to be known."""


class RGBMaskAESettings(NetworkSettings):
    """Settings of `rgb_mask_ae`."""

    latent_dim: int = Field(4, ge=1, description="numbers in the code of a frame")
    mask_dropout: float = Field(
        0.3, ge=0, lt=1, description="share of the frames learned from with nothing covered"
    )
    mask_dilation: float = Field(
        0.05,
        ge=0,
        le=0.5,
        description="most that a mask is grown to each side while learning, of the shorter side",
    )


class RGBMaskAE(BackgroundModel):
    """Encoder of colours and mask, code, decoder of colours; at a working resolution.

    The colours under the mask are taken away before the encoder, so that none of them can reach the
    background. While learning, some masks are dropped and the others are grown by a random width:
    what only the grown mask covers is painted in under a full loss, which teaches painting in.
    """

    modalities: ClassVar[frozenset[Modality]] = frozenset({Modality.RGB, Modality.MASK})

    def __init__(self, settings: RGBMaskAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        self.mask_dropout = settings.mask_dropout
        self.widest = round(settings.mask_dilation * min(start.size))
        size, latent_dim = self.view.size, settings.latent_dim
        self.encoder = ConvEncoder(
            size, width=settings.width, latent_dim=latent_dim, channels=_RGB_CHANNELS + 1
        )
        self.decoder = ConvDecoder(size, width=settings.width, latent_dim=latent_dim)
        if self.view.is_residual:
            start_from_zero(self.decoder.to_image)

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame, `(B, latent_dim)`."""
        mask = batch.read(Modality.MASK)
        if self.training:
            mask = self._varied(mask)
        visible = self.view.reduce_maps(1 - mask)
        colours = self.view.reduce_maps(self.view.unexplained(batch.rgb) * (1 - mask))
        # Mean colour of what is visible of each cell, and nothing where all of it is covered.
        colours = colours / visible.clamp(min=_LEAST_VISIBLE)
        return self.encoder(torch.cat((colours, 1 - visible), dim=1))

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        return self.view.background(self.decoder(self.codes(batch)), batch.rgb.shape[-2:])

    def _varied(self, mask: Tensor) -> Tensor:
        """Masks of which some are dropped and the others grown, `(B, 1, H, W)`."""
        is_kept = torch.rand(len(mask), 1, 1, 1, device=mask.device) >= self.mask_dropout
        margin = int(torch.randint(self.widest + 1, ()))  # drawn on the CPU: no wait for a GPU
        return grown(mask, margin) * is_kept


def grown(mask: Tensor, margin: int) -> Tensor:
    """Mask `(B, 1, H, W)` grown by so many pixels to each side."""
    side = 2 * margin + 1
    # One direction after the other: a square by 2 * side instead of side * side comparisons.
    across = functional.max_pool2d(mask, (1, side), stride=1, padding=(0, margin))
    return functional.max_pool2d(across, (side, 1), stride=1, padding=(margin, 0))


ARCHITECTURE = Architecture(
    source=(
        "painting in under a motion mask: Sultana et al. 2018, arXiv:1805.07903; the loss of a "
        "masked region: Pathak et al. 2016, arXiv:1604.07379"
    ),
    settings=RGBMaskAESettings,
    objective=MaskedReconstruction,
    build=RGBMaskAE,
    steps=400,
    modalities=RGBMaskAE.modalities,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {
            "model.form": "plain",
            "model.mask_dropout": 0.0,
            "model.mask_dilation": 0.0,
            "objective.loss": "charbonnier",
            "objective.mask_weight": 1.0,
        },
    },
)
