"""Codes that a discriminator cannot tell from draws of a normal distribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from cleanplate.objectives.base import Phase
from cleanplate.objectives.reconstruction import Reconstruction
from cleanplate.tensor_tools.batch import FrameBatch

_ADVERSARIAL_BETAS = (0.5, 0.999)
"""Radford et al. 2015: the longer memory of 0.9 lets the two players swing."""
_DRAWS = 64
"""Draws from the prior in a step; they cost nothing, and few would be a blurred picture of it."""


class _AdversarialModel(Protocol):
    def codes(self, batch: FrameBatch) -> Tensor: ...
    def discriminate(self, codes: Tensor) -> Tensor: ...


class AdversarialCodes(Reconstruction):
    """Three phases: redraw the frame, tell codes from draws of N(0, I), fool the discriminator.

    Makhzani et al. 2015, arXiv:1511.05644, section 2; the gradient penalty, which is not theirs,
    is R1 of Mescheder et al. 2018, arXiv:1801.04406, on the draws.
    """

    discriminator_rate: float = Field(
        2e-3, gt=0, description="highest rate of Adam in the phase that tells codes from the prior"
    )
    encoder_rate: float = Field(
        1e-3, ge=0, description="highest rate of Adam in the phase that fools it; 0: no opponent"
    )
    gradient_penalty: float = Field(
        1.0, ge=0, description="of steep judgements on draws, which let the two players swing"
    )

    def phases(self) -> tuple[Phase, ...]:
        """Reconstruction, discriminator, encoder, in the order of the paper."""
        reconstruction = Phase(
            name="reconstruction",
            loss=self._terms,
            owns=("encoder", "decoder"),
            learning_rate=self.learning_rate,
        )
        discriminator = Phase(
            name="discriminator",
            loss=self._tell_apart,
            owns=("discriminator",),
            learning_rate=self.discriminator_rate,
            betas=_ADVERSARIAL_BETAS,
            may_compile=False,
        )
        encoder = Phase(
            name="encoder",
            loss=_fool,
            owns=("encoder",),
            learning_rate=self.encoder_rate,
            betas=_ADVERSARIAL_BETAS,
        )
        return reconstruction, discriminator, encoder

    def _tell_apart(
        self, model: _AdversarialModel, batch: FrameBatch, _progress: float
    ) -> Mapping[str, Tensor]:
        with torch.no_grad():
            codes = model.codes(batch)
        # In float32, also where codes are not: the penalty needs its gradients.
        draws = torch.randn(_DRAWS, codes.shape[1], device=codes.device, requires_grad=True)
        logits = model.discriminate(draws)
        return {
            "prior": _error_of_calling(logits, is_prior=True),
            "codes": _error_of_calling(model.discriminate(codes), is_prior=False),
            "penalty": self.gradient_penalty / 2 * _squared_slope(logits, draws),
        }


def _fool(model: _AdversarialModel, batch: FrameBatch, _progress: float) -> Mapping[str, Tensor]:
    # The form that does not saturate (Goodfellow et al. 2014): codes are to be called draws.
    logits = model.discriminate(model.codes(batch))
    return {"fooling": _error_of_calling(logits, is_prior=True)}


def _squared_slope(logits: Tensor, draws: Tensor) -> Tensor:
    """Mean squared length of the gradient of logits `(B, 1)` by the draws `(B, D)` they judge."""
    (slope,) = torch.autograd.grad(logits.sum(), draws, create_graph=True)
    return slope.square().sum(dim=1).mean()


def _error_of_calling(logits: Tensor, *, is_prior: bool) -> Tensor:
    # softplus is the cross entropy on logits: exact where a sigmoid has long become 0 or 1.
    logits = logits.float()
    return functional.softplus(-logits if is_prior else logits).mean()
