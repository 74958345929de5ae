"""DCGAN: a generator that redraws the empty scene, trained against a U-Net discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Adam

from cleanplate.architectures.base import (
    AS_PUBLISHED,
    ROBUST,
    Architecture,
    BuildContext,
    NetworkSettings,
)
from cleanplate.errors import SettingsError
from cleanplate.frames import FrameSize
from cleanplate.losses import bootstrap_weight, huber
from cleanplate.model import BackgroundModel
from cleanplate.nn.conv import ConvDecoder, ConvEncoder, init_weights
from cleanplate.nn.unet import Discrimination, UNetDiscriminator
from cleanplate.nn.view import start_from_zero
from cleanplate.objectives.gan import GAN
from cleanplate.tensor_tools.batch import FrameBatch

_PLAIN_CONTRAST, _RESIDUAL_CONTRAST = 2.0, 10.0
"""What pictures around 0 are multiplied by, to span -1 to 1 as in Radford et al.

What a plate leaves over is a tenth of a picture: beside the biases of a first layer that starts
from N(0, 0.02) it would be too faint to be seen behind the normalisation of the second.
"""
_SEARCH_BETAS = (0.9, 0.99)
"""The second moment forgets fast: the weights, and with them the gradients, change on the way."""


class DCGANSettings(NetworkSettings):
    """Settings of `dcgan`."""

    generator: Literal["conditional", "unconditional"] = Field(
        "conditional", description="draws from the frame, or from noise that is searched per frame"
    )
    latent_dim: int = Field(4, ge=1, description="numbers in the code of a picture")
    discriminator_width: int = Field(
        8, ge=4, description="channels of the discriminator's first stage"
    )
    search_steps: int = Field(
        40, ge=1, le=1000, description="unconditional: steps of the search for a frame's codes"
    )
    learning_steps: int = Field(
        10,
        ge=1,
        le=1000,
        description="unconditional: steps of that search while the network learns",
    )
    search_rate: float = Field(
        0.3, gt=0, le=100, description="unconditional: rate of that search, falling to 0"
    )
    search_strength: float = Field(
        6.0,
        ge=0,
        le=1000,
        description="unconditional: strength of the search's bootstrapped weight",
    )


class Generator(nn.Module):
    """Codes to maps, and in the conditional form pictures to codes."""

    def __init__(self, size: FrameSize, *, width: int, latent_dim: int, conditional: bool) -> None:
        super().__init__()
        self.encoder = (
            ConvEncoder(size, width=width, latent_dim=latent_dim) if conditional else None
        )
        self.decoder = ConvDecoder(size, width=width, latent_dim=latent_dim)


class DCGAN(BackgroundModel):
    """Generator and discriminator; the discriminator has no part in the background."""

    def __init__(self, settings: DCGANSettings, start: BuildContext) -> None:
        super().__init__()
        self.view = settings.view(start)
        self._settings = settings
        self._frame_size = start.size
        self.generator = Generator(
            self.view.size,
            width=settings.width,
            latent_dim=settings.latent_dim,
            conditional=settings.generator == "conditional",
        )
        self.discriminator = UNetDiscriminator(self.view.size, width=settings.discriminator_width)
        self.apply(init_weights)
        if self.view.is_residual:
            start_from_zero(self.generator.decoder.to_image)

    @property
    def is_conditional(self) -> bool:
        """Whether the generator draws from a frame; otherwise it draws from noise alone."""
        return self.generator.encoder is not None

    @property
    def is_one_graph(self) -> bool:
        """A search by gradients is none."""
        return self.is_conditional

    def estimate_background(self, batch: FrameBatch) -> Tensor:
        """Background of each frame, `(B, 3, H, W)`, float in [0, 1]."""
        return self.generate(self.codes(batch))

    def codes(self, batch: FrameBatch) -> Tensor:
        """Codes of each frame, `(B, latent_dim)`: read from it, or searched for it."""
        return self._encode(batch.rgb) if self.is_conditional else self.search_codes(batch.rgb)

    def pictures(self, batch: FrameBatch) -> Mapping[str, Tensor]:
        """What the generator draws, and what the discriminator says of each pixel of it."""
        drawn = self.draw(batch)
        verdict = torch.sigmoid(self.judge(drawn).pixels)
        caption = "redrawn frames" if self.is_conditional else "generated samples"
        return {
            caption: drawn,
            "the discriminator: white passes for real": verdict.expand(-1, 3, -1, -1),
        }

    def draw(self, batch: FrameBatch) -> Tensor:
        """As many pictures as the batch has frames: of these frames, or of new noise."""
        if self.is_conditional:
            return self.generate(self._encode(batch.rgb))
        noise = batch.rgb.new_empty(len(batch.rgb), self._settings.latent_dim)
        return self.generate(noise.normal_())

    def judge(self, pictures: Tensor) -> Discrimination:
        """What the discriminator says of pictures `(B, 3, H, W)`, logits in the working size."""
        return self.discriminator(self._seen(pictures))

    def generate(self, codes: Tensor) -> Tensor:
        """Pictures `(B, 3, H, W)` of codes `(B, latent_dim)`."""
        return self.view.background(self.generator.decoder(codes), self._frame_size)

    def sample(self, count: int, *, generator: torch.Generator | None = None) -> Tensor:
        """New pictures `(count, 3, H, W)` of codes from N(0, 1).

        Args:
            count: How many.
            generator: Random state on the CPU, so that all devices draw the same; None is torch's.

        Raises:
            SettingsError: The generator is conditional: its codes come from frames.
        """
        if self.is_conditional:
            raise SettingsError(
                "a conditional generator draws from frames, not from noise; "
                "learn with model.generator=unconditional"
            )
        codes = torch.randn(count, self._settings.latent_dim, generator=generator)
        return self.generate(codes.to(self.view.plate.device))

    def search_codes(self, frames: Tensor) -> Tensor:
        """Codes `(B, latent_dim)` whose pictures are nearest to frames `(B, 3, H, W)`.

        AnoGAN's search (Schlegl et al. 2017, arXiv:1703.05921) under a robust residual: what the
        generator cannot draw hardly counts. It starts from zero codes, the middle of the
        noise, so that it gives the same in every call, and runs although the caller computes no
        gradients; `torch.inference_mode` alone forbids it.
        """
        target = self.view.reduce(frames)
        settings = self._settings
        steps = settings.learning_steps if self.training else settings.search_steps
        with torch.enable_grad():
            codes = frames.new_zeros(len(frames), settings.latent_dim).requires_grad_()
            optimizer = Adam([codes], betas=_SEARCH_BETAS)
            for step in range(steps):
                # From far away all would look like foreground: full strength from the middle on.
                strength = settings.search_strength * min(1.0, 2 * step / steps)
                optimizer.param_groups[0]["lr"] = settings.search_rate * (1 - step / steps)
                residual = self._residual(codes, target, strength)
                (codes.grad,) = torch.autograd.grad(residual, codes)
                optimizer.step()
        return codes.detach()

    def _residual(self, codes: Tensor, target: Tensor, strength: float) -> Tensor:
        """Robust distance in the working size, summed over the frames: none knows of another."""
        error = huber(self.view.reduce(self.generate(codes)), target)
        weighted = error.sum(dim=1) * bootstrap_weight(error, strength=strength).squeeze(1)
        return weighted.mean(dim=(1, 2)).sum()

    def _encode(self, frames: Tensor) -> Tensor:
        encoder = self.generator.encoder
        assert encoder is not None
        return encoder(self._seen(frames))

    def _seen(self, pictures: Tensor) -> Tensor:
        """What both networks see of pictures, about -1 to 1."""
        return self.view.reduce(pictures) * (
            _RESIDUAL_CONTRAST if self.view.is_residual else _PLAIN_CONTRAST
        )


ARCHITECTURE = Architecture(
    source=(
        "Radford et al. 2015, arXiv:1511.06434; discriminator: Schoenfeld et al. 2020, "
        "arXiv:2002.12655; search: Schlegl et al. 2017, arXiv:1703.05921"
    ),
    settings=DCGANSettings,
    objective=GAN,
    build=DCGAN,
    steps=300,
    recipes={
        ROBUST: {"objective.learning_rate": 2e-3},
        AS_PUBLISHED: {
            "model.form": "plain",
            "model.generator": "unconditional",
            "model.search_strength": 0,
            "objective.reconstruction": 0,
            "objective.learning_rate": 2e-4,
        },
    },
)
