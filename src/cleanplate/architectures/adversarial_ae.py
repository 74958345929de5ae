"""Adversarial auto-encoder: an opponent holds the codes of the frames to a normal distribution."""

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
from cleanplate.nn.view import start_from_zero
from cleanplate.objectives.adversarial import AdversarialCodes
from cleanplate.tensor_tools.batch import FrameBatch

_LEAK = 0.2


class AdversarialAESettings(NetworkSettings):
    """Settings of `adversarial_ae`."""

    latent_dim: int = Field(4, ge=1, description="numbers in the code of a frame")
    discriminator_width: int = Field(
        64, ge=4, description="numbers in each of the two hidden layers of the discriminator"
    )


class AdversarialAE(BackgroundModel):
    """Encoder, linear code, decoder, and a discriminator that sees nothing but codes."""

    def __init__(self, settings: AdversarialAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        size, latent_dim = self.view.size, settings.latent_dim
        self.encoder = ConvEncoder(size, width=settings.width, latent_dim=latent_dim)
        self.decoder = ConvDecoder(size, width=settings.width, latent_dim=latent_dim)
        self.discriminator = _discriminator(latent_dim, settings.discriminator_width)
        if self.view.is_residual:
            start_from_zero(self.decoder.to_image)

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame, `(B, latent_dim)`; any number, as the prior has them."""
        return self.encoder(self.view.reduce(batch.rgb))

    def discriminate(self, codes: Tensor) -> Tensor:
        """Logit of each code, `(B, 1)`: above 0 where it looks like a draw from N(0, I)."""
        return self.discriminator(codes)

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        return self._decode(self.codes(batch), batch)

    def pictures(self, batch: FrameBatch) -> Mapping[str, Tensor]:
        """Backgrounds of codes drawn from the prior."""
        return {"draws of the prior": self._decode(torch.randn_like(self.codes(batch)), batch)}

    def _decode(self, codes: Tensor, batch: FrameBatch) -> Tensor:
        return self.view.background(self.decoder(codes), batch.rgb.shape[-2:])


def _discriminator(latent_dim: int, width: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(latent_dim, width),
        nn.LeakyReLU(_LEAK),
        nn.Linear(width, width),
        nn.LeakyReLU(_LEAK),
        nn.Linear(width, 1),
    )


ARCHITECTURE = Architecture(
    source=(
        "Makhzani et al. 2015, arXiv:1511.05644; gradient penalty: Mescheder et al. 2018, "
        "arXiv:1801.04406"
    ),
    settings=AdversarialAESettings,
    objective=AdversarialCodes,
    build=AdversarialAE,
    steps=300,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {
            "model.form": "plain",
            "objective.loss": "mse",
            "objective.gradient_penalty": 0,
        },
    },
)
