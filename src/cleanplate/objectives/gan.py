"""A generator against a discriminator that judges pictures and pixels, in two phases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from cleanplate.losses import bootstrap_weight, huber, reconstruction_terms
from cleanplate.nn.unet import Discrimination
from cleanplate.objectives.base import Phase
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch

_BETAS = (0.5, 0.999)
"""Radford et al. 2015: with a first moment of 0.9 the two networks swing instead of settling."""


class _AdversarialModel(Protocol):
    """Network with the parts `generator` and `discriminator`."""

    @property
    def is_conditional(self) -> bool: ...

    def estimate_background(self, batch: FrameBatch) -> Tensor: ...

    def draw(self, batch: FrameBatch) -> Tensor: ...

    def judge(self, pictures: Tensor) -> Discrimination: ...


class GAN(Reconstruction):
    """Two phases; each runs the whole network again, so that no graph outlives its phase.

    The discriminator learns to tell frames from what the generator draws. The generator learns to
    draw what passes for a frame (non-saturating, Goodfellow et al. 2014, arXiv:1406.2661) and to
    redraw frames under a robust loss, from codes that it reads from them or searches for them.
    """

    learning_rate: float = Field(1e-3, gt=0, description="highest rate of the generator's Adam")
    discriminator_rate: float = Field(
        2e-4, gt=0, description="highest rate of the discriminator's Adam"
    )
    reconstruction: float = Field(1.0, ge=0, description="weight of the reconstruction")
    adversarial: float = Field(
        0.001, ge=0, description="weight of the adversarial terms beside the reconstruction"
    )
    instance_noise: float = Field(
        0.03, ge=0, description="standard deviation of the noise on all that is judged, 1 is white"
    )
    real_label: float = Field(
        0.9, gt=0.5, le=1, description="what the discriminator is to say of frames, 1 is certain"
    )

    def phases(self) -> tuple[Phase, ...]:
        """The discriminator's turn, then the generator's."""
        return (
            Phase(
                name="discriminator",
                loss=self._discriminator_terms,
                owns=("discriminator",),
                learning_rate=self.discriminator_rate,
                betas=_BETAS,
            ),
            Phase(
                name="generator",
                loss=self._generator_terms,
                owns=("generator",),
                learning_rate=self.learning_rate,
                betas=_BETAS,
            ),
        )

    def _discriminator_terms(
        self, model: _AdversarialModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        with torch.no_grad():
            drawn = model.draw(batch)
        frames = batch.target
        if model.is_conditional:
            # What moves must not be what frames are known by: the drawn picture stands in for it.
            frames = torch.lerp(drawn, frames, self._trust(drawn, batch, progress))
        real, fake = (model.judge(self._under_noise(each)) for each in (frames, drawn))
        return {
            "real_image": _cross_entropy(real.image, self.real_label),
            "real_pixels": _cross_entropy(real.pixels, self.real_label),
            "fake_image": _cross_entropy(fake.image, 0.0),
            "fake_pixels": _cross_entropy(fake.pixels, 0.0),
        }

    def _generator_terms(
        self, model: _AdversarialModel, batch: FrameBatch, progress: float
    ) -> Mapping[str, Tensor]:
        terms: dict[str, Tensor] = {}
        if model.is_conditional or self.reconstruction:
            estimate = model.estimate_background(batch)
            terms = self._reconstruction_terms(estimate, batch, progress)
        if model.is_conditional:
            # Where the reconstruction has let go of a pixel the weakest push would drive it away
            # for good: without a gate, a weight of 0.01 ended worse than the best still plate.
            drawn = _gated(estimate, self._trust(estimate.detach(), batch, progress))
        else:
            drawn = model.draw(batch)
        verdict = model.judge(self._under_noise(drawn))
        return {
            **terms,
            "image": self.adversarial * _cross_entropy(verdict.image, 1.0),
            "pixels": self.adversarial * _cross_entropy(verdict.pixels, 1.0),
        }

    def _reconstruction_terms(
        self, estimate: Tensor, batch: FrameBatch, progress: float
    ) -> dict[str, Tensor]:
        strength = self.strength_at(progress)
        terms = reconstruction_terms(
            self.loss, estimate, batch.target, strength=strength, reference=batch.expected
        )
        return {name: self.reconstruction * term for name, term in terms.items()}

    def _under_noise(self, pictures: Tensor) -> Tensor:
        """Pictures under noise that hides the sensor's own, by which the drawn would be told."""
        return pictures + self.instance_noise * torch.randn_like(pictures)

    def _trust(self, drawn: Tensor, batch: FrameBatch, progress: float) -> Tensor:
        """How much each pixel of the frames counts as background, `(B, 1, H, W)`, up to 1."""
        strength = self.strength_at(progress) if self.loss == "bootstrapped" else 0.0
        reference = drawn if batch.expected is None else batch.expected
        return bootstrap_weight(huber(reference, batch.target), strength=strength)


def _gated(pictures: Tensor, weight: Tensor) -> Tensor:
    """The same pictures, whose gradient is multiplied by a weight `(B, 1, H, W)`."""
    held = pictures.detach()
    return held + weight * (pictures - held)


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    logits = logits.float()
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
