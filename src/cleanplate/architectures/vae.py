"""Variational auto-encoder: each number of the code has a spread and must be worth its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

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
from cleanplate.losses import gaussian_kl
from cleanplate.model import BackgroundModel
from cleanplate.nn.conv import ConvDecoder, ConvEncoder
from cleanplate.nn.view import start_from_zero
from cleanplate.objectives.elbo import ELBO
from cleanplate.tensor_tools.batch import FrameBatch

_LOG_VARIANCE_LIMIT = 20.0
"""Beyond it the variance leaves what float32 can hold beside other numbers."""
_START_LOG_VARIANCE = -4.0
"""With the prior's own spread the first codes are all noise, and the decoder learns to ignore them.

A standard deviation of 0.14 lets the light through from the first step.
"""


class VAESettings(NetworkSettings):
    """Settings of `vae`."""

    latent_dim: int = Field(
        8, ge=1, description="numbers in the code of a frame; those not needed fall silent"
    )


class VAEOutput(NamedTuple):
    """What a VAE is trained on.

    Attributes:
        background: `(B, 3, H, W)`, drawn from `codes`.
        mean: Of the codes, `(B, latent_dim)`.
        log_variance: Of the codes, `(B, latent_dim)`.
        codes: In training drawn around the mean, otherwise the mean itself.
    """

    background: Tensor
    mean: Tensor
    log_variance: Tensor
    codes: Tensor


class VAE(BackgroundModel):
    """Encoder to a normal distribution of codes, decoder from one code of it."""

    def __init__(self, settings: VAESettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        size, latent_dim = self.view.size, settings.latent_dim
        self.encoder = ConvEncoder(size, width=settings.width, latent_dim=2 * latent_dim)
        self.decoder = ConvDecoder(size, width=settings.width, latent_dim=latent_dim)
        with torch.no_grad():
            self.encoder.to_codes.bias[latent_dim:] += _START_LOG_VARIANCE
        if self.view.is_residual:
            start_from_zero(self.decoder.to_image)

    def forward(self, batch: FrameBatch) -> VAEOutput:
        """Background and distribution of each frame; draws codes only in training mode."""
        mean, log_variance = self.code_distribution(batch.rgb)
        codes = _draw(mean, log_variance) if self.training else mean
        return VAEOutput(self._decode(codes, batch), mean, log_variance, codes)

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame from the mean of its codes, `(B, 3, H, W)`, in [0, 1]."""
        return self._decode(self.codes(batch), batch)

    def codes(self, batch: FrameBatch) -> Tensor:
        """Mean of the codes of each frame, `(B, latent_dim)`."""
        mean, _ = self.code_distribution(batch.rgb)
        return mean

    def pictures(self, batch: FrameBatch) -> Mapping[str, Tensor]:
        """Backgrounds of codes drawn from the prior."""
        drawn = torch.randn_like(self.codes(batch))
        return {"draws of the prior": self._decode(drawn, batch)}

    def code_distribution(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the codes of each frame, both `(B, latent_dim)`."""
        mean, log_variance = self.encoder(self.view.reduce(frames)).chunk(2, dim=1)
        return mean, log_variance.clamp(-_LOG_VARIANCE_LIMIT, _LOG_VARIANCE_LIMIT)

    def kl_per_latent(self, batch: FrameBatch) -> Tensor:
        """Divergence of each number of the code from its prior, mean of the frames, in nats.

        `(latent_dim,)`. A number near 0 is silent: it says the same of every frame.
        """
        return gaussian_kl(*self.code_distribution(batch.rgb)).mean(dim=0)

    def code_facts(self, batch: FrameBatch) -> Mapping[str, Tensor]:
        """The divergence of each number from its prior, in nats."""
        return {"kl_nats": self.kl_per_latent(batch)}

    def _decode(self, codes: Tensor, batch: FrameBatch) -> Tensor:
        return self.view.background(self.decoder(codes), batch.rgb.shape[-2:])


def _draw(mean: Tensor, log_variance: Tensor) -> Tensor:
    return mean + torch.exp(log_variance / 2) * torch.randn_like(mean)


ARCHITECTURE = Architecture(
    source=(
        "Kingma & Welling 2013, arXiv:1312.6114; for backgrounds: Farnoosh et al. 2019 (DeepPBM), "
        "arXiv:1902.00820"
    ),
    settings=VAESettings,
    objective=ELBO,
    build=VAE,
    steps=400,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {
            "model.form": "plain",
            "model.latent_dim": 30,
            "objective.loss": "l1",
            "objective.kl_weight": 0.8,
            "objective.kl_ramp": 0,
        },
    },
)
