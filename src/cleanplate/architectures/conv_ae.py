"""Convolutional auto-encoder: a narrow code in the middle is too small to hold what moves."""

from __future__ import annotations

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
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch


class ConvAESettings(NetworkSettings):
    """Settings of `conv_ae`."""

    # More numbers suffice to draw what moves: with 8 and more some runs never unlearned it.
    latent_dim: int = Field(4, ge=1, description="numbers in the code of a frame")


class ConvAE(BackgroundModel):
    """Encoder, code, decoder at a working resolution; depth follows the size."""

    def __init__(self, settings: ConvAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        size, latent_dim = self.view.size, settings.latent_dim
        self.encoder = ConvEncoder(size, width=settings.width, latent_dim=latent_dim)
        self.decoder = ConvDecoder(size, width=settings.width, latent_dim=latent_dim)
        if self.view.is_residual:
            start_from_zero(self.decoder.to_image)

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame, `(B, latent_dim)`."""
        return self.encoder(self.view.reduce(batch.rgb))

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        return self.view.background(self.decoder(self.codes(batch)), batch.rgb.shape[-2:])


ARCHITECTURE = Architecture(
    source=(
        "layers: Radford et al. 2015, arXiv:1511.06434; survey of such networks: Bouwmans et al. "
        "2018, arXiv:1811.05255"
    ),
    settings=ConvAESettings,
    objective=Reconstruction,
    build=ConvAE,
    steps=400,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {"model.form": "plain", "objective.loss": "mse"},
    },
)
